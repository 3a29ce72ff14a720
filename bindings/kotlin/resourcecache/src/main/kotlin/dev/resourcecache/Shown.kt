package dev.resourcecache

import dev.resourcecache.ffi.Applied
import dev.resourcecache.ffi.JsonCache
import java.lang.ref.WeakReference
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.transform
import kotlinx.coroutines.flow.update

/** What collectors see: the list, its changes, statuses. Changed only by the one whose turn it is. */
internal class Shown<T : Any>(private val native: JsonCache, private val wire: Wire<T>) {
    private val store = RowStore<T>()
    private val list = MutableStateFlow<List<Row<T>>>(emptyList())
    private val isOnline = MutableStateFlow(true)
    private val readers = CopyOnWriteArrayList<Channel<Change<T>>>()
    private val statuses = ConcurrentHashMap<String, Watched>()
    private val beat = MutableStateFlow(0L)
    private val nextDue = MutableStateFlow<Long?>(null)

    @Volatile
    private var isClosed = false

    val rows: StateFlow<List<Row<T>>> = list.asStateFlow()
    val online: StateFlow<Boolean> = isOnline.asStateFlow()

    /** Counts the calls, for those who wait for something to happen. */
    val pulse: StateFlow<Long> = beat.asStateFlow()

    /** When something is due next, in milliseconds. */
    val due: StateFlow<Long?> = nextDue.asStateFlow()

    val changes: Flow<Change<T>> = flow {
        val mine = Channel<Change<T>>(Channel.UNLIMITED)
        readers += mine
        try {
            if (isClosed) mine.close()
            for (change in mine) emit(change)
        } finally {
            readers -= mine
        }
    }

    val outcomes: Flow<Outcome> = changes.transform { change -> change.outcomes.forEach { emit(it) } }

    /** A flow of a status, for as long as somebody holds it, and the row that it follows. */
    private class Watched(flow: MutableStateFlow<Status?>, @Volatile var key: Long?) {
        val flow = WeakReference(flow)
    }

    fun status(id: String): StateFlow<Status?> {
        statuses[id]?.flow?.get()?.let { return it.asStateFlow() }
        val head = native.getOne(id)?.let(wire::head)
        val made = MutableStateFlow(head?.status)
        // Two who ask at once get the same.
        val kept = statuses.compute(id) { _, before ->
            if (before?.flow?.get() != null) before else Watched(made, head?.key)
        }
        return (kept?.flow?.get() ?: made).asStateFlow()
    }

    /** Takes the whole list. */
    fun fill() {
        store.fill(wire.rows(native { native.visible() }))
        list.value = store.list()
        refreshOnline()
        refreshDue()
    }

    /** After what may have moved it, and did not answer it. */
    fun refreshDue() {
        try {
            nextDue.value = native { native.pollTimeoutMs() }
        } catch (_: CacheException) {
            // Closed meanwhile, or broken: nothing is done any more.
        }
    }

    /** After what may have changed it. */
    fun refreshOnline() {
        isOnline.value = native { native.isOnline() }
    }

    /** What a call has changed, and the list that it leads to; none when it is as it was. */
    fun follow(applied: Applied): Pair<Change<T>, RowList<T>?> {
        nextDue.value = applied.dueMs
        val change = store.follow(wire.change(applied))
        val same = change.upserted.isEmpty() && change.removed.isEmpty()
        return change to if (same) null else store.list()
    }

    /** Tells it. */
    fun publish(what: Pair<Change<T>, RowList<T>?>) {
        val (change, rows) = what
        if (rows != null) list.value = rows
        if (!isClosed) {
            try {
                native { refreshStatuses() }
            } catch (_: CacheException.Closed) {
                // Meanwhile: they stay as they were.
            }
        }
        if (!change.isEmpty) readers.forEach { it.trySend(change) }
        beat.update { it + 1 }
    }

    private fun refreshStatuses() {
        val each = statuses.entries.iterator()
        while (each.hasNext()) {
            val (id, watched) = each.next()
            val flow = watched.flow.get()
            if (flow == null) {
                each.remove()
                continue
            }
            // What was created under a temporary id goes on under its own, in the same row.
            val text = native.getOne(id) ?: watched.key?.let { native.row(it.toULong()) }
            val head = text?.let(wire::head)
            if (head != null) watched.key = head.key
            flow.value = head?.status
        }
    }

    /** For those who wait for something to happen: something may have. */
    fun wake() = beat.update { it + 1 }

    fun close() {
        isClosed = true
        readers.forEach { it.close() }
        // Who waits for something to happen sees that it is closed.
        beat.update { it + 1 }
    }
}
