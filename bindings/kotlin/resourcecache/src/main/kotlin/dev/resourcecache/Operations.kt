package dev.resourcecache

import kotlin.time.Duration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.isActive
import kotlinx.coroutines.withContext
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

// Each of these shows at once what the user asked for, and then runs a block that asks the server. When
// the block returns, the operation is acknowledged; when it throws, the operation has failed, and what
// it threw is thrown; when the coroutine is cancelled, the operation is taken back. Nothing of it
// outlives the call.

/**
 * Hides a resource, and has it deleted.
 *
 * ```kotlin
 * zones.deleting(id) { api.delete(id) }
 * ```
 *
 * @param minTtl how long at least the row stays hidden while lists still have it.
 * @param block asks the server.
 * @return what the block returns.
 */
public suspend fun <T : Any, R> ResourceCache<T>.deleting(
    id: String,
    minTtl: Duration? = null,
    block: suspend () -> R,
): R = operating({ markAsDeleting(id, minTtl) }, { null }) { block() }

/**
 * Shows a resource with a patch laid over it, and has it changed.
 *
 * ```kotlin
 * zones.updating(id, buildJsonObject { put("ttl", 60) }) { api.patch(id, ttl = 60) }
 * ```
 *
 * @param patch a JSON merge patch (RFC 7396).
 * @param block asks the server; what it answers, if it is the resource, is shown.
 * @return what the block returns.
 */
public suspend fun <T : Any> ResourceCache<T>.updating(
    id: String,
    patch: JsonObject,
    minTtl: Duration? = null,
    block: suspend () -> T?,
): T? = operating({ markAsUpdating(id, patch, minTtl) }, { it }) { block() }

/**
 * Shows a resource edited, and has it changed.
 *
 * ```kotlin
 * zones.updating(id, { it.copy(ttl = 60) }) { edited -> api.put(edited) }
 * ```
 *
 * What the edit leaves as it is, and fields that the class has not, are not touched.
 *
 * @param edit the resource as it is to be, from as it is shown. Throws [CacheException.NotFound] when
 *   there is none.
 * @param block asks the server; what it answers, if it is the resource, is shown.
 * @return what the block returns.
 */
public suspend fun <T : Any> ResourceCache<T>.updating(
    id: String,
    edit: (T) -> T,
    minTtl: Duration? = null,
    block: suspend (T) -> T?,
): T? {
    val row = asking { getOne(id) }?.let(wire::row)
        ?: throw CacheException.NotFound(id, null, "$id: there is no such resource: create it, or list it first")
    val edited = edit(row.value)
    val patch = mergePatch(wire.tree(row.value), wire.tree(edited))
    return operating({ markAsUpdating(id, patch, minTtl) }, { it }) { block(edited) }
}

/**
 * Shows a new resource, and has it created. What the server answers may have another id: the row stays
 * the same.
 *
 * ```kotlin
 * zones.creating(Zone(id = "tmp-1", name = "new.example")) { api.create("new.example") }
 * ```
 *
 * @param value the resource, under a temporary or its final id.
 * @param block asks the server; what it answers, if it is the resource, is shown.
 * @return what the block returns.
 */
public suspend fun <T : Any> ResourceCache<T>.creating(
    value: T,
    minTtl: Duration? = null,
    block: suspend () -> T?,
): T? = operating({ addAsCreating(value, minTtl) }, { it }) { block() }

/** Tells how far a work is. */
public class ProgressReporter<T : Any> internal constructor(private val cache: ResourceCache<T>, private val id: String) {
    /**
     * Shows how far it is.
     *
     * @param percent 0 to 100.
     * @param message what to tell the user; what was told stays when there is none.
     */
    public suspend fun report(percent: Double, message: String? = null) {
        val fields = LinkedHashMap<String, JsonPrimitive>()
        fields["progress"] = JsonPrimitive(percent)
        if (message != null) fields["message"] = JsonPrimitive(message)
        cache.updateMetadata(id, JsonObject(fields))
    }

    /** Shows that the next stage of its plan, or the one of this name, has begun. */
    public suspend fun stage(name: String) {
        cache.updateMetadata(id, JsonObject(mapOf("stage" to JsonPrimitive(name))))
    }
}

/**
 * Marks a resource as undergoing something that takes time.
 *
 * ```kotlin
 * zones.processing(id) { progress ->
 *     progress.report(0.0, "signing")
 *     api.sign(id)
 * }
 * ```
 *
 * @param block asks the server, and tells how far it is.
 * @return what the block returns.
 */
public suspend fun <T : Any, R> ResourceCache<T>.processing(
    id: String,
    block: suspend (ProgressReporter<T>) -> R,
): R = operating({ markAsProcessing(id) }, { null }) { block(ProgressReporter(this, id)) }

/** Begins, runs, and answers an operation. */
private suspend fun <T : Any, R> ResourceCache<T>.operating(
    begin: suspend () -> Change<T>,
    answer: (R) -> T?,
    work: suspend () -> R,
): R {
    currentCoroutineContext().ensureActive()
    // Not to be cut off: what was begun must be known, to be taken back.
    val operation = withContext(NonCancellable) { begin() }.operation
    sharers.merge(operation, 1, Int::plus)
    val result = try {
        currentCoroutineContext().ensureActive()
        work()
    } catch (problem: Throwable) {
        val isCancelled = isCancelled(problem)
        val isLast = leave(operation)
        settle(problem) {
            if (!isCancelled) fail(operation, told(problem)) else if (isLast) cancel(operation)
        }
        throw problem
    }
    leave(operation)
    withContext(NonCancellable) { accept(operation, answer(result)) }
    return result
}

/** A second deletion of a resource is the first: it is taken back when the last of them is. */
private fun ResourceCache<*>.leave(operation: Long): Boolean =
    sharers.compute(operation) { _, count -> if (count == null || count <= 1) null else count - 1 } == null

/** What the server did is done, and the block's answer stands, whatever the cache still knows of it. */
private suspend fun <T : Any> ResourceCache<T>.accept(operation: Long, answer: T?) {
    try {
        acknowledge(operation, answer)
    } catch (bad: CacheException.BadInput) {
        // The server has accepted it with an answer that cannot be shown.
        acknowledge(operation)
        throw bad
    } catch (_: CacheException.Transition) {
        // Another that shares it, or the server's list, was faster.
    } catch (_: CacheException.NotFound) {
        // It has settled so long ago that nothing is known of it.
    } catch (_: CacheException.Closed) {
        // Nobody looks any more.
    }
}

/** Whether the caller's coroutine ends, or the block gave up; a timeout within the block is a failure. */
private suspend fun isCancelled(problem: Throwable): Boolean =
    problem is CancellationException &&
        (problem !is TimeoutCancellationException || !currentCoroutineContext().isActive)

private suspend fun settle(problem: Throwable, act: suspend () -> Unit) {
    try {
        withContext(NonCancellable) { act() }
    } catch (_: CacheException.Closed) {
        // Nobody looks any more.
    } catch (refused: CacheException) {
        problem.addSuppressed(refused)
    }
}

/** What to tell the user of an exception. */
internal fun told(problem: Throwable): String = problem.message ?: problem.toString()
