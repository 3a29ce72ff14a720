package dev.resourcecache

import dev.resourcecache.ffi.CommitWatch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

// What is for lists in a store alone, which several instances may share; others refuse it.

/** How often a store is asked that cannot tell of commits. */
private val UNWATCHED = 1.seconds

/** How long a thread waits for a commit before it looks whether that is still wanted. */
private const val SLICE_MS = 250L

/** Under which key it is kept; null where it is in memory alone. */
public val <T : Any> ResourceCache<T>.key: String? get() = reading { native.key() }

/** Takes what other instances have committed since. */
public suspend fun <T : Any> ResourceCache<T>.sync(): Change<T> = changing { sync() }

/**
 * Shows what other instances commit, when they do, for as long as the caller's coroutine lives. A store
 * that cannot tell is asked each second. Returns when the cache is closed; throws [CacheException.Store]
 * when the store is.
 */
public suspend fun <T : Any> ResourceCache<T>.followCommits(): Unit = try {
    val commits = asking { watch() }
    try {
        while (true) {
            sync()
            if (commits == null) delay(UNWATCHED) else awaitCommit(commits)
        }
    } finally {
        commits?.close()
    }
} catch (_: CacheException.Closed) {
    // Nobody looks any more.
}

/** It blocks a thread that is there for that, and holds neither the cache nor its turn. */
private suspend fun ResourceCache<*>.awaitCommit(commits: CommitWatch) {
    while (true) {
        currentCoroutineContext().ensureActive()
        if (isClosed) throw CacheException.Closed()
        val heard = withContext(Dispatchers.IO) { native { commits.wait(SLICE_MS.toULong()) } }
        if (heard) return
    }
}

/**
 * Asks to be the one of several instances that sends what is queued, for so long; asked again before
 * that is over, goes on to be. From the first call on, [sendQueued] is given attempts only while it is.
 *
 * @param holder names this instance, and no other.
 * @return whether it is.
 */
public suspend fun <T : Any> ResourceCache<T>.lead(holder: String, ttl: Duration): Boolean =
    asking { lead(holder, ttl.ms("ttl") ?: 0UL) }.also { wake() }

/** Leaves the sending to another instance. */
public suspend fun <T : Any> ResourceCache<T>.stepDown(holder: String): Unit = asking { stepDown(holder) }

/**
 * Asks to be the one that sends, again and again while [block] runs, and steps down at its end.
 *
 * ```kotlin
 * zones.leading(installationId) { zones.sendQueued { attempt -> api.send(attempt) } }
 * ```
 *
 * @param holder names this instance, and no other.
 * @param ttl after how long another takes over when this one is not heard of.
 * @param block is told whether it is the one at the moment.
 * @return what the block returns.
 */
public suspend fun <T : Any, R> ResourceCache<T>.leading(
    holder: String,
    ttl: Duration = 15.seconds,
    block: suspend (isLeader: StateFlow<Boolean>) -> R,
): R {
    val isLeader = MutableStateFlow(lead(holder, ttl))
    return try {
        coroutineScope {
            val asking = launch {
                while (true) {
                    // Three times, so that one that is late does not lose it.
                    delay(ttl / 3)
                    isLeader.value = try {
                        lead(holder, ttl)
                    } catch (refused: CacheException.Store) {
                        if (!refused.retryable) throw refused
                        false
                    }
                }
            }
            block(isLeader.asStateFlow()).also { asking.cancel() }
        }
    } finally {
        try {
            withContext(NonCancellable) { stepDown(holder) }
        } catch (_: CacheException) {
            // It ends by itself, when its time is over.
        }
    }
}
