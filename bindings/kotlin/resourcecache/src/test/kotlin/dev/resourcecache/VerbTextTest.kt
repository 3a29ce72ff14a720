package dev.resourcecache

import java.nio.ByteBuffer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.test.runTest
import kotlinx.serialization.json.JsonPrimitive

/** What crosses the border: verbs as texts, lists as bytes. */
class VerbTextTest {
    @Test
    fun `it has what is given, and nothing else`() {
        assertEquals("""{"revert":{"id":"a"}}""", verbText("revert", "a"))
        assertEquals("""{"v":{"id":"a","min_ttl_ms":20,"operation":"delete"}}""", verbText("v", "a", 20.milliseconds, Kind.DELETE))
        assertEquals("{\"add\":{}}\u001e{\"id\":1}", verbText("add", body = """{"id":1}"""))
        assertEquals("{\"v\":{\"temp_id\":\"a\"}}\u001e{}", verbText("v", "a", name = "temp_id", body = "{}"))
        assertEquals("minTtl", assertFailsWith<CacheException.BadInput> { verbText("v", "a", (-1).milliseconds) }.subject)
    }

    @Test
    fun `an id may have any characters`() = runTest {
        val cache = zoneCache()
        for (id in listOf("a\"b", "a\\", "\u001e", "\u0000\n", "é€𝄞", "{\"id\":\"x\"}", " ", "\u2028")) {
            val body = """[{"id":${JsonPrimitive(id)},"name":"n"}]"""
            cache.merge(body.encodeToByteArray())
            cache.markAsDeleting(id)
            assertEquals(emptyList(), cache.ids, id)
            cache.revert(id)
            assertEquals(listOf(id), cache.ids)
            assertEquals(1, cache.updating(id, { it.copy(ttl = 1) }) { null }.let { cache.rows.value.single().value.ttl })
            cache.remove(id)
        }
    }

    @Test
    fun `a direct buffer is read from its position to its limit, and stays as it is`() = runTest {
        val cache = zoneCache()
        val list = zones("a", "b")
        val buffer = ByteBuffer.allocateDirect(list.size + 7)
        buffer.position(3)
        buffer.put(list)
        buffer.flip().position(3)
        cache.merge(buffer)
        assertEquals(listOf("a", "b"), cache.ids)
        assertEquals(3 to 3 + list.size, buffer.position() to buffer.limit())
        val refused = assertFailsWith<CacheException.BadInput> { cache.merge(ByteBuffer.wrap(list)) }
        assertEquals("response", refused.subject)
    }

    @Test
    fun `lists that grow and shrink are read whole and alone`() = runTest {
        val cache = zoneCache()
        for (size in listOf(1, 500, 2, 3_000, 0, 40)) {
            val ids = List(size) { "zone-$it" }
            cache.merge(zones(*ids.toTypedArray()))
            assertEquals(ids, cache.ids)
        }
    }
}
