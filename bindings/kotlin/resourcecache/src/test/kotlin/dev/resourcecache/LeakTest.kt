package dev.resourcecache

import dev.resourcecache.ffi.JsonCache
import java.io.File
import kotlin.test.Test
import kotlin.test.assertTrue
import org.junit.jupiter.api.condition.EnabledOnOs
import org.junit.jupiter.api.condition.OS

/**
 * Native memory, by what a process of its own holds: its heap is all taken at the start, so that only
 * native memory can grow.
 */
@EnabledOnOs(OS.LINUX, disabledReason = "reads /proc")
class LeakTest {
    private fun probe(how: String): Long {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val heap = listOf("-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC")
        // One arena of malloc's, so that memory which is freed is used again.
        val builder = ProcessBuilder(listOf(java) + heap + listOf("-cp", System.getProperty("java.class.path"), "dev.resourcecache.LeakProbe", how, "$COUNT"))
        builder.environment()["MALLOC_ARENA_MAX"] = "1"
        val process = builder.redirectErrorStream(true).start()
        val text = process.inputStream.bufferedReader().readText()
        assertTrue(process.waitFor() == 0, text)
        println("Kotlin, leak check: ${text.trim()}")
        return text.trim().substringAfterLast('=').toLong()
    }

    @Test
    fun `objects that are closed leave nothing behind`() {
        val held = probe("hold")
        assertTrue(held > COUNT * 500L, "what is held can be measured: $held bytes")
        val grown = probe("close")
        assertTrue(grown < held / 10, "one in ten would show: $grown bytes, of $held that all take")
    }

    @Test
    fun `objects that nobody closes are freed with their owners`() {
        // Each object has a few hundred bytes at the very least, outside the heap.
        val grown = probe("drop")
        assertTrue(grown < COUNT * 250L, "half of them would show: $grown bytes")
    }

    private companion object {
        /** `-DargLine=-Dresourcecache.objects=1000000` makes a million of them, which takes minutes. */
        val COUNT: Int = Integer.getInteger("resourcecache.objects", 100_000)
    }
}

/** What the test runs in a process of its own. */
object LeakProbe {
    private fun resident(): Long = File("/proc/self/statm").readText().split(' ')[1].toLong() * 4096

    private fun rest() = repeat(3) {
        System.gc()
        Thread.sleep(100)
    }

    @JvmStatic
    fun main(args: Array<String>) {
        val how = args[0]
        val held = ArrayList<JsonCache>()
        // What the machine compiles and loads is taken before anything is measured.
        repeat(5_000) { JsonCache().close() }
        rest()
        val before = resident()
        repeat(args[1].toInt()) { n ->
            val cache = JsonCache()
            when (how) {
                "close" -> cache.close()
                "hold" -> held += cache
                else -> if (n % 2_000 == 0) rest()
            }
        }
        rest()
        println("$how: objects=${args[1]} of which held=${held.size}, bytes grown=${resident() - before}")
    }
}
