package dev.resourcecache

/** How many rows a part of a list holds at most; it is split in two when it grows over that. */
private const val PART = 128

/**
 * A list of rows at one revision. It shares with the lists before and after it the parts in which
 * nothing has changed, so that a change of one row costs no copy of all.
 */
internal class RowList<T>(private val parts: Array<Array<Row<T>>>) : AbstractList<Row<T>>(), RandomAccess {
    private val starts = IntArray(parts.size)
    override val size: Int

    init {
        var sum = 0
        for (i in parts.indices) {
            starts[i] = sum
            sum += parts[i].size
        }
        size = sum
    }

    override fun get(index: Int): Row<T> {
        if (index !in 0..<size) throw IndexOutOfBoundsException("row $index of $size")
        val found = starts.binarySearch(index)
        val part = if (found >= 0) found else -found - 2
        return parts[part][index - starts[part]]
    }

    override fun equals(other: Any?): Boolean {
        if (this === other) return true
        // Parts that are shared need no look at their rows.
        if (other is RowList<*> && other.parts.size == parts.size &&
            parts.indices.all { parts[it] === other.parts[it] || parts[it].contentEquals(other.parts[it]) }
        ) {
            return true
        }
        return super.equals(other)
    }

    override fun hashCode(): Int = super.hashCode()

    /** How many of the parts are the other's own, for tests. */
    internal fun shared(other: RowList<T>): Int = parts.count { part -> other.parts.any { it === part } }

    internal val partCount: Int get() = parts.size
}

/** The visible list, kept up by its changes. Not for several threads at once. */
internal class RowStore<T> {
    private class Part<T>(val rows: ArrayList<Row<T>>) {
        /** The rows as they were published last; none when they were changed since. */
        var frozen: Array<Row<T>>? = null

        fun freeze(): Array<Row<T>> =
            frozen ?: rows.toTypedArray().also { frozen = it }
    }

    private val parts = ArrayList<Part<T>>()
    private val places = HashMap<Long, Part<T>>()

    /** The list as it is. */
    fun list(): RowList<T> = RowList(Array(parts.size) { parts[it].freeze() })

    /** Starts anew with these rows. */
    fun fill(rows: List<Row<T>>) {
        parts.clear()
        places.clear()
        var after: Long? = null
        for (row in rows) {
            insert(row, after)
            after = row.key
        }
    }

    /**
     * Follows a change; answers it with the rows that are equal to what they were replaced by the
     * ones before. The rule is that of [Change].
     */
    fun follow(change: Change<T>): Change<T> {
        if (change.upserted.isEmpty() && change.removed.isEmpty()) return change
        if (change.removed.isEmpty()) replace(change.upserted)?.let { return change.copy(upserted = it) }
        for (removed in change.removed) take(removed.key)
        val upserted = change.upserted.map { upsert ->
            val before = take(upsert.row.key)
            if (before == null) upsert else upsert.copy(row = upsert.row.sharing(before))
        }
        for (upsert in upserted) insert(upsert.row, upsert.after)
        return change.copy(upserted = upserted)
    }

    /**
     * Replaces rows that stay where they are, which is what most changes are, and spares moving the
     * others; none, and nothing is done, when one of them is new or elsewhere. Where each stands behind
     * the same row as before, taking all out and putting them back in order leads to the same list.
     */
    private fun replace(upserted: List<Upsert<T>>): List<Upsert<T>>? {
        val found = arrayOfNulls<Part<T>>(upserted.size)
        val at = IntArray(upserted.size)
        upserted.forEachIndexed { i, upsert ->
            val part = places[upsert.row.key] ?: return null
            found[i] = part
            at[i] = part.rows.indexOfFirst { it.key == upsert.row.key }
            if (before(part, at[i]) != upsert.after) return null
        }
        return upserted.mapIndexed { i, upsert ->
            val part = found[i]!!
            val row = upsert.row.sharing(part.rows[at[i]])
            part.frozen = null
            part.rows[at[i]] = row
            upsert.copy(row = row)
        }
    }

    /** The key of the row before this place; none at the head. */
    private fun before(part: Part<T>, at: Int): Long? =
        if (at > 0) part.rows[at - 1].key else parts.getOrNull(parts.indexOf(part) - 1)?.rows?.last()?.key

    private fun take(key: Long): Row<T>? {
        val part = places.remove(key) ?: return null
        val at = part.rows.indexOfFirst { it.key == key }
        part.frozen = null
        val row = part.rows.removeAt(at)
        if (part.rows.isEmpty()) parts.remove(part)
        return row
    }

    private fun insert(row: Row<T>, after: Long?) {
        val (part, at) = place(after)
        part.frozen = null
        part.rows.add(at, row)
        places[row.key] = part
        if (part.rows.size > PART) split(part)
    }

    /** Where the row behind this one is to stand. */
    private fun place(after: Long?): Pair<Part<T>, Int> {
        if (after != null) {
            val part = places[after] ?: throw CacheException.Broken("a row is put behind $after, which is not there")
            return part to part.rows.indexOfFirst { it.key == after } + 1
        }
        val first = parts.firstOrNull() ?: Part<T>(ArrayList()).also { parts += it }
        return first to 0
    }

    private fun split(part: Part<T>) {
        val tail = part.rows.subList(PART / 2, part.rows.size)
        val next = Part(ArrayList(tail))
        tail.clear()
        for (row in next.rows) places[row.key] = next
        parts.add(parts.indexOf(part) + 1, next)
    }
}
