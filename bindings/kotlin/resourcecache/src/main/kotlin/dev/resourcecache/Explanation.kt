package dev.resourcecache

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.jsonObject

/** Why a row is hidden, shown, or not what the server says. */
public class Explanation internal constructor(text: String) {
    /** In parts: `id`, `state`, `visible`, `operation`, `rule`, `why` and `next`. */
    public val json: JsonObject = Json.parseToJsonElement(text).jsonObject

    /** The rule of the model that decides. */
    public val rule: String? get() = (json["rule"] as? JsonPrimitive)?.contentOrNull

    /** As sentences. */
    override fun toString(): String = (json["text"] as? JsonPrimitive)?.contentOrNull ?: json.toString()
}
