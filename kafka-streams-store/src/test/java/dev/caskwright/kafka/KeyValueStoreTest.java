package dev.caskwright.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commits, restarts and bad input of one store, without the rest of Kafka Streams. */
class KeyValueStoreTest {
    private static final TopicPartition CHANGELOG = new TopicPartition("changelog", 0);

    @TempDir
    Path directory;

    @Test
    void closingWithoutCommitKeepsWhatTheOffsetStandsFor() {
        CaskwrightKeyValueStore store = open(Map.of());
        put(store, "a", "1");
        store.commit(Map.of(CHANGELOG, 7L));
        put(store, "a", "2");
        put(store, "b", "1");
        store.delete(key("a"));
        store.close();

        store = open(Map.of());
        assertThat(store.committedOffset(CHANGELOG)).isEqualTo(7);
        assertThat(content(store)).containsExactly("a=1");
        store.close();
    }

    @Test
    void emptyCommitForgetsOffsetsAndKeepsRecords() {
        CaskwrightKeyValueStore store = open(Map.of());
        put(store, "a", "1");
        store.commit(Map.of(CHANGELOG, 7L));
        put(store, "b", "1");
        store.commit(Map.of());
        store.close();

        store = open(Map.of());
        assertThat(store.committedOffset(CHANGELOG)).isNull();
        assertThat(content(store)).containsExactly("a=1", "b=1");
        Map<TopicPartition, Long> offsets = new HashMap<>();
        offsets.put(CHANGELOG, 9L);
        store.commit(offsets);
        offsets.put(CHANGELOG, null);
        store.commit(offsets);
        assertThat(store.committedOffset(CHANGELOG)).isNull();
        store.close();
    }

    @Test
    void boundOnUncommittedBytesHolds() {
        CaskwrightKeyValueStore store = open(Map.of(StoreOptions.MAX_UNCOMMITTED, "10000"));
        store.commit(Map.of(CHANGELOG, 3L));
        for (int i = 0; i < 1010; i++) {
            put(store, "key" + i, "x".repeat(100));
            assertThat(store.store.uncommittedBytes()).isZero(); // not transactional: nothing for Kafka to commit early
        }
        assertThat(store.approximateNumEntries()).isEqualTo(1010);
        store.close();

        store = open(Map.of());
        assertThat(store.committedOffset(CHANGELOG)).isEqualTo(3);
        assertThat(store.approximateNumEntries()).isBetween(950L, 1009L);
        store.close();
    }

    @Test
    void transactionalStoreWritesNothingBeforeTheCommit() {
        Map<String, String> options = Map.of(
                StoreOptions.MAX_UNCOMMITTED,
                "10",
                "processing.guarantee",
                "exactly_once_v2",
                "enable.transactional.statestores",
                "true");
        CaskwrightKeyValueStore store = open(options);
        put(store, "a", "1");
        store.commit(Map.of(CHANGELOG, 3L));
        put(store, "a", "2");
        put(store, "b", "x".repeat(1000));
        assertThat(store.approximateNumUncommittedBytes()).isGreaterThan(1000);
        assertThat(text(store.readOnly(IsolationLevel.READ_COMMITTED).get(key("a"))))
                .isEqualTo("1");
        assertThat(text(store.readOnly(IsolationLevel.READ_UNCOMMITTED).get(key("a"))))
                .isEqualTo("2");
        store.close();

        store = open(options);
        assertThat(store.committedOffset(CHANGELOG)).isEqualTo(3);
        assertThat(content(store)).containsExactly("a=1");
        store.close();
    }

    @Test
    void exactlyOnceStoreWithChangesOfAnOpenTransactionHasNoOffset() {
        Map<String, String> options =
                Map.of(StoreOptions.MAX_UNCOMMITTED, "10", "processing.guarantee", "exactly_once_v2");
        CaskwrightKeyValueStore store = open(options);
        store.commit(Map.of(CHANGELOG, 3L));
        put(store, "a", "1");
        store.close();

        store = open(options);
        assertThat(store.committedOffset(CHANGELOG)).isNull();
        store.close();
        assertThatThrownBy(() -> open(Map.of()))
                .isInstanceOf(ProcessorStateException.class)
                .hasMessageContaining("may have been aborted");
        store = open(options);
        store.commit(Map.of(CHANGELOG, 5L));
        store.close();
        store = open(Map.of());
        assertThat(store.committedOffset(CHANGELOG)).isEqualTo(5);
        store.close();
    }

    @Test
    void restoredRecordsAreWrittenAtOnce() {
        TestContext context = new TestContext(directory, Map.of());
        CaskwrightKeyValueStore store = CaskwrightKeyValueStore.of("s", StoreFormat.PLAIN, null);
        store.init(context, store);
        context.restore(List.of(record("a", "1"), record("b", "1"), record("a", null)));
        assertThat(store.store.get(Keys.plain("b".getBytes(StandardCharsets.UTF_8)), true))
                .isNotNull();
        store.commit(Map.of(CHANGELOG, 2L));
        store.close();
        store = open(Map.of());
        assertThat(content(store)).containsExactly("b=1");
        assertThat(store.committedOffset(CHANGELOG)).isEqualTo(2);
        store.close();
    }

    @Test
    void iteratorSeesWhatIsCommittedWhileItIsOpen() {
        CaskwrightKeyValueStore store = open(Map.of());
        for (int i = 0; i < 500; i++) {
            put(store, String.format("%03d", i), "1");
        }
        List<String> seen = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> all = store.all()) {
            while (all.hasNext()) {
                seen.add(text(all.next().key.get()));
                if (seen.size() == 100) {
                    store.commit(Map.of(CHANGELOG, 1L));
                }
            }
            assertThatThrownBy(all::next).isInstanceOf(java.util.NoSuchElementException.class);
        }
        assertThat(seen).hasSize(500).doesNotHaveDuplicates().isSorted();
        store.close();
    }

    @Test
    void storeOfAnotherTaskKindOrFormatIsRefused() {
        CaskwrightKeyValueStore store = open(Map.of());
        put(store, "a", "1");
        store.commit(Map.of(CHANGELOG, 1L));
        store.close();

        TestContext otherTask = new TestContext(directory, new TaskId(0, 1), Map.of());
        CaskwrightKeyValueStore second = CaskwrightKeyValueStore.of("s", StoreFormat.PLAIN, null);
        assertThatThrownBy(() -> second.init(otherTask, second))
                .isInstanceOf(ProcessorStateException.class)
                .hasMessageContaining("task=0_1")
                .hasMessageContaining("task=0_0")
                .hasMessageContaining("nothing was changed");
        CaskwrightKeyValueStore third = CaskwrightKeyValueStore.of("s", StoreFormat.TIMESTAMPED, null);
        assertThatThrownBy(() -> third.init(new TestContext(directory, Map.of()), third))
                .isInstanceOf(ProcessorStateException.class)
                .hasMessageContaining("key-value TIMESTAMPED");
        CaskwrightSessionStore fourth =
                CaskwrightSessionStore.of("s", new SessionReads.SessionShape(1000, 1000), StoreFormat.PLAIN, null);
        assertThatThrownBy(() -> fourth.init(new TestContext(directory, Map.of()), fourth))
                .isInstanceOf(ProcessorStateException.class);

        store = open(Map.of());
        assertThat(content(store)).containsExactly("a=1");
        store.close();
    }

    @Test
    void directoryInUseIsRefused() {
        CaskwrightKeyValueStore store = open(Map.of());
        assertThatThrownBy(() -> open(Map.of()))
                .isInstanceOf(ProcessorStateException.class)
                .hasMessageContaining("in use")
                .hasMessageContaining("state.dir");
        put(store, "a", "1");
        store.commit(Map.of());
        store.close();
    }

    @Test
    void damageIsAnError() throws Exception {
        CaskwrightKeyValueStore store = open(Map.of());
        put(store, "a", "x".repeat(1000));
        store.commit(Map.of(CHANGELOG, 1L));
        store.close();
        Path file;
        try (var files = Files.walk(directory)) {
            file = files.filter(each -> each.toString().endsWith(".data"))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(file);
        int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("xxxx") + 10;
        bytes[at] ^= 1;
        Files.write(file, bytes);
        assertThatThrownBy(() -> {
                    CaskwrightKeyValueStore damaged = open(Map.of());
                    try {
                        damaged.get(key("a"));
                    } finally {
                        damaged.close();
                    }
                })
                .isInstanceOf(ProcessorStateException.class)
                .hasRootCauseInstanceOf(dev.caskwright.api.CorruptRecordException.class);
    }

    @Test
    void badOptionsAreNamed() {
        assertThatThrownBy(() -> open(Map.of("caskwright.durabilty", "sync")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("caskwright.durabilty")
                .hasMessageContaining("caskwright.durability");
        assertThatThrownBy(() -> open(Map.of(StoreOptions.DURABILITY, "none"))).isInstanceOf(ConfigException.class);
        assertThatThrownBy(() -> open(Map.of(StoreOptions.MAX_UNCOMMITTED, "-1")))
                .isInstanceOf(ConfigException.class);
        assertThatThrownBy(() -> open(Map.of("caskwright.engine.index", "hashmap")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("order")
                .hasMessageContaining("sorted");
    }

    @Test
    void oldHostIsRefused() {
        assertThatThrownBy(() -> HostVersion.check(Object.class, Object.class, "4.2.0"))
                .isInstanceOf(UnsupportedVersionException.class)
                .hasMessageContaining("4.2.0")
                .hasMessageContaining(HostVersion.NEEDED);
        HostVersion.check();
    }

    @Test
    void closedStoreRefuses() {
        CaskwrightKeyValueStore store = open(Map.of());
        KeyValueIterator<Bytes, byte[]> all = store.all();
        store.close();
        store.close();
        assertThat(store.isOpen()).isFalse();
        assertThatThrownBy(() -> store.get(key("a"))).isInstanceOf(InvalidStateStoreException.class);
        assertThatThrownBy(() -> put(store, "a", "1")).isInstanceOf(InvalidStateStoreException.class);
        all.close();
        assertThatThrownBy(all::hasNext).isInstanceOf(InvalidStateStoreException.class);
    }

    private CaskwrightKeyValueStore open(Map<String, String> configuration) {
        CaskwrightKeyValueStore store = CaskwrightKeyValueStore.of("s", StoreFormat.PLAIN, null);
        store.init(new TestContext(directory, configuration), store);
        return store;
    }

    private static KeyValue<byte[], byte[]> record(String key, String value) {
        return KeyValue.pair(
                key.getBytes(StandardCharsets.UTF_8), value == null ? null : value.getBytes(StandardCharsets.UTF_8));
    }

    private static void put(CaskwrightKeyValueStore store, String key, String value) {
        store.put(key(key), value.getBytes(StandardCharsets.UTF_8));
    }

    private static Bytes key(String key) {
        return Bytes.wrap(key.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static List<String> content(CaskwrightKeyValueStore store) {
        List<String> found = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> all = store.all()) {
            all.forEachRemaining(each -> found.add(text(each.key.get()) + "=" + text(each.value)));
        }
        List<String> reversed = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> all = store.reverseAll()) {
            all.forEachRemaining(each -> reversed.add(text(each.key.get()) + "=" + text(each.value)));
        }
        Collections.reverse(reversed);
        assertThat(reversed).isEqualTo(found);
        return found;
    }
}
