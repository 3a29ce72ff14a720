package dev.resourcecache

import dev.resourcecache.ffi.ChangeObserver
import dev.resourcecache.ffi.GeneratedBuild
import dev.resourcecache.ffi.JsonCache
import dev.resourcecache.ffi.ManualClock
import java.nio.ByteBuffer
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** The generated code by itself: that the interface suits Kotlin. */
class GeneratedTest {
    private fun direct(text: String): ByteBuffer {
        val bytes = text.encodeToByteArray()
        return ByteBuffer.allocateDirect(bytes.size).put(bytes).flip()
    }

    @Test
    fun `a deleted row stays hidden, refusals are exceptions, observers are told`() {
        assertEquals(dev.resourcecache.ffi.libraryBuild(), GeneratedBuild().fingerprint)
        ManualClock(0).use { clock ->
            JsonCache(clock = clock).use { cache ->
                val told = CopyOnWriteArrayList<ULong>()
                val observer = object : ChangeObserver {
                    override fun changed(revision: ULong) {
                        // It may call back: no lock is held.
                        assertTrue(cache.revision() >= revision)
                        told += revision
                    }
                }
                cache.subscribe(observer)
                val list = """[{"id":"a"},{"id":"b"}]"""
                assertEquals(2u, cache.merge(direct(list)).upserted)
                assertEquals(1u, cache.markAsDeleting("a").removed)
                cache.merge(direct(list))
                assertEquals(1UL, cache.visibleCount())
                assertEquals(2, told.size)
                val refused = assertFailsWith<dev.resourcecache.ffi.CacheException.NotFound> { cache.cancel(77UL) }
                assertEquals(77UL, refused.operation)
            }
        }
    }
}
