package dev.resourcecache

import dev.resourcecache.ffi.Applied
import dev.resourcecache.ffi.JsonCache
import dev.resourcecache.ffi.WatchAction
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Clock
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.serialization.KSerializer
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer

/**
 * One list of resources that stays right while the server catches up.
 *
 * It keeps what the server last said and what this client has asked for apart, and shows one over the
 * other: [rows] is the list to draw, [changes] what became of it. Bring it the server's lists by
 * [refreshing] or [merge], and the user's wishes by [creating], [updating], [deleting] and
 * [processing].
 *
 * **Threads.** It may be used from any. What is `suspend` runs on [dispatcher], one call at a time, and
 * never blocks the thread of its caller. What is not (`get`, `explain`, `status` and the like) asks
 * about one thing, takes microseconds, and waits at most for a list that is being merged. Collectors
 * run wherever they collect, and never under a lock.
 *
 * **Life.** A coroutine in the given scope does what is due, such as bringing back a row whose deletion
 * did not come true. When the scope ends, or on [close], the cache is closed: flows of changes end, and
 * whatever is asked of it then throws [CacheException.Closed].
 *
 * @param T what a resource is in this program: a class with a serializer, or `JsonObject`.
 */
public class ResourceCache<T : Any> internal constructor(
    internal val native: JsonCache,
    internal val wire: Wire<T>,
    private val time: CacheTime,
    scope: CoroutineScope,
    dispatcher: CoroutineDispatcher,
) : AutoCloseable {
    private val lane = Lane(dispatcher)
    private val shown = Shown(native, wire)
    private val bytes = Bytes()
    private val deadlines: Job

    /** How many calls that are under way share an operation. */
    internal val sharers = ConcurrentHashMap<Long, Int>()

    @Volatile
    internal var isClosed: Boolean = false
        private set

    init {
        shown.fill()
        deadlines = Deadlines(this, time, shown.due).launchIn(scope)
        deadlines.invokeOnCompletion { close() }
    }

    /** The visible list, in order. Equal rows of successive lists are the same objects. */
    public val rows: StateFlow<List<Row<T>>> get() = shown.rows

    /**
     * What changes from now on, call by call, and nothing left out: a collector that is slow gets all
     * of it later. It ends when the cache is closed.
     */
    public val changes: Flow<Change<T>> get() = shown.changes

    /** How operations settle from now on. It ends when the cache is closed. */
    public val outcomes: Flow<Outcome> get() = shown.outcomes

    /** The status of a resource, hidden ones included; null while nothing goes on, or it is not known. */
    public fun status(id: String): StateFlow<Status?> = reading { shown.status(id) }

    /** Whether attempts of the outbox may be sent. */
    public val isOnline: StateFlow<Boolean> get() = shown.online

    /** The row of an id, hidden or not. */
    public operator fun get(id: String): Row<T>? = reading { native.getOne(id)?.let(wire::row) }

    /** Closes it, at once and once. Calls that are under way end as they would have. */
    override fun close() {
        if (isClosed) return
        isClosed = true
        deadlines.cancel()
        shown.close()
        native.close()
        time.close()
    }

    /** Asks something that takes no time worth a thread. */
    internal inline fun <R> reading(ask: () -> R): R {
        if (isClosed) throw CacheException.Closed()
        return native(ask)
    }

    /** Asks something that takes its time. */
    internal suspend fun <R> asking(ask: JsonCache.() -> R): R = lane.run { reading { native.ask() } }

    /** Changes something: calls, shows what has changed, and answers it. */
    internal suspend fun changing(call: JsonCache.() -> Applied): Change<T> = changingWith { native.call() to Unit }.first

    /** A verb as [verbText] writes it. */
    internal suspend fun verb(text: String): Change<T> = changing { applyVerb(lend(text)) }

    /** The same for a call that answers something else as well. */
    internal suspend fun <R> changingWith(call: JsonCache.() -> Pair<Applied, R>): Pair<Change<T>, R> = lane.run {
        val (applied, answer) = timed { native.call() }
        show(applied) to answer
    }

    /** Asks a watch what to do next, and shows what it has changed by that. */
    internal suspend fun polling(poll: () -> WatchAction?): WatchAction? = lane.run {
        timed(poll).also { if (it is WatchAction.Applied) show(it.applied) }
    }

    /** Tells a watch, or asks it, at the time that it is. */
    internal suspend fun <R> telling(call: () -> R): R = lane.run { timed(call) }

    internal fun now(): Long = time.now()

    /** A call that goes by the time, and may change something. */
    private inline fun <R> timed(call: () -> R): R = try {
        reading {
            time.tick()
            call()
        }
    } catch (refused: CacheException) {
        // What others have committed may have been taken all the same.
        if (refused !is CacheException.Closed) shown.refreshDue()
        throw refused
    }

    private fun show(applied: Applied): Change<T> {
        val change = shown.follow(applied)
        lane.tell { shown.publish(change) }
        return change.first
    }

    internal fun wake() = shown.wake()

    internal suspend fun awaitClosed() = deadlines.join()

    internal val pulse: StateFlow<Long> get() = shown.pulse

    internal fun onlineMayHaveChanged() = shown.refreshOnline()

    /** Bytes as the native library takes them. Only inside a call. */
    internal fun lend(bytes: ByteArray) = this.bytes.of(bytes)

    internal fun lend(text: String) = this.bytes.of(text.encodeToByteArray())

    /** Makes lists. */
    public companion object {
        /**
         * An empty list: nothing is known of the server yet.
         *
         * @param serializer reads and writes resources.
         * @param scope where deadlines are kept; when it ends, the cache is closed.
         * @param settings the settings.
         * @param schema where answers have their list, and resources their id.
         * @param clock tells the time; give one of virtual time in tests.
         * @param dispatcher where calls run.
         * @param json reads bodies; fields that the class has not are kept all the same.
         */
        public operator fun <T : Any> invoke(
            serializer: KSerializer<T>,
            scope: CoroutineScope,
            settings: Settings = Settings(),
            schema: Schema = Schema(),
            clock: Clock = Clock.System,
            dispatcher: CoroutineDispatcher = Dispatchers.Default,
            json: Json = lenient,
        ): ResourceCache<T> {
            val time = CacheTime(clock)
            val native = native { JsonCache(settings.native(), schema.native(), time.native) }
            return ResourceCache(native, Wire(serializer, json), time, scope, dispatcher)
        }

        /** The same, of a class whose serializer is found by its type. */
        public inline operator fun <reified T : Any> invoke(
            scope: CoroutineScope,
            settings: Settings = Settings(),
            schema: Schema = Schema(),
            clock: Clock = Clock.System,
            dispatcher: CoroutineDispatcher = Dispatchers.Default,
        ): ResourceCache<T> = invoke(serializer<T>(), scope, settings, schema, clock, dispatcher)

        /**
         * A list as [save] wrote it; what has become due since is done. Settings are not part of what
         * is saved: give the same ones. For the parameters see [invoke].
         */
        public fun <T : Any> restore(
            saved: String,
            serializer: KSerializer<T>,
            scope: CoroutineScope,
            settings: Settings = Settings(),
            schema: Schema = Schema(),
            clock: Clock = Clock.System,
            dispatcher: CoroutineDispatcher = Dispatchers.Default,
            json: Json = lenient,
        ): ResourceCache<T> {
            val time = CacheTime(clock)
            val bytes = Bytes().of(saved.encodeToByteArray())
            val native = native { JsonCache.restore(bytes, settings.native(), schema.native(), time.native) }
            return ResourceCache(native, Wire(serializer, json), time, scope, dispatcher)
        }

        /**
         * Opens a list of a store by its key, a new one where there is none; what has become due since
         * is done. Every call that changes something commits it before it answers, so that what was
         * answered survives the death of the process. Give the same settings each time. For the other
         * parameters see [invoke].
         *
         * It reads the store, and blocks its thread meanwhile: on Android, call it off the main thread.
         *
         * @param store where it is kept; several lists may share it. It is not closed with the list.
         * @param key names the list within the store.
         */
        public fun <T : Any> open(
            store: Store,
            serializer: KSerializer<T>,
            scope: CoroutineScope,
            key: String = "default",
            settings: Settings = Settings(),
            schema: Schema = Schema(),
            clock: Clock = Clock.System,
            dispatcher: CoroutineDispatcher = Dispatchers.Default,
            json: Json = lenient,
        ): ResourceCache<T> {
            val time = CacheTime(clock)
            val native = native { JsonCache.open(store.native, key, settings.native(), schema.native(), time.native) }
            return ResourceCache(native, Wire(serializer, json), time, scope, dispatcher)
        }

        private val lenient = Json { ignoreUnknownKeys = true }
    }
}
