package dev.resourcecache

import io.kotest.common.ExperimentalKotest
import io.kotest.property.Arb
import io.kotest.property.PropTestConfig
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.checkAll
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertSame
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking

class RowListTest {
    private fun row(key: Int, value: String = "v") =
        Row(key.toLong(), "$key", "idle", true, null, null, null, null, value, null)

    private fun change(upserted: List<Upsert<String>>, removed: List<Int> = emptyList()) =
        Change(1, upserted, removed.map { Removed(it.toLong(), "$it") }, emptyList(), emptyList(), emptyList(), emptyList())

    @OptIn(ExperimentalKotest::class)
    @Test
    fun `it follows changes as a plain list would`() = runBlocking<Unit> {
        checkAll(PropTestConfig(iterations = 300), Arb.list(Arb.int(0..999), 1..120)) { numbers ->
            val store = RowStore<String>()
            val naive = ArrayList<Row<String>>()
            for (n in 0..299) naive += row(n)
            store.fill(naive.toList())
            for ((step, n) in numbers.withIndex()) {
                val key = n % 350
                val before = store.list()
                val told = if (n % 3 == 0) {
                    naive.removeAll { it.key == key.toLong() }
                    change(emptyList(), listOf(key))
                } else {
                    naive.removeAll { it.key == key.toLong() }
                    val at = (n * 31 + step) % (naive.size + 1)
                    val new = row(key, "v${n % 2}")
                    naive.add(at, new)
                    change(listOf(Upsert(new, naive.getOrNull(at - 1)?.key)))
                }
                val copy = before.toList()
                store.follow(told)
                assertEquals(naive, store.list().toList())
                assertEquals(naive.size, store.list().size)
                // What was given out stays as it was.
                assertEquals(copy, before.toList())
            }
        }
    }

    @OptIn(ExperimentalKotest::class)
    @Test
    fun `several rows that change together, in place or not, lead to the same list`() = runBlocking<Unit> {
        checkAll(PropTestConfig(iterations = 200), Arb.list(Arb.list(Arb.int(0..999), 1..6), 1..20)) { steps ->
            val store = RowStore<String>()
            val naive = List(300) { row(it) }.toMutableList()
            store.fill(naive.toList())
            for ((step, numbers) in steps.withIndex()) {
                for (n in numbers) {
                    val key = (n % 300).toLong()
                    val from = naive.indexOfFirst { it.key == key }
                    naive.removeAt(from)
                    // Mostly where it was; the ends of parts are among the places.
                    val at = if (n % 7 == 0) (n * 31 + step) % (naive.size + 1) else from
                    naive.add(at, row(key.toInt(), "v$step"))
                }
                val keys = numbers.map { (it % 300).toLong() }.toSet()
                val upserted = naive.mapIndexedNotNull { i, row ->
                    if (row.key in keys) Upsert(row, naive.getOrNull(i - 1)?.key) else null
                }
                val before = store.list()
                val copy = before.toList()
                val followed = store.follow(change(upserted))
                assertEquals(naive, store.list().toList())
                followed.upserted.forEach { assertSame(it.row, store.list().single { row -> row.key == it.row.key }) }
                assertEquals(copy, before.toList())
            }
        }
    }

    @Test
    fun `an equal row that stays is the same object`() {
        val store = RowStore<String>()
        val rows = List(200) { row(it) }
        store.fill(rows)
        val followed = store.follow(change(listOf(Upsert(row(0), null), Upsert(row(150), 149))))
        assertSame(rows[0], followed.upserted[0].row)
        assertSame(rows[150], store.list()[150])
    }

    @Test
    fun `a change of one row shares all but a part of ten thousand`() {
        val store = RowStore<String>()
        store.fill(List(10_000) { row(it) })
        val before = store.list()
        store.follow(change(listOf(Upsert(row(5_000, "new"), 4_999))))
        val after = store.list()
        assertEquals("new", after[5_000].value)
        assertEquals(before.partCount - 1, after.shared(before))
        assertTrue(before != after)
        store.follow(change(listOf(Upsert(row(5_000, "v"), 4_999))))
        assertEquals(before, store.list())
        assertEquals(before.hashCode(), store.list().hashCode())
        assertEquals<List<Row<String>>>(before, before.toList())
        assertSame(before[0], store.list()[0])
        assertFailsWith<IndexOutOfBoundsException> { before[10_000] }
    }
}
