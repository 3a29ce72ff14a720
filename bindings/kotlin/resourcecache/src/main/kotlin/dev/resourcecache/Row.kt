package dev.resourcecache

import kotlin.time.Instant

/**
 * One resource as it is shown.
 *
 * Equal rows of successive lists are the same object, and so are equal values of one row.
 *
 * @param T what a resource is in this program.
 * @property key stays the same for as long as the row lives, whatever becomes of the id: for
 *   `LazyColumn`'s `key`, or DiffUtil's `areItemsTheSame`.
 * @property id the id of its resource by now.
 * @property state where it is in the lifecycle: `idle`, `creating`, `created` and so on.
 * @property isVisible whether it stands in the visible list.
 * @property status what goes on, if anything does.
 * @property badge what its status badge shows.
 * @property progress what its progress bar shows.
 */
public class Row<out T> internal constructor(
    public val key: Long,
    public val id: String,
    public val state: String,
    public val isVisible: Boolean,
    public val status: Status?,
    public val metadata: Metadata?,
    public val badge: Badge?,
    public val progress: Progress?,
    private val decoded: T?,
    private val problem: Throwable?,
) {
    /** The resource. Throws [CacheException.Undecodable] when its serializer cannot read it. */
    public val value: T
        get() {
            problem?.let { throw CacheException.Undecodable(id, it) }
            @Suppress("UNCHECKED_CAST")
            return decoded as T
        }

    /** The resource; none when its serializer cannot read it. */
    public val valueOrNull: T? get() = decoded

    override fun equals(other: Any?): Boolean =
        this === other || (
            other is Row<*> && key == other.key && id == other.id && state == other.state &&
                isVisible == other.isVisible && metadata == other.metadata && badge == other.badge &&
                progress == other.progress && decoded == other.decoded &&
                problem?.message == other.problem?.message
            )

    override fun hashCode(): Int = 31 * key.hashCode() + decoded.hashCode()

    override fun toString(): String = "Row(key=$key, id=$id, state=$state, value=${problem?.message ?: decoded})"

    /** The same row with another's value, when that is equal. */
    internal fun sharing(before: Row<@UnsafeVariance T>): Row<T> =
        when {
            this == before -> before
            decoded === before.decoded || decoded != before.decoded -> this
            else -> Row(key, id, state, isVisible, status, metadata, badge, progress, before.decoded, problem)
        }
}

/** How a badge is coloured. */
public enum class Variant {
    /** As usual. */
    DEFAULT,

    /** Less prominent. */
    SECONDARY,

    /** A deletion, or a failure. */
    DESTRUCTIVE,
}

/** A badge's icon. */
public enum class Icon {
    /** Something goes on. */
    SPINNER,

    /** It is done. */
    CHECK,

    /** It failed. */
    CROSS,
}

/**
 * What a row's status badge shows.
 *
 * @property label the text.
 * @property variant the colour.
 * @property icon the icon.
 * @property animate whether the icon spins.
 * @property progress how far it is, 0 to 100; 0 is shown.
 * @property retry failed attempts; when their number and the limit are known.
 */
public data class Badge(
    public val label: String,
    public val variant: Variant,
    public val icon: Icon,
    public val animate: Boolean,
    public val progress: Double?,
    public val retry: RetryCount?,
)

/**
 * How many attempts failed, of how many.
 *
 * @property failed how many failed.
 * @property limit how many there are to be.
 */
public data class RetryCount(public val failed: Int, public val limit: Int)

/**
 * What a row's progress bar shows.
 *
 * @property label the message, or else the status.
 * @property percent 0 to 100.
 * @property expectedAt when it will be done, if its stages take as long as they are said to; none when
 *   nobody knows.
 * @property isStalled whether nothing was heard of it for as long as its plan says.
 */
public data class Progress(
    public val label: String,
    public val percent: Double,
    public val expectedAt: Instant?,
    public val isStalled: Boolean,
)
