package dev.resourcecache

import kotlin.time.Duration
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject

// The steps of an operation one by one, for who cannot hold a coroutine over a call to the server. The
// first of them is shown at once; answer the operation that it began by acknowledge, fail or cancel.

/** Hides a resource that is about to be deleted, for at least [minTtl]. */
public suspend fun <T : Any> ResourceCache<T>.markAsDeleting(id: String, minTtl: Duration? = null): Change<T> =
    verb(verbText("mark_as_deleting", id, minTtl))

/** Marks a resource as undergoing an operation. */
public suspend fun <T : Any> ResourceCache<T>.markAsProcessing(id: String, kind: Kind = Kind.PROCESS): Change<T> =
    verb(verbText("mark_as_processing", id, kind = kind))

/** Shows a resource with a JSON merge patch (RFC 7396) laid over it until the server has it. */
public suspend fun <T : Any> ResourceCache<T>.markAsUpdating(
    id: String,
    patch: JsonElement,
    minTtl: Duration? = null,
): Change<T> = verb(verbText("mark_as_updating", id, minTtl, body = patch.toString()))

/** Shows a new resource before the server has it, under a temporary or its final id. */
public suspend fun <T : Any> ResourceCache<T>.addAsCreating(value: T, minTtl: Duration? = null): Change<T> =
    verb(verbText("add_as_creating", minTtl = minTtl, body = wire.text(value)))

/** The server answered the creation of [tempId] with this resource. */
public suspend fun <T : Any> ResourceCache<T>.replaceCreated(tempId: String, value: T): Change<T> =
    verb(verbText("replace_created", tempId, name = "temp_id", body = wire.text(value)))

/** The server answered with some fields of a resource; each replaces the whole's. */
public suspend fun <T : Any> ResourceCache<T>.updateInPlace(id: String, fields: JsonElement): Change<T> =
    verb(verbText("update_in_place", id, body = fields.toString()))

/** Changes the metadata fields that an object names; null takes one away. */
public suspend fun <T : Any> ResourceCache<T>.updateMetadata(id: String, fields: JsonObject): Change<T> =
    verb(verbText("update_metadata", id, body = fields.toString()))

/** The server accepted an operation, and answered with the resource as it now is, or with nothing. */
public suspend fun <T : Any> ResourceCache<T>.acknowledge(operation: Long, answer: T? = null): Change<T> =
    changing { acknowledge(operation.toULong(), lend(answer?.let(wire::text) ?: "")) }

/** The same with the answer's bytes as the server sent them, fields that the class has not included. */
public suspend fun <T : Any> ResourceCache<T>.acknowledge(operation: Long, answer: ByteArray): Change<T> =
    changing { acknowledge(operation.toULong(), lend(answer)) }

/** An attempt failed. */
public suspend fun <T : Any> ResourceCache<T>.fail(
    operation: Long,
    error: String,
    retry: Retry = Retry.No,
): Change<T> = changing { fail(operation.toULong(), error, retry.native()) }

/** The next attempt starts. */
public suspend fun <T : Any> ResourceCache<T>.attempt(operation: Long): Change<T> =
    changing { attempt(operation.toULong()) }

/** Takes one operation back. */
public suspend fun <T : Any> ResourceCache<T>.cancel(operation: Long): Change<T> =
    changing { cancel(operation.toULong()) }

/** The newest operation of a resource is done. */
public suspend fun <T : Any> ResourceCache<T>.complete(id: String): Change<T> = verb(verbText("complete", id))

/** Ends every unsettled operation of a resource; what the server has answered stays. */
public suspend fun <T : Any> ResourceCache<T>.revert(id: String): Change<T> = verb(verbText("revert", id))

/** Drops a resource; a deletion of it counts as confirmed. */
public suspend fun <T : Any> ResourceCache<T>.remove(id: String): Change<T> = verb(verbText("remove", id))

/** Marks several resources, all or none. */
public suspend fun <T : Any> ResourceCache<T>.batchMarkAsProcessing(
    ids: List<String>,
    kind: Kind,
    minTtl: Duration? = null,
): Change<T> = changing { batchMarkAsProcessing(ids, kind.native(), minTtl.ms("minTtl")) }

/** Removes several resources, all or none. */
public suspend fun <T : Any> ResourceCache<T>.batchRemove(ids: List<String>): Change<T> =
    changing { batchRemove(ids) }
