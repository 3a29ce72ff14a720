package dev.resourcecache

import java.io.IOException
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put

@OptIn(ExperimentalCoroutinesApi::class)
class OutboxTest {
    private val settings = Settings(retry = RetryPolicy(backoff = Backoff.Linear(1.seconds)), seed = 1)

    @Test
    fun `what is queued is sent, tried again by its status, and has one key`() = runTest {
        val cache = zoneCache(settings)
        cache.merge(zones("a", "b"))
        val sent = ArrayList<Attempt<Zone>>()
        val sender = launch {
            cache.sendQueued { attempt ->
                sent += attempt
                if (attempt.number < 3) throw HttpFailure(503, "busy")
                null
            }
        }
        cache.queue(Begin.Update("a", buildJsonObject { put("ttl", 60) }))
        runCurrent()
        assertEquals(60, cache["a"]?.value?.ttl)
        assertIs<Status.Retrying>(cache.status("a").value)
        advanceTimeBy(10.seconds)
        runCurrent()
        assertEquals(listOf(1, 2, 3), sent.map { it.number })
        assertEquals(1, sent.map { it.key }.toSet().size)
        assertEquals(Zone("a", ttl = 60), sent[0].value)
        assertEquals(buildJsonObject { put("ttl", 60) }, sent[0].patch)
        assertEquals("updated", cache.state("a"))
        assertEquals(0, cache.queued)
        sender.cancelAndJoin()
    }

    @Test
    fun `a status that is no use to try again fails, anything else backs off`() = runTest {
        val cache = zoneCache(settings)
        cache.merge(zones("a", "b"))
        val counts = HashMap<String, Int>()
        val sender = launch {
            cache.sendQueued { attempt ->
                counts.merge(attempt.id, 1, Int::plus)
                throw if (attempt.id == "a") HttpFailure(409, "conflict") else IOException("reset")
            }
        }
        cache.queue(Begin.Delete("a"))
        cache.queue(Begin.Delete("b"))
        advanceTimeBy(20.seconds)
        runCurrent()
        assertEquals(mapOf("a" to 1, "b" to 3), counts.toMap())
        assertEquals(setOf("conflict", "reset"), cache.pastOutcomes().map { (it as Outcome.Failed).error }.toSet())
        sender.cancelAndJoin()
    }

    @Test
    fun `offline nothing is sent, and connectivity is followed`() = runTest {
        val cache = zoneCache(settings)
        cache.merge(zones("a"))
        val network = MutableStateFlow(false)
        val follower = launch { cache.followConnectivity(network) }
        var sent = 0
        val sender = launch { cache.sendQueued { sent += 1; null } }
        runCurrent()
        assertEquals(false, cache.isOnline.value)
        cache.queue(Begin.Delete("a"))
        advanceTimeBy(100.seconds)
        assertEquals(0, sent)
        assertTrue(cache.ids.isEmpty())
        network.value = true
        runCurrent()
        assertEquals(1 to true, sent to cache.isOnline.value)
        follower.cancelAndJoin()
        sender.cancelAndJoin()
    }

    @Test
    fun `attempts run side by side, and one that is cut off is sent again with its key`() = runTest {
        val cache = zoneCache(settings.copy(retry = RetryPolicy(attemptTimeout = 5.seconds)))
        cache.merge(zones("a", "b"))
        val keys = ArrayList<String>()
        val first = launch { cache.sendQueued { keys += it.key; awaitCancellation() } }
        cache.queue(Begin.Delete("a"))
        cache.queue(Begin.Delete("b"))
        runCurrent()
        assertEquals(2, keys.size)
        first.cancelAndJoin()
        val again = ArrayList<String>()
        val second = launch { cache.sendQueued { delay(10.milliseconds); again += it.key; null } }
        advanceTimeBy(20.seconds)
        runCurrent()
        assertEquals(keys.toSet(), again.toSet())
        assertEquals(0, cache.queued)
        cache.close()
        second.join()
    }

    @Test
    fun `a step is undone and redone`() = runTest {
        val cache = zoneCache()
        cache.merge(zones("a", "b"))
        cache.perform("Delete 2 zones", listOf(Step(Begin.Delete("a"), sendAfter = 5.seconds), Step(Begin.Delete("b"), sendAfter = 5.seconds)))
        assertEquals(listOf("Delete 2 zones"), cache.undoLabels)
        assertEquals(emptyList(), cache.ids)
        cache.undo()
        assertEquals(listOf("a", "b"), cache.ids)
        assertEquals(listOf("Delete 2 zones"), cache.redoLabels)
        assertNull(cache.pollAttempt())
        cache.redo()
        assertEquals(emptyList(), cache.ids)
    }

    @Test
    fun `refusals have their classes`() = runTest {
        val cache = zoneCache()
        cache.merge(zones("a", "b"))
        assertEquals(77L, assertFailsWith<CacheException.NotFound> { cache.cancel(77) }.operation)
        cache.markAsDeleting("a")
        val late = assertFailsWith<CacheException.Transition> { cache.markAsProcessing("a") }
        assertEquals("a" to "deleting", late.id to late.state)
        assertEquals(0L, assertFailsWith<CacheException.BadSnapshot> { cache.merge("[{}]".encodeToByteArray()) }.position)
        assertFailsWith<CacheException.BadInput> { cache.updateInPlace("b", buildJsonObject { put("id", "c") }) }
        assertFailsWith<CacheException.BadInput> { cache.markAsDeleting("b", (-1).seconds) }
        val batch = assertFailsWith<CacheException.Batch> { cache.batchMarkAsProcessing(listOf("b", "a"), Kind.UPDATE) }
        assertEquals(listOf("a"), batch.refusals.map { it.id })
        assertEquals("idle", cache.state("b"))
    }

    @Test
    fun `a body that the class cannot take is a row without a value, and nothing else is lost`() = runTest {
        val cache = zoneCache()
        cache.merge("""[{"id":"a","ttl":"many"},{"id":"b"}]""".encodeToByteArray())
        assertEquals(listOf("a", "b"), cache.ids)
        val row = cache.rows.value[0]
        assertNull(row.valueOrNull)
        assertEquals("a", assertFailsWith<CacheException.Undecodable> { row.value }.id)
        cache.merge(zones("a", "b"))
        assertEquals(300, cache.rows.value[0].value.ttl)
    }

    @Test
    fun `labels and explanations are the core's`() = runTest {
        val cache = zoneCache()
        cache.merge(zones("a"))
        cache.setLabels(Labels(processing = "wird bearbeitet"))
        cache.markAsProcessing("a")
        assertEquals("wird bearbeitet", cache.rows.value[0].badge?.label)
        assertTrue("a" in cache.explain("a").toString())
        assertTrue(lifecycleDiagram().startsWith("stateDiagram"))
        assertEquals(cacheKey("zones", "a"), cacheKey("zones", "a"))
        assertTrue(cacheKey("zones", "a", "b") != cacheKey("zones", "a,b"))
    }
}
