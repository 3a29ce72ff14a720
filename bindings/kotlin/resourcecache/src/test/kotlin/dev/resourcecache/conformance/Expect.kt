package dev.resourcecache.conformance

import dev.resourcecache.Conflict
import dev.resourcecache.ConflictReason
import dev.resourcecache.Kind
import dev.resourcecache.Outcome
import dev.resourcecache.all
import dev.resourcecache.byStatus
import dev.resourcecache.nextDeadline
import dev.resourcecache.queued
import dev.resourcecache.redoLabels
import dev.resourcecache.requestOf
import dev.resourcecache.shouldPoll
import dev.resourcecache.state
import dev.resourcecache.undoLabels
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.long

private val STATUSES = setOf("deleting", "creating", "updating", "processing", "retrying")
private val STATES = setOf(
    "idle", "creating", "updating", "processing", "deleting", "created", "updated", "processed", "deleted",
    "retrying", "failed", "gone", "forgotten",
)

/** Checks every field of an expectation. */
suspend fun World.expect(fields: Fields) {
    expectLists(fields)
    expectOutbox(fields)
    expectHistory(fields)
    expectOfIds(fields)
    expectOfLastAction(fields)
    fields.finish()
}

private suspend fun World.expectLists(fields: Fields) {
    fields.texts("visible")?.let { same("visible", it, cache.rows.value.map { row -> row.id }) }
    fields.texts("all")?.let { same("all", it.sorted(), cache.all().map { row -> row.id }.sorted()) }
    for ((status, ids) in fields.entries("by_status")) {
        if (status !in STATUSES) throw Unreadable("by_status: $status is none")
        same(status, ids.jsonArray.map { it.string() }.sorted(), cache.byStatus(status).map { it.id }.sorted())
    }
    fields.raw("next_timeout")?.let { at ->
        val expected = if (at.isNull()) null else (at as JsonPrimitive).long
        same("next_timeout", expected, cache.nextDeadline?.let { it.toEpochMilliseconds() - EPOCH_MS })
    }
    fields.flag("should_poll")?.let { same("should_poll", it, cache.shouldPoll) }
}

private fun World.expectOutbox(fields: Fields) {
    fields.int("queued")?.let { same("queued", it, cache.queued) }
    fields.raw("attempt")?.let { expected ->
        val got = attempt
        if (expected.isNull() || got == null) {
            same("an attempt:", !expected.isNull(), got != null)
        } else {
            val call = Fields(expected)
            same("attempt of", operations[call.text("op")], got.operation)
            call.int("number")?.let { same("attempt's number", it, got.number) }
            isAsked("the attempt", call, got.kind, got.id, got.value)
        }
    }
    for ((name, expected) in fields.entries("requests")) {
        val operation = operations[name] ?: throw Unreadable("requests: $name was never begun")
        val got = cache.requestOf(operation)
        if (expected.isNull() || got == null) {
            same("$name asks something:", !expected.isNull(), got != null)
        } else {
            isAsked("$name's request", Fields(expected), got.kind, got.id, got.value)
        }
    }
}

private fun isAsked(what: String, expected: Fields, kind: Kind, id: String, body: JsonElement?) {
    expected.textOrNull("kind")?.let { same("$what: kind", kind(it), kind) }
    expected.textOrNull("id")?.let { same("$what: id", it, id) }
    expected.raw("body")?.let { contains("$what's body", it.jsonObject, body ?: JsonNull) }
    expected.finish()
}

private fun World.expectHistory(fields: Fields) {
    fields.texts("undo_labels")?.let { same("undo_labels", it, cache.undoLabels) }
    fields.texts("redo_labels")?.let { same("redo_labels", it, cache.redoLabels) }
    fields.objects("conflicts")?.let { same("conflicts", it.map(::conflict), conflicts.map { c -> c.copy(text = "") }) }
}

private fun conflict(json: JsonElement): Conflict {
    val fields = Fields(json)
    val id = fields.text("id")
    val reason = fields.needed("reason")
    fields.finish()
    val why = when ((reason as? JsonPrimitive)?.content) {
        "gone" -> ConflictReason.Gone
        "exists" -> ConflictReason.Exists
        "unknown" -> ConflictReason.Unknown
        else -> {
            val whole = Fields(reason)
            val changed = Fields(whole.needed("changed")).also { whole.finish() }
            ConflictReason.Changed(changed.texts("fields")!!).also { changed.finish() }
        }
    }
    return Conflict(id, why, "")
}

private fun World.expectOfIds(fields: Fields) {
    for ((id, expected) in fields.entries("items")) {
        val row = cache[id] ?: throw Unmet("expected: $id exists\n    got: absent")
        contains("$id's body", expected.jsonObject, row.value)
    }
    for ((id, expected) in fields.entries("meta")) {
        contains("$id's _meta", expected.jsonObject, cache[id]?.metadata?.json ?: JsonObject(emptyMap()))
    }
    for ((id, expected) in fields.entries("status")) {
        val word = if (expected.isNull()) null else expected.string()
        if (word != null && word != "absent" && word !in STATUSES) throw Unreadable("status: $word is none")
        val row = cache[id]
        val got = if (row == null) "absent" else (row.metadata?.get("status") as? JsonPrimitive)?.content
        same("$id's status", word, got)
        // The sealed class says the same: there is one when there is a word.
        same("whether $id has a status", got != null && got != "absent", row?.status != null)
        same("the flow of $id's status", row?.status, cache.status(id).value)
    }
    for ((id, expected) in fields.entries("state")) {
        if (expected.string() !in STATES) throw Unreadable("state: $expected is none")
        same("$id's state", expected.string(), cache.state(id) ?: "gone")
    }
}

private fun World.expectOfLastAction(fields: Fields) {
    fields.objects("outcomes")?.let { all ->
        val expected = all.map {
            val one = Fields(it)
            (one.text("id") to one.text("outcome")).also { one.finish() }
        }
        val got = outcomes.map { it.id to word(it) }
        outcomes.clear()
        same("outcomes", expected.sortedBy { it.toString() }, got.sortedBy { it.toString() })
    }
    for (pair in fields.objects("same_row").orEmpty()) {
        val (first, second) = pair.jsonArray.map { it.string() }
        expectSameRow(first, second)
    }
    fields.flag("unchanged")?.let { same("unchanged", it, last?.isEmpty ?: true) }
    fields.int("warnings")?.let { same("warnings", it, last?.warnings.orEmpty().size) }
    fields.raw("changed")?.let {
        val changed = Fields(it)
        same("upserted", changed.texts("upserted").orEmpty().toSet(), last?.upserted.orEmpty().map { u -> u.row.id }.toSet())
        same("removed", changed.texts("removed").orEmpty().toSet(), last?.removed.orEmpty().map { r -> r.id }.toSet())
        changed.finish()
    }
}

private fun word(outcome: Outcome): String =
    when (outcome) {
        is Outcome.Confirmed -> "confirmed"
        is Outcome.NotConfirmed -> "not_confirmed"
        is Outcome.Superseded -> "superseded"
        is Outcome.Failed -> "failed"
        is Outcome.Cancelled -> "cancelled"
        is Outcome.Stale -> "stale"
    }

/** The first's key when last seen; of one id, at the last expectation that had it. */
private fun World.expectSameRow(first: String, second: String) {
    val before = (if (first == second) seenAtExpectation[first] ?: firstSeen[first] else seen[first])
        ?: throw Unreadable("same_row: $first was never seen before")
    val now = cache[second] ?: throw Unmet("expected: a row of $second\n    got: none")
    same("$second in the row of $first,", before, now.key)
}
