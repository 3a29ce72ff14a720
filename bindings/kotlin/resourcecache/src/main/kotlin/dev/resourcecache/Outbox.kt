package dev.resourcecache

import kotlin.time.Duration
import kotlin.time.Duration.Companion.ZERO
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement

/**
 * One attempt to be sent.
 *
 * @property operation the operation that it is for. It answers for the edits that it carries as well.
 * @property number how many attempts this makes, from 1.
 * @property kind what to ask of the server.
 * @property id the resource, by the id that it has by now.
 * @property value the resource as it is to be, for a creation or an update; as it was, for a deletion.
 * @property body the same as JSON, fields that the class has not included.
 * @property patch what an update sets, as a JSON merge patch (RFC 7396). None for no update, or one
 *   that a merge patch cannot say: send the body.
 * @property key the same for every attempt of this operation, also after a restart, and for no other:
 *   a server that honours it does the work once (`Idempotency-Key`).
 */
public class Attempt<out T> internal constructor(
    public val operation: Long,
    public val number: Int,
    public val kind: Kind,
    public val id: String,
    public val value: T?,
    public val body: String?,
    public val patch: JsonElement?,
    public val key: String,
)

/**
 * What an operation asks of the server, for a caller that sends it by itself.
 *
 * @property operation the operation.
 * @property kind what to ask of the server.
 * @property id the resource, by the id that it has by now.
 * @property value the resource as it is to be; as it was, for a deletion.
 * @property body the same as JSON.
 * @property patch what an update sets, as a JSON merge patch (RFC 7396).
 */
public class Request<out T> internal constructor(
    public val operation: Long,
    public val kind: Kind,
    public val id: String,
    public val value: T?,
    public val body: String?,
    public val patch: JsonElement?,
)

/**
 * What a sender throws when the server has answered with an error: the retry policy judges by it.
 *
 * @property status the HTTP status.
 * @property retryAfter the answer's `Retry-After`.
 * @property body the answer's bytes: a watch looks there for a `Status` of Kubernetes.
 */
public class HttpFailure @JvmOverloads constructor(
    public val status: Int,
    message: String,
    public val retryAfter: Duration? = null,
    public val body: ByteArray = ByteArray(0),
) : Exception(message)

/**
 * Begins one operation, shows it, and leaves its sending to [sendQueued], not before [sendAfter] has
 * passed.
 */
public suspend fun <T : Any> ResourceCache<T>.queue(begin: Begin<T>, sendAfter: Duration = ZERO): Change<T> {
    val step = Step(begin)
    return changing { queue(step.native(wire), sendAfter.ms("sendAfter") ?: 0UL) }
}

/** The next attempt that may be sent by now, if there is one. [sendQueued] asks by itself. */
public suspend fun <T : Any> ResourceCache<T>.pollAttempt(): Attempt<T>? =
    changingWith { pollAttempt().let { it.applied to it.attempt } }.second?.let { own(it) }

/** The attempt of this operation that is under way. So a program finds after a restart what it had sent. */
public fun <T : Any> ResourceCache<T>.attemptOf(operation: Long): Attempt<T>? =
    reading { native.attemptOf(operation.toULong()) }?.let { own(it) }

/**
 * What an unsettled operation asks of the server; none for one that is not known, has settled, or waits
 * for the creation of its resource to be answered.
 */
public fun <T : Any> ResourceCache<T>.requestOf(operation: Long): Request<T>? =
    reading { native.requestOf(operation.toULong()) }?.let {
        Request(it.operation.toLong(), Kind.valueOf(it.kind.name), it.id, value(it.body), it.body, tree(it.patch))
    }

/** How many operations wait to be sent or are under way. */
public val <T : Any> ResourceCache<T>.queued: Int get() = reading { native.queued().toInt() }

/** Whether attempts may be sent. Offline, the outbox holds them, for as long as it takes. */
public suspend fun <T : Any> ResourceCache<T>.setOnline(online: Boolean): Change<T> =
    changing { setOnline(online) }.also { onlineMayHaveChanged() }

/** Goes by what the platform says of the network, until it says no more: a flow of "is there one". */
public suspend fun <T : Any> ResourceCache<T>.followConnectivity(online: Flow<Boolean>) {
    online.collect { setOnline(it) }
}

/**
 * Sends what is queued, for as long as the caller's coroutine lives; in one place only. An attempt
 * whose [send] returns is acknowledged, with the resource if it returns one; when it throws
 * [HttpFailure], the retry policy judges by the status; when it throws anything else, it backs off. An
 * attempt that is cancelled counts as lost after the policy's timeout, and is then sent again with the
 * same key. Returns when the cache is closed.
 */
public suspend fun <T : Any> ResourceCache<T>.sendQueued(send: suspend (Attempt<T>) -> T?): Unit = try {
    coroutineScope {
        while (true) {
            val seen = pulse.value
            val attempt = withContext(NonCancellable) { pollAttempt() }
            // The poll itself is a beat; what has come meanwhile is another.
            if (attempt != null) launch { answer(attempt, send) } else pulse.first { it > seen + 1 }
        }
    }
} catch (_: CacheException.Closed) {
    // Nothing more to send.
}

private suspend fun <T : Any> ResourceCache<T>.answer(attempt: Attempt<T>, send: suspend (Attempt<T>) -> T?) {
    val answer = try {
        send(attempt)
    } catch (problem: Throwable) {
        if (problem is CancellationException && !currentCoroutineContext().isActive) throw problem
        if (problem is Error) throw problem
        val retry = when (problem) {
            is HttpFailure -> Retry.ByStatus(problem.status, problem.retryAfter)
            else -> Retry.AfterBackoff
        }
        withContext(NonCancellable) { fail(attempt.operation, told(problem), retry) }
        return
    }
    withContext(NonCancellable) { acknowledge(attempt.operation, answer) }
}

private fun <T : Any> ResourceCache<T>.own(attempt: dev.resourcecache.ffi.Attempt) = Attempt(
    attempt.operation.toLong(), attempt.number.toInt(), Kind.valueOf(attempt.kind.name), attempt.id,
    value(attempt.body), attempt.body, tree(attempt.patch), attempt.key,
)

/** None as well when the serializer cannot read it: the body is there. */
private fun <T : Any> ResourceCache<T>.value(body: String?): T? =
    try {
        body?.let(wire::value)
    } catch (_: IllegalArgumentException) {
        null
    }

private fun tree(patch: String?): JsonElement? = patch?.let(Json::parseToJsonElement)
