package dev.resourcecache

import java.lang.ref.WeakReference
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put

@OptIn(ExperimentalCoroutinesApi::class)
class LifeTest {
    @Test
    fun `deadlines come by the scope and the clock that were given`() = runTest {
        val cache = zoneCache(Settings(staleAfter = 300.seconds, seed = 1))
        cache.merge(zones("a", "b"))
        cache.markAsProcessing("a")
        advanceTimeBy(299.seconds)
        assertIs<Status.Processing>(cache.rows.value[0].status)
        advanceTimeBy(2.seconds)
        // Nothing but time has passed, and it is given up.
        assertEquals(null, cache.rows.value[0].status)
        assertIs<Outcome.Stale>(cache.pastOutcomes().single())
    }

    @Test
    fun `an earlier deadline is not missed while a later one is waited for`() = runTest {
        val cache = zoneCache(Settings(ttl = 600.seconds, staleAfter = 900.seconds, seed = 1))
        cache.merge(zones("a", "b"))
        cache.markAsDeleting("a")
        runCurrent()
        assertFailsWith<IllegalStateException> { cache.deleting("b") { error("no") } }
        advanceTimeBy(6.seconds)
        runCurrent()
        assertEquals(null, cache.rows.value.single { it.id == "b" }.status)
    }

    @Test
    fun `what was saved goes on in another process`() = runTest {
        val first = zoneCache()
        first.merge(zones("a", "b"))
        first.deleting("a") {}
        first.queue(Begin.Create(Zone("tmp-1")))
        val saved = first.save()
        first.close()
        val second = ResourceCache.restore(
            saved, Zone.serializer(), backgroundScope, Settings(seed = 1), clock = virtualClock,
            dispatcher = kotlinx.coroutines.test.StandardTestDispatcher(testScheduler),
        )
        assertEquals(listOf("b", "tmp-1"), second.ids)
        assertEquals(1, second.queued)
        second.merge(zones("a", "b"))
        assertEquals(listOf("b", "tmp-1"), second.ids)
        assertFailsWith<CacheException.BadInput> {
            ResourceCache.restore("{", Zone.serializer(), backgroundScope)
        }
    }

    @Test
    fun `closed, it says so, and what collects ends`() = runTest {
        val cache = zoneCache()
        cache.merge(zones("a"))
        val reader = launch { cache.changes.toList() }
        runCurrent()
        val gate = CompletableDeferred<Unit>()
        val late = launch {
            // What the server did is done, whoever looks.
            assertEquals("done", cache.deleting("a") { gate.await(); "done" })
        }
        runCurrent()
        cache.close()
        cache.close()
        gate.complete(Unit)
        late.join()
        reader.join()
        assertFailsWith<CacheException.Closed> { cache.merge(zones("a")) }
        assertFailsWith<CacheException.Closed> { cache["a"] }
        assertFailsWith<CacheException.Closed> { cache.status("b") }
        assertEquals(emptyList(), cache.ids)
        assertEquals(emptyList(), cache.changes.toList())
    }

    @Test
    fun `a call that finds the native side gone says that it is closed`() = runTest {
        val cache = zoneCache()
        cache.merge(zones("a"))
        val status = cache.status("a")
        // As when it is closed by another thread, just after this one has looked whether it is.
        cache.native.close()
        val said = assertFailsWith<CacheException.Closed> { cache["a"] }
        assertIs<IllegalStateException>(said.cause)
        assertFailsWith<CacheException.Closed> { cache.merge(zones("a")) }
        assertEquals(null, status.value)
        assertEquals("mine", assertFailsWith<IllegalStateException> { native { error("mine") } }.message)
        cache.close()
    }

    @Test
    fun `it ends with its scope, and leaves nothing in it`() = runTest {
        val job = Job()
        val cache = ResourceCache(Zone.serializer(), CoroutineScope(coroutineContext + job))
        assertEquals(1, job.children.count())
        job.cancelAndJoin()
        assertTrue(cache.isClosed)
        val other = Job()
        ResourceCache(Zone.serializer(), CoroutineScope(coroutineContext + other)).close()
        runCurrent()
        assertEquals(0, other.children.count())
        other.cancel()
    }

    @Test
    fun `closing while in use ends each call whole or as closed`() = repeat(100) {
        runBlocking(Dispatchers.Default) {
            val scope = CoroutineScope(Job())
            val cache = ResourceCache(Zone.serializer(), scope)
            val ends = AtomicInteger()
            val users = List(8) { n ->
                launch {
                    try {
                        while (true) {
                            cache.merge(zones("a", "b", "z$n"))
                            cache.deleting("a") {}
                            cache["b"]
                            cache.all()
                        }
                    } catch (_: CacheException.Closed) {
                        ends.incrementAndGet()
                    }
                }
            }
            delay(5)
            cache.close()
            users.joinAll()
            assertEquals(8, ends.get())
            scope.coroutineContext[Job]!!.cancelAndJoin()
        }
    }

    @Test
    fun `from many coroutines, everything is told in order and nothing is lost`() = runBlocking(Dispatchers.Default) {
        val scope = CoroutineScope(Job() + Dispatchers.Default)
        val cache = ResourceCache(Zone.serializer(), scope, Settings(outcomeLog = 100_000))
        val ids = List(40) { "z$it" }
        cache.merge(zones(*ids.toTypedArray()))
        val start = cache.rows.value
        val told = ArrayList<Change<Zone>>()
        val reader = launch(start = kotlinx.coroutines.CoroutineStart.UNDISPATCHED) { cache.changes.collect { told += it } }
        val verbs = 200
        val users = List(16) { n ->
            launch {
                repeat(verbs) { i ->
                    val id = ids[(n * 7 + i) % ids.size]
                    try {
                        when (i % 4) {
                            0 -> cache.deleting(id) { if (i % 3 == 0) error("no") }
                            1 -> cache.updating(id, buildJsonObject { put("ttl", i) }) { null }
                            2 -> cache.creating(Zone("n$n-$i")) { Zone("m$n-$i") }
                            else -> cache.processing(id) { it.report(50.0) }
                        }
                    } catch (_: CacheException) {
                        // Another has it in a state that refuses.
                    } catch (_: IllegalStateException) {
                        // The deletion that fails.
                    }
                    if (i % 10 == 0) cache.merge(zones(*ids.toTypedArray()))
                }
            }
        }
        users.joinAll()
        val end = cache.rows.value
        cache.close()
        reader.join()
        assertEquals(told.map { it.revision }.sorted(), told.map { it.revision }, "in order")
        val shadow = start.toMutableList()
        for (change in told) {
            val gone = change.removed.map { it.key } + change.upserted.map { it.row.key }
            shadow.removeAll { it.key in gone }
            for ((row, after) in change.upserted) {
                shadow.add(if (after == null) 0 else shadow.indexOfFirst { it.key == after } + 1, row)
            }
        }
        assertEquals(end, shadow)
        scope.coroutineContext[Job]!!.cancelAndJoin()
    }

    @Test
    fun `who is told may call again, and waits for nobody`() = runTest {
        val cache = zoneCache()
        val seen = ArrayList<List<String>>()
        val job = launch(Dispatchers.Unconfined) {
            cache.rows.collect { rows ->
                seen += rows.map { it.id }
                // In the midst of being told, and even blocking.
                if (rows.size == 2) runBlocking { cache.markAsDeleting("a") }
            }
        }
        cache.merge(zones("a", "b"))
        runCurrent()
        assertEquals(listOf("b"), cache.ids)
        assertEquals(listOf(emptyList(), listOf("a", "b"), listOf("b")), seen)
        job.cancelAndJoin()
    }

    @Test
    fun `calls run where they are told to, not on the caller's thread`() {
        val main = Executors.newSingleThreadExecutor { Thread(it, "main-like") }.asCoroutineDispatcher()
        val worker = Executors.newSingleThreadExecutor { Thread(it, "worker-like") }.asCoroutineDispatcher()
        runBlocking(main) {
            val job = Job()
            val cache = ResourceCache(Zone.serializer(), CoroutineScope(main + job), dispatcher = worker)
            var thread = ""
            val reader = launch(Dispatchers.Unconfined) { cache.changes.collect { thread = Thread.currentThread().name } }
            cache.merge(zones("a"))
            assertTrue(thread.startsWith("worker-like"), thread)
            reader.cancelAndJoin()
            job.cancelAndJoin()
        }
        main.close()
        worker.close()
    }

    @Test
    fun `a status that nobody holds is forgotten`() = runTest {
        val cache = zoneCache()
        cache.merge(zones("a"))
        val held = cache.status("a")
        assertEquals(held.value, cache.status("a").value)
        val dropped = WeakReference(cache.status("b"))
        for (i in 0..50) {
            if (dropped.get() == null) break
            System.gc()
            Thread.sleep(10)
        }
        assertEquals(null, dropped.get())
        cache.markAsDeleting("a")
        assertIs<Status.Deleting>(held.value)
    }
}
