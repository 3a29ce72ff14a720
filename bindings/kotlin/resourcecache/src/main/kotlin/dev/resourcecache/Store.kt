package dev.resourcecache

import dev.resourcecache.ffi.Store as NativeStore

/**
 * Keeps lists, each under a key: give it to [ResourceCache.open].
 *
 * It may be used from any thread. It blocks the thread that opens, lists or deletes; what a list commits
 * to it, it commits where the list's calls run.
 */
public class Store private constructor(internal val native: NativeStore) : AutoCloseable {
    /**
     * The keys of the lists, in the order of their bytes.
     *
     * @param after begins after this key.
     * @param limit how many at most.
     */
    public fun keys(after: String? = null, limit: Int = 1000): List<String> {
        require(limit >= 0) { "limit is $limit: take 0 or more" }
        return native { native.keys(after, limit.toUInt()) }
    }

    /** Removes a list for everybody. Answers whether there was one. */
    public fun delete(key: String): Boolean = native { native.delete(key) }

    /**
     * Lets go of the file and of every lock on it. What needs the store then throws
     * [CacheException.Store]; what was committed stays, and what is in memory can be read.
     */
    override fun close(): Unit = native { native.disconnect() }

    /** Opens it again after [close]. */
    public fun reopen(): Unit = native { native.reconnect() }

    /** Opens stores. */
    public companion object {
        /**
         * Opens a store by its address: `sqlite:PATH` is one SQLite file, made where there is none;
         * `memory:` is gone with the process, for tests.
         *
         * ```kotlin
         * val store = Store.open("sqlite:${context.filesDir}/zones.sqlite")
         * ```
         */
        @JvmStatic
        public fun open(address: String): Store = Store(native { NativeStore.open(address) })

        /** A store that is written in Kotlin or Java. */
        @JvmStatic
        public fun hosted(store: CustomStore): Store = Store(native { NativeStore.hosted(Hosted(store)) })
    }
}
