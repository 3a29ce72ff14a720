package dev.resourcecache.conformance

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.long

/** What a scenario was not written for: a word that nobody knows, a value of another kind. */
class Unreadable(problem: String) : Exception(problem)

/** What was expected, and what came instead. */
class Unmet(problem: String) : Exception(problem)

fun same(what: String, expected: Any?, got: Any?) {
    if (expected != got) throw Unmet("expected: $what $expected\n    got: $got")
}

/** A JSON object that must be read whole: a field that nobody asked for is an error. */
class Fields(json: JsonElement) {
    private val left = LinkedHashMap(json as? JsonObject ?: throw Unreadable("$json is no object"))

    constructor(text: String) : this(Json.parseToJsonElement(text))

    fun has(name: String): Boolean = name in left

    /** The field, if it is there; JSON's null counts as a value. */
    fun raw(name: String): JsonElement? = left.remove(name)

    fun needed(name: String): JsonElement = raw(name) ?: throw Unreadable("$name: missing")

    fun text(name: String): String = reading(name, needed(name)) { it.string() }

    fun textOrNull(name: String): String? = raw(name)?.let { value -> reading(name, value) { it.string() } }

    fun long(name: String): Long? = raw(name)?.let { value -> reading(name, value) { (it as JsonPrimitive).long } }

    fun int(name: String): Int? = raw(name)?.let { value -> reading(name, value) { (it as JsonPrimitive).int } }

    fun flag(name: String): Boolean? = raw(name)?.let { value -> reading(name, value) { (it as JsonPrimitive).boolean } }

    fun texts(name: String): List<String>? =
        raw(name)?.let { value -> reading(name, value) { all -> all.jsonArray.map { it.string() } } }

    fun objects(name: String): List<JsonElement>? = raw(name)?.let { value -> reading(name, value) { it.jsonArray } }

    fun entries(name: String): Map<String, JsonElement> =
        raw(name)?.let { value -> reading(name, value) { it.jsonObject } } ?: emptyMap()

    /** All has been read. */
    fun finish() {
        if (left.isNotEmpty()) throw Unreadable("unknown: ${left.keys.joinToString(", ")}")
    }
}

fun <R> reading(what: String, value: JsonElement, read: (JsonElement) -> R): R =
    try {
        read(value)
    } catch (problem: IllegalArgumentException) {
        throw Unreadable("$what: $value: ${problem.message}")
    } catch (problem: ClassCastException) {
        throw Unreadable("$what: $value is of another kind")
    }

fun JsonElement.string(): String {
    require(this is JsonPrimitive && isString) { "no text" }
    return content
}

fun JsonElement.isNull(): Boolean = this is JsonNull

/** Equal as JSON values: 1 is 1.0. */
fun equal(a: JsonElement, b: JsonElement): Boolean =
    when (a) {
        is JsonObject -> b is JsonObject && a.keys == b.keys && a.all { (name, value) -> equal(value, b.getValue(name)) }
        is kotlinx.serialization.json.JsonArray ->
            b is kotlinx.serialization.json.JsonArray && a.size == b.size && a.indices.all { equal(a[it], b[it]) }
        is JsonPrimitive -> b is JsonPrimitive && (a == b || (isNumber(a) && isNumber(b) && sameNumber(a, b)))
    }

private fun isNumber(value: JsonPrimitive) = !value.isString && value.content.toBigDecimalOrNull() != null

private fun sameNumber(a: JsonPrimitive, b: JsonPrimitive) = a.content.toBigDecimal().compareTo(b.content.toBigDecimal()) == 0

/** Every field that is expected is there, and equal. */
fun contains(what: String, expected: JsonObject, got: JsonElement) {
    for ((field, value) in expected) {
        val there = (got as? JsonObject)?.get(field) ?: JsonNull
        if (!equal(value, there)) throw Unmet("expected: $what with $field = $value\n    got: $field = $there")
    }
}
