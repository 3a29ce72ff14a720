package dev.resourcecache.conformance

import dev.resourcecache.Begin
import dev.resourcecache.CacheException
import dev.resourcecache.Change
import dev.resourcecache.Coverage
import dev.resourcecache.Kind
import dev.resourcecache.Retry
import dev.resourcecache.Step
import dev.resourcecache.acknowledge
import dev.resourcecache.addAsCreating
import dev.resourcecache.attempt
import dev.resourcecache.batchMarkAsProcessing
import dev.resourcecache.batchRemove
import dev.resourcecache.beginFetch
import dev.resourcecache.cancel
import dev.resourcecache.cleanupStaleOperations
import dev.resourcecache.clearHistory
import dev.resourcecache.complete
import dev.resourcecache.fail
import dev.resourcecache.handleTimeout
import dev.resourcecache.markAsDeleting
import dev.resourcecache.markAsProcessing
import dev.resourcecache.markAsUpdating
import dev.resourcecache.merge
import dev.resourcecache.observe
import dev.resourcecache.perform
import dev.resourcecache.pollAttempt
import dev.resourcecache.queue
import dev.resourcecache.redo
import dev.resourcecache.remove
import dev.resourcecache.replaceCreated
import dev.resourcecache.revert
import dev.resourcecache.setOnline
import dev.resourcecache.undo
import dev.resourcecache.updateInPlace
import dev.resourcecache.updateMetadata
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonArray

private typealias Done = Change<JsonElement>

/** Runs an action; what the cache refuses is thrown. */
suspend fun World.run(action: String, fields: Fields): Done? {
    when (action) {
        "begin_fetch" -> {
            val name = fields.text("as")
            fields.finish()
            return answerOf { fetches[name] = cache.beginFetch() }
        }
        "reload" -> {
            fields.finish()
            reload()
            return null
        }
        "poll_attempt" -> {
            fields.finish()
            return answerOf { attempt = cache.pollAttempt() }
        }
        "perform" -> return perform(fields)
        "undo", "redo" -> return undoOrRedo(action, fields)
    }
    val begins = action in setOf("mark_as_deleting", "mark_as_processing", "mark_as_updating", "add_as_creating")
    val name = if (begins) fields.textOrNull("as") else null
    val done = when {
        fields.has("send_after_ms") -> {
            val step = step(action, fields)
            cache.queue(step.begin, step.sendAfter!!)
        }
        action == "merge" -> merge(fields)
        action == "observe" -> observe(fields)
        action in setOf("acknowledge", "fail", "attempt", "cancel") -> ofOperation(action, fields)
        else -> ofIds(action, fields)
    }
    if (name != null) operations[name] = done.operation
    return done
}

/** What a call changed that answers something else: the flow of changes tells. */
private suspend fun World.answerOf(act: suspend () -> Unit): Done? = coroutineScope {
    val told = ArrayList<Done>()
    val reader = launch(start = CoroutineStart.UNDISPATCHED) { cache.changes.collect { told += it } }
    act()
    reader.cancel()
    told.singleOrNull()
}

private suspend fun World.merge(fields: Fields): Done {
    val items = fields.needed("items")
    val version = fields.raw("list_version")
    val fetch = fields.textOrNull("fetch")
    val coverage = fields.raw("coverage")?.let(::coverage) ?: Coverage.Complete
    fields.finish()
    val token = fetch?.let { fetches[it] ?: throw Unreadable("fetch: $it was never begun") }
    val answer = LinkedHashMap<String, JsonElement>()
    answer["items"] = items
    if (version != null) answer["version"] = version
    return cache.merge(JsonObject(answer).toString().encodeToByteArray(), token, coverage)
}

private fun coverage(json: JsonElement): Coverage {
    if (json is JsonPrimitive) {
        if (json.content == "complete") return Coverage.Complete
        throw Unreadable("coverage: $json is none")
    }
    val fields = Fields(json)
    if (fields.has("ids")) return Coverage.Ids(fields.texts("ids")!!).also { fields.finish() }
    val bound = { name: String -> fields.raw(name)?.takeIf { !it.isNull() }?.string() }
    return Coverage.Page(bound("after"), bound("before")).also { fields.finish() }
}

private suspend fun World.observe(fields: Fields): Done {
    val type = fields.text("type")
    val item = fields.raw("item")
    fields.finish()
    val event = when {
        type == "expired" && item == null -> """{"type":"ERROR","object":{"code":410}}"""
        type == "bookmark" -> """{"type":"BOOKMARK","object":${item ?: JsonObject(emptyMap())}}"""
        type in setOf("added", "modified", "deleted") && item != null -> """{"type":"${type.uppercase()}","object":$item}"""
        else -> throw Unreadable("observe: $type ${if (item == null) "without" else "with"} an item is no watch event")
    }
    return cache.observe(event.encodeToByteArray())
}

private suspend fun World.ofOperation(action: String, fields: Fields): Done {
    // A name that nothing has is an operation that the cache cannot know.
    val operation = operations[fields.text("op")] ?: Long.MAX_VALUE
    return when (action) {
        "acknowledge" -> {
            val item = fields.raw("item")
            fields.finish()
            cache.acknowledge(operation, item)
        }
        "fail" -> {
            val error = fields.text("error")
            val status = fields.int("status")
            val after = fields.ms("retry_after_ms")
            val again = fields.flag("retry") ?: false
            fields.finish()
            val retry = when {
                status != null -> Retry.ByStatus(status, after)
                again -> after?.let { Retry.After(it) } ?: Retry.AfterBackoff
                else -> Retry.No
            }
            cache.fail(operation, error, retry)
        }
        "attempt" -> {
            fields.finish()
            cache.attempt(operation)
        }
        else -> {
            fields.finish()
            cache.cancel(operation)
        }
    }
}

private suspend fun World.ofIds(action: String, fields: Fields): Done {
    val id = { fields.text("id") }
    suspend fun <A> of(a: A, act: suspend (A) -> Done): Done {
        fields.finish()
        return act(a)
    }
    return when (action) {
        "mark_as_deleting" -> of(id() to fields.ms("min_ttl_ms")) { (id, ttl) -> cache.markAsDeleting(id, ttl) }
        "mark_as_processing" -> of(id() to operationKind(fields)) { (id, kind) -> cache.markAsProcessing(id, kind) }
        "mark_as_updating" -> of(id() to fields.needed("patch")) { (id, patch) -> cache.markAsUpdating(id, patch) }
        "add_as_creating" -> of(fields.needed("item")) { cache.addAsCreating(it) }
        "replace_created" -> of(fields.text("temp_id") to fields.needed("item")) { (id, item) -> cache.replaceCreated(id, item) }
        "update_in_place" -> of(id() to fields.needed("item")) { (id, item) -> cache.updateInPlace(id, item) }
        "update_metadata" -> of(id() to fields.needed("meta")) { (id, meta) -> cache.updateMetadata(id, meta as JsonObject) }
        "complete" -> of(id()) { cache.complete(it) }
        "revert", "cancel_operation" -> of(id()) { cache.revert(it) }
        "remove" -> of(id()) { cache.remove(it) }
        "batch_mark_as_processing" ->
            of(Triple(fields.texts("ids")!!, operationKind(fields), fields.ms("min_ttl_ms"))) { (ids, kind, ttl) ->
                cache.batchMarkAsProcessing(ids, kind, ttl)
            }
        "batch_remove" -> of(fields.texts("ids")!!) { cache.batchRemove(it) }
        "cleanup_stale_operations" -> of(fields.ms("older_than_ms")) { cache.cleanupStaleOperations(it ?: 5.minutes) }
        "set_online" -> of(fields.flag("online")!!) { cache.setOnline(it) }
        "clear_history" -> of(Unit) { cache.clearHistory() }
        "tick" -> of(Unit) { cache.handleTimeout() }
        else -> throw Unreadable("do: $action is no action")
    }
}

/** What an action begins, and how. */
private fun step(action: String, fields: Fields): Step<JsonElement> {
    val sendAfter = fields.ms("send_after_ms")
    val begin = when (action) {
        "add_as_creating" -> Begin.Create(fields.needed("item"))
        "mark_as_updating" -> Begin.Update(fields.text("id"), fields.needed("patch"))
        "mark_as_deleting" -> Begin.Delete(fields.text("id"))
        "mark_as_processing" -> Begin.Process(fields.text("id"), operationKind(fields))
        else -> throw Unreadable("do: $action begins no operation")
    }
    val minTtl = fields.ms("min_ttl_ms")
    fields.finish()
    return Step(begin, minTtl, sendAfter)
}

private suspend fun World.perform(fields: Fields): Done {
    val label = fields.text("label")
    val actions = fields.needed("begin").jsonArray
    fields.finish()
    val names = ArrayList<String?>()
    val steps = actions.map {
        val one = Fields(it)
        val action = one.text("do")
        names += one.textOrNull("as")
        step(action, one)
    }
    return cache.perform(label, steps).also { named(it, names) }
}

private suspend fun World.undoOrRedo(action: String, fields: Fields): Done {
    val names = fields.texts("as").orEmpty()
    fields.finish()
    val done = if (action == "undo") cache.undo() else cache.redo()
    same("operations begun:", names.size, done.operations.size)
    return done.also { named(it, names) }
}

private fun World.named(done: Done, names: List<String?>) {
    for ((name, operation) in names.zip(done.operations)) if (name != null) operations[name] = operation
    conflicts = done.conflicts
}

fun operationKind(fields: Fields): Kind =
    when (val word = fields.text("operation")) {
        "creating" -> Kind.CREATE
        "updating" -> Kind.UPDATE
        "processing" -> Kind.PROCESS
        "deleting" -> Kind.DELETE
        else -> throw Unreadable("operation: $word is none")
    }
