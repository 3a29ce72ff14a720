package dev.resourcecache.conformance

import dev.resourcecache.Attempt
import dev.resourcecache.CacheException
import dev.resourcecache.Change
import dev.resourcecache.Conflict
import dev.resourcecache.Fetch
import dev.resourcecache.Outcome
import dev.resourcecache.ResourceCache
import dev.resourcecache.all
import dev.resourcecache.pastOutcomes
import dev.resourcecache.save
import kotlin.time.Clock
import kotlin.time.Instant
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.serialization.json.JsonElement

/** 2025-01-19T00:00:00Z, from which the times of a scenario count. */
const val EPOCH_MS: Long = 1_737_244_800_000

private val KINDS = setOf("transition", "not_found", "already_exists", "bad_input", "bad_snapshot")

/** The cache under test, and what the scenario has named or seen so far. */
class World(private val settings: ScenarioSettings) : AutoCloseable {
    /** Nothing happens between the steps: the deadlines of the library stand still. */
    private val scope = CoroutineScope(Job() + Never)
    private var now = EPOCH_MS
    private val clock = object : Clock {
        override fun now() = Instant.fromEpochMilliseconds(this@World.now)
    }
    var cache: ResourceCache<JsonElement> =
        ResourceCache(JsonElement.serializer(), scope, settings.settings, settings.schema, clock, Dispatchers.Default)
        private set
    val operations = HashMap<String, Long>()
    val fetches = HashMap<String, Fetch>()

    /** What the last action answered; none when it was refused, or has no answer. */
    var last: Change<JsonElement>? = null
        private set
    var attempt: Attempt<JsonElement>? = null

    /** What the last step, undo or redo left alone. */
    var conflicts: List<Conflict> = emptyList()

    /** The outcomes since the last expectation that asked. */
    val outcomes = ArrayList<Outcome>()

    /** Each id's row key when it was last seen after an action. */
    val seen = HashMap<String, Long>()
    val firstSeen = HashMap<String, Long>()
    val seenAtExpectation = HashMap<String, Long>()

    /** The visible list as a reader has it who only follows the changes. */
    private var mirror = ArrayList<Long>()

    suspend fun step(json: JsonElement) {
        val fields = Fields(json)
        now = EPOCH_MS + (fields.long("at") ?: throw Unreadable("at: missing"))
        val action = fields.textOrNull("do")
        val expectation = fields.raw("expect")
        when {
            action != null && expectation == null -> act(action, fields)
            action == null && expectation != null -> {
                fields.finish()
                expect(Fields(expectation))
                seenAtExpectation += seen
            }
            else -> throw Unreadable("a step has either an action (do) or an expectation (expect)")
        }
    }

    private suspend fun act(action: String, fields: Fields) {
        val refused = fields.textOrNull("refused")
        if (refused != null && refused !in KINDS) throw Unreadable("refused: $refused is no kind of error")
        val before = cache.save()
        val change = try {
            run(action, fields)
        } catch (problem: CacheException) {
            if (refused == null) throw Unmet("expected: accepted\n    got: refused as ${problem.kind}: ${problem.message}")
            same("refused as", refused, problem.kind)
            if (cache.save() != before) throw Unmet("expected: nothing changed\n    got: the refused action changed the state")
            last = null
            return
        }
        if (refused != null) throw Unmet("expected: refused as $refused\n    got: accepted")
        accept(change)
    }

    private suspend fun accept(change: Change<JsonElement>?) {
        change?.let(::follow)
        val visible = cache.rows.value.map { it.key }
        same("the changes lead to the new list", visible, mirror)
        for (row in cache.all()) {
            firstSeen.putIfAbsent(row.id, row.key)
            seen[row.id] = row.key
        }
        outcomes += change?.outcomes.orEmpty()
        last = change
    }

    private fun follow(change: Change<JsonElement>) {
        val gone = change.removed.map { it.key } + change.upserted.map { it.row.key }
        mirror.removeAll(gone.toSet())
        for (upsert in change.upserted) {
            val after = upsert.after
            val at = if (after == null) 0 else mirror.indexOf(after) + 1
            if (after != null && at == 0) throw Unmet("a row is put behind $after, which is not there")
            mirror.add(at, upsert.row.key)
        }
    }

    /** Saves the state, drops the cache and loads it again. A reader takes the whole list then. */
    suspend fun reload() {
        val saved = cache.save()
        val told = cache.pastOutcomes().size
        val loaded = ResourceCache.restore(
            saved, JsonElement.serializer(), scope, settings.settings, settings.schema, clock, Dispatchers.Default,
        )
        cache.close()
        cache = loaded
        mirror = ArrayList(cache.rows.value.map { it.key })
        outcomes += cache.pastOutcomes().drop(told)
    }

    override fun close() {
        cache.close()
        scope.coroutineContext[Job]?.cancel()
    }
}

/** Runs nothing. */
private object Never : kotlinx.coroutines.CoroutineDispatcher() {
    override fun dispatch(context: kotlin.coroutines.CoroutineContext, block: Runnable) = Unit
}
