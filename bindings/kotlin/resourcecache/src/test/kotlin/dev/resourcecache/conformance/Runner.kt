package dev.resourcecache.conformance

import java.io.File
import java.io.IOException
import kotlin.system.exitProcess
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray

/** How one scenario went: the problem is the step that failed, what was expected, and what came instead. */
class Report(val name: String, val problem: String?)

/** The scenarios of a file. */
fun scenarios(text: String): List<JsonElement> {
    val all = try {
        Json.parseToJsonElement(text) as? JsonArray ?: throw Unreadable("no array of scenarios")
    } catch (problem: SerializationException) {
        throw Unreadable("no array of scenarios: ${problem.message}")
    }
    if (all.isEmpty()) throw Unreadable("holds no scenario")
    return all
}

/** A scenario's name, as far as it has one. */
fun nameOf(scenario: JsonElement): String =
    ((scenario as? JsonObject)?.get("name") as? kotlinx.serialization.json.JsonPrimitive)?.content ?: "(without a name)"

/** Runs one scenario. */
fun runScenario(scenario: JsonElement): Report =
    try {
        run(scenario)
        Report(nameOf(scenario), null)
    } catch (problem: Unreadable) {
        Report(nameOf(scenario), problem.message)
    } catch (problem: Unmet) {
        Report(nameOf(scenario), problem.message)
    } catch (problem: RuntimeException) {
        Report(nameOf(scenario), problem.toString())
    }

private fun run(scenario: JsonElement) {
    val fields = Fields(scenario)
    fields.text("name")
    fields.texts("rules")
    val settings = ScenarioSettings(fields.raw("config"))
    val steps = fields.needed("steps").jsonArray
    fields.finish()
    if (steps.isEmpty()) throw Unreadable("has no steps")
    World(settings).use { world ->
        steps.forEachIndexed { index, step ->
            try {
                runBlocking { world.step(step) }
            } catch (problem: Unreadable) {
                throw Unreadable("step ${index + 1}: $step\n    ${problem.message}")
            } catch (problem: Unmet) {
                throw Unmet("step ${index + 1}: $step\n    ${problem.message}")
            }
        }
    }
}

/**
 * Runs scenario files: a line per scenario, `N passed, N failed` at the end, and exit code 1 on any
 * failure, an unreadable file or one without a scenario; 2 without a file.
 */
fun main(files: Array<String>) {
    if (files.isEmpty()) {
        System.err.println("usage: conformance FILE...")
        exitProcess(2)
    }
    var passed = 0
    var failed = 0
    for (file in files) {
        try {
            for (scenario in scenarios(File(file).readText())) {
                val report = runScenario(scenario)
                if (report.problem == null) {
                    println("ok     ${report.name}")
                    passed += 1
                } else {
                    println("FAILED ${report.name}\n    ${report.problem}")
                    failed += 1
                }
            }
        } catch (problem: Unreadable) {
            println("FAILED $file: ${problem.message}")
            failed += 1
        } catch (problem: IOException) {
            println("FAILED $file: ${problem.message}")
            failed += 1
        }
    }
    println("$passed passed, $failed failed")
    exitProcess(if (failed == 0) 0 else 1)
}
