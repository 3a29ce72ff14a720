package dev.resourcecache

import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest

/** Keeps lists in maps. */
private class MapStore : CustomStore {
    val lists = HashMap<String, StoredList>()
    var problem: Throwable? = null
    var commits = 0

    override fun load(key: String) = lists[key]

    override fun revision(key: String) = lists[key]?.revision

    override fun commit(key: String, expected: String?, revision: String, parts: Map<String, ByteArray?>): Boolean {
        problem?.let { throw it }
        val before = lists[key]
        if (before?.revision != expected) return false
        commits++
        val all = before?.parts.orEmpty().toMutableMap()
        for ((name, bytes) in parts) if (bytes == null) all.remove(name) else all[name] = bytes
        lists[key] = StoredList(revision, all)
        return true
    }

    override fun keys() = lists.keys.toList()

    override fun delete(key: String) = lists.remove(key) != null
}

@OptIn(ExperimentalCoroutinesApi::class)
class CustomStoreTest {
    private fun TestScope.open(store: CustomStore) = ResourceCache.open(
        Store.hosted(store), Zone.serializer(), backgroundScope, "zones", Settings(seed = 1), clock = virtualClock,
        dispatcher = StandardTestDispatcher(testScheduler),
    )

    @Test
    fun `a list survives in a store of one's own`() = runTest {
        val store = MapStore()
        val first = open(store)
        first.merge(zones("a", "b"))
        first.deleting("a") {}
        assertTrue(store.commits >= 3)
        val second = open(store)
        assertEquals(listOf("b"), second.ids)
        second.merge(zones("a", "b"))
        assertEquals(listOf("b"), second.ids)
        // What the other committed is taken first.
        assertEquals(listOf("b"), first.ids)
        first.markAsDeleting("b")
        second.sync()
        assertEquals(emptyList(), second.ids)
    }

    @Test
    fun `its keys are in order, after one, and can be deleted`() = runTest {
        val kept = MapStore()
        val store = Store.hosted(kept)
        for (key in listOf("c", "a", "b")) {
            kept.lists[key] = StoredList("1.1", emptyMap())
        }
        assertEquals(listOf("a", "b", "c"), store.keys())
        assertEquals(listOf("b"), store.keys(after = "a", limit = 1))
        assertTrue(store.delete("b"))
        assertFalse(store.delete("b"))
        assertEquals(setOf("a", "c"), kept.lists.keys)
    }

    @Test
    fun `what it throws refuses the call, and nothing has changed`() = runTest {
        val store = MapStore()
        val cache = open(store)
        cache.merge(zones("a"))
        val before = store.lists.getValue("zones").parts
        for (problem in listOf(IllegalStateException("no room"), StackOverflowError("no room"))) {
            store.problem = problem
            val refused = assertFailsWith<CacheException.Store> { cache.markAsDeleting("a") }
            assertTrue("no room" in refused.message.orEmpty(), refused.message)
            assertEquals("other", refused.kind)
        }
        assertEquals(listOf("a"), cache.ids)
        val now = store.lists.getValue("zones").parts
        assertEquals(before.keys, now.keys)
        before.forEach { (name, bytes) -> assertContentEquals(bytes, now.getValue(name)) }
        store.problem = null
        cache.markAsDeleting("a")
        assertEquals(emptyList(), cache.ids)
    }

    @Test
    fun `it has no leases`() = runTest {
        val cache = open(MapStore())
        val refused = assertFailsWith<CacheException.Store> { cache.lead("here", kotlin.time.Duration.parse("1s")) }
        assertTrue("no leases" in refused.message.orEmpty(), refused.message)
    }
}
