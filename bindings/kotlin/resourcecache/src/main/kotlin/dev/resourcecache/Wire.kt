package dev.resourcecache

import dev.resourcecache.ffi.Applied
import kotlin.time.Instant
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.KSerializer
import kotlinx.serialization.SerializationException
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long

/** Stands before each row in the texts of the native library, and before a verb's body (RFC 7464). */
internal const val SEPARATOR = '\u001e'

/** One row of such a text. Its names are single words, which no naming strategy changes. */
@Serializable
private class RowText<T>(
    val key: Long,
    val id: String,
    val after: Long? = null,
    val state: String,
    val visible: Boolean,
    val meta: JsonObject? = null,
    val badge: JsonObject? = null,
    val progress: JsonObject? = null,
    val body: T,
)

/** What stands before the rows. */
@Serializable
private class RestText(
    val removed: List<RemovedText>,
    val outcomes: List<JsonObject>,
    val warnings: List<JsonElement>,
    val conflicts: List<JsonObject>,
)

@Serializable
private class RemovedText(val key: Long, val id: String)

/** The same without the body, for those who ask for the status alone. */
@Serializable
private class HeadText(val key: Long, val state: String, val meta: JsonObject? = null)

/** A row's key and status. */
internal class Head(val key: Long, val status: Status?)

private val plain = Json { ignoreUnknownKeys = true }

/** Reads the texts of the native library, and writes values for it. */
internal class Wire<T : Any>(private val serializer: KSerializer<T>, private val json: Json) {
    private val typed = RowText.serializer(serializer)
    private val untyped = RowText.serializer(JsonElement.serializer())

    fun change(applied: Applied): Change<T> {
        val operations = if (applied.operations.isEmpty()) emptyList() else applied.operations.map { it.toLong() }
        val text = applied.text
        val end = text.indexOf(SEPARATOR).let { if (it < 0) text.length else it }
        val rest = if (end == 0) null else plain.decodeFromString(RestText.serializer(), text.substring(0, end))
        val upserted = ArrayList<Upsert<T>>(applied.upserted.toInt())
        each(text) { part -> upserted += read(part) { row, after -> Upsert(row, after) } }
        return Change(
            applied.revision.toLong(),
            upserted,
            rest?.removed.orEmpty().map { Removed(it.key, it.id) },
            rest?.outcomes.orEmpty().map(::outcome),
            rest?.warnings.orEmpty().map(::warning),
            rest?.conflicts.orEmpty().map(::conflict),
            operations,
        )
    }

    fun rows(text: String): List<Row<T>> {
        val rows = ArrayList<Row<T>>()
        each(text) { part -> rows += row(part) }
        return rows
    }

    fun row(text: String): Row<T> = read(text) { row, _ -> row }

    fun head(text: String): Head {
        val head = plain.decodeFromString(HeadText.serializer(), text)
        return Head(head.key, Status.of(head.state, head.meta?.let(::Metadata)))
    }

    fun value(text: String): T = json.decodeFromString(serializer, text)

    fun text(value: T): String =
        try {
            json.encodeToString(serializer, value)
        } catch (problem: SerializationException) {
            throw CacheException.BadInput("the value", "the value cannot be written: ${problem.message}", problem)
        }

    fun tree(value: T): JsonElement = json.encodeToJsonElement(serializer, value)

    fun ofTree(tree: JsonElement): T = json.decodeFromJsonElement(serializer, tree)

    private inline fun each(text: String, act: (String) -> Unit) {
        var at = text.indexOf(SEPARATOR)
        while (at >= 0) {
            val next = text.indexOf(SEPARATOR, at + 1)
            act(text.substring(at + 1, if (next < 0) text.length else next))
            at = next
        }
    }

    private inline fun <R> read(text: String, make: (Row<T>, Long?) -> R): R =
        try {
            val read = decode(typed, text)
            make(row(read, read.body, null), read.after)
        } catch (problem: IllegalArgumentException) {
            // A SerializationException is one, and so is what a value's own `init` says. The row is
            // here all the same.
            val read = plain.decodeFromString(untyped, text)
            make(row(read, null, problem), read.after)
        }

    private fun <B> decode(strategy: DeserializationStrategy<RowText<B>>, text: String) =
        json.decodeFromString(strategy, text)

    private fun row(read: RowText<*>, value: T?, problem: Throwable?): Row<T> {
        val metadata = read.meta?.let(::Metadata)
        return Row(
            read.key, read.id, read.state, read.visible, Status.of(read.state, metadata), metadata,
            read.badge?.let(::badge), read.progress?.let(::progress), value, problem,
        )
    }
}

private fun badge(json: JsonObject) = Badge(
    label = json.word("label"),
    variant = Variant.valueOf(json.word("variant").uppercase(java.util.Locale.ROOT)),
    icon = Icon.valueOf(json.word("icon").uppercase(java.util.Locale.ROOT)),
    animate = json.getValue("animate").jsonPrimitive.boolean,
    progress = json.present("progress")?.jsonPrimitive?.double,
    retry = json.present("retry")?.jsonArray?.let { RetryCount(it[0].jsonPrimitive.int, it[1].jsonPrimitive.int) },
)

private fun progress(json: JsonObject) = Progress(
    label = json.word("label"),
    percent = json.getValue("percent").jsonPrimitive.double,
    expectedAt = json.present("expected_at")?.jsonPrimitive?.long?.let(Instant::fromEpochMilliseconds),
    isStalled = json.getValue("stalled").jsonPrimitive.boolean,
)

/** Reads outcomes, as a JSON array. */
internal fun outcomes(text: String): List<Outcome> =
    plain.parseToJsonElement(text).jsonArray.map { outcome(it.jsonObject) }

private fun outcome(json: JsonObject): Outcome {
    val operation = json.number("operation")
    val id = json.word("id")
    val kind = Kind.of(json.word("kind"))
    val at = Instant.fromEpochMilliseconds(json.number("at"))
    return when (val word = json.word("settlement")) {
        "confirmed" -> Outcome.Confirmed(operation, id, kind, at)
        "not_confirmed" -> Outcome.NotConfirmed(operation, id, kind, at)
        "superseded" -> Outcome.Superseded(operation, id, kind, at)
        "failed" -> Outcome.Failed(operation, id, kind, at, json.present("error")?.jsonPrimitive?.contentOrNull ?: "")
        "cancelled" -> Outcome.Cancelled(operation, id, kind, at)
        "stale" -> Outcome.Stale(operation, id, kind, at)
        else -> throw CacheException.Broken("the native library tells of an outcome $word: it is another version")
    }
}

private fun warning(json: JsonElement): Warning {
    val (word, inside) = json.jsonObject.entries.single()
    val fields = inside.jsonObject
    return when (word) {
        "duplicate_id" -> Warning.DuplicateId(fields.word("id"), fields.number("position").toInt())
        "skipped_item" -> Warning.SkippedItem(fields.number("position").toInt(), fields.word("problem"))
        "unknown_bound" -> Warning.UnknownBound(fields.word("id"))
        else -> throw CacheException.Broken("the native library warns of $word: it is another version")
    }
}

private fun conflict(json: JsonObject): Conflict {
    val reason = json.getValue("reason")
    val word = (reason as? JsonPrimitive)?.content
    val why = when {
        word == "gone" -> ConflictReason.Gone
        word == "exists" -> ConflictReason.Exists
        word == "unknown" -> ConflictReason.Unknown
        reason is JsonObject && "refused" in reason -> ConflictReason.Refused(reason.word("refused"))
        else -> {
            val changed = reason.jsonObject.getValue("changed").jsonObject
            ConflictReason.Changed(changed.getValue("fields").jsonArray.map { it.jsonPrimitive.content })
        }
    }
    return Conflict(json.word("id"), why, json.word("text"))
}

private fun JsonObject.word(name: String) = getValue(name).jsonPrimitive.content

private fun JsonObject.number(name: String) = getValue(name).jsonPrimitive.long

private fun JsonObject.present(name: String) = get(name).takeIf { it !is kotlinx.serialization.json.JsonNull }
