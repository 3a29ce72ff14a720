package dev.resourcecache;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import kotlinx.serialization.json.JsonObject;
import org.junit.jupiter.api.Test;

/** The library from Java. */
class JavaTest {
    private static final byte[] LIST = "[{\"id\":\"a\"},{\"id\":\"b\"}]".getBytes(UTF_8);

    private static List<String> ids(FutureCache<JsonObject> cache) {
        return cache.getRows().stream().map(Row::getId).toList();
    }

    @Test
    void deletesAndIsTold() throws Exception {
        try (var zones = FutureCache.open(JsonObject.Companion.serializer())) {
            var hidden = new CountDownLatch(1);
            var last = new AtomicReference<List<Row<JsonObject>>>(List.of());
            var listener = zones.onRows(Runnable::run, rows -> {
                if (last.getAndSet(rows).size() == 2 && rows.size() == 1) hidden.countDown();
            });
            assertEquals(2, zones.merge(LIST).get().getUpserted().size());
            var answer = new CompletableFuture<String>();
            var deletion = zones.deleting("a", () -> answer);
            assertTrue(hidden.await(10, TimeUnit.SECONDS));
            answer.complete("gone");
            assertEquals("gone", deletion.get());
            zones.merge(LIST).get();
            assertEquals(List.of("b"), ids(zones));
            listener.close();
        }
    }

    @Test
    void aFailureIsShownAndRethrown() throws Exception {
        try (var zones = FutureCache.open(JsonObject.Companion.serializer(), new Settings())) {
            zones.merge(LIST).get();
            var failing = zones.deleting("a", () -> CompletableFuture.failedFuture(new IllegalStateException("in use")));
            var thrown = assertThrows(ExecutionException.class, failing::get);
            assertEquals("in use", thrown.getCause().getMessage());
            var status = assertInstanceOf(Status.Failed.class, zones.getCache().status("a").getValue());
            assertEquals("in use", status.getError());
            assertEquals(List.of("a", "b"), ids(zones));
            var refused = assertThrows(ExecutionException.class, () -> zones.merge("7".getBytes(UTF_8)).get());
            assertInstanceOf(CacheException.BadSnapshot.class, refused.getCause());
        }
    }

    @Test
    void aCancelledFutureTakesItBack() throws Exception {
        try (var zones = FutureCache.open(JsonObject.Companion.serializer())) {
            zones.merge(LIST).get();
            var hidden = new CountDownLatch(1);
            var back = new CountDownLatch(1);
            zones.onChange(Runnable::run, change -> {
                if (!change.getRemoved().isEmpty()) hidden.countDown();
                if (change.getOutcomes().stream().anyMatch(o -> o instanceof Outcome.Cancelled)) back.countDown();
            });
            Thread.sleep(50);
            var deletion = zones.deleting("a", CompletableFuture<Void>::new);
            assertTrue(hidden.await(10, TimeUnit.SECONDS));
            deletion.cancel(true);
            assertTrue(back.await(10, TimeUnit.SECONDS));
            assertEquals(List.of("a", "b"), ids(zones));
        }
    }
}
