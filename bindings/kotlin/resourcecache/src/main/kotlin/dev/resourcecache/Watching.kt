package dev.resourcecache

import dev.resourcecache.ffi.WatchAction
import dev.resourcecache.ffi.WatchSession
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull

/** A device that sleeps stops the timers of coroutines, and not its clock: look again after so long. */
private const val LOOK_AGAIN_MS = 60_000L

/** How many problems are kept for a collector that is slow. */
private const val PROBLEMS = 64

/**
 * Keeps the list right by list calls and a stream of events while [block] runs: lists, opens the stream,
 * goes on from the last version when it breaks, lists again when that is forgotten, and waits after
 * failures. Nothing of it outlives the call.
 *
 * ```kotlin
 * pods.watching(source) { watch ->
 *     watch.synced()
 *     println(pods.rows.value.map { it.id })
 * }
 * ```
 *
 * @param source makes the calls.
 * @param settings how it behaves.
 * @param position from where it goes on with the stream; otherwise it begins with all there is.
 * @param block for as long as it is wanted; without it, until the caller's coroutine is cancelled.
 * @return what the block returns. Throws [CacheException.Closed] when the list is closed meanwhile.
 */
public suspend fun <T : Any, R> ResourceCache<T>.watching(
    source: WatchSource,
    settings: WatchSettings = WatchSettings(),
    position: WatchPosition? = null,
    block: suspend (Watch<T>) -> R,
): R {
    val start = position?.let { dev.resourcecache.ffi.WatchPosition(it.version, it.sequence?.toULong()) }
    val session = asking { WatchSession(this, settings.native(), start) }
    return session.use {
        coroutineScope {
            val watch = Watch(this@watching, source, session)
            val running = launch { watch.run() }
            try {
                block(watch)
            } finally {
                running.cancel()
            }
        }
    }
}

/** The same until the caller's coroutine is cancelled. */
public suspend fun <T : Any> ResourceCache<T>.watching(
    source: WatchSource,
    settings: WatchSettings = WatchSettings(),
    position: WatchPosition? = null,
): Nothing = watching(source, settings, position) { awaitCancellation() }

/** A watch that runs; see [watching]. It may be used from any thread. */
public class Watch<T : Any> internal constructor(
    private val cache: ResourceCache<T>,
    private val source: WatchSource,
    private val session: WatchSession,
) {
    private val calls = ConcurrentHashMap<ULong, Job>()
    private val woken = Channel<Unit>(Channel.CONFLATED)
    private val turn = Mutex()
    private val about = MutableStateFlow(WatchState.LISTING)
    private val upToDate = MutableStateFlow(false)
    private val failed = MutableStateFlow<String?>(null)
    private val told = MutableSharedFlow<String>(0, PROBLEMS, BufferOverflow.DROP_OLDEST)

    /** What it is about. */
    public val state: StateFlow<WatchState> = about.asStateFlow()

    /** Whether all that the server has told so far is in the list, and nothing was missed. */
    public val isSynced: StateFlow<Boolean> = upToDate.asStateFlow()

    /** Why it last failed, until something goes well. */
    public val failure: StateFlow<String?> = failed.asStateFlow()

    /** What could not be read, or was refused; to be logged. It goes on all the same. */
    public val problems: SharedFlow<String> = told.asSharedFlow()

    /** Waits until [isSynced]. */
    public suspend fun synced() {
        upToDate.first { it }
    }

    /**
     * From where another watch could go on, with the list as it is now; none when it would have to begin
     * with a list.
     */
    public suspend fun position(): WatchPosition? =
        cache.telling { session.position() }?.let { WatchPosition(it.version, it.sequence?.toLong()) }

    /** Whether there is a network: the watch is told, and the list's outbox. */
    public suspend fun setOnline(online: Boolean) {
        cache.setOnline(online)
        cache.telling { session.setOnline(online) }
        woken.trySend(Unit)
    }

    /** Lists again, as soon as the settings allow: something may have been missed. */
    public suspend fun relist() {
        cache.telling { session.relist() }
        woken.trySend(Unit)
    }

    internal suspend fun run(): Unit = coroutineScope {
        launch {
            cache.awaitClosed()
            throw CacheException.Closed()
        }
        while (true) {
            act(this)
            val at = cache.telling { session.pollTimeoutMs() }
            // At least a little, so that a clock that stands does not make it spin.
            val wait = at?.let { (it - cache.now()).coerceIn(1, LOOK_AGAIN_MS) }
            if (wait == null) woken.receive() else withTimeoutOrNull(wait.milliseconds) { woken.receive() }
        }
    }

    /** Does what the session asks for. */
    private suspend fun act(scope: CoroutineScope): Unit = turn.withLock {
        while (true) {
            val action = cache.polling { session.poll() } ?: break
            when (action) {
                is WatchAction.Applied -> {}
                is WatchAction.Refused -> told.tryEmit(action.problem)
                is WatchAction.ListCall -> scope.begin(action.call) { list(action) }
                is WatchAction.WatchCall -> scope.begin(action.call) { stream(action, scope) }
                is WatchAction.Close -> calls.remove(action.call)?.cancel()
            }
        }
        val (state, isSynced, why) = cache.telling { Triple(session.state(), session.isSynced(), session.failure()) }
        about.value = WatchState.valueOf(state.name)
        failed.value = why?.let { (it.status?.let { status -> "HTTP $status: " } ?: "") + it.problem }
        upToDate.value = isSynced
    }

    /** Makes a call; however it ends, the session is told. */
    private fun CoroutineScope.begin(call: ULong, act: suspend () -> Unit) {
        val job = launch(start = CoroutineStart.LAZY) {
            try {
                act()
            } catch (problem: Throwable) {
                if (problem is Error || problem is CacheException.Closed) throw problem
                if (problem is CancellationException && !currentCoroutineContext().isActive) throw problem
                failed(call, problem)
            } finally {
                calls.remove(call)
                woken.trySend(Unit)
            }
        }
        calls[call] = job
        job.start()
    }

    private suspend fun list(action: WatchAction.ListCall) {
        val query = action.query.associate { it.name to it.value }
        val answer = source.list(ListCall(action.limit?.toInt(), action.continueToken, action.notOlderThan, query))
        tell(cache.telling { session.handleList(action.call, cache.lend(answer)) })
    }

    private suspend fun stream(action: WatchAction.WatchCall, scope: CoroutineScope) {
        val call = action.call
        val query = action.query.associate { it.name to it.value }
        val asked = StreamCall(action.version, action.sequence?.toLong(), action.bookmarks, action.initialEvents, query)
        var isOpen = false
        source.stream(asked).collect { event ->
            if (!isOpen) cache.telling { session.handleOpened(call) }
            isOpen = true
            when (event) {
                is StreamEvent.Opened -> {}
                is StreamEvent.Heard -> cache.telling { session.handleHeard(call) }
                is StreamEvent.Message -> tell(cache.telling { session.handleMessage(call, cache.lend(event.bytes), event.word) })
            }
            // Here, so that a stream is not read faster than it is applied.
            act(scope)
        }
        cache.telling { session.handleClosed(call) }
    }

    private suspend fun failed(call: ULong, problem: Throwable) = cache.telling {
        if (problem is HttpFailure) {
            session.handleStatus(call, problem.status.httpStatus(), cache.lend(problem.body), problem.retryAfter.ms("retryAfter"))
        } else {
            session.handleFailed(call, dev.resourcecache.ffi.WatchFailure(problem = dev.resourcecache.told(problem)))
        }
    }

    private fun tell(problem: String?) {
        if (problem != null) told.tryEmit(problem)
    }
}
