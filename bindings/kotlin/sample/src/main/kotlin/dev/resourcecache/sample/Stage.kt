package dev.resourcecache.sample

import dev.resourcecache.Attempt
import dev.resourcecache.Badge
import dev.resourcecache.Icon
import dev.resourcecache.HttpFailure
import dev.resourcecache.Kind
import dev.resourcecache.Progress
import dev.resourcecache.ResourceCache
import dev.resourcecache.Retry
import dev.resourcecache.Schema
import dev.resourcecache.Settings
import dev.resourcecache.acknowledge
import dev.resourcecache.fail
import dev.resourcecache.handleTimeout
import dev.resourcecache.pollAttempt
import dev.resourcecache.refreshing
import kotlin.time.Clock
import kotlin.time.Instant
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long

/** What this program lists. */
@Serializable
data class Item(
    val id: String,
    val name: String,
    val status: String? = null,
    val ttl: Int? = null,
    val token: String? = null,
)

/** One list of the lagging server, and the screen that shows it. The server's time is the only time. */
class Stage(
    private val api: Api,
    private val kind: String,
    private val isFast: Boolean,
    scope: CoroutineScope,
    settings: Settings,
    private val print: (String) -> Unit,
) : AutoCloseable {
    private var now = 0L
    private var start = 0L
    private val time = object : Clock {
        override fun now() = Instant.fromEpochMilliseconds(now)
    }
    val cache = ResourceCache(
        Item.serializer(), scope, settings,
        Schema(uid = "/uid", version = "/version", token = "/token", items = "/items"), time,
    )

    suspend fun seed(objects: String, lag: String, failures: String = "[]") {
        api.call("POST", "/control/reset")
        now = api.json("POST", "/control/clock", """{"manual":true}""").getValue("now_ms").jsonPrimitive.long
        start = now
        api.call("POST", "/control/seed", """{"$kind":$objects}""")
        api.call("POST", "/control/lag", lag)
        api.call("POST", "/control/failures", failures)
        refresh()
    }

    /** What a program does all the time: send what is due, and list again. */
    suspend fun goOn(seconds: Int) = repeat(seconds) {
        pass(500)
        sendQueued()
        pass(500)
        refresh()
    }

    private suspend fun pass(ms: Long) {
        now = api.json("POST", "/control/advance", """{"ms":$ms}""").getValue("now_ms").jsonPrimitive.long
        cache.handleTimeout()
        if (!isFast) delay(ms)
    }

    private suspend fun refresh() {
        cache.refreshing { api.call("GET", "/v1/$kind") }
        show("refresh")
    }

    /** Here time stands still while something is sent; a program in real time calls `cache.sendQueued`. */
    private suspend fun sendQueued() {
        while (true) {
            val attempt = cache.pollAttempt() ?: return
            try {
                cache.acknowledge(attempt.operation, send(attempt))
            } catch (failure: HttpFailure) {
                cache.fail(attempt.operation, failure.message ?: "failed", Retry.ByStatus(failure.status))
            }
            show("attempt ${attempt.number} to ${attempt.kind.name.lowercase()} ${attempt.id}")
        }
    }

    private suspend fun send(attempt: Attempt<Item>): ByteArray {
        val one = "/v1/$kind/${attempt.id}"
        return when (attempt.kind) {
            Kind.DELETE -> {
                api.call("DELETE", one)
                ByteArray(0)
            }
            Kind.CREATE -> {
                // The server gives it an id of its own.
                val body = Json.parseToJsonElement(attempt.body ?: "{}").jsonObject - "id"
                val answer = api.json("POST", "/v1/$kind", JsonObject(body).toString())
                (answer["object"] ?: answer).toString().encodeToByteArray()
            }
            else -> api.call("PATCH", one, attempt.patch.toString())
        }
    }

    /** Prints the list as a user sees it. */
    fun show(what: String) {
        print("%5.1f s  %s".format((now - start) / 1000.0, what))
        for (row in cache.rows.value) {
            val item = row.value
            val fields = listOfNotNull(item.name, item.ttl?.let { "ttl $it" })
            print("         ${row.id}  ${fields.joinToString("  ")}${row.badge.text()}${row.progress.text()}")
        }
    }

    override fun close() = cache.close()
}

/** A badge as text. */
fun Badge?.text(): String {
    if (this == null) return ""
    val icon = when (icon) {
        Icon.SPINNER -> "~"
        Icon.CHECK -> "+"
        Icon.CROSS -> "x"
    }
    return "  [$icon $label]"
}

/** A progress bar as text. */
fun Progress?.text(): String {
    if (this == null) return ""
    val full = (percent / 10).toInt()
    return "  ${"#".repeat(full)}${".".repeat(10 - full)} ${percent.toInt()} % $label${if (isStalled) " stalled" else ""}"
}
