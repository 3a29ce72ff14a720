package dev.resourcecache

import dev.resourcecache.ffi.FetchToken
import java.nio.ByteBuffer
import kotlin.time.Duration

/** What part of the list an answer is; absences count only inside it. */
public sealed class Coverage {
    internal abstract fun native(): dev.resourcecache.ffi.Coverage

    /** All of it. */
    public data object Complete : Coverage() {
        override fun native() = dev.resourcecache.ffi.Coverage.Complete
    }

    /**
     * These ids.
     *
     * @property ids the ids.
     */
    public data class Ids(public val ids: List<String>) : Coverage() {
        override fun native() = dev.resourcecache.ffi.Coverage.Ids(ids)
    }

    /**
     * One page in list order, between two resources that are not in it.
     *
     * @property after the last resource before the page; none at the start of the list.
     * @property before the first resource after the page; none at the end of the list.
     */
    public data class Page(public val after: String?, public val before: String?) : Coverage() {
        override fun native() = dev.resourcecache.ffi.Coverage.Page(after, before)
    }
}

/** When a list call was begun, so that answers which arrive out of order are applied in the right one. */
public class Fetch internal constructor(internal val token: FetchToken)

/**
 * Lists: begins a fetch, calls [list] for the answer's bytes, and merges them. Answers of several that
 * overlap are applied in the order in which they were begun. What [list] throws is thrown, and nothing
 * is merged then.
 *
 * @param coverage what part of the list the answer is.
 * @param list asks the server.
 * @return what has changed.
 */
public suspend fun <T : Any> ResourceCache<T>.refreshing(
    coverage: Coverage = Coverage.Complete,
    list: suspend () -> ByteArray,
): Change<T> {
    val fetch = beginFetch()
    return merge(list(), fetch, coverage)
}

/** Begins a list call: hand in what it answers with the call's answer. */
public suspend fun <T : Any> ResourceCache<T>.beginFetch(): Fetch =
    changingWith { beginFetch().let { it.applied to Fetch(it.token) } }.second

/**
 * Takes the answer of a list call: its bytes, which are read once; what is as it was is passed over by
 * comparing bytes.
 *
 * @param response the answer.
 * @param fetch the call, as [beginFetch] gave it.
 * @param coverage what part of the list it is.
 */
public suspend fun <T : Any> ResourceCache<T>.merge(
    response: ByteArray,
    fetch: Fetch? = null,
    coverage: Coverage = Coverage.Complete,
): Change<T> = changing { merge(lend(response), fetch?.token, coverage.native()) }

/**
 * The same of a direct buffer, which is not even copied.
 *
 * @param response the answer, from the buffer's position to its limit; must be direct.
 */
public suspend fun <T : Any> ResourceCache<T>.merge(
    response: ByteBuffer,
    fetch: Fetch? = null,
    coverage: Coverage = Coverage.Complete,
): Change<T> {
    if (!response.isDirect) {
        throw CacheException.BadInput("response", "response: the buffer is not direct: give a ByteArray")
    }
    return changing { merge(response.slice(), fetch?.token, coverage.native()) }
}

/** How many resources an answer holds; checks it and keeps nothing of it. */
public suspend fun <T : Any> ResourceCache<T>.count(response: ByteArray): Long =
    asking { count(lend(response)) }.toLong()

/** Takes a watch event as Kubernetes writes it: an object of `type` and `object`. */
public suspend fun <T : Any> ResourceCache<T>.observe(event: ByteArray): Change<T> =
    changing { observe(lend(event)) }

/** Takes a list that version 1.0 saved, with its marks; only into an empty collection. */
public suspend fun <T : Any> ResourceCache<T>.importV1(list: ByteArray): Change<T> =
    changing { importV1(lend(list)) }

/** Gives up every operation older than this that no live guard protects. */
public suspend fun <T : Any> ResourceCache<T>.cleanupStaleOperations(olderThan: Duration): Change<T> =
    changing { cleanupStaleOperations(olderThan.ms("olderThan") ?: 0UL) }

/** Does all that is due. The cache does it by itself; this is for who cannot wait. */
public suspend fun <T : Any> ResourceCache<T>.handleTimeout(): Change<T> = changing { handleTimeout() }
