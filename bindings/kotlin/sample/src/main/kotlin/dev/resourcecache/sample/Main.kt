package dev.resourcecache.sample

import dev.resourcecache.Begin
import dev.resourcecache.Kind
import dev.resourcecache.Outcome
import dev.resourcecache.ProgressPlan
import dev.resourcecache.ProgressRule
import dev.resourcecache.Settings
import dev.resourcecache.Stage as Step
import dev.resourcecache.StageEnd
import dev.resourcecache.VersionOrder
import dev.resourcecache.pastOutcomes
import dev.resourcecache.queue
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put

private const val REPLICAS = """"replicas":[1000,6000,3000]"""
private val settings = Settings(versionOrder = VersionOrder.INTEGER)

/** How a registration goes on, and by which of the server's words. */
private val registration = ProgressPlan(
    stages = listOf(
        Step("initializing", expected = 3.seconds, message = "Starting registration..."),
        Step("registering", expected = 3.seconds, message = "Registering with registrar..."),
        Step("activating", expected = 3.seconds, message = "Activating..."),
        Step("complete", weight = 0, message = "Registration complete!", end = StageEnd.Complete),
        Step("failed", weight = 0, end = StageEnd.Fail()),
    ),
    rules = listOf(
        ProgressRule(
            "/status",
            mapOf(
                "pending" to "initializing", "registering" to "registering", "activating" to "activating",
                "registered" to "complete", "failed" to "failed",
            ),
        ),
    ),
    stalledAfter = 30.seconds,
)

/** The three scenarios against the server at this URL. */
suspend fun scenarios(url: String, isFast: Boolean, print: (String) -> Unit): Unit = coroutineScope {
    val api = Api(url)

    print("1. A domain is registered: stages, progress, completion")
    Stage(api, "domains", isFast, this, settings.copy(progress = mapOf(Kind.CREATE to registration)), print).use {
        it.seed("""[{"id":"d1","name":"old.example","status":"registered"}]""", """{$REPLICAS,"job_ms":9000}""")
        it.cache.queue(Begin.Create(Item("tmp-1", "new.example", "pending", token = "client-7")))
        it.show("the user registers new.example")
        it.goOn(16)
    }

    print("2. Five zones are deleted, two of which fail")
    Stage(api, "zones", isFast, this, settings, print).use {
        val zones = (1..6).joinToString(",", "[", "]") { n -> """{"id":"zone-$n","name":"zone-$n.example"}""" }
        fun refuse(id: String) = """{"method":"DELETE","kind":"zones","id":"$id","status":409}"""
        it.seed(zones, """{$REPLICAS,"delete_ms":2000}""", "[${refuse("zone-2")},${refuse("zone-4")}]")
        for (n in 1..5) it.cache.queue(Begin.Delete("zone-$n"))
        it.show("the user deletes five")
        it.goOn(10)
        val ends = it.cache.pastOutcomes()
        print("Deleted ${ends.count { o -> o is Outcome.Confirmed }} zones. Failed to delete ${ends.count { o -> o is Outcome.Failed }} zones.")
    }

    print("3. Two records are changed: three attempts each, one of them fails for good")
    Stage(api, "records", isFast, this, settings, print).use {
        fun busy(id: String, times: Int) = """{"method":"PATCH","kind":"records","id":"$id","times":$times,"status":503}"""
        it.seed(
            """[{"id":"r1","name":"www","ttl":300},{"id":"r2","name":"mail","ttl":300}]""",
            "{$REPLICAS}", "[${busy("r1", 2)},${busy("r2", 3)}]",
        )
        for (id in listOf("r1", "r2")) it.cache.queue(Begin.Update(id, buildJsonObject { put("ttl", 60) }))
        it.show("the user sets the TTL of both to 60")
        it.goOn(15)
    }
}

/** Runs them: the server's URL, and perhaps `--fast`. */
fun main(args: Array<String>) {
    val url = args.firstOrNull { !it.startsWith("--") }
    if (url == null) {
        System.err.println("usage: sample URL [--fast]; `cargo run -p resourcecache-lagging-server` prints a URL")
        exitProcess(2)
    }
    runBlocking { scenarios(url, "--fast" in args, ::println) }
}
