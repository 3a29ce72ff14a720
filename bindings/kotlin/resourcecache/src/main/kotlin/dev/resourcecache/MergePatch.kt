package dev.resourcecache

import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject

/** What leads from one object to another: a JSON merge patch (RFC 7396). */
internal fun mergePatch(before: JsonElement, after: JsonElement): JsonObject {
    if (before !is JsonObject || after !is JsonObject) {
        throw CacheException.BadInput("the value", "the value is no JSON object: only objects can be edited")
    }
    val patch = LinkedHashMap<String, JsonElement>()
    for (name in before.keys - after.keys) patch[name] = JsonNull
    for ((name, value) in after) {
        val old = before[name]
        when {
            old == value -> {}
            old is JsonObject && value is JsonObject -> patch[name] = mergePatch(old, value)
            else -> patch[name] = value
        }
    }
    return JsonObject(patch)
}
