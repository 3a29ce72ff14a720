package dev.resourcecache.sample

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking

class SampleTest {
    /** Runs it against a server of its own, which ends with its input. */
    private fun lines(): List<String> {
        val server = ProcessBuilder(System.getProperty("resourcecache.server"))
            .redirectError(ProcessBuilder.Redirect.INHERIT).start()
        try {
            val url = server.inputStream.bufferedReader().readLine()
            val lines = ArrayList<String>()
            runBlocking { scenarios(url, isFast = true) { lines += it } }
            return lines
        } finally {
            server.outputStream.close()
            server.waitFor()
        }
    }

    @Test
    fun `what a user sees never flickers, and ends as it should`() {
        val lines = lines()
        val parts = listOf(1, 2, 3).map { n ->
            lines.dropWhile { !it.startsWith("$n. ") }.drop(1).takeWhile { it.firstOrNull() !in '1'..'3' }
        }
        val (domains, zones, records) = parts
        for (stage in listOf("Starting registration...", "Registering with registrar...", "Activating...", "Registration complete!")) {
            assertTrue(domains.any { stage in it }, "$stage is shown")
        }
        // Once asked for, the new domain is in every list, once.
        val screens = screens(domains)
        assertTrue(screens.drop(1).all { rows -> rows.count { "new.example" in it } == 1 }, "$screens")
        // What was deleted and not refused never comes back.
        assertTrue(screens(zones).drop(1).all { rows -> rows.none { "zone-1" in it || "zone-3" in it || "zone-5" in it } })
        assertTrue("Deleted 3 zones. Failed to delete 2 zones." in zones, "$zones")
        assertEquals(3, screens(zones).last().size)
        // The edit shows at once, and where it has failed, the server's value in the end.
        assertTrue(screens(records)[1].all { "ttl 60" in it })
        assertTrue(screens(records).last().single { "r1" in it }.contains("ttl 60"))
        assertTrue(screens(records).last().single { "r2" in it }.contains("ttl 300"))
        assertTrue(records.any { "Retry 2/3..." in it }, "attempts are counted")
    }

    /** The rows of each screen. */
    private fun screens(lines: List<String>): List<List<String>> {
        val screens = ArrayList<ArrayList<String>>()
        for (line in lines) {
            if (line.startsWith("         ")) screens.last() += line else screens += ArrayList<String>()
        }
        return screens.filter { it.isNotEmpty() }
    }
}
