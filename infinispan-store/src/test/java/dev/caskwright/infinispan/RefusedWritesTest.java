package dev.caskwright.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.infinispan.Cache;
import org.infinispan.commons.executors.NonBlockingResource;
import org.infinispan.commons.util.IntSet;
import org.infinispan.commons.util.IntSets;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.factories.ComponentRegistry;
import org.infinispan.manager.DefaultCacheManager;
import org.infinispan.persistence.manager.PersistenceManager;
import org.infinispan.persistence.spi.PersistenceException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the engine below refuses: somebody is told of each kind of write, and nothing of it comes back later. And whose threads call it. */
class RefusedWritesTest {
    private static final IntSet ALL = IntSets.immutableRangeSet(256);

    private final AtomicInteger told = new AtomicInteger();

    @TempDir
    Path directory;

    @AfterEach
    void takeWritesAgain() {
        RefusingEngines.isRefusing = false;
    }

    private DefaultCacheManager open(Consumer<CaskwrightStoreConfigurationBuilder> more) {
        return Caches.alone(Caches.local(
                directory,
                store -> more.accept(store.engine(RefusingEngines.NAME)
                        .addProperty("engine.index", "sorted")
                        .addProperty("engine.io", "mmap")
                        .onFailedWrite(problem -> told.incrementAndGet()))));
    }

    @SuppressWarnings("unchecked")
    private static CaskwrightStore<Object, Object> store(Cache<?, ?> cache) {
        return ComponentRegistry.componentOf(cache, PersistenceManager.class)
                .getStores(CaskwrightStore.class)
                .iterator()
                .next();
    }

    private static <T> T await(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }

    private static void assertRefused(CompletionStage<?> stage) {
        assertThatThrownBy(() -> await(stage))
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(PersistenceException.class)
                .hasMessageContaining("no room");
    }

    @Test
    void everyWayToWriteTellsIfItFails() throws Exception {
        try (DefaultCacheManager manager = open(store -> {})) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            cache.put("key", "value");
            CaskwrightStore<Object, Object> store = store(cache);
            RefusingEngines.isRefusing = true;
            assertThatThrownBy(() -> cache.put("other", "value")).hasMessageContaining("no room");
            assertThat(told).hasValue(1);
            assertThatThrownBy(() -> cache.putAll(Map.of("first", "value", "second", "value")))
                    .hasMessageContaining("no room");
            assertThat(told).hasValue(2);
            assertThatThrownBy(() -> cache.remove("key")).hasMessageContaining("no room");
            assertThat(told).hasValue(3);
            assertRefused(store.removeSegments(ALL));
            assertThat(told).hasValue(4);
            assertRefused(store.clear());
            assertThat(told).hasValue(5);
            RefusingEngines.isRefusing = false;
            assertThat(cache.get("key")).isEqualTo("value");
            cache.put("other", "value");
            assertThat(told).hasValue(5);
        }
    }

    /** Infinispan 17905, 18113: it notes in its log that an entry could not be passivated, and goes on without it. */
    @Test
    void anEntryThatCannotBePassivatedIsToldOf() throws Exception {
        ConfigurationBuilder configuration = Caches.local(
                directory,
                store -> store.engine(RefusingEngines.NAME)
                        .addProperty("engine.index", "sorted")
                        .addProperty("engine.io", "mmap")
                        .onFailedWrite(problem -> told.incrementAndGet()));
        configuration.persistence().passivation(true);
        try (DefaultCacheManager manager = Caches.alone(configuration)) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            cache.put("key", "value");
            RefusingEngines.isRefusing = true;
            cache.evict("key");
            assertThat(told).hasValue(1);
        }
    }

    /** A node would otherwise serve what was deleted while it had the segment no more. */
    @Test
    void whatCouldNotBeRemovedDoesNotComeBackWithItsSegment() throws Exception {
        try (DefaultCacheManager manager = open(store -> {})) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i < 500; i++) {
                cache.put("key" + i, "value");
            }
            CaskwrightStore<Object, Object> store = store(cache);
            long before = await(store.size(IntSets.immutableSet(7)));
            assertThat(before).isPositive();
            RefusingEngines.isRefusing = true;
            assertRefused(store.removeSegments(IntSets.immutableSet(7)));
            RefusingEngines.isRefusing = false;
            assertThat(await(store.size(IntSets.immutableSet(7)))).isEqualTo(before);
            await(store.addSegments(IntSets.immutableRangeSet(7)));
            assertThat(await(store.size(IntSets.immutableSet(7)))).isEqualTo(before);
            await(store.addSegments(ALL));
            assertThat(await(store.size(IntSets.immutableSet(7)))).isZero();
            assertThat(await(store.size(ALL))).isEqualTo(500 - before);
            await(store.addSegments(ALL)); // nothing that is there goes
            assertThat(await(store.size(ALL))).isEqualTo(500 - before);
        }
    }

    private static final class NonBlocking extends ThreadGroup implements NonBlockingResource {
        NonBlocking() {
            super("non-blocking");
        }
    }

    @Test
    void aThreadThatMayBlockReadsAndWritesByItself() throws Exception {
        try (DefaultCacheManager manager = open(store -> {})) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            cache.put("key", "value");
            assertThat(RefusingEngines.lastCaller).isSameAs(Thread.currentThread());
            cache.getAdvancedCache().getDataContainer().evict("key");
            Thread reader = new Thread(() -> cache.get("key"));
            reader.start();
            reader.join();
            assertThat(RefusingEngines.lastCaller).isSameAs(reader);
            cache.getAdvancedCache().getDataContainer().evict("key");
            List<CompletableFuture<?>> asked = new ArrayList<>();
            Thread nonBlocking = new Thread(new NonBlocking(), () -> {
                asked.add(cache.getAsync("key"));
                asked.add(cache.putAsync("key", "newer"));
            });
            nonBlocking.start();
            nonBlocking.join();
            asked.forEach(CompletableFuture::join);
            assertThat(RefusingEngines.lastCaller).isNotSameAs(nonBlocking).isNotSameAs(reader);
            assertThat(cache.get("key")).isEqualTo("newer");
        }
        try (DefaultCacheManager manager = open(store -> store.callerRuns(false))) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            assertThat(cache.get("key")).isEqualTo("newer");
            assertThat(RefusingEngines.lastCaller).isNotSameAs(Thread.currentThread());
            cache.put("key", "newest");
            assertThat(RefusingEngines.lastCaller).isNotSameAs(Thread.currentThread());
        }
    }
}
