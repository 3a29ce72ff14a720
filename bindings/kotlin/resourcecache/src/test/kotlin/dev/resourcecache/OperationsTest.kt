package dev.resourcecache

import java.io.IOException
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertSame
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put

@OptIn(ExperimentalCoroutinesApi::class)
class OperationsTest {
    private fun test(settings: Settings = Settings(seed = 1), act: suspend TestScope.(ResourceCache<Zone>) -> Unit) =
        runTest {
            val cache = zoneCache(settings)
            cache.merge(zones("a", "b", "c"))
            cache.use { act(it) }
        }

    private suspend fun ResourceCache<Zone>.settled() = pastOutcomes().map { it::class.simpleName to it.kind }

    @Test
    fun `deleting hides at once, and acknowledges when the block returns`() = test { cache ->
        val answer = cache.deleting("a") {
            assertEquals(listOf("b", "c"), cache.ids)
            assertIs<Status.Deleting>(cache.status("a").value)
            assertEquals("deleting", cache.state("a"))
            42
        }
        assertEquals(42, answer)
        assertEquals("deleted", cache.state("a"))
        cache.merge(zones("a", "b", "c"))
        assertEquals(listOf("b", "c"), cache.ids)
        cache.merge(zones("b", "c"))
        assertEquals(listOf("Confirmed" to Kind.DELETE), cache.settled())
    }

    @Test
    fun `a deletion that fails shows the row again with the error, and rethrows`() = test { cache ->
        val status = cache.status("a")
        val thrown = assertFailsWith<IOException> { cache.deleting("a") { throw IOException("in use") } }
        assertEquals("in use", thrown.message)
        assertEquals(listOf("a", "b", "c"), cache.ids)
        val failed = assertIs<Status.Failed>(status.value)
        assertEquals("in use" to Kind.DELETE, failed.error to failed.what)
        assertEquals(Variant.DESTRUCTIVE, cache.rows.value[0].badge?.variant)
        advanceTimeBy(6.seconds)
        assertNull(status.value)
        assertIs<Outcome.Failed>(cache.pastOutcomes().single())
    }

    @Test
    fun `updating shows the patch, then what the server answers`() = test { cache ->
        val answer = cache.updating("b", buildJsonObject { put("ttl", 60) }) {
            assertEquals(60, cache["b"]?.value?.ttl)
            Zone("b", "b.example", 61)
        }
        assertEquals(61, answer?.ttl)
        assertEquals(61, cache.rows.value[1].value.ttl)
    }

    @Test
    fun `updating by an edit patches only what was edited`() = test { cache ->
        cache.keepJournal(true)
        cache.updating("b", { it.copy(ttl = 60) }) { edited ->
            assertEquals(Zone("b", ttl = 60), edited)
            assertEquals(edited, cache.rows.value[1].value)
            null
        }
        // The field that the class has not is still there, and nothing but the ttl was set.
        assertTrue(""""owner":"x"""" in cache.listV1(), cache.listV1())
        assertTrue("name" !in cache.takeJournal().lines().first(), "the patch is of the ttl alone")
        assertFailsWith<CacheException.NotFound> { cache.updating("nobody", { it }) { null } }
    }

    @Test
    fun `creating keeps the row when the server gives it another id`() = test { cache ->
        val status = cache.status("tmp-1")
        var key = -1L
        cache.creating(Zone("tmp-1", "new.example")) {
            assertIs<Status.Creating>(status.value)
            key = cache.rows.value.single { it.id == "tmp-1" }.key
            Zone("z9", "new.example")
        }
        assertEquals(listOf("a", "b", "c", "z9"), cache.ids)
        assertEquals(key, cache.rows.value.last().key)
        assertNull(status.value)
    }

    @Test
    fun `a creation that fails takes its row away again`() = test { cache ->
        assertFailsWith<IOException> { cache.creating(Zone("n")) { throw IOException("no") } }
        advanceTimeBy(6.seconds)
        assertEquals(listOf("a", "b", "c"), cache.ids)
    }

    @Test
    fun `processing tells how far it is, and lingers when it is done`() = test { cache ->
        val status = cache.status("c")
        cache.processing("c") { progress ->
            progress.report(40.0, "signing")
            val row = cache.rows.value[2]
            assertEquals("signing" to 40.0, row.progress?.label to row.progress?.percent)
            assertEquals("signing" to Icon.SPINNER, row.badge?.label to row.badge?.icon)
            assertIs<Status.Processing>(status.value)
        }
        assertIs<Status.Processed>(status.value)
        assertEquals(Icon.CHECK, cache.rows.value[2].badge?.icon)
        advanceTimeBy(3.seconds)
        assertNull(status.value)
    }

    @Test
    fun `cancelled in the middle, each verb is taken back`() = test { cache ->
        val before = cache.rows.value
        val verbs = listOf<suspend () -> Unit>(
            { cache.deleting("a") { awaitCancellation() } },
            { cache.updating("a", buildJsonObject { put("ttl", 1) }) { awaitCancellation() } },
            { cache.updating("a", { it.copy(ttl = 1) }) { awaitCancellation() } },
            { cache.creating(Zone("n")) { awaitCancellation() } },
            { cache.processing("a") { awaitCancellation() } },
        )
        for ((n, verb) in verbs.withIndex()) {
            val job = launch { verb() }
            runCurrent()
            assertTrue(cache.rows.value != before, "verb $n shows")
            job.cancelAndJoin()
            assertEquals(before, cache.rows.value, "verb $n")
            assertIs<Outcome.Cancelled>(cache.pastOutcomes().last())
        }
        assertEquals(verbs.size, cache.pastOutcomes().size)
        // Cancelled before it began, it begins nothing.
        val job = launch { cache.deleting("a") { error("never") } }
        job.cancelAndJoin()
        assertEquals(verbs.size, cache.pastOutcomes().size)
        assertEquals(before, cache.rows.value)
    }

    @Test
    fun `cancelled between its begin and its block, a verb is taken back`() = test { cache ->
        lateinit var job: kotlinx.coroutines.Job
        // Told in the midst of the begin, it cancels the one who began.
        val watcher = backgroundScope.launch(kotlinx.coroutines.Dispatchers.Unconfined) {
            cache.rows.collect { rows -> if (rows.none { it.id == "a" }) job.cancel() }
        }
        job = launch { cache.deleting("a") { error("the block is not reached") } }
        job.join()
        watcher.cancel()
        assertTrue(job.isCancelled)
        assertEquals(listOf("a", "b", "c"), cache.ids)
        assertIs<Outcome.Cancelled>(cache.pastOutcomes().single())
    }

    @Test
    fun `a timeout around takes back, a timeout within is a failure`() = test { cache ->
        assertFailsWith<TimeoutCancellationException> {
            withTimeout(100.milliseconds) { cache.deleting("a") { delay(1.seconds) } }
        }
        assertIs<Outcome.Cancelled>(cache.pastOutcomes().last())
        assertFailsWith<TimeoutCancellationException> {
            cache.deleting("a") { withTimeout(100.milliseconds) { delay(1.seconds) } }
        }
        assertIs<Outcome.Failed>(cache.pastOutcomes().last())
    }

    @Test
    fun `a block that is given up by a cancelled deferred is taken back`() = test { cache ->
        val gone = CompletableDeferred<Unit>().apply { cancel() }
        assertFailsWith<CancellationException> { cache.deleting("a") { gone.await() } }
        assertIs<Outcome.Cancelled>(cache.pastOutcomes().single())
    }

    @Test
    fun `refused before it begins, the block does not run`() = test { cache ->
        var ran = false
        val refused = assertFailsWith<CacheException.AlreadyExists> { cache.creating(Zone("a")) { ran = true; null } }
        assertEquals("a" to "already_exists", refused.id to refused.kind)
        assertTrue(!ran)
    }

    @Test
    fun `two deletions of one resource are one, and it ends with the last of them`() = test { cache ->
        val gate = CompletableDeferred<Unit>()
        val first = launch { cache.deleting("a") { awaitCancellation() } }
        val second = async { cache.deleting("a") { gate.await(); "done" } }
        runCurrent()
        first.cancelAndJoin()
        assertEquals(listOf("b", "c"), cache.ids)
        val third = async { cache.deleting("a") { gate.await(); "done too" } }
        runCurrent()
        gate.complete(Unit)
        assertEquals(listOf("done", "done too"), listOf(second.await(), third.await()))
        assertEquals("deleted", cache.state("a"))
    }

    @Test
    fun `an answer that cannot be shown is an error, and the server's word is kept`() = test { cache ->
        assertFailsWith<CacheException.BadInput> { cache.updating("a", { it.copy(ttl = 1) }) { Zone("") } }
        assertEquals("updated", cache.state("a"))
    }

    @Test
    fun `several verbs run side by side`() = test { cache ->
        val each = listOf("a", "b", "c").map { id -> async { cache.deleting(id) { delay(10); id } } }
        runCurrent()
        assertEquals(emptyList(), cache.ids)
        assertEquals(listOf("a", "b", "c"), each.map { it.await() })
    }

    @Test
    fun `changes lead from list to list, and equal rows stay the same objects`() = test { cache ->
        val told = mutableListOf<Change<Zone>>()
        val reader = launch { cache.changes.toList(told) }
        runCurrent()
        val before = cache.rows.value
        cache.merge(list(Zone("c"), Zone("a"), Zone("b", ttl = 1)))
        val after = cache.rows.value
        runCurrent()
        assertEquals(listOf("c", "a", "b"), cache.ids)
        assertSame(before.single { it.id == "c" }, after.single { it.id == "c" })
        assertSame(before.single { it.id == "a" }, after.single { it.id == "a" })
        val shadow = before.toMutableList()
        for (change in told) {
            shadow.removeAll { row -> change.removed.any { it.key == row.key } || change.upserted.any { it.row.key == row.key } }
            for ((row, afterKey) in change.upserted) shadow.add(shadow.indexOfFirst { it.key == afterKey } + 1, row)
        }
        assertEquals(after, shadow)
        reader.cancelAndJoin()
    }

    @Test
    fun `a value stays the same object when only the metadata changes`() = test { cache ->
        val before = cache.rows.value[0]
        cache.markAsProcessing("a")
        val after = cache.rows.value[0]
        assertTrue(before != after)
        assertSame(before.value, after.value)
        cache.updateMetadata("a", buildJsonObject { put("team", "dns") })
        assertEquals(JsonPrimitive("dns"), cache.rows.value[0].metadata?.get("team"))
    }

    @Test
    fun `fetches that overlap are applied in the order of their beginnings`() = test { cache ->
        val first = CompletableDeferred<ByteArray>()
        val late = launch { cache.refreshing { first.await() } }
        runCurrent()
        cache.refreshing { zones("b") }
        first.complete(zones("a", "b", "c"))
        late.join()
        assertEquals(listOf("b"), cache.ids)
    }
}
