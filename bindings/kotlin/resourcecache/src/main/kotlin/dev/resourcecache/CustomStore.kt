package dev.resourcecache

import dev.resourcecache.ffi.HostException
import dev.resourcecache.ffi.HostStore
import dev.resourcecache.ffi.StoredPart

/**
 * A store of your own, such as a table of the app's Room database: give it to [Store.hosted].
 *
 * A list is a revision and parts by name, under a key; look into none of them. The functions are called
 * by the thread that runs a call of the list, while it is locked: they may block, and must not call the
 * list. What they throw becomes a [CacheException.Store] of the call that needed them, and nothing has
 * changed then. There are no leases: let one instance alone send.
 */
public interface CustomStore {
    /** A list; null where there is none. */
    public fun load(key: String): StoredList?

    /** At which revision a list is; null where there is none. */
    public fun revision(key: String): String?

    /**
     * If the list is at the expected revision (null: there is no such list), writes the parts that have
     * bytes, removes those that are null, sets the new revision, all or nothing, and answers true once
     * that is safe. Otherwise it changes nothing, and answers false.
     */
    public fun commit(key: String, expected: String?, revision: String, parts: Map<String, ByteArray?>): Boolean

    /** The keys of all lists. */
    public fun keys(): List<String>

    /** Removes a list; answers whether there was one. */
    public fun delete(key: String): Boolean
}

/**
 * A list as it was committed last.
 *
 * @property revision the revision that the last commit gave it.
 * @property parts its parts by their names.
 */
public class StoredList(public val revision: String, public val parts: Map<String, ByteArray>)

/** One as the native library has it. */
internal class Hosted(private val store: CustomStore) : HostStore {
    override fun load(key: String) = hosted {
        store.load(key)?.let { list ->
            val parts = list.parts.map { (name, bytes) -> StoredPart(name, bytes) }
            dev.resourcecache.ffi.StoredCollection(list.revision, parts)
        }
    }

    override fun revision(key: String) = hosted { store.revision(key) }

    override fun commit(key: String, expected: String?, revision: String, parts: List<StoredPart>) =
        hosted { store.commit(key, expected, revision, parts.associate { it.name to it.bytes }) }

    override fun keys() = hosted { store.keys() }

    override fun delete(key: String) = hosted { store.delete(key) }

    /** Whatever it throws, an [Error] too: nothing may unwind through the native library. */
    private inline fun <R> hosted(call: () -> R): R =
        try {
            call()
        } catch (problem: Throwable) {
            throw HostException.Failed(told(problem))
        }
}
