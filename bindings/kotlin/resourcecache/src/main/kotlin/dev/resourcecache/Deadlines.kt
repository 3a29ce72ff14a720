package dev.resourcecache

import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** A device that sleeps stops the timers of coroutines, and not its clock: look again after so long. */
private const val LOOK_AGAIN_MS = 60_000L

/** After how long a store that did not do it is asked again. */
private const val STORE_AGAIN_MS = 1_000L

/** Does what is due when it is due. */
internal class Deadlines<T : Any>(
    private val cache: ResourceCache<T>,
    private val time: CacheTime,
    private val due: StateFlow<Long?>,
) {
    fun launchIn(scope: CoroutineScope): Job =
        scope.launch(CoroutineName("resourcecache deadlines")) {
            try {
                while (true) step()
            } catch (_: CacheException.Closed) {
                // So is this.
            } catch (_: CacheException) {
                // Broken: every call says so, until somebody closes it.
                awaitCancellation()
            }
        }

    private suspend fun step() {
        val at = due.value
        if (at == null) {
            due.first { it != null }
            return
        }
        val wait = at - time.now()
        if (wait > 0) {
            // What is due later than it was is seen at the old time, so that verbs wake nobody.
            withTimeoutOrNull(minOf(wait, LOOK_AGAIN_MS)) { due.first { it != null && it < at } }
            return
        }
        try {
            cache.handleTimeout()
        } catch (_: CacheException.Store) {
            // It was closed for a while, or has no room: what is due is done when it can be.
            delay(STORE_AGAIN_MS)
            return
        }
        // The clock was set back meanwhile: it is not due any more. Not at once again.
        if (due.value == at) delay(1)
    }
}
