package dev.resourcecache

import java.nio.file.Path
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.io.TempDir

@OptIn(ExperimentalCoroutinesApi::class)
class StoreTest {
    @TempDir
    lateinit var folder: Path

    private val address get() = "sqlite:${folder.resolve("zones.sqlite")}"

    private fun TestScope.open(store: Store) = ResourceCache.open(
        store, Zone.serializer(), backgroundScope, "zones", Settings(seed = 1), clock = virtualClock,
        dispatcher = StandardTestDispatcher(testScheduler),
    )

    @Test
    fun `what was answered survives the death of the process`() = runTest {
        val first = open(Store.open(address))
        first.merge(zones("a", "b"))
        first.deleting("a") {}
        first.queue(Begin.Create(Zone("tmp-1")))
        // Nothing is closed, and nothing is said: as when the process is killed.
        val second = open(Store.open(address))
        assertEquals(listOf("b", "tmp-1"), second.ids)
        assertEquals(1, second.queued)
        second.merge(zones("a", "b"))
        assertEquals(listOf("b", "tmp-1"), second.ids)
        assertEquals(listOf("zones"), Store.open(address).keys())
    }

    @Test
    fun `what another one committed is shown with the next call`() = runTest {
        val store = Store.open(address)
        val here = open(store)
        val there = open(store)
        here.merge(zones("a", "b"))
        there.markAsDeleting("b")
        assertEquals(listOf("a"), there.ids)
    }

    @Test
    fun `a closed store refuses, and changes nothing`() = runTest {
        val store = Store.open("memory:")
        val cache = open(store)
        cache.merge(zones("a"))
        store.close()
        val refused = assertFailsWith<CacheException.Store> { cache.markAsDeleting("a") }
        assertEquals("closed" to false, refused.kind to refused.retryable)
        assertEquals(listOf("a"), cache.ids)
        store.reopen()
        cache.markAsDeleting("a")
        assertTrue(store.delete("zones"))
    }

    @Test
    fun `an address of no store is refused`() {
        assertFailsWith<CacheException.BadInput> { Store.open("zones.sqlite") }
        // The mobile builds leave it out.
        val redis = assertFailsWith<CacheException.BadInput> { Store.open("redis://127.0.0.1/") }
        assertTrue("built without Redis" in redis.message.orEmpty(), redis.message)
    }
}
