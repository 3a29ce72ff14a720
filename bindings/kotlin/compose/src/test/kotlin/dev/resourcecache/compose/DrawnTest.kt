package dev.resourcecache.compose

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.width
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.ui.ImageComposeScene
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.ProgressBarRangeInfo
import androidx.compose.ui.test.ExperimentalTestApi
import androidx.compose.ui.test.assertCountEquals
import androidx.compose.ui.test.assertRangeInfoEquals
import androidx.compose.ui.test.onAllNodesWithContentDescription
import androidx.compose.ui.test.onNodeWithContentDescription
import androidx.compose.ui.test.onRoot
import androidx.compose.ui.test.runComposeUiTest
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.dp
import androidx.compose.ui.use
import dev.resourcecache.Badge
import dev.resourcecache.Icon
import dev.resourcecache.Progress
import dev.resourcecache.ResourceCache
import dev.resourcecache.RetryCount
import dev.resourcecache.Variant
import dev.resourcecache.markAsProcessing
import dev.resourcecache.merge
import dev.resourcecache.updateMetadata
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put

@OptIn(ExperimentalTestApi::class)
class DrawnTest {
    private val retrying = Badge("Retrying", Variant.SECONDARY, Icon.SPINNER, true, null, RetryCount(2, 3))
    private val moving = Badge("Moving", Variant.DEFAULT, Icon.SPINNER, false, 40.0, null)
    private val done = Badge("Done", Variant.DEFAULT, Icon.CHECK, false, null, null)
    private val failed = Badge("HTTP 409", Variant.DESTRUCTIVE, Icon.CROSS, false, null, null)

    @Test
    fun `a badge is read as one text`() = runComposeUiTest {
        mainClock.autoAdvance = false
        setContent {
            Column {
                ResourceStatusBadge(retrying)
                ResourceStatusBadge(moving)
                ResourceStatusBadge(retrying.copy(label = "Retry 2/3..."))
                ResourceStatusBadge(badge = null)
            }
        }
        onNodeWithContentDescription("Retrying (2 of 3)").assertExists()
        onNodeWithContentDescription("Moving 40 %").assertExists()
        // What the label says already is not said twice.
        onNodeWithContentDescription("Retry 2/3...").assertExists()
        assertEquals(3, onRoot().fetchSemanticsNode().children.size)
    }

    @Test
    fun `a bar tells how far it is`() = runComposeUiTest {
        setContent {
            Column {
                ResourceProgress(Progress("Registering...", 62.5, null, false))
                ResourceProgress(progress = null)
            }
        }
        onNodeWithContentDescription("Registering...").assertRangeInfoEquals(ProgressBarRangeInfo(62.5f, 0f..100f))
        assertEquals(1, onRoot().fetchSemanticsNode().children.size)
    }

    @Test
    fun `rows of a cache are drawn`() = runBlocking {
        ResourceCache(JsonObject.serializer(), this).use { zones ->
            zones.merge("""[{"id":"a"},{"id":"b"},{"id":"c"}]""".encodeToByteArray())
            zones.markAsProcessing("b")
            zones.updateMetadata("b", buildJsonObject { put("message", "Signing"); put("progress", 25) })
            val rows = zones.rows.value
            runComposeUiTest {
                mainClock.autoAdvance = false
                setContent {
                    Column { rows.forEach { ResourceStatusBadge(it); ResourceProgress(it) } }
                }
                onAllNodesWithContentDescription("Signing", substring = true).assertCountEquals(2)
                assertEquals(2, onRoot().fetchSemanticsNode().children.size)
            }
        }
    }

    /** `mvn test -Dresourcecache.picture=FILE` keeps what is drawn here: docs/kotlin-compose.png. */
    @Test
    fun `what is drawn is coloured by its variant`() {
        val image = ImageComposeScene(640, 440, Density(2f)).use { scene ->
            scene.setContent {
                MaterialTheme {
                    Surface {
                        Column(Modifier.padding(12.dp).width(296.dp), Arrangement.spacedBy(8.dp)) {
                            for (badge in listOf(retrying, moving, done, failed)) ResourceStatusBadge(badge)
                            ResourceProgress(Progress("Registering with registrar...", 62.5, null, false))
                            ResourceProgress(Progress("Activating...", 80.0, null, true))
                        }
                    }
                }
            }
            // A while later, when what spins is on its way.
            scene.render(0)
            scene.render(700_000_000)
        }
        val png = checkNotNull(image.encodeToData()) { "it can be written as PNG" }.bytes
        System.getProperty("resourcecache.picture")?.takeIf { it.isNotEmpty() }?.let { File(it).writeBytes(png) }
        val drawn = javax.imageio.ImageIO.read(png.inputStream())
        val colors = (0 until drawn.height step 2).flatMap { y -> (0 until drawn.width step 2).map { x -> drawn.getRGB(x, y) } }.toSet()
        // Material's container colours of the three variants, in light.
        for ((name, color) in listOf("primary" to 0xFFEADDFF, "secondary" to 0xFFE8DEF8, "error" to 0xFFF9DEDC)) {
            assertTrue(color.toInt() in colors, "$name is drawn")
        }
    }
}
