package dev.resourcecache

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onCompletion
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.serialization.json.JsonObject

/** Lists pods as Kubernetes does, and streams what is put into [events]. */
private class FakePods : WatchSource {
    val listed = ArrayList<ListCall>()
    val opened = ArrayList<StreamCall>()
    var items = listOf("a")
    var events = Channel<StreamEvent>(Channel.UNLIMITED)
    var refused: Throwable? = null
    var ended = 0

    /** Whether a list call gives one pod at a time. */
    var chunks = false

    override suspend fun list(call: ListCall): ByteArray {
        listed += call
        refused?.let { throw it }
        if (chunks) {
            val at = call.continueToken?.toInt() ?: 0
            val next = if (at + 1 < items.size) ""","continue":"${at + 1}"""" else ""
            return """{"metadata":{"resourceVersion":"10"$next},"items":[${pod(items[at])}]}""".encodeToByteArray()
        }
        val items = items.joinToString(",", transform = ::pod)
        return """{"metadata":{"resourceVersion":"10"},"items":[$items]}""".encodeToByteArray()
    }

    override fun stream(call: StreamCall): Flow<StreamEvent> = flow {
        opened += call
        refused?.let { throw it }
        emit(StreamEvent.Opened)
        emitAll(events.receiveAsFlow())
    }.onCompletion { ended++ }

    fun tell(type: String, name: String, version: Int) =
        events.trySend(StreamEvent.Message("""{"type":"$type","object":${pod(name, version)}}"""))

    /** The connection is gone; the next one is another. */
    fun breakOff() {
        val broken = events
        events = Channel(Channel.UNLIMITED)
        broken.close()
    }

    private fun pod(name: String) = pod(name, 1)

    private fun pod(name: String, version: Int) = """{"metadata":{"name":"$name","resourceVersion":"$version"}}"""
}

@OptIn(ExperimentalCoroutinesApi::class)
class WatchTest {
    private val settings = WatchSettings(backoff = Backoff.Linear(1.seconds), seed = 1)

    private fun TestScope.podCache(schema: Schema = kubernetesSchema()) = ResourceCache(
        JsonObject.serializer(), backgroundScope, Settings(versionOrder = VersionOrder.INTEGER, seed = 1), schema,
        clock = virtualClock, dispatcher = StandardTestDispatcher(testScheduler),
    )

    private val ResourceCache<JsonObject>.names get() = rows.value.map { it.id }

    @Test
    fun `it lists, and goes on with the stream from the last version`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val pods = FakePods()
        val answer = cache.watching(pods, settings) { watch ->
            watch.synced()
            assertEquals(listOf("a"), cache.names)
            assertEquals("10", pods.opened.single().version)
            assertEquals("true", pods.opened.single().query["watch"])
            pods.tell("ADDED", "b", 11)
            runCurrent()
            assertEquals(listOf("a", "b"), cache.names)
            assertEquals(WatchState.WATCHING, watch.state.value)
            assertEquals(WatchPosition("11"), watch.position())
            pods.breakOff()
            advanceTimeBy(5.seconds)
            assertEquals("11", pods.opened.last().version)
            pods.tell("DELETED", "a", 12)
            runCurrent()
            assertEquals(listOf("b"), cache.names)
            assertEquals(1, pods.listed.size)
            "answer"
        }
        assertEquals("answer", answer)
        assertEquals(pods.opened.size, pods.ended)
    }

    @Test
    fun `from a position that was kept it goes on without a list`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val pods = FakePods()
        cache.watching(pods, settings, WatchPosition("10")) { watch ->
            pods.events.trySend(StreamEvent.Opened)
            watch.synced()
            pods.tell("ADDED", "b", 11)
            runCurrent()
            assertEquals(listOf("b"), cache.names)
            assertEquals(0, pods.listed.size)
        }
    }

    @Test
    fun `an answer that is an error is waited after as it asks`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val pods = FakePods()
        pods.refused = HttpFailure(503, "unavailable", 7.seconds, """{"kind":"Status","message":"no room"}""".encodeToByteArray())
        val watching = launch { cache.watching(pods, settings) }
        advanceTimeBy(6.seconds)
        assertEquals(1, pods.listed.size)
        pods.refused = null
        advanceTimeBy(2.seconds)
        assertEquals(listOf("a"), cache.names)
        watching.cancel()
    }

    @Test
    fun `it tells why it failed, until it goes well`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val pods = FakePods()
        pods.refused = HttpFailure(503, "unavailable", body = """{"kind":"Status","message":"no room"}""".encodeToByteArray())
        cache.watching(pods, settings) { watch ->
            runCurrent()
            assertEquals(WatchState.BACKING_OFF, watch.state.value)
            assertEquals("HTTP 503: no room", watch.failure.value)
            assertEquals(false, watch.isSynced.value)
            pods.refused = IllegalStateException("cut off")
            advanceTimeBy(2.seconds)
            assertEquals("cut off", watch.failure.value)
            pods.refused = null
            watch.synced()
            pods.events.trySend(StreamEvent.Heard)
            runCurrent()
            assertEquals(null, watch.failure.value)
        }
    }

    @Test
    fun `a version that is forgotten leads to another list`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val pods = FakePods()
        cache.watching(pods, settings) { watch ->
            watch.synced()
            pods.items = listOf("b")
            pods.events.trySend(StreamEvent.Message("""{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}"""))
            advanceTimeBy(5.seconds)
            watch.synced()
            assertEquals(listOf("b"), cache.names)
            assertEquals(2, pods.listed.size)
        }
    }

    @Test
    fun `what cannot be read is told, and a list makes up for it`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val pods = FakePods()
        cache.watching(pods, settings) { watch ->
            val problems = ArrayList<String>()
            val reader = launch { watch.problems.toList(problems) }
            watch.synced()
            pods.events.trySend(StreamEvent.Message("{"))
            advanceTimeBy(5.seconds)
            assertEquals(1, problems.size, problems.toString())
            assertEquals(2, pods.listed.size)
            reader.cancel()
        }
    }

    @Test
    fun `offline nothing is asked, and online at once`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val pods = FakePods()
        cache.watching(pods, settings) { watch ->
            watch.synced()
            watch.setOnline(false)
            runCurrent()
            assertEquals(WatchState.OFFLINE, watch.state.value)
            assertEquals(false, cache.isOnline.value)
            assertEquals(1, pods.ended)
            advanceTimeBy(100.seconds)
            assertEquals(1, pods.opened.size)
            watch.setOnline(true)
            advanceTimeBy(5.seconds)
            assertEquals(2, pods.opened.size)
            assertTrue(cache.isOnline.value)
        }
    }

    @Test
    fun `a list can be asked for`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val pods = FakePods()
        cache.watching(pods, settings) { watch ->
            watch.synced()
            pods.items = listOf("a", "c")
            watch.relist()
            advanceTimeBy(5.seconds)
            assertEquals(listOf("a", "c"), cache.names)
        }
    }

    @Test
    fun `a list in chunks is asked for to its end`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val pods = FakePods()
        pods.chunks = true
        pods.items = listOf("a", "b", "c")
        cache.watching(pods, settings.copy(limit = 1)) { watch ->
            watch.synced()
            assertEquals(listOf("a", "b", "c"), cache.names)
            assertEquals(listOf(null, "1", "2"), pods.listed.map { it.continueToken })
            assertEquals(setOf<Int?>(1), pods.listed.map { it.limit }.toSet())
            assertEquals("2", pods.listed.last().query["continue"])
        }
    }

    @Test
    fun `a feed says by its words what a message tells`() = runTest(timeout = 20.seconds) {
        val cache = podCache(Schema())
        val pods = object : WatchSource {
            val events = Channel<StreamEvent>(Channel.UNLIMITED)

            override suspend fun list(call: ListCall) = """[{"id":"a"}]""".encodeToByteArray()

            override fun stream(call: StreamCall) = events.receiveAsFlow()
        }
        val words = FeedWords(added = listOf("new"), deleted = listOf("gone"), ignored = listOf("*"))
        cache.watching(pods, settings.copy(feed = Feed(words = words))) { watch ->
            pods.events.trySend(StreamEvent.Opened)
            watch.synced()
            pods.events.trySend(StreamEvent.Message("""{"id":"b"}""", "new"))
            pods.events.trySend(StreamEvent.Message("""{"id":"x"}""", "something"))
            pods.events.trySend(StreamEvent.Message("""{"id":"a"}""", "gone"))
            runCurrent()
            assertEquals(listOf("b"), cache.names)
        }
    }

    @Test
    fun `what the block throws is thrown, and the stream is ended`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val pods = FakePods()
        assertFailsWith<IllegalStateException> {
            cache.watching(pods, settings) { watch ->
                watch.synced()
                error("no more")
            }
        }
        assertEquals(pods.opened.size, pods.ended)
        // The list is still there, and can be watched again.
        cache.watching(pods, settings) { it.synced() }
    }

    @Test
    fun `a list that is closed ends its watch`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val watching = async { runCatching { cache.watching(FakePods(), settings) } }
        runCurrent()
        cache.close()
        advanceTimeBy(100.seconds)
        assertTrue(watching.await().exceptionOrNull() is CacheException.Closed)
    }

    @Test
    fun `settings that cannot be are refused by name`() = runTest(timeout = 20.seconds) {
        val cache = podCache()
        val refused = assertFailsWith<CacheException.BadInput> { cache.watching(FakePods(), WatchSettings(limit = -1)) }
        assertEquals("limit", refused.subject)
    }
}
