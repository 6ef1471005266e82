package dev.caskwright.infinispan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineSettings;
import io.reactivex.rxjava3.core.Flowable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.infinispan.Cache;
import org.infinispan.commons.util.IntSet;
import org.infinispan.commons.util.IntSets;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.factories.ComponentRegistry;
import org.infinispan.manager.DefaultCacheManager;
import org.infinispan.persistence.manager.PersistenceManager;
import org.infinispan.persistence.spi.MarshallableEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What users of Infinispan's own file store report, each with its number there, must not happen here. */
class OthersReportsTest {
    private static final IntSet ALL = IntSets.immutableRangeSet(256);
    private static final int ENTRIES = 500;

    @TempDir
    Path directory;

    private DefaultCacheManager open() {
        // Small files, so that there are several to merge.
        return Caches.alone(Caches.local(directory, store -> store.addProperty("engine.max-file-bytes", "1048576")));
    }

    @SuppressWarnings("unchecked")
    private static CaskwrightStore<Object, Object> store(Cache<?, ?> cache) {
        return ComponentRegistry.componentOf(cache, PersistenceManager.class)
                .getStores(CaskwrightStore.class)
                .iterator()
                .next();
    }

    private static <T> T await(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(1, TimeUnit.MINUTES);
    }

    private static List<MarshallableEntry<Object, Object>> entries(
            CaskwrightStore<Object, Object> store, IntSet segments) {
        return Flowable.fromPublisher(store.publishEntries(segments, null, true))
                .toList()
                .blockingGet();
    }

    /** 17314: a segment leaves and comes back at once, and is lost after a compaction or a restart. */
    @Test
    void aSegmentThatLeavesAndComesBackIsWholeAfterARestart() throws Exception {
        try (DefaultCacheManager manager = open()) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i < ENTRIES; i++) {
                cache.put("key" + i, "value" + i);
            }
            CaskwrightStore<Object, Object> store = store(cache);
            for (int round = 0; round < 3; round++) {
                List<CompletionStage<?>> asked = new ArrayList<>();
                for (int segment = 0; segment < 256; segment += 2) {
                    List<MarshallableEntry<Object, Object>> content = entries(store, IntSets.immutableSet(segment));
                    asked.add(store.removeSegments(IntSets.immutableSet(segment)));
                    asked.add(store.addSegments(IntSets.immutableSet(segment)));
                    for (MarshallableEntry<Object, Object> each : content) {
                        asked.add(store.write(segment, each));
                    }
                }
                for (CompletionStage<?> each : asked) {
                    await(each);
                }
                assertThat(await(store.size(ALL))).isEqualTo(ENTRIES);
            }
        }
        assertAllThere();
    }

    private void assertAllThere() throws Exception {
        try (DefaultCacheManager manager = open()) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i < ENTRIES; i++) {
                assertThat(cache.get("key" + i)).as("key%s", i).isEqualTo("value" + i);
            }
            assertThat(await(store(cache).size(ALL))).isEqualTo(ENTRIES);
        }
    }

    /** ISPN-13931, ISPN-15166: after a restart a key has a value that was overwritten long ago. */
    @Test
    void theLastOfManyValuesIsThereAfterARestart() throws Exception {
        try (DefaultCacheManager manager = open()) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i < ENTRIES; i++) {
                cache.put("key" + i % 5, "x".repeat(8_000) + i);
            }
        }
        for (int restart = 0; restart < 2; restart++) {
            try (DefaultCacheManager manager = open()) {
                Cache<String, String> cache = manager.getCache(Caches.NAME);
                for (int key = 0; key < 5; key++) {
                    assertThat(cache.get("key" + key)).endsWith("x" + (ENTRIES - 5 + key));
                }
                assertThat(await(store(cache).size(ALL))).isEqualTo(5);
            }
        }
    }

    /** ISPN-15237: the removal of a key that was never there upsets the index, as each first write with passivation does. */
    @Test
    void removingWhatIsNotThereChangesNothing() throws Exception {
        try (DefaultCacheManager manager = open()) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i < ENTRIES; i++) {
                assertThat(await(store(cache).delete(i % 256, "absent" + i))).isFalse();
                cache.put("key" + i, "value" + i);
            }
        }
        assertAllThere();
    }

    /** ISPN-5743: removes before a stop come back after the start. */
    @Test
    void whatWasRemovedBeforeAStopStaysRemoved() throws Exception {
        try (DefaultCacheManager manager = open()) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i < ENTRIES; i++) {
                cache.put("key" + i, "value" + i);
            }
        }
        try (DefaultCacheManager manager = open()) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i < ENTRIES; i++) {
                cache.remove("key" + i);
            }
        }
        try (DefaultCacheManager manager = open()) {
            assertThat(manager.getCache(Caches.NAME)).isEmpty();
        }
    }

    /** ISPN-13278, ISPN-14187: expired entries are neither told nor removed, and their files stay. */
    @Test
    void whatExpiredIsToldOnceAndGone() throws Exception {
        try (DefaultCacheManager manager = open()) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            cache.put("stays", "value");
            CaskwrightStore<Object, Object> store = store(cache);
            for (int i = 0; i < 300; i++) {
                cache.put("key" + i, "value", 1, TimeUnit.MILLISECONDS);
            }
            List<Object> told = new ArrayList<>();
            while (await(store.size(ALL)) > 1 || told.size() < 300) {
                Flowable.fromPublisher(store.purgeExpired())
                        .map(MarshallableEntry::getKey)
                        .blockingForEach(told::add);
            }
            assertThat(told).hasSize(300).doesNotHaveDuplicates();
            assertThat(cache.get("stays")).isEqualTo("value");
        }
    }

    /** 17682: with passivation, entries that are written and read at once are lost. */
    @Test
    void passivationUnderWritersLosesNothing() throws Exception {
        ConfigurationBuilder configuration = Caches.local(directory);
        configuration.persistence().passivation(true);
        int threads = 3;
        try (DefaultCacheManager manager = Caches.alone(configuration)) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            List<CompletableFuture<Void>> writers = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                String owner = "of" + thread + "-";
                writers.add(CompletableFuture.runAsync(() -> {
                    for (int i = 0; i < 6 * ENTRIES; i++) {
                        String key = owner + i % ENTRIES;
                        if (i >= ENTRIES) {
                            assertThat(cache.get(key)).as(key).isEqualTo("value" + (i - ENTRIES));
                        }
                        cache.put(key, "value" + i);
                    }
                }));
            }
            writers.forEach(CompletableFuture::join);
        }
        try (DefaultCacheManager manager = Caches.alone(configuration)) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int thread = 0; thread < threads; thread++) {
                for (int i = 0; i < ENTRIES; i++) {
                    assertThat(cache.get("of" + thread + "-" + i)).isEqualTo("value" + (5 * ENTRIES + i));
                }
            }
        }
    }

    /** 17732, of the RocksDB store: what tells when entries expire grows for ever. Ours is on the heap. */
    @Test
    void anEntryThatIsWrittenOftenLeavesNothingBehind() throws Exception {
        try (DefaultCacheManager manager = open()) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i < ENTRIES; i++) {
                cache.put("key", "value" + i, 1_000 + i, TimeUnit.MINUTES);
                cache.put("gone", "value" + i, 1_000 + i, TimeUnit.MINUTES);
            }
            CaskwrightStore<Object, Object> store = store(cache);
            cache.remove("gone");
            for (int i = 0; i < ENTRIES; i++) {
                cache.put("key" + i, "value", 1_000, TimeUnit.MINUTES);
            }
            await(store.removeSegments(ALL));
            cache.put("key", "last", 1_000, TimeUnit.MINUTES);
        }
        try (Stream<Path> all = Files.walk(directory)) {
            Path data = all.filter(each -> each.endsWith("data")).findFirst().orElseThrow();
            EngineSettings settings = new EngineSettings(
                    EngineSettings.Access.CREATE, Durability.WRITE, Map.of("index", "sorted", "io", "mmap"));
            try (StorageEngine engine = Backends.engine("bitcask").open(data, settings)) {
                assertThat(engine.size())
                        .as("whose it is, an entry, its expiry")
                        .isEqualTo(3);
            }
        }
    }
}
