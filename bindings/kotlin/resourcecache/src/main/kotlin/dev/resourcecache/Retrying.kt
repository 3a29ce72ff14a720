package dev.resourcecache

import kotlin.time.Duration

/**
 * What the outbox does about attempts that fail.
 *
 * @property backoff the wait before the next attempt, where the server named none. Default: 1 s times
 *   the number of failed attempts.
 * @property maxAttempts after so many attempts it gives up; 0 for never. Default 3.
 * @property maxAge when the next attempt would start later than this after the first one, or after
 *   coming online since, it gives up. Default never.
 * @property attemptTimeout after how long an attempt that was not answered, nor reported progress,
 *   counts as lost. Default 30 s.
 * @property retryable the HTTP statuses after which another attempt is of use. Default 408, 425, 429,
 *   500, 502, 503, 504.
 */
public data class RetryPolicy(
    public val backoff: Backoff? = null,
    public val maxAttempts: Int? = null,
    public val maxAge: Duration? = null,
    public val attemptTimeout: Duration? = null,
    public val retryable: List<Int>? = null,
) {
    internal fun native() = dev.resourcecache.ffi.RetryPolicy(
        backoff = backoff?.native(),
        maxAttempts = maxAttempts?.counted("maxAttempts")?.toUInt(),
        maxAgeMs = maxAge.ms("maxAge"),
        attemptTimeoutMs = attemptTimeout.ms("attemptTimeout"),
        retryable = retryable?.map { it.httpStatus() },
    )
}

internal fun Int.httpStatus(): UShort {
    if (this !in 0..UShort.MAX_VALUE.toInt()) {
        throw CacheException.BadInput("status", "status: $this is no HTTP status")
    }
    return toUShort()
}

/** How long to wait before the next attempt. */
public sealed class Backoff {
    internal abstract fun native(): dev.resourcecache.ffi.Backoff

    /**
     * Longer by one step with each failed attempt.
     *
     * @property step the wait after the first.
     */
    public data class Linear(public val step: Duration) : Backoff() {
        override fun native() = dev.resourcecache.ffi.Backoff.Linear(step.ms("step") ?: 0UL)
    }

    /**
     * Any time up to a limit that doubles with each failed attempt.
     *
     * @property base the first limit.
     * @property cap the last.
     */
    public data class Exponential(public val base: Duration, public val cap: Duration) : Backoff() {
        override fun native() =
            dev.resourcecache.ffi.Backoff.Exponential(base.ms("base") ?: 0UL, cap.ms("cap") ?: 0UL)
    }
}

/** Whether another attempt follows a failed one. */
public sealed class Retry {
    internal abstract fun native(): dev.resourcecache.ffi.Retry

    /** None: the operation has failed. */
    public data object No : Retry() {
        override fun native() = dev.resourcecache.ffi.Retry.No
    }

    /** After [Settings.retryBackoff] times the number of failed attempts. */
    public data object AfterBackoff : Retry() {
        override fun native() = dev.resourcecache.ffi.Retry.Backoff
    }

    /**
     * After this long.
     *
     * @property wait how long.
     */
    public data class After(public val wait: Duration) : Retry() {
        override fun native() = dev.resourcecache.ffi.Retry.After(wait.ms("wait") ?: 0UL)
    }

    /**
     * As [RetryPolicy] says of an HTTP status.
     *
     * @property status the status.
     * @property after the answer's `Retry-After`.
     */
    public data class ByStatus(public val status: Int, public val after: Duration? = null) : Retry() {
        override fun native() = dev.resourcecache.ffi.Retry.ByStatus(status.httpStatus(), after.ms("after"))
    }
}
