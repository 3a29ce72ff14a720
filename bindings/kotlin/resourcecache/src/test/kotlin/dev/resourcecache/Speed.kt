package dev.resourcecache

import com.sun.management.ThreadMXBean
import java.lang.management.ManagementFactory
import java.nio.ByteBuffer
import java.util.concurrent.Executors
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancel
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json

private const val N = 10_000
private const val WARM_UP = 15
private const val ROUNDS = 30
private const val FROM_DIRECT = "the same from a direct buffer"

@Serializable
private data class Meta(
    val name: String,
    val uid: String,
    @SerialName("resourceVersion") val version: String,
    val labels: Map<String, String>,
)

@Serializable
private data class Soa(val refresh: Int, val retry: Int)

@Serializable
private data class Spec(val replicas: Int, val soa: Soa, val paused: Boolean)

@Serializable
private data class Condition(val type: String, val status: String, val lastTransitionTime: String)

@Serializable
private data class Conditions(val conditions: List<Condition>)

/** The resources of the core's benchmarks, as a class of an app. */
@Serializable
private data class Big(val id: String, val metadata: Meta, val spec: Spec, val status: Conditions)

private fun text(number: Int, version: Int): String {
    val uid = (number + 1).toULong() * 0x9E3779B97F4A7C15u
    val id = "zone-${number.toString().padStart(6, '0')}"
    val condition = { type: String -> """{"type":"$type","status":"True","lastTransitionTime":"2025-01-19T00:00:00Z"}""" }
    return """{"id":"$id","metadata":{"name":"zone-$number","uid":"${uid.toString(16).padStart(16, '0')}-4f1c",""" +
        """"resourceVersion":"${1_000_000 + version}","labels":{"app":"dns","tier":"t${number % 5}"}},""" +
        """"spec":{"replicas":${number % 7},"soa":{"refresh":3600,"retry":600},"paused":false},""" +
        """"status":{"conditions":[${condition("Ready")},${condition("Synced")}]}}"""
}

private fun body(texts: List<String>): ByteArray = texts.joinToString(",", "[", "]").encodeToByteArray()

/** The least of several rounds of each case, in turns, so that what disturbs one disturbs all. */
private class Times {
    val least = LinkedHashMap<String, Double>()
    var isWarm = false

    inline fun <R> take(name: String, count: Int = 1, act: () -> R): R {
        val start = System.nanoTime()
        val answer = act()
        val us = (System.nanoTime() - start) / 1e3 / count
        if (isWarm) least[name] = minOf(us, least[name] ?: us)
        return answer
    }
}

/** Parses all, joins by id, and finds what has changed. */
private fun byHand(json: Json, answer: ByteArray, held: HashMap<String, Big>): List<Big> {
    val new = json.decodeFromString<List<Big>>(answer.decodeToString())
    val differing = new.filter { held[it.id] != it }
    held.clear()
    new.associateByTo(held) { it.id }
    return differing
}

/**
 * Times the library beside what one would do without it, in one process; prints the table of
 * docs/kotlin-benchmarks.md. `cargo xtask bench --kotlin` runs it on a release build.
 */
fun main(): Unit = runBlocking {
    val json = Json { ignoreUnknownKeys = true }
    val executor = Executors.newSingleThreadExecutor { Thread(it).apply { isDaemon = true } }
    @Suppress("DEPRECATION") // Its successor came after Java 17.
    val thread = executor.submit<Long> { Thread.currentThread().id }.get()
    val allocations = ManagementFactory.getThreadMXBean() as ThreadMXBean
    val scope = CoroutineScope(Job())
    val schema = Schema(uid = "/metadata/uid", version = "/metadata/resourceVersion")
    fun cache() = ResourceCache(Big.serializer(), scope, Settings(seed = 1), schema, dispatcher = executor.asCoroutineDispatcher())
    val texts = List(N) { text(it, it) }
    val list = body(texts)
    val cache = cache()
    cache.merge(list)
    val held = HashMap<String, Big>()
    byHand(json, list, held)
    val many = List(N / 10) { "zone-${(it * 10).toString().padStart(6, '0')}" }
    val direct = ByteBuffer.allocateDirect(list.size * 2)
    val times = Times()
    val allocated = LinkedHashMap<String, Long>()
    for (round in 0 until WARM_UP + ROUNDS) {
        times.isWarm = round >= WARM_UP
        for (step in listOf(1_000, 100)) {
            val percent = 100 / step.toDouble()
            val answer = body(texts.mapIndexed { i, t -> if (i % step == 0) text(i, 500_000 + round * 1_000 + i % 1_000) else t })
            cache.merge(list)
            val before = allocations.getThreadAllocatedBytes(thread)
            val change = times.take("merge, $percent % changed, as objects") { cache.merge(answer) }
            check(change.upserted.size == N / step && change.upserted.all { it.row.value.id.isNotEmpty() })
            allocated["$percent % changed"] = (allocations.getThreadAllocatedBytes(thread) - before) / (N / step)
            if (step == 100) {
                cache.merge(list)
                direct.clear().put(answer).flip()
                times.take(FROM_DIRECT) { cache.merge(direct) }
                times.take("by hand: parse, join, compare") { byHand(json, answer, held) }
                times.take("kotlinx-serialization: parse alone") { json.decodeFromString<List<Big>>(answer.decodeToString()) }
                times.take("merge, identical") { cache.merge(answer) }
            }
        }
        // A list of its own: what has settled lately is remembered, and would be part of each merge.
        val fresh = cache()
        times.take("first fill, all as objects") { fresh.merge(list) }
        times.take("markAsDeleting", many.size) { for (id in many) fresh.markAsDeleting(id) }
        times.take("revert", many.size) { for (id in many) fresh.revert(id) }
        times.take("get", many.size) { for (id in many) fresh[id] }
        fresh.close()
    }
    scope.cancel()
    executor.shutdown()
    report(times.least, allocated, list.size)
}

private fun report(least: Map<String, Double>, allocated: Map<String, Long>, bytes: Int) {
    fun shown(us: Double) = if (us >= 1e3) "%.2f ms".format(us / 1e3) else "%.1f µs".format(us)
    println("JVM ${System.getProperty("java.version")}, %.1f MB of $N resources.\n".format(bytes / 1e6))
    println("| case | against | aim | ratio |\n| --- | --- | --- | --- |")
    for (own in listOf("merge, 1.0 % changed, as objects", FROM_DIRECT)) {
        for (other in listOf("kotlinx-serialization: parse alone", "by hand: parse, join, compare")) {
            println("| $own | $other | ≤ 1/15 | 1/${"%.1f".format(least.getValue(other) / least.getValue(own))} |")
        }
    }
    for (verb in listOf("markAsDeleting", "revert")) println("| $verb | | ≤ 50 µs | ${shown(least.getValue(verb))} |")
    println("\n| case | time |\n| --- | --- |")
    least.forEach { (case, us) -> println("| $case | ${shown(us)} |") }
    println("\n| a merge with | allocates for each changed row |\n| --- | --- |")
    allocated.forEach { (case, each) -> println("| $case | $each bytes |") }
}
