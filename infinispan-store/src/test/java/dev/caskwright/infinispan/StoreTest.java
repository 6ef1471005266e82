package dev.caskwright.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import io.reactivex.rxjava3.core.Flowable;
import io.reactivex.rxjava3.subscribers.TestSubscriber;
import java.io.BufferedReader;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.infinispan.Cache;
import org.infinispan.commons.CacheConfigurationException;
import org.infinispan.commons.configuration.io.ConfigurationWriter;
import org.infinispan.commons.dataconversion.MediaType;
import org.infinispan.commons.io.StringBuilderWriter;
import org.infinispan.commons.util.IntSets;
import org.infinispan.configuration.cache.CacheMode;
import org.infinispan.configuration.cache.Configuration;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.parsing.ConfigurationBuilderHolder;
import org.infinispan.configuration.parsing.ParserRegistry;
import org.infinispan.factories.ComponentRegistry;
import org.infinispan.manager.DefaultCacheManager;
import org.infinispan.persistence.manager.PersistenceManager;
import org.infinispan.persistence.spi.MarshallableEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Restarts, kills, damage, segments and configuration of the store below a cache of one node. */
class StoreTest {
    private static final int ENTRIES = 3000;

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void restartKeepsEverything(boolean sync) throws Exception {
        Map<String, String> expected = new TreeMap<>();
        try (DefaultCacheManager manager = Caches.alone(Caches.local(directory, store -> store.syncWrites(sync)))) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            List<CompletableFuture<?>> puts = new ArrayList<>();
            for (int i = 0; i < ENTRIES; i++) {
                puts.add(cache.putAsync("key" + i, "value" + i));
                expected.put("key" + i, "value" + i);
            }
            CompletableFuture.allOf(puts.toArray(CompletableFuture[]::new)).join();
            for (int i = 0; i < ENTRIES; i += 3) {
                cache.remove("key" + i);
                expected.remove("key" + i);
            }
            assertThat(cache.size()).isEqualTo(expected.size());
        }
        try (DefaultCacheManager manager = Caches.alone(Caches.local(directory))) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            assertThat(cache.get("key1")).isEqualTo("value1");
            assertThat(new TreeMap<>(cache)).isEqualTo(expected);
        }
    }

    /** Puts numbered entries and tells each that was acknowledged. */
    static final class Child {
        public static void main(String[] arguments) {
            DefaultCacheManager manager = Caches.alone(Caches.local(Path.of(arguments[0])));
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; ; i++) {
                cache.put("key" + i, "value" + i);
                System.out.println(i);
            }
        }
    }

    @Test
    void killedProcessLosesNothingAcknowledged() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        directory.toString())
                .redirectError(new File(directory.toFile(), "child.err"))
                .start();
        int told = -1;
        try (BufferedReader lines = process.inputReader()) {
            while (told < 1000) {
                String line = lines.readLine();
                assertThat(line).as("the child ended by itself").isNotNull();
                told = line.matches("\\d+") ? Integer.parseInt(line) : told;
            }
            process.toHandle().destroyForcibly();
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();
        try (DefaultCacheManager manager = Caches.alone(Caches.local(directory))) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i <= told; i++) {
                assertThat(cache.get("key" + i)).isEqualTo("value" + i);
            }
        }
    }

    @Test
    void damageIsAnError() throws Exception {
        try (DefaultCacheManager manager = Caches.alone(Caches.local(directory))) {
            manager.<String, String>getCache(Caches.NAME).put("key", "x".repeat(1000));
        }
        Path file;
        try (var files = Files.walk(directory)) {
            file = files.filter(each -> each.toString().endsWith(".data"))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(file);
        bytes[new String(bytes, StandardCharsets.ISO_8859_1).indexOf("xxxx") + 10] ^= 1;
        Files.write(file, bytes);
        assertThatThrownBy(() -> {
                    try (DefaultCacheManager manager = Caches.alone(Caches.local(directory))) {
                        manager.getCache(Caches.NAME).get("key");
                    }
                })
                .hasRootCauseInstanceOf(CorruptRecordException.class);
    }

    @Test
    void storeOfAnotherCacheOrSegmentCountIsRefused() throws Exception {
        try (DefaultCacheManager manager = Caches.alone(Caches.local(directory))) {
            manager.getCache(Caches.NAME).put("key", "value");
        }
        ConfigurationBuilder fewer = Caches.local(directory);
        fewer.clustering().hash().numSegments(16);
        assertThatThrownBy(() -> {
                    try (DefaultCacheManager manager = Caches.alone(fewer)) {
                        manager.getCache(Caches.NAME);
                    }
                })
                .hasStackTraceContaining("segments=16")
                .hasStackTraceContaining("segments=256")
                .hasStackTraceContaining("nothing was changed");
        try (DefaultCacheManager manager = Caches.alone(Caches.local(directory))) {
            assertThat(manager.getCache(Caches.NAME).get("key")).isEqualTo("value");
            assertThatThrownBy(() -> {
                        try (DefaultCacheManager second = Caches.alone(Caches.local(directory))) {
                            second.getCache(Caches.NAME);
                        }
                    })
                    .hasStackTraceContaining("in use");
        }
    }

    @Test
    void removedSegmentIsGoneAndLaterWritesStay() throws Exception {
        try (DefaultCacheManager manager = Caches.alone(Caches.local(directory))) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i < ENTRIES; i++) {
                cache.put("key" + i, "value");
            }
            CaskwrightStore<Object, Object> store = store(cache);
            long all = store.size(IntSets.immutableRangeSet(256))
                    .toCompletableFuture()
                    .get(1, TimeUnit.MINUTES);
            long seven =
                    store.size(IntSets.immutableSet(7)).toCompletableFuture().get(1, TimeUnit.MINUTES);
            assertThat(seven).isPositive();
            MarshallableEntry<Object, Object> entry = Flowable.fromPublisher(
                            store.publishEntries(IntSets.immutableSet(7), null, true))
                    .blockingFirst();
            var removed = store.removeSegments(IntSets.immutableSet(7)).toCompletableFuture();
            var written = store.write(7, entry).toCompletableFuture(); // does not wait for the removal
            CompletableFuture.allOf(removed, written).get(1, TimeUnit.MINUTES);
            assertThat(store.size(IntSets.immutableSet(7)).toCompletableFuture().get(1, TimeUnit.MINUTES))
                    .isEqualTo(1);
            assertThat(store.size(IntSets.immutableRangeSet(256))
                            .toCompletableFuture()
                            .get(1, TimeUnit.MINUTES))
                    .isEqualTo(all - seven + 1);
            assertThat(store.delete(7, entry.getKey()).toCompletableFuture().get(1, TimeUnit.MINUTES))
                    .isTrue();
            assertThat(store.delete(7, entry.getKey()).toCompletableFuture().get(1, TimeUnit.MINUTES))
                    .isFalse();
        }
    }

    @Test
    void publisherGivesNoMoreThanIsAskedFor() throws Exception {
        try (DefaultCacheManager manager = Caches.alone(Caches.local(directory))) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            for (int i = 0; i < 500; i++) {
                cache.put("key" + i, "value");
            }
            TestSubscriber<Object> subscriber = new TestSubscriber<>(0);
            Flowable.fromPublisher(store(cache).publishKeys(IntSets.immutableRangeSet(256), null))
                    .subscribe(subscriber);
            subscriber.request(10);
            subscriber.awaitCount(10);
            subscriber.assertValueCount(10).assertNotComplete();
            subscriber.request(Long.MAX_VALUE);
            subscriber.awaitDone(1, TimeUnit.MINUTES).assertComplete();
            assertThat(subscriber.values()).hasSize(500).doesNotHaveDuplicates();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MAX_VALUE, Long.MAX_VALUE - 1, Long.MAX_VALUE - 1_000_000_000_000L})
    void anEntryThatNoClockOutlivesIsKept(long lifespan) throws Exception {
        try (DefaultCacheManager manager = Caches.alone(Caches.local(directory))) {
            Cache<String, String> cache = manager.getCache(Caches.NAME);
            cache.put("key", "value", lifespan, TimeUnit.MILLISECONDS, lifespan, TimeUnit.MILLISECONDS);
            CaskwrightStore<Object, Object> store = store(cache);
            assertThat(Flowable.fromPublisher(store.purgeExpired()).toList().blockingGet())
                    .isEmpty();
            assertThat(store.size(IntSets.immutableRangeSet(256))
                            .toCompletableFuture()
                            .get(1, TimeUnit.MINUTES))
                    .isEqualTo(1);
            MarshallableEntry<Object, Object> entry = Flowable.fromPublisher(
                            store.publishEntries(IntSets.immutableRangeSet(256), null, true))
                    .blockingFirst();
            assertThat(entry.getMetadata().lifespan()).isEqualTo(lifespan);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/xml", "application/json", "application/yaml"})
    void configurationIsWrittenAndReadAgain(String type) {
        Configuration written = Caches.local(
                        directory, store -> store.syncWrites(true).addProperty("engine.max-file-bytes", "1000000"))
                .build();
        StringBuilderWriter text = new StringBuilderWriter();
        ParserRegistry registry = new ParserRegistry();
        try (ConfigurationWriter writer = ConfigurationWriter.to(text)
                .withType(MediaType.fromString(type))
                .build()) {
            registry.serialize(writer, null, Map.of(Caches.NAME, written));
        }
        ConfigurationBuilderHolder read = registry.parse(text.toString(), MediaType.fromString(type));
        CaskwrightStoreConfiguration store = (CaskwrightStoreConfiguration) read.getNamedConfigurationBuilders()
                .get(Caches.NAME)
                .build()
                .persistence()
                .stores()
                .get(0);
        assertThat(store.path()).isEqualTo(directory.toString());
        assertThat(store.syncWrites()).isTrue();
        assertThat(store.engineOptions())
                .containsEntry("max-file-bytes", "1000000")
                .containsEntry("index", "sorted");
    }

    @Test
    void otherVersionsOfInfinispanAreRefused() {
        HostVersion.check();
        for (String version : List.of("15.2.6", "17.0.0")) {
            assertThatThrownBy(() -> HostVersion.check(version.substring(0, 2), version))
                    .isInstanceOf(CacheConfigurationException.class)
                    .hasMessageContaining("version=" + version + ", needed=16.x");
        }
    }

    @Test
    void badOptionsAreNamed() {
        ConfigurationBuilder shared = Caches.local(directory, store -> store.shared(true));
        shared.clustering().cacheMode(CacheMode.DIST_SYNC);
        assertThatThrownBy(shared::build)
                .isInstanceOf(CacheConfigurationException.class)
                .hasMessageContaining("private");
        assertThatThrownBy(() ->
                        Caches.local(directory, store -> store.segmented(false)).build())
                .isInstanceOf(CacheConfigurationException.class);
        assertThatThrownBy(() -> {
                    ConfigurationBuilder cache =
                            Caches.local(directory, store -> store.addProperty("engine.index", "hashmap"));
                    try (DefaultCacheManager manager = Caches.alone(cache)) {
                        manager.getCache(Caches.NAME);
                    }
                })
                .hasStackTraceContaining("needs an order");
        assertThatThrownBy(() -> {
                    ConfigurationBuilder cache =
                            Caches.local(directory, store -> store.addProperty("engine.indx", "btree"));
                    try (DefaultCacheManager manager = Caches.alone(cache)) {
                        manager.getCache(Caches.NAME);
                    }
                })
                .hasStackTraceContaining("option=indx");
    }

    @SuppressWarnings("unchecked")
    private static CaskwrightStore<Object, Object> store(Cache<?, ?> cache) {
        return ComponentRegistry.componentOf(cache, PersistenceManager.class)
                .getStores(CaskwrightStore.class)
                .iterator()
                .next();
    }
}
