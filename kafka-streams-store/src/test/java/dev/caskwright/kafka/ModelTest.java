package dev.caskwright.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Does the same at random to a store and to Kafka's own in memory, and compares all answers. With Kafka's cache before
 * ours, what that shows of deleted windows, with no value, is left out, and time does not go so far that anything
 * expires, which the cache is slow to notice.
 */
class ModelTest {
    private static final int OPERATIONS = 1500;
    private static final long RETENTION = 600_000;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    @TempDir
    Path directory;

    private static Map<String, String> options(boolean isCached) {
        return Map.of(StoreOptions.MAX_UNCOMMITTED, "3000", Beside.CACHED, Boolean.toString(isCached));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, false, true, true})
    void keyValueStoreAnswersAsTheModel(boolean isCached) {
        try (Beside<KeyValueStore<Bytes, byte[]>> both = new Beside<>(
                directory,
                Stores.keyValueStoreBuilder(
                        CaskwrightStores.keyValueStore("ours", StoreFormat.PLAIN), Serdes.Bytes(), Serdes.ByteArray()),
                Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("model"), Serdes.Bytes(), Serdes.ByteArray()),
                options(isCached))) {
            KeyValueStore<Bytes, byte[]> ours = both.store("ours");
            KeyValueStore<Bytes, byte[]> model = both.store("model");
            for (int i = 0; i < OPERATIONS; i++) {
                Bytes key = key();
                Bytes other = key();
                byte[] value = random.nextInt(4) == 0 ? null : value();
                switch (random.nextInt(11)) {
                    case 0, 1, 2 -> {
                        ours.put(key, value);
                        model.put(key, value);
                    }
                    case 3 -> same(i, ours.putIfAbsent(key, value), model.putIfAbsent(key, value));
                    case 4 -> {
                        List<KeyValue<Bytes, byte[]>> entries =
                                List.of(KeyValue.pair(key, value), KeyValue.pair(other, value()));
                        ours.putAll(entries);
                        model.putAll(entries);
                    }
                    case 5 -> same(i, ours.delete(key), model.delete(key));
                    case 6 -> same(i, ours.get(key), model.get(key));
                    case 7 -> same(i, ours.range(key, other), model.range(key, other));
                    case 8 -> same(i, ours.reverseRange(other, null), model.reverseRange(other, null));
                    case 9 -> {
                        // The model fails for a prefix of nothing but 0xFF.
                        Bytes prefix = Bytes.wrap(new byte[] {key.get()[0] == -1 ? 0 : key.get()[0]});
                        same(
                                i,
                                ours.prefixScan(prefix, Serdes.Bytes().serializer()),
                                model.prefixScan(prefix, Serdes.Bytes().serializer()));
                    }
                    default -> both.commit();
                }
            }
            same(OPERATIONS, ours.all(), model.all());
            same(OPERATIONS, ours.reverseAll(), model.reverseAll());
            both.commit();
            same(OPERATIONS, ours.all(), model.all());
            assertThat(ours.approximateNumEntries()).isEqualTo(model.approximateNumEntries());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, false, true, true})
    void windowStoreAnswersAsTheModel(boolean isCached) {
        windows(false, isCached);
    }

    @Test
    void windowStoreWithDuplicatesAnswersAsTheModel() {
        windows(true, false); // Kafka does not cache what keeps duplicates
    }

    private void windows(boolean duplicates, boolean isCached) {
        Duration retention = Duration.ofMillis(RETENTION);
        Duration size = Duration.ofMillis(1000);
        try (Beside<WindowStore<Bytes, byte[]>> both = new Beside<>(
                directory,
                Stores.windowStoreBuilder(
                        CaskwrightStores.windowStore("ours", retention, size, duplicates, StoreFormat.PLAIN),
                        Serdes.Bytes(),
                        Serdes.ByteArray()),
                Stores.windowStoreBuilder(
                        Stores.inMemoryWindowStore("model", retention, size, duplicates),
                        Serdes.Bytes(),
                        Serdes.ByteArray()),
                options(isCached))) {
            WindowStore<Bytes, byte[]> ours = both.store("ours");
            WindowStore<Bytes, byte[]> model = both.store("model");
            long now = 0;
            for (int i = 0; i < OPERATIONS; i++) {
                now += random.nextInt(isCached ? 300 : 3000);
                Bytes key = key();
                Bytes other = key();
                long from = near(now);
                long to = random.nextInt(8) == 0 ? Long.MAX_VALUE : from + random.nextInt(900_000);
                switch (random.nextInt(10)) {
                    case 0, 1, 2, 3 -> {
                        byte[] value = random.nextInt(4) == 0 ? null : value();
                        long start = near(now);
                        ours.put(key, value, start);
                        model.put(key, value, start);
                    }
                    case 4 -> same(i, ours.fetch(key, from), model.fetch(key, from));
                    case 5 -> same(i, ours.fetch(key, from, to), model.fetch(key, from, to));
                    case 6 -> same(i, ours.backwardFetch(key, from, to), model.backwardFetch(key, from, to));
                    case 7 -> {
                        // Where one key begins with another, Kafka's cache does not find all of a range of keys, nor
                        // do its own stores over RocksDB.
                        if (!isCached) {
                            sameWindows(i, ours.fetch(key, other, from, to), model.fetch(key, other, from, to), false);
                        }
                    }
                    case 8 -> sameWindows(i, ours.backwardFetchAll(from, to), model.backwardFetchAll(from, to), true);
                    default -> both.commit();
                }
            }
            sameWindows(OPERATIONS, ours.all(), model.all(), false);
            sameWindows(OPERATIONS, ours.backwardAll(), model.backwardAll(), true);
            both.commit();
            sameWindows(OPERATIONS, ours.all(), model.all(), false);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, false, true, true})
    void sessionStoreAnswersAsTheModel(boolean isCached) {
        Duration retention = Duration.ofMillis(RETENTION);
        try (Beside<SessionStore<Bytes, byte[]>> both = new Beside<>(
                directory,
                Stores.sessionStoreBuilder(
                        CaskwrightStores.sessionStore("ours", retention, StoreFormat.PLAIN),
                        Serdes.Bytes(),
                        Serdes.ByteArray()),
                Stores.sessionStoreBuilder(
                        Stores.inMemorySessionStore("model", retention), Serdes.Bytes(), Serdes.ByteArray()),
                options(isCached))) {
            SessionStore<Bytes, byte[]> ours = both.store("ours");
            SessionStore<Bytes, byte[]> model = both.store("model");
            long now = 0;
            for (int i = 0; i < OPERATIONS; i++) {
                now += random.nextInt(isCached ? 300 : 3000);
                Bytes key = key();
                Bytes other = key();
                long earliestEnd = near(now);
                long latestStart = random.nextInt(8) == 0 ? Long.MAX_VALUE : near(now);
                long start = near(now);
                Windowed<Bytes> session =
                        new Windowed<>(key, new SessionWindow(start, start + random.nextInt(5) * 1000));
                switch (random.nextInt(10)) {
                    case 0, 1, 2 -> {
                        byte[] value = random.nextInt(4) == 0 ? null : value();
                        ours.put(session, value);
                        model.put(session, value);
                    }
                    case 3 -> {
                        ours.remove(session);
                        model.remove(session);
                    }
                    case 4 ->
                        same(
                                i,
                                ours.fetchSession(key, start, session.window().end()),
                                model.fetchSession(key, start, session.window().end()));
                    case 5 -> sameWindows(i, ours.fetch(key), model.fetch(key), false);
                    case 6 ->
                        sameWindows(
                                i,
                                ours.findSessions(key, earliestEnd, latestStart),
                                model.findSessions(key, earliestEnd, latestStart),
                                false);
                    case 7 ->
                        sameWindows(
                                i,
                                ours.backwardFindSessions(key, other, earliestEnd, latestStart),
                                model.backwardFindSessions(key, other, earliestEnd, latestStart),
                                true);
                    case 8 -> {
                        if (!isCached) { // the cache cannot
                            sameWindows(
                                    i,
                                    ours.findSessions(earliestEnd, earliestEnd + 100_000),
                                    model.findSessions(earliestEnd, earliestEnd + 100_000),
                                    false);
                        }
                    }
                    default -> both.commit();
                }
            }
            sameWindows(OPERATIONS, ours.fetch(null, null), model.fetch(null, null), false);
            both.commit();
            sameWindows(OPERATIONS, ours.backwardFetch(null, null), model.backwardFetch(null, null), true);
        }
    }

    private long near(long now) {
        return Math.max(0, now - random.nextInt(random.nextBoolean() ? 1_000_000 : 5000)) / 1000 * 1000;
    }

    /** Returns one of few keys, some a prefix of others, with bytes that a layout may stumble over. */
    private Bytes key() {
        byte[] bytes = {0, 1, (byte) 0xFF, 'a'};
        byte[] key = new byte[1 + random.nextInt(3)];
        for (int i = 0; i < key.length; i++) {
            key[i] = bytes[random.nextInt(bytes.length)];
        }
        return Bytes.wrap(key);
    }

    private byte[] value() {
        return ByteBuffer.allocate(Long.BYTES).putLong(random.nextLong()).array();
    }

    private void same(int operation, byte[] ours, byte[] model) {
        assertThat(ours).as("seed %d, operation %d", seed, operation).isEqualTo(model);
    }

    private <K> void same(int operation, KeyValueIterator<K, byte[]> ours, KeyValueIterator<K, byte[]> model) {
        assertThat(texts(drain(ours)))
                .as("seed %d, operation %d", seed, operation)
                .isEqualTo(texts(drain(model)));
    }

    /**
     * Compares as sets, since Kafka's stores themselves differ in the order of keys, and checks the order within a key.
     */
    private void sameWindows(
            int operation,
            KeyValueIterator<Windowed<Bytes>, byte[]> ours,
            KeyValueIterator<Windowed<Bytes>, byte[]> model,
            boolean descending) {
        List<KeyValue<Windowed<Bytes>, byte[]>> found = drain(ours);
        assertThat(texts(found))
                .as("seed %d, operation %d", seed, operation)
                .containsExactlyInAnyOrderElementsOf(texts(drain(model)));
        List<KeyValue<Windowed<Bytes>, byte[]>> ordered = new ArrayList<>(found);
        if (descending) {
            Collections.reverse(ordered);
        }
        for (Bytes key : ordered.stream().map(each -> each.key.key()).distinct().toList()) {
            assertThat(ordered.stream()
                            .filter(each -> each.key.key().equals(key))
                            .map(each -> each.key.window()))
                    .as("seed %d, operation %d", seed, operation)
                    .isSortedAccordingTo(Comparator.comparingLong(each -> each.end()));
        }
    }

    private static <K> List<KeyValue<K, byte[]>> drain(KeyValueIterator<K, byte[]> iterator) {
        List<KeyValue<K, byte[]>> all = new ArrayList<>();
        try (iterator) {
            iterator.forEachRemaining(each -> {
                if (each.value != null) {
                    all.add(each);
                }
            });
        }
        return all;
    }

    private static <K> List<String> texts(List<KeyValue<K, byte[]>> entries) {
        return entries.stream()
                .map(each -> each.key + "=" + Arrays.toString(each.value))
                .toList();
    }
}
