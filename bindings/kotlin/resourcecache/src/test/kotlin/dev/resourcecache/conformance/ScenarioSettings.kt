package dev.resourcecache.conformance

import dev.resourcecache.Backoff
import dev.resourcecache.BadItems
import dev.resourcecache.HistoryLimits
import dev.resourcecache.Kind
import dev.resourcecache.NewItems
import dev.resourcecache.OnFailure
import dev.resourcecache.ProgressPlan
import dev.resourcecache.ProgressRule
import dev.resourcecache.RetryPolicy
import dev.resourcecache.Schema
import dev.resourcecache.Settings
import dev.resourcecache.Stage
import dev.resourcecache.StageEnd
import dev.resourcecache.VersionOrder
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray

/** A scenario's settings. Lists are merged in an object, since that is where their version stands. */
class ScenarioSettings(json: JsonElement?) {
    val settings: Settings
    val schema: Schema

    init {
        val fields = Fields(json ?: JsonObject(emptyMap()))
        schema = Schema(
            id = fields.textOrNull("id"),
            uid = fields.textOrNull("uid"),
            version = fields.textOrNull("version"),
            token = fields.textOrNull("token"),
            items = "/items",
            listVersion = "/version",
        )
        settings = Settings(
            ttl = fields.ms("ttl_ms"),
            staleAfter = fields.ms("stale_after_ms"),
            completedShown = fields.ms("completed_shown_ms"),
            errorShown = fields.ms("error_shown_ms"),
            retry = fields.raw("retry")?.let(::retry),
            maxUnderWay = fields.int("max_under_way"),
            progress = fields.entries("progress").map { (kind, plan) -> kind(kind) to plan(plan) }.toMap(),
            history = fields.raw("history")?.let(::history),
            versionOrder = fields.word("version_order", VersionOrder::valueOf),
            newItems = fields.word("new_items", NewItems::valueOf),
            onFailure = fields.word("on_failure", OnFailure::valueOf),
            badItems = fields.word("bad_items", BadItems::valueOf),
            // Without one, the core takes none; here it would be a random one.
            seed = fields.raw("seed")?.let { reading("seed", it) { seed -> (seed as JsonPrimitive).content.toULong().toLong() } } ?: 0,
        )
        fields.raw("list_version")
        fields.finish()
    }
}

fun Fields.ms(name: String): Duration? = long(name)?.milliseconds

private fun <E> Fields.word(name: String, value: (String) -> E): E? =
    raw(name)?.let { word -> reading(name, word) { value(it.string().uppercase()) } }

fun kind(word: String): Kind = reading("kind", JsonPrimitive(word)) { Kind.valueOf(word.uppercase()) }

private fun history(json: JsonElement): HistoryLimits {
    val fields = Fields(json)
    return HistoryLimits(fields.int("steps"), fields.int("bytes")).also { fields.finish() }
}

private fun retry(json: JsonElement): RetryPolicy {
    val fields = Fields(json)
    val attempts = fields.raw("max_attempts")
    return RetryPolicy(
        backoff = fields.raw("backoff")?.let(::backoff),
        maxAttempts = attempts?.let { if (it.isNull()) 0 else (it as JsonPrimitive).int },
        maxAge = fields.ms("max_age_ms"),
        attemptTimeout = fields.ms("attempt_timeout_ms"),
        retryable = fields.raw("retryable")?.jsonArray?.map { (it as JsonPrimitive).int },
    ).also { fields.finish() }
}

private fun backoff(json: JsonElement): Backoff {
    val fields = Fields(json)
    val linear = fields.raw("linear")?.let(::Fields)
    val exponential = fields.raw("exponential")?.let(::Fields)
    fields.finish()
    return when {
        linear != null -> Backoff.Linear(linear.ms("step_ms")!!).also { linear.finish() }
        exponential != null -> Backoff.Exponential(exponential.ms("base_ms")!!, exponential.ms("cap_ms")!!)
            .also { exponential.finish() }
        else -> throw Unreadable("backoff: $json is none")
    }
}

private fun plan(json: JsonElement): ProgressPlan {
    val fields = Fields(json)
    return ProgressPlan(
        stages = fields.objects("stages").orEmpty().map(::stage),
        rules = fields.objects("rules").orEmpty().map(::rule),
        stalledAfter = fields.raw("stalled_after_ms")?.takeIf { !it.isNull() }?.let { (it as JsonPrimitive).int.milliseconds },
    ).also { fields.finish() }
}

private fun stage(json: JsonElement): Stage {
    val fields = Fields(json)
    return Stage(
        name = fields.text("name"),
        weight = fields.int("weight") ?: 1,
        expected = fields.ms("expected_ms"),
        message = fields.textOrNull("message"),
        end = fields.raw("end")?.let(::end),
    ).also { fields.finish() }
}

private fun end(json: JsonElement): StageEnd {
    if (json is JsonPrimitive && json.content == "complete") return StageEnd.Complete
    val fields = Fields(json)
    val fail = Fields(fields.needed("fail"))
    fields.finish()
    // `null` says that nothing tells why.
    val errorAt = fail.raw("error_at")?.takeUnless { it is JsonNull }
    return StageEnd.Fail(errorAt?.string()).also { fail.finish() }
}

private fun rule(json: JsonElement): ProgressRule {
    val fields = Fields(json)
    val at = fields.text("at")
    return ProgressRule(at, fields.entries("stages").mapValues { it.value.string() }).also { fields.finish() }
}
