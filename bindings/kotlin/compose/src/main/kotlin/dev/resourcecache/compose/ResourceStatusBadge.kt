package dev.resourcecache.compose

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Row as RowLayout
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.material3.CircularProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.unit.dp
import dev.resourcecache.Badge
import dev.resourcecache.Icon
import dev.resourcecache.Row
import dev.resourcecache.Variant

/**
 * What goes on with a resource, as a badge; nothing where nothing goes on.
 *
 * ```kotlin
 * LazyColumn {
 *     items(rows, key = { it.key }) { row ->
 *         ListItem(
 *             headlineContent = { Text(row.value.name) },
 *             trailingContent = { ResourceStatusBadge(row) },
 *             supportingContent = { ResourceProgress(row) },
 *         )
 *     }
 * }
 * ```
 *
 * A screen reader reads it as one text, and tells of it when it changes.
 */
@Composable
public fun ResourceStatusBadge(row: Row<*>, modifier: Modifier = Modifier) {
    ResourceStatusBadge(row.badge, modifier)
}

/** The same for a badge by itself; nothing for none. */
@Composable
public fun ResourceStatusBadge(badge: Badge?, modifier: Modifier = Modifier) {
    if (badge == null) return
    val text = badge.text()
    val (container, content) = badge.variant.colors()
    Surface(
        color = container,
        contentColor = content,
        shape = MaterialTheme.shapes.small,
        modifier = modifier.clearAndSetSemantics {
            contentDescription = text
            liveRegion = LiveRegionMode.Polite
        },
    ) {
        RowLayout(
            verticalAlignment = Alignment.CenterVertically,
            horizontalArrangement = Arrangement.spacedBy(6.dp),
            modifier = Modifier.padding(horizontal = 8.dp, vertical = 4.dp),
        ) {
            Sign(badge.icon, badge.animate, content)
            Text(text, style = MaterialTheme.typography.labelMedium)
        }
    }
}

/** The label, and what is known in numbers that it does not say: `Retrying (2 of 3)`, `Deleting 40 %`. */
internal fun Badge.text(): String {
    val attempts = retry?.takeUnless { "${it.failed}/${it.limit}" in label }
    return label + (progress?.let { " ${it.toInt()} %" } ?: "") + (attempts?.let { " (${it.failed} of ${it.limit})" } ?: "")
}

@Composable
private fun Sign(icon: Icon, animate: Boolean, color: Color) {
    when (icon) {
        Icon.SPINNER ->
            if (animate) {
                CircularProgressIndicator(Modifier.size(12.dp), color, strokeWidth = 2.dp)
            } else {
                CircularProgressIndicator({ 0.75f }, Modifier.size(12.dp), color, strokeWidth = 2.dp)
            }
        Icon.CHECK -> Text("\u2713", color = color, style = MaterialTheme.typography.labelMedium)
        Icon.CROSS -> Text("\u2715", color = color, style = MaterialTheme.typography.labelMedium)
    }
}

/** The colours of what is behind, and of what is on it. */
@Composable
private fun Variant.colors(): Pair<Color, Color> =
    MaterialTheme.colorScheme.run {
        when (this@colors) {
            Variant.DEFAULT -> primaryContainer to onPrimaryContainer
            Variant.SECONDARY -> secondaryContainer to onSecondaryContainer
            Variant.DESTRUCTIVE -> errorContainer to onErrorContainer
        }
    }
