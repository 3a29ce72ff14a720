package dev.resourcecache

import kotlin.time.Duration
import kotlinx.serialization.json.JsonPrimitive

/**
 * A verb as one text of the native library's, `{"VERB": {"ARGUMENT": ...}}`, and behind it the body: an
 * argument that is a text or may be missing would cost a call of its own to make room for it.
 */
internal fun verbText(
    verb: String,
    id: String? = null,
    minTtl: Duration? = null,
    kind: Kind? = null,
    name: String = "id",
    body: String? = null,
): String = buildString {
    append("{\"").append(verb).append("\":{")
    var separator = ""
    fun argument(name: String, value: String) {
        append(separator).append('"').append(name).append("\":").append(value)
        separator = ","
    }
    // JsonPrimitive writes a text in quotes, and what must be escaped in it escaped.
    if (id != null) argument(name, JsonPrimitive(id).toString())
    if (minTtl != null) argument("min_ttl_ms", minTtl.ms("minTtl").toString())
    if (kind != null) argument("operation", JsonPrimitive(kind.name.lowercase(java.util.Locale.ROOT)).toString())
    append("}}")
    if (body != null) append(SEPARATOR).append(body)
}
