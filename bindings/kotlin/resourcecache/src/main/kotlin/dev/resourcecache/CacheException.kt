package dev.resourcecache

import dev.resourcecache.ffi.CacheException as Refused

/**
 * Why a call was refused. Nothing has changed then, not even the time; but see [Broken].
 *
 * The message tells the whole story as a sentence: which resource, what was wrong, and what to do.
 */
public sealed class CacheException(message: String, cause: Throwable? = null) : RuntimeException(message, cause) {
    /** The word of the kind of error, as the core has it: `transition`, `not_found` and so on. */
    public abstract val kind: String

    /**
     * The lifecycle has no such pair of state and trigger.
     *
     * @property id the resource.
     * @property state the state that it is in.
     * @property trigger what was asked of it.
     */
    public class Transition internal constructor(
        public val id: String,
        public val state: String,
        public val trigger: String,
        message: String,
    ) : CacheException(message) {
        override val kind: String get() = "transition"
    }

    /**
     * No such resource, or no such operation.
     *
     * @property id the resource that is not here.
     * @property operation the operation that is not known.
     */
    public class NotFound internal constructor(
        public val id: String?,
        public val operation: Long?,
        message: String,
    ) : CacheException(message) {
        override val kind: String get() = "not_found"
    }

    /**
     * A resource with this id is already visible: update it, or take another id.
     *
     * @property id the resource.
     */
    public class AlreadyExists internal constructor(public val id: String, message: String) : CacheException(message) {
        override val kind: String get() = "already_exists"
    }

    /**
     * A value out of range, an empty id, a patch that would change an id, and the like.
     *
     * @property subject what it was about: an id, a field, a setting.
     */
    public class BadInput internal constructor(
        public val subject: String,
        message: String,
        cause: Throwable? = null,
    ) : CacheException(message, cause) {
        override val kind: String get() = "bad_input"
    }

    /**
     * A list that cannot be taken.
     *
     * @property position the item's place in the list, from 0; none when it is the list itself.
     */
    public class BadSnapshot internal constructor(
        public val position: Long?,
        message: String,
    ) : CacheException(message) {
        override val kind: String get() = "bad_snapshot"
    }

    /**
     * A batch is refused whole when one of its parts is.
     *
     * @property refusals the parts that were refused, in the order of the batch.
     * @property kind the kind of the first.
     */
    public class Batch internal constructor(
        public val refusals: List<Refusal>,
        override val kind: String,
        message: String,
    ) : CacheException(message)

    /**
     * The store in which the list is kept did not do it.
     *
     * @property key the list's key; none when it is about the store itself.
     * @property kind what is wrong: `conflict`, `fenced`, `busy`, `unavailable`, `closed`, `full`,
     *   `read_only`, `foreign`, `newer`, `damaged` or `other`.
     * @property retryable whether the same may succeed when tried again later, without anybody's doing.
     */
    public class Store internal constructor(
        public val key: String?,
        override val kind: String,
        public val retryable: Boolean,
        message: String,
    ) : CacheException(message)

    /**
     * A fault of the cache itself: it refuses all that follows. Restore another from what was saved,
     * or from a list. A report is welcome.
     */
    public class Broken internal constructor(message: String, cause: Throwable? = null) :
        CacheException(message, cause) {
        override val kind: String get() = "broken"
    }

    /** The cache was closed, or the scope that it was given has ended. */
    public class Closed internal constructor(cause: Throwable? = null) :
        CacheException("the cache was closed: make another, from what was saved", cause) {
        override val kind: String get() = "closed"
    }

    /**
     * A body that the serializer cannot read: the row is here, and its value is not.
     *
     * @property id the resource.
     */
    public class Undecodable internal constructor(public val id: String, cause: Throwable) :
        CacheException("the resource $id is not what its serializer reads: ${cause.message}", cause) {
        override val kind: String get() = "undecodable"
    }
}

/**
 * One part of a batch that was refused.
 *
 * @property position its place in the batch, from 0.
 * @property id the resource.
 * @property kind why, in a word.
 * @property problem the whole story.
 */
public data class Refusal(
    public val position: Int,
    public val id: String,
    public val kind: String,
    public val problem: String,
)

/** Calls the native library; what it refuses comes as a [CacheException]. */
internal inline fun <R> native(call: () -> R): R =
    try {
        call()
    } catch (refused: Refused) {
        throw refused.told()
    } catch (fault: dev.resourcecache.ffi.InternalException) {
        throw CacheException.Broken("a fault of the cache itself, please report it: ${fault.message}", fault)
    } catch (problem: IllegalStateException) {
        throw if (problem.message?.endsWith(DESTROYED) == true) CacheException.Closed(problem) else problem
    }

/** How the generated code ends what it says of an object that was closed meanwhile. */
internal const val DESTROYED = "object has already been destroyed"

internal fun Refused.told(): CacheException =
    when (this) {
        is Refused.Transition -> CacheException.Transition(id, state, trigger, problem)
        is Refused.NotFound -> CacheException.NotFound(id, operation?.toLong(), problem)
        is Refused.AlreadyExists -> CacheException.AlreadyExists(id, problem)
        is Refused.BadInput -> CacheException.BadInput(subject, problem)
        is Refused.BadSnapshot -> CacheException.BadSnapshot(position?.toLong(), problem)
        is Refused.Batch -> {
            val parts = refusals.map { Refusal(it.position.toInt(), it.id, it.kind, it.problem) }
            CacheException.Batch(parts, kind, problem)
        }
        is Refused.Store -> CacheException.Store(key, kind, retryable, problem)
        is Refused.Broken -> CacheException.Broken(problem)
    }
