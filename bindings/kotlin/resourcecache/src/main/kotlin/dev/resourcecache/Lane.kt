package dev.resourcecache

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.withContext

/**
 * One call at a time, and what it tells in the same order. There is no lock: a collector that is told
 * may call again, be it in the middle of being told.
 */
internal class Lane(dispatcher: CoroutineDispatcher) {
    private val turn = dispatcher.limitedParallelism(1)
    private val told = ArrayDeque<() -> Unit>()

    /** The thread that tells at the moment. */
    @Volatile
    private var teller: Thread? = null

    suspend fun <R> run(act: () -> R): R =
        // Who is told, and calls from there without suspending, has the turn already.
        if (teller === Thread.currentThread()) act() else withContext(turn) { act() }

    /** Tells after what is being told. Only inside of [run]. */
    fun tell(act: () -> Unit) {
        told.addLast(act)
        if (teller != null) return
        teller = Thread.currentThread()
        try {
            while (true) (told.removeFirstOrNull() ?: break)()
        } finally {
            teller = null
        }
    }
}
