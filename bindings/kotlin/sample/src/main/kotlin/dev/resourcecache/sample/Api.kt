package dev.resourcecache.sample

import dev.resourcecache.HttpFailure
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import kotlinx.coroutines.future.await
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject

/** The client of one API, over java.net.http. */
class Api(private val url: String) {
    private val client = HttpClient.newHttpClient()

    /** The answer's bytes; an HTTP error is thrown. */
    suspend fun call(method: String, path: String, body: String? = null): ByteArray {
        val request = HttpRequest.newBuilder(URI("$url$path"))
            .header("content-type", "application/json")
            .method(method, body?.let(HttpRequest.BodyPublishers::ofString) ?: HttpRequest.BodyPublishers.noBody())
            .build()
        val answer = client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray()).await()
        if (answer.statusCode() !in 200..299) throw HttpFailure(answer.statusCode(), "HTTP ${answer.statusCode()}")
        return answer.body()
    }

    /** The same, read as a JSON object. */
    suspend fun json(method: String, path: String, body: String? = null): JsonObject =
        Json.parseToJsonElement(call(method, path, body).decodeToString()).jsonObject
}
