package dev.resourcecache

import com.sun.net.httpserver.HttpServer
import java.io.IOException
import java.io.InputStream
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.URI
import java.net.URLEncoder
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import kotlin.test.Test
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.channels.trySendBlocking
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.JsonObject

/** The source of docs/kotlin.md. */
private class Pods(private val api: HttpClient, private val url: String) : WatchSource {
    override suspend fun list(call: ListCall): ByteArray = get(call.query).use { it.readAllBytes() }

    override fun stream(call: StreamCall): Flow<StreamEvent> = callbackFlow {
        val body = get(call.query)
        send(StreamEvent.Opened)
        launch(Dispatchers.IO) {
            try {
                body.bufferedReader().forEachLine { trySendBlocking(StreamEvent.Message(it)) }
                close()
            } catch (broken: IOException) {
                close(broken)
            }
        }
        awaitClose { body.close() } // which also ends a read that waits
    }

    private suspend fun get(query: Map<String, String>): InputStream {
        val text = query.entries.joinToString("&") { "${it.key}=${URLEncoder.encode(it.value, "UTF-8")}" }
        val request = HttpRequest.newBuilder(URI("$url?$text")).build()
        val answer = api.sendAsync(request, BodyHandlers.ofInputStream()).await()
        if (answer.statusCode() == 200) return answer.body()
        throw HttpFailure(answer.statusCode(), url, body = answer.body().use { it.readAllBytes() })
    }
}

class WatchOverHttpTest {
    @Test
    fun `a server is listed and watched, and its stream ends with the block`() {
        fun pod(name: String, version: Int) = """{"metadata":{"name":"$name","resourceVersion":"$version"}}"""
        val wanted = CountDownLatch(1)
        val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
        val threads = Executors.newCachedThreadPool()
        server.executor = threads
        server.createContext("/pods") { call ->
            call.sendResponseHeaders(200, 0)
            call.responseBody.use { body ->
                if ("watch=true" in call.requestURI.query) {
                    body.write("""{"type":"ADDED","object":${pod("b", 2)}}""".encodeToByteArray() + '\n'.code.toByte())
                    body.flush()
                    // And then it is silent.
                    wanted.await()
                } else {
                    body.write("""{"metadata":{"resourceVersion":"1"},"items":[${pod("a", 1)}]}""".encodeToByteArray())
                }
            }
        }
        server.start()
        val scope = CoroutineScope(Dispatchers.Default + Job())
        try {
            runBlocking {
                val settings = Settings(versionOrder = VersionOrder.INTEGER)
                val cache = ResourceCache(JsonObject.serializer(), scope, settings, kubernetesSchema())
                withTimeout(30.seconds) {
                    cache.watching(Pods(HttpClient.newHttpClient(), "http://127.0.0.1:${server.address.port}/pods")) { watch ->
                        watch.synced()
                        cache.rows.first { rows -> rows.map { it.id } == listOf("a", "b") }
                    }
                }
                assertTrue(wanted.count == 1L, "it did not wait for the server")
            }
        } finally {
            wanted.countDown()
            server.stop(0)
            threads.shutdown()
            scope.cancel()
        }
    }
}
