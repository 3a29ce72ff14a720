package dev.resourcecache

import kotlinx.coroutines.flow.Flow

/**
 * Where a watch lists, and where it hears what changes. It makes the calls; when to list, from where to
 * listen and when to try again is decided by [watching].
 *
 * Throw [HttpFailure] when the server answers with an error, and anything else when it cannot be
 * reached: either is waited after, and tried again. A call of which nothing more is wanted is cancelled.
 */
public interface WatchSource {
    /** Makes a list call; answers its bytes, which are read by the list's [Schema]. */
    public suspend fun list(call: ListCall): ByteArray

    /** Opens a stream, and tells what it tells, until it ends. */
    public fun stream(call: StreamCall): Flow<StreamEvent>
}

/**
 * A list call to be made.
 *
 * @property limit how many items at most; none for all.
 * @property continueToken where the chunk before ended.
 * @property notOlderThan the answer must not be older than this version; `0` takes any. None asks for
 *   the newest.
 * @property query the query by which Kubernetes is asked for it, not yet percent-encoded.
 */
public data class ListCall(
    public val limit: Int?,
    public val continueToken: String?,
    public val notOlderThan: String?,
    public val query: Map<String, String>,
)

/**
 * A stream to be opened.
 *
 * @property version what came after this version is to be told.
 * @property sequence what came after this sequence number is to be told.
 * @property bookmarks whether bookmarks are asked for.
 * @property initialEvents whether it is to begin with all there is, not older than the version.
 * @property query the query by which Kubernetes is asked for it, not yet percent-encoded.
 */
public data class StreamCall(
    public val version: String?,
    public val sequence: Long?,
    public val bookmarks: Boolean,
    public val initialEvents: Boolean,
    public val query: Map<String, String>,
) {
    /** What goes into `Last-Event-ID` of server-sent events. */
    public val lastEventId: String? get() = sequence?.toString() ?: version
}

/** What is heard of a stream. */
public sealed class StreamEvent {
    /** The server has answered, and tells what happens from now on. A first message says so, too. */
    public data object Opened : StreamEvent()

    /** Something that is no message, such as a comment or a ping: the stream is alive. */
    public data object Heard : StreamEvent()

    /**
     * A message: a line of a watch of Kubernetes, the text of a WebSocket's message, the data of a
     * server-sent event.
     *
     * @property bytes the message.
     * @property word what server-sent events say beside it by `event:`.
     */
    public class Message(public val bytes: ByteArray, public val word: String? = null) : StreamEvent() {
        /** The same of a text. */
        public constructor(text: String, word: String? = null) : this(text.encodeToByteArray(), word)
    }
}

/** What a watch is about. */
public enum class WatchState {
    /** It learns all that is there. */
    LISTING,

    /** A stream tells what changes, or is being opened. */
    WATCHING,

    /** It waits after a failure. */
    BACKING_OFF,

    /** There is no network. */
    OFFLINE,
}

/**
 * Where a watch stands: saved with the list's state, and no later than it, it lets the next one go on
 * without a list call.
 *
 * @property version the last version of which all is in the list.
 * @property sequence the same by the server's count of messages.
 */
public data class WatchPosition(public val version: String? = null, public val sequence: Long? = null)

/**
 * Where Kubernetes keeps things, in resources of one namespace, or of none. Its versions are integers:
 * `Settings(versionOrder = VersionOrder.INTEGER)`.
 */
public fun kubernetesSchema(): Schema {
    val own = native { dev.resourcecache.ffi.kubernetesSchema() }
    return Schema(own.id, own.uid, own.version, own.token, own.items, own.listVersion, own.continueToken)
}
