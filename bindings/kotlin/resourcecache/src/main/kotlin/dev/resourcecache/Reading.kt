package dev.resourcecache

import kotlin.time.Instant
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.jsonArray

/**
 * One unsettled operation.
 *
 * @property operation its number.
 * @property kind what it does.
 * @property state how far it is: `creating`, `created`, `retrying` and so on.
 */
public data class OperationInfo(public val operation: Long, public val kind: Kind, public val state: String)

/** The full list, hidden resources included; those without a place come last. */
public suspend fun <T : Any> ResourceCache<T>.all(): List<Row<T>> = wire.rows(asking { all() })

/** The resources whose status is this word of the core's: `deleting`, `creating` and so on. */
public suspend fun <T : Any> ResourceCache<T>.byStatus(word: String): List<Row<T>> {
    val status = dev.resourcecache.ffi.Status.entries.find { it.name.equals(word, ignoreCase = true) }
        ?: throw CacheException.BadInput(
            "status",
            "status: $word is none; there are deleting, creating, updating, processing and retrying",
        )
    return wire.rows(asking { getByStatus(status) })
}

/** Where a resource is in the lifecycle: `idle`, `creating`, `created` and so on. */
public fun <T : Any> ResourceCache<T>.state(id: String): String? = reading { native.state(id) }

/** Whether an operation on this resource is unsettled. */
public fun <T : Any> ResourceCache<T>.isProcessing(id: String): Boolean = reading { native.isProcessing(id) }

/** The unsettled operations on a resource, oldest first. */
public fun <T : Any> ResourceCache<T>.operations(id: String): List<OperationInfo> =
    reading { native.operations(id) }.map { OperationInfo(it.operation.toLong(), Kind.valueOf(it.kind.name), it.state) }

/** Why a row is hidden, shown, or not what the server says; its `toString` says it in sentences. */
public fun <T : Any> ResourceCache<T>.explain(id: String): Explanation = Explanation(reading { native.explain(id) })

/** Whether asking the server again is of use: an operation is unsettled, or a watch has expired. */
public val <T : Any> ResourceCache<T>.shouldPoll: Boolean get() = reading { native.shouldPoll() }

/** When something is due next. */
public val <T : Any> ResourceCache<T>.nextDeadline: Instant?
    get() = reading { native.pollTimeoutMs() }?.let(Instant::fromEpochMilliseconds)

/** Every deadline that is ahead, the earliest first, as JSON: `at` in milliseconds, `id`, `operation`, `reason`. */
public suspend fun <T : Any> ResourceCache<T>.deadlines(): JsonArray =
    Json.parseToJsonElement(asking { deadlines() }).jsonArray

/** How operations settled, the oldest first, as far back as is remembered. */
public suspend fun <T : Any> ResourceCache<T>.pastOutcomes(): List<Outcome> = outcomes(asking { outcomes() })

/**
 * The soonest time at which asking the server can decide something; none when it is of no use. A loop
 * that lists the server sleeps until then.
 */
public suspend fun <T : Any> ResourceCache<T>.nextPoll(): Instant? =
    asking { nextPollMs() }?.let(Instant::fromEpochMilliseconds)

/**
 * The whole state but the settings, as JSON, for [ResourceCache.Companion.restore]. The same calls at
 * the same times lead to the same text.
 */
public suspend fun <T : Any> ResourceCache<T>.save(): String = asking { save() }

/** The whole collection, hidden resources included, as a list that version 1.0 reads. */
public suspend fun <T : Any> ResourceCache<T>.listV1(): String = asking { listV1() }

/** Has every accepted call written down from now on, for [takeJournal]. */
public suspend fun <T : Any> ResourceCache<T>.keepJournal(keep: Boolean): Unit = asking { keepJournal(keep) }

/** What was written down since the last time: one JSON text a line. */
public suspend fun <T : Any> ResourceCache<T>.takeJournal(): String = asking { takeJournal() }
