package dev.resourcecache

import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** A device that sleeps stops the timers of coroutines, and not its clock: look again after so long. */
private const val LOOK_AGAIN_MS = 60_000L

/** Does what is due when it is due. */
internal class Deadlines<T : Any>(
    private val cache: ResourceCache<T>,
    private val time: CacheTime,
    private val pulse: StateFlow<Long>,
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
        val seen = pulse.value
        val due = cache.asking { pollTimeoutMs() }
        if (due == null) {
            pulse.first { it != seen }
            return
        }
        val wait = due - time.now()
        if (wait > 0) {
            withTimeoutOrNull(minOf(wait, LOOK_AGAIN_MS)) { pulse.first { it != seen } }
            return
        }
        cache.changing { handleTimeout() }
        if (cache.asking { pollTimeoutMs() } == due) {
            // The clock was set back meanwhile: it is not due any more. Not at once again.
            withTimeoutOrNull(1) { pulse.first { it != seen + 1 } }
        }
    }
}
