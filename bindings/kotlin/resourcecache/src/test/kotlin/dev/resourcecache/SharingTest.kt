package dev.resourcecache

import java.nio.file.Path
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.io.TempDir

@OptIn(ExperimentalCoroutinesApi::class)
class SharingTest {
    @TempDir
    lateinit var folder: Path

    private fun store() = Store.open("sqlite:${folder.resolve("zones.sqlite")}")

    private fun TestScope.open(store: Store) = ResourceCache.open(
        store, Zone.serializer(), backgroundScope, "zones", Settings(seed = 1), clock = virtualClock,
        dispatcher = StandardTestDispatcher(testScheduler),
    )

    @Test
    fun `what others commit is shown when they do`() = runBlocking {
        val scope = CoroutineScope(Dispatchers.Default)
        val here = ResourceCache.open(store(), Zone.serializer(), scope, "zones")
        val there = ResourceCache.open(store(), Zone.serializer(), scope, "zones")
        val following = scope.launch { here.followCommits() }
        there.merge(zones("a", "b"))
        withTimeout(30.seconds) { here.rows.first { it.size == 2 } }
        there.markAsDeleting("a")
        withTimeout(30.seconds) { here.rows.first { it.size == 1 } }
        // It ends with the list, and leaves no thread behind that waits.
        here.close()
        withTimeout(30.seconds) { following.join() }
        assertEquals(false, following.isCancelled)
        there.close()
        scope.cancel()
    }

    @Test
    fun `what others committed is taken by a call`() = runTest {
        val store = store()
        val (here, there) = open(store) to open(store)
        there.merge(zones("a"))
        assertEquals(emptyList(), here.ids)
        assertEquals(1, here.sync().upserted.size)
        assertEquals(listOf("a"), here.ids)
        assertEquals("zones", here.key)
    }

    @Test
    fun `one of several sends`() = runTest {
        val store = store()
        val (here, there) = open(store) to open(store)
        here.queue(Begin.Create(Zone("tmp-1")))
        there.sync()
        val sent = ArrayList<String>()
        there.leading("there", 60.seconds) { isLeader ->
            assertTrue(isLeader.value)
            assertEquals(false, here.lead("here", 60.seconds))
            val sending = launch { here.sendQueued { sent += "here"; null } }
            runCurrent()
            assertEquals(emptyList(), sent)
            coroutineScope {
                val own = launch { there.sendQueued { sent += "there"; null } }
                runCurrent()
                own.cancel()
            }
            assertEquals(listOf("there"), sent)
            sending.cancel()
        }
        // It has stepped down: another need not wait for its time to end.
        assertTrue(here.lead("here", 60.seconds))
        here.stepDown("here")
        assertTrue(there.lead("there", 60.seconds))
    }

    @Test
    fun `one that comes to lead sends what waits`() = runTest {
        val store = store()
        val (here, there) = open(store) to open(store)
        assertTrue(there.lead("there", 60.seconds))
        here.queue(Begin.Create(Zone("tmp-1")))
        val sent = ArrayList<String>()
        val sending = launch {
            here.leading("here", 30.seconds) { here.sendQueued { sent += "here"; null } }
        }
        runCurrent()
        assertEquals(emptyList(), sent)
        there.stepDown("there")
        advanceTimeBy(11.seconds)
        assertEquals(listOf("here"), sent)
        sending.cancel()
    }

    @Test
    fun `a list in memory is shared with nobody`() = runTest {
        val cache = zoneCache()
        assertEquals(null, cache.key)
        assertFailsWith<CacheException.BadInput> { cache.sync() }
        assertFailsWith<CacheException.BadInput> { cache.lead("here", 1.seconds) }
        assertFailsWith<CacheException.BadInput> { cache.followCommits() }
    }

    @Test
    fun `what is due while the store is closed is done when it is open again`() = runTest {
        val store = store()
        val cache = open(store)
        cache.merge(zones("a"))
        cache.markAsProcessing("a")
        store.close()
        advanceTimeBy(400.seconds)
        assertEquals("processing", cache.state("a"))
        store.reopen()
        advanceTimeBy(2.seconds)
        assertEquals("idle", cache.state("a"))
        assertEquals(null, cache.rows.value.single().status)
    }
}
