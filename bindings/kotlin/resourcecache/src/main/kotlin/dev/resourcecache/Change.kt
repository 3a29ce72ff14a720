package dev.resourcecache

import kotlin.time.Instant

/**
 * What one call, or the passing of time, has changed in the visible list, and what there is to tell.
 *
 * A reader that holds the list as it was before takes out every removed and every upserted row, then
 * puts each upserted row, in the order given, behind the row that [Upsert.after] names.
 *
 * @property revision the collection's revision afterwards; it only grows.
 * @property upserted rows that are new, other than before, or elsewhere; in list order.
 * @property removed rows that are no longer visible.
 * @property outcomes how operations settled.
 * @property warnings what was odd in the input, and still taken.
 * @property conflicts what undo or redo left alone.
 * @property operations the operations that the call began or went on with.
 */
public data class Change<out T>(
    public val revision: Long,
    public val upserted: List<Upsert<T>>,
    public val removed: List<Removed>,
    public val outcomes: List<Outcome>,
    public val warnings: List<Warning>,
    public val conflicts: List<Conflict>,
    public val operations: List<Long>,
) {
    /** Whether there is nothing to tell: no row, no outcome, no warning, no conflict. */
    public val isEmpty: Boolean
        get() = upserted.isEmpty() && removed.isEmpty() && outcomes.isEmpty() && warnings.isEmpty() &&
            conflicts.isEmpty()

    /** The operation of a call that begins one. */
    public val operation: Long get() = operations.first()
}

/**
 * A row that is new, other than before, or elsewhere.
 *
 * @property row the row as it is now.
 * @property after the key of the visible row before it; none at the head of the list.
 */
public data class Upsert<out T>(public val row: Row<T>, public val after: Long?)

/**
 * A row that is no longer visible.
 *
 * @property key the row.
 * @property id the last id of its resource.
 */
public data class Removed(public val key: Long, public val id: String)

/** How an operation settled. */
public sealed class Outcome {
    /** The operation. */
    public abstract val operation: Long

    /** The id of its resource at that time. */
    public abstract val id: String

    /** What it was to do. */
    public abstract val kind: Kind

    /** When, by the cache's clock. */
    public abstract val at: Instant

    /** The server shows it. */
    public data class Confirmed(
        override val operation: Long,
        override val id: String,
        override val kind: Kind,
        override val at: Instant,
    ) : Outcome()

    /** The server did not show it in time; its word shows. */
    public data class NotConfirmed(
        override val operation: Long,
        override val id: String,
        override val kind: Kind,
        override val at: Instant,
    ) : Outcome()

    /** A newer word of the server replaced it. */
    public data class Superseded(
        override val operation: Long,
        override val id: String,
        override val kind: Kind,
        override val at: Instant,
    ) : Outcome()

    /**
     * The server refused it.
     *
     * @property error why.
     */
    public data class Failed(
        override val operation: Long,
        override val id: String,
        override val kind: Kind,
        override val at: Instant,
        public val error: String,
    ) : Outcome()

    /** It was taken back. */
    public data class Cancelled(
        override val operation: Long,
        override val id: String,
        override val kind: Kind,
        override val at: Instant,
    ) : Outcome()

    /** Nothing was heard of it for too long. */
    public data class Stale(
        override val operation: Long,
        override val id: String,
        override val kind: Kind,
        override val at: Instant,
    ) : Outcome()
}

/** Something odd in the input that was taken nevertheless. */
public sealed class Warning {
    /**
     * The id stands in the list more than once: the last body is taken, at the first place.
     *
     * @property id the id.
     * @property position the place of the repetition, from 0.
     */
    public data class DuplicateId(public val id: String, public val position: Int) : Warning()

    /**
     * An item that is no resource was left out.
     *
     * @property position its place in the list, from 0.
     * @property problem what is wrong with it.
     */
    public data class SkippedItem(public val position: Int, public val problem: String) : Warning()

    /**
     * A page's bound is not known here, so that its absences say nothing.
     *
     * @property id the bound.
     */
    public data class UnknownBound(public val id: String) : Warning()
}

/**
 * What undo or redo left alone, because it is not any more what the step made of it.
 *
 * @property id the resource.
 * @property reason why.
 * @property text the same as a sentence for the user.
 */
public data class Conflict(public val id: String, public val reason: ConflictReason, public val text: String)

/** Why undo or redo left something alone. */
public sealed class ConflictReason {
    /**
     * These fields were changed since.
     *
     * @property fields their names.
     */
    public data class Changed(public val fields: List<String>) : ConflictReason()

    /** The resource is gone. */
    public data object Gone : ConflictReason()

    /** The resource is there already. */
    public data object Exists : ConflictReason()

    /** What the resource was is not known. */
    public data object Unknown : ConflictReason()

    /**
     * The cache refused it.
     *
     * @property problem why.
     */
    public data class Refused(public val problem: String) : ConflictReason()
}
