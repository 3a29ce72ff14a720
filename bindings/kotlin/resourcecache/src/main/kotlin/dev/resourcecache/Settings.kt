package dev.resourcecache

import dev.resourcecache.ffi.Config
import kotlin.time.Duration

/**
 * The settings of one list. What is left out is as said.
 *
 * @property ttl how long an operation guards what the user asked for, at least. Default 60 s.
 * @property staleAfter after how long an operation that is not heard of is given up. Default 300 s.
 * @property completedShown how long a completion lingers before it makes way. Default 2 s.
 * @property errorShown how long an error is shown. Default 5 s.
 * @property retryBackoff the wait before the next attempt, times the number of failed ones, where the
 *   caller gives none. Default 1 s.
 * @property retry what the outbox does about attempts that fail.
 * @property maxUnderWay how many attempts the outbox has under way at most. Default 6.
 * @property progress how operations of each kind go on, from stage to stage.
 * @property history how much of what the user did is kept, to be undone.
 * @property versionOrder how the server's versions compare. Default opaque.
 * @property newItems where resources stand that the server does not list yet. Default at the end.
 * @property onFailure what a final failure leaves on screen. Default the server's values.
 * @property badItems what items without an id lead to. Default a refusal of the list.
 * @property changeLog how many changes of rows are remembered at most. Default 100,000.
 * @property outcomeLog how many outcomes are remembered. Default 1,000.
 * @property seed keys the hashing of ids and what the outbox draws. Default a random one, which is
 *   right but for tests.
 */
public data class Settings(
    public val ttl: Duration? = null,
    public val staleAfter: Duration? = null,
    public val completedShown: Duration? = null,
    public val errorShown: Duration? = null,
    public val retryBackoff: Duration? = null,
    public val retry: RetryPolicy? = null,
    public val maxUnderWay: Int? = null,
    public val progress: Map<Kind, ProgressPlan> = emptyMap(),
    public val history: HistoryLimits? = null,
    public val versionOrder: VersionOrder? = null,
    public val newItems: NewItems? = null,
    public val onFailure: OnFailure? = null,
    public val badItems: BadItems? = null,
    public val changeLog: Int? = null,
    public val outcomeLog: Int? = null,
    public val seed: Long? = null,
) {
    /** The settings of the core, for Java: Kotlin names what it sets. */
    public constructor() : this(ttl = null)

    internal fun native(): Config = Config(
        ttlMs = ttl.ms(),
        staleAfterMs = staleAfter.ms(),
        completedShownMs = completedShown.ms(),
        errorShownMs = errorShown.ms(),
        retryBackoffMs = retryBackoff.ms(),
        retry = retry?.native(),
        maxUnderWay = maxUnderWay?.counted("maxUnderWay"),
        progress = progress.takeIf { it.isNotEmpty() }
            ?.map { (kind, plan) -> kind.native() to plan.native() }?.toMap(),
        history = history?.native(),
        versionOrder = versionOrder?.let { dev.resourcecache.ffi.VersionOrder.valueOf(it.name) },
        newItems = newItems?.let { dev.resourcecache.ffi.NewItems.valueOf(it.name) },
        onFailure = onFailure?.let { dev.resourcecache.ffi.OnFailure.valueOf(it.name) },
        badItems = badItems?.let { dev.resourcecache.ffi.BadItems.valueOf(it.name) },
        changeLog = changeLog?.counted("changeLog"),
        outcomeLog = outcomeLog?.counted("outcomeLog"),
        seed = seed?.toULong(),
    )
}

/** Whole milliseconds; a negative duration is refused by name. */
internal fun Duration?.ms(what: String = "a duration"): ULong? {
    if (this == null) return null
    if (isNegative()) throw CacheException.BadInput(what, "$what: $this is negative: give 0 or more")
    return inWholeMilliseconds.toULong()
}

internal fun Int.counted(what: String): ULong {
    if (this < 0) throw CacheException.BadInput(what, "$what: $this is negative: give 0 or more")
    return toULong()
}

/** How the server's versions compare. Nothing is assumed about an opaque one but equality. */
public enum class VersionOrder {
    /** Equal or not, such as an HTTP `ETag`. */
    OPAQUE,

    /** Decimal integers of any length, such as Kubernetes' `resourceVersion`. */
    INTEGER,

    /** RFC 3339 times. */
    TIMESTAMP,
}

/** Where resources stand that the server does not list yet. */
public enum class NewItems {
    /** Before the list, the newest first. */
    START,

    /** After the list, the newest last. */
    END,
}

/** What a final failure leaves on screen. */
public enum class OnFailure {
    /** The server's values at once, with the error for a while. */
    REVERT,

    /** The user's values, marked failed, until the user retries or drops them. */
    KEEP,
}

/** What a list with items that have no id leads to. */
public enum class BadItems {
    /** The list is refused whole. */
    REJECT,

    /** They are skipped with a warning each, unless every item is bad. */
    SKIP,
}

/**
 * How much of what the user did is kept.
 *
 * @property steps how many steps at most. Default 100.
 * @property bytes how many bytes of bodies and values at most. Default 1 MiB.
 */
public data class HistoryLimits(public val steps: Int? = null, public val bytes: Int? = null) {
    internal fun native() =
        dev.resourcecache.ffi.HistoryLimits(steps?.counted("steps"), bytes?.counted("bytes"))
}

/**
 * Where a server's answers keep their list, and its resources their id and the rest: JSON pointers
 * (RFC 6901).
 *
 * @property id a resource's id: a string, or an integer. Default `/id`.
 * @property uid an identity that is never given out twice.
 * @property version a resource's version.
 * @property token a token that the client chose and the server echoes.
 * @property items the list within a list call's answer; the whole answer by default.
 * @property listVersion the list's own version within the answer.
 * @property continueToken where the answer says how its next chunk is asked for.
 */
public data class Schema(
    public val id: String? = null,
    public val uid: String? = null,
    public val version: String? = null,
    public val token: String? = null,
    public val items: String? = null,
    public val listVersion: String? = null,
    public val continueToken: String? = null,
) {
    /** Resources are `{"id": ...}`, lists are arrays of them; for Java. */
    public constructor() : this(id = null)

    internal fun native() = dev.resourcecache.ffi.Schema(id, uid, version, token, items, listVersion, continueToken)
}
