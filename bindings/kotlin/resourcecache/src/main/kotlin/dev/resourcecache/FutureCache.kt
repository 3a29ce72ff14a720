package dev.resourcecache

import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.Executor
import java.util.function.Consumer
import java.util.function.Supplier
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.future.await
import kotlinx.coroutines.future.future
import kotlinx.coroutines.launch
import kotlinx.serialization.KSerializer
import kotlinx.serialization.json.JsonObject

/**
 * A list for Java: futures in place of coroutines, listeners in place of flows.
 *
 * ```java
 * try (var zones = FutureCache.open(JsonObject.Companion.serializer())) {
 *     zones.onRows(executor, rows -> draw(rows));
 *     zones.merge(response);
 *     zones.deleting("a", () -> api.delete("a"));
 * }
 * ```
 *
 * A future that is cancelled cancels its operation. Closing it ends all that is under way.
 *
 * @property cache the list itself, for what needs no coroutine: `get`, `explain` and the like.
 */
public class FutureCache<T : Any> private constructor(
    public val cache: ResourceCache<T>,
    private val scope: CoroutineScope,
) : AutoCloseable {
    /** The visible list as it is now. */
    public val rows: List<Row<T>> get() = cache.rows.value

    /** Takes the answer of a list call. */
    public fun merge(response: ByteArray): CompletableFuture<Change<T>> = scope.future { cache.merge(response) }

    /** Lists: begins a fetch, asks for the answer's bytes, and merges them. */
    public fun refreshing(list: Supplier<out CompletionStage<ByteArray>>): CompletableFuture<Change<T>> =
        scope.future { cache.refreshing { list.get().await() } }

    /** Hides a resource, and has it deleted. */
    public fun <R> deleting(id: String, call: Supplier<out CompletionStage<R>>): CompletableFuture<R> =
        scope.future { cache.deleting(id) { call.get().await() } }

    /** Shows a resource with a patch laid over it, and has it changed. */
    public fun updating(
        id: String,
        patch: JsonObject,
        call: Supplier<out CompletionStage<T?>>,
    ): CompletableFuture<T?> = scope.future { cache.updating(id, patch) { call.get().await() } }

    /** Shows a new resource, and has it created. */
    public fun creating(value: T, call: Supplier<out CompletionStage<T?>>): CompletableFuture<T?> =
        scope.future { cache.creating(value) { call.get().await() } }

    /** Marks a resource as undergoing something that takes time. */
    public fun <R> processing(id: String, call: Supplier<out CompletionStage<R>>): CompletableFuture<R> =
        scope.future { cache.processing(id) { call.get().await() } }

    /** Whether attempts of the outbox may be sent. */
    public fun setOnline(online: Boolean): CompletableFuture<Change<T>> = scope.future { cache.setOnline(online) }

    /** The whole state but the settings. */
    public fun save(): CompletableFuture<String> = scope.future { cache.save() }

    /** Has a listener told of the visible list, now and whenever it changes; close it to end that. */
    public fun onRows(executor: Executor, listener: Consumer<List<Row<T>>>): AutoCloseable =
        listen(executor, cache.rows, listener)

    /** Has a listener told of each change. */
    public fun onChange(executor: Executor, listener: Consumer<Change<T>>): AutoCloseable =
        listen(executor, cache.changes, listener)

    /** Has a listener told of a resource's status, now and whenever it changes; null for none. */
    public fun onStatus(id: String, executor: Executor, listener: Consumer<Status?>): AutoCloseable =
        listen(executor, cache.status(id), listener)

    private fun <E> listen(executor: Executor, flow: Flow<E>, listener: Consumer<E>): AutoCloseable {
        val job = scope.launch(executor.asCoroutineDispatcher()) { flow.collect { listener.accept(it) } }
        return AutoCloseable { job.cancel() }
    }

    /** Closes the list, and cancels what is under way. */
    override fun close() {
        scope.cancel()
        cache.close()
    }

    /** Makes lists. */
    public companion object {
        /** A list with these settings. */
        @JvmStatic
        @JvmOverloads
        public fun <T : Any> open(
            serializer: KSerializer<T>,
            settings: Settings = Settings(),
            schema: Schema = Schema(),
        ): FutureCache<T> = own { ResourceCache(serializer, it, settings, schema) }

        /** A list as `save` wrote it. */
        @JvmStatic
        @JvmOverloads
        public fun <T : Any> restore(
            saved: String,
            serializer: KSerializer<T>,
            settings: Settings = Settings(),
            schema: Schema = Schema(),
        ): FutureCache<T> = own { ResourceCache.restore(saved, serializer, it, settings, schema) }

        private fun <T : Any> own(make: (CoroutineScope) -> ResourceCache<T>): FutureCache<T> {
            val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
            return FutureCache(make(scope), scope)
        }
    }
}
