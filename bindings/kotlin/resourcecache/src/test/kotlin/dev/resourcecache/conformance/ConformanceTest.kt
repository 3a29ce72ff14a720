package dev.resourcecache.conformance

import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.serialization.json.Json
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** The scenarios that every language runs, one test each. */
class ConformanceTest {
    private val folder = File(System.getProperty("resourcecache.scenarios"))

    @TestFactory
    fun scenarios(): List<DynamicTest> {
        val files = folder.listFiles { file -> file.extension == "json" }.orEmpty().sorted()
        assertTrue(files.size >= 12, "$folder has ${files.size} files")
        return files.flatMap { file ->
            scenarios(file.readText()).map { scenario ->
                dynamicTest("${file.name}: ${nameOf(scenario)}") { assertNull(runScenario(scenario).problem) }
            }
        }
    }

    @Test
    fun `nothing is passed over`() {
        fun problem(steps: String) =
            assertNotNull(runScenario(Json.parseToJsonElement("""{"name":"n","steps":[$steps]}""")).problem)
        val merge = """{"at":0,"do":"merge","items":[{"id":"a"}]}"""
        assertTrue("unknown: typo" in problem("""$merge,{"at":0,"expect":{"typo":1}}"""))
        assertTrue("expected: visible [b]" in problem("""$merge,{"at":0,"expect":{"visible":["b"]}}"""))
        assertTrue("is no action" in problem("""{"at":0,"do":"typo"}"""))
        assertTrue("expected: refused" in problem(merge.replace("}]}", "}],\"refused\":\"bad_input\"}")))
        assertTrue("expected: accepted" in problem("""{"at":0,"do":"complete","id":"nobody"}"""))
        assertTrue("a's body" in problem("""$merge,{"at":0,"expect":{"items":{"a":{"x":1}}}}"""))
        assertTrue("state: \"typo\" is none" in problem("""$merge,{"at":0,"expect":{"state":{"a":"typo"}}}"""))
        assertEquals("has no steps", problem(""))
    }
}
