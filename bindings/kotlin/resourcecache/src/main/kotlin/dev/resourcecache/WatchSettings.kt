package dev.resourcecache

import kotlin.time.Duration
import dev.resourcecache.ffi.BadMessages as NativeBadMessages
import dev.resourcecache.ffi.Feed as NativeFeed
import dev.resourcecache.ffi.FeedWords as NativeFeedWords
import dev.resourcecache.ffi.Initial as NativeInitial
import dev.resourcecache.ffi.Resume as NativeResume
import dev.resourcecache.ffi.WatchSettings as NativeWatchSettings

/** From where a stream that broke goes on. */
public enum class Resume {
    /** From the last version that was told, as Kubernetes and etcd do. */
    VERSION,

    /** From the last sequence number. The stream comes first, and the list while it runs. */
    SEQUENCE,

    /** From nowhere: each new stream needs another list, while it runs. */
    NOWHERE,
}

/** How a watch learns of all that is there. */
public enum class Initial {
    /** By a list call. */
    LIST,

    /** By the stream, which begins with all there is. A server that refuses is asked for a list. */
    STREAM,
}

/** What a message that cannot be read leads to. It is told in either case. */
public enum class BadMessages {
    /** A list: what the message was to tell may matter. */
    RELIST,

    /** It is passed over. */
    SKIP,
}

/**
 * How a watch behaves. What is left out is as said.
 *
 * @property feed how messages are read that are not those of Kubernetes.
 * @property resume from where a stream goes on. Default the last version; for a feed nowhere.
 * @property initial how it learns of all that is there. Default by a list.
 * @property limit how many items one list call asks for; 0 all. Default 500; for a feed all.
 * @property firstListMayBeOld whether the first list may be an old one, for which Kubernetes asks no
 *   quorum. Default false.
 * @property bookmarks whether bookmarks are asked for. Default true; for a feed false.
 * @property awaitsReady whether a stream counts as open only when it says that it is ready. Default
 *   false.
 * @property badMessages what a message that cannot be read leads to. Default a list.
 * @property backoff how long to wait after failures. Default exponential, from 1 s to 30 s.
 * @property healthyAfter after how long without a failure the next one counts as the first again.
 *   Default 10 s.
 * @property idleAfter a stream of which nothing was heard for so long counts as broken. Default never.
 * @property listTimeout a list call that was not answered for so long counts as failed. Default 60 s.
 * @property listInterval how long after the beginning of a list the next one begins at the earliest.
 *   Default 1 s.
 * @property maxWaiting how many events may wait to be applied; a list comes instead of more. Default
 *   10,000.
 * @property seed keys the waits. Default a random one, which is right but for tests.
 */
public data class WatchSettings(
    public val feed: Feed? = null,
    public val resume: Resume? = null,
    public val initial: Initial? = null,
    public val limit: Int? = null,
    public val firstListMayBeOld: Boolean? = null,
    public val bookmarks: Boolean? = null,
    public val awaitsReady: Boolean? = null,
    public val badMessages: BadMessages? = null,
    public val backoff: Backoff? = null,
    public val healthyAfter: Duration? = null,
    public val idleAfter: Duration? = null,
    public val listTimeout: Duration? = null,
    public val listInterval: Duration? = null,
    public val maxWaiting: Int? = null,
    public val seed: Long? = null,
) {
    internal fun native() = NativeWatchSettings(
        feed = feed?.native(),
        resume = resume?.let { NativeResume.valueOf(it.name) },
        initial = initial?.let { NativeInitial.valueOf(it.name) },
        limit = limit?.counted("limit")?.toUInt(),
        firstListMayBeOld = firstListMayBeOld,
        bookmarks = bookmarks,
        awaitsReady = awaitsReady,
        badMessages = badMessages?.let { NativeBadMessages.valueOf(it.name) },
        backoff = backoff?.native(),
        healthyAfterMs = healthyAfter.ms("healthyAfter"),
        idleAfterMs = idleAfter.ms("idleAfter"),
        listTimeoutMs = listTimeout.ms("listTimeout"),
        listIntervalMs = listInterval.ms("listInterval"),
        maxWaiting = maxWaiting?.counted("maxWaiting"),
        seed = seed?.toULong(),
    )
}

/**
 * Where a feed's messages keep what they tell, by JSON pointers (RFC 6901), and which words they use.
 *
 * @property events the array of events within a message that may have several. The pointers down to
 *   [error] lead on from each of them; without it, from the message.
 * @property word the word that says what an event tells. Without it, [StreamEvent.Message.word] says
 *   it, and every other event tells a resource as it is now.
 * @property resource the resource; an array of them in a snapshot. The whole event by default.
 * @property id the id of the resource, for events that do not tell its body.
 * @property deletedVersion the version at which it went, for deletions that do not tell the body.
 * @property key the idempotency key, or the client's token, of an operation that has failed.
 * @property error why it has failed.
 * @property version the version from which the stream goes on behind the message.
 * @property sequence the message's number, one more than that of the message before.
 * @property words what the words mean.
 */
public data class Feed(
    public val events: String? = null,
    public val word: String? = null,
    public val resource: String? = null,
    public val id: String? = null,
    public val deletedVersion: String? = null,
    public val key: String? = null,
    public val error: String? = null,
    public val version: String? = null,
    public val sequence: String? = null,
    public val words: FeedWords? = null,
) {
    internal fun native() = NativeFeed(
        events = events, word = word, resource = resource, id = id, deletedVersion = deletedVersion,
        key = key, error = error, version = version, sequence = sequence, words = words?.native(),
    )
}

/**
 * What the words of a feed mean. A word that stands nowhere is an error, unless [ignored] has `*`.
 *
 * @property added a resource came into being. Default `added`, `created`.
 * @property modified a resource changed, or is as told. Default `modified`, `updated`.
 * @property deleted a resource is gone. Default `deleted`, `removed`.
 * @property bookmark everything else is as it was. Default `bookmark`.
 * @property expired the stream cannot go on: list again. Default `expired`.
 * @property snapshot all there is. Default `snapshot`.
 * @property initialEnd all there is was told. Default none.
 * @property touched something changed, and the message does not tell what. Default none.
 * @property ready the subscription holds. Default none.
 * @property failed an operation has failed. Default `failed`.
 * @property ignored passed over. Default `heartbeat`, `ping`.
 */
public data class FeedWords(
    public val added: List<String>? = null,
    public val modified: List<String>? = null,
    public val deleted: List<String>? = null,
    public val bookmark: List<String>? = null,
    public val expired: List<String>? = null,
    public val snapshot: List<String>? = null,
    public val initialEnd: List<String>? = null,
    public val touched: List<String>? = null,
    public val ready: List<String>? = null,
    public val failed: List<String>? = null,
    public val ignored: List<String>? = null,
) {
    internal fun native() = NativeFeedWords(
        added = added, modified = modified, deleted = deleted, bookmark = bookmark, expired = expired,
        snapshot = snapshot, initialEnd = initialEnd, touched = touched, ready = ready, failed = failed,
        ignored = ignored,
    )
}
