package dev.resourcecache.compose

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.ProgressBarRangeInfo
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.progressBarRangeInfo
import androidx.compose.ui.unit.dp
import dev.resourcecache.Progress
import dev.resourcecache.Row

/** How far an operation is, as a bar with its message; nothing where nothing is told of it. */
@Composable
public fun ResourceProgress(row: Row<*>, modifier: Modifier = Modifier) {
    ResourceProgress(row.progress, modifier)
}

/** The same for progress by itself; nothing for none. Where nothing was heard for too long, it is coloured so. */
@Composable
public fun ResourceProgress(progress: Progress?, modifier: Modifier = Modifier) {
    if (progress == null) return
    val colors = MaterialTheme.colorScheme
    Column(
        verticalArrangement = Arrangement.spacedBy(4.dp),
        modifier = modifier.clearAndSetSemantics {
            contentDescription = progress.label
            progressBarRangeInfo = ProgressBarRangeInfo(progress.percent.toFloat(), 0f..100f)
        },
    ) {
        Text(progress.label, style = MaterialTheme.typography.bodySmall, color = colors.onSurfaceVariant)
        LinearProgressIndicator(
            progress = { (progress.percent / 100).toFloat() },
            modifier = Modifier.fillMaxWidth(),
            color = if (progress.isStalled) colors.error else colors.primary,
        )
    }
}
