package dev.caskwright.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.kafka.SessionReads.SessionShape;
import dev.caskwright.kafka.WindowReads.WindowShape;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.WindowStoreIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stores that are opened, closed and opened again, and calls that come with nothing. */
class LifecycleTest {
    private static final TopicPartition CHANGELOG = new TopicPartition("changelog", 0);
    private static final Bytes KEY = Bytes.wrap("a".getBytes(StandardCharsets.UTF_8));
    private static final byte[] VALUE = "1".getBytes(StandardCharsets.UTF_8);
    private static final WindowShape WINDOWS = new WindowShape(600_000, 300_000, 1_000, false);
    private static final WindowShape DUPLICATES = new WindowShape(600_000, 300_000, 1_000, true);

    @TempDir
    Path directory;

    private CaskwrightKeyValueStore keyValues(TestContext context) {
        CaskwrightKeyValueStore store = CaskwrightKeyValueStore.of("s", StoreFormat.PLAIN, null);
        store.init(context, store);
        return store;
    }

    private CaskwrightWindowStore windows(TestContext context, WindowShape shape) {
        CaskwrightWindowStore store = CaskwrightWindowStore.of("w", shape, StoreFormat.PLAIN, null);
        store.init(context, store);
        return store;
    }

    @Test
    void anIteratorShowsNothingOnceItsStoreIsClosedOrOpenedAgain() {
        TestContext context = new TestContext(directory, Map.of());
        CaskwrightKeyValueStore store = keyValues(context);
        for (int i = 0; i < 5; i++) {
            store.put(Bytes.wrap(new byte[] {(byte) i}), VALUE); // none of them is committed
        }
        KeyValueIterator<Bytes, byte[]> all = store.all();
        all.next();
        KeyValueIterator<Bytes, byte[]> peeked = store.all();
        assertThat(peeked.hasNext()).isTrue();
        store.close();
        assertThatThrownBy(all::hasNext).isInstanceOf(InvalidStateStoreException.class);
        assertThatThrownBy(peeked::next).isInstanceOf(InvalidStateStoreException.class);
        store.init(new TestContext(directory, Map.of()), store);
        assertThatThrownBy(all::next).isInstanceOf(InvalidStateStoreException.class);
        assertThat(store.all().hasNext()).isFalse();
        all.close();
        all.close();
        peeked.close();
        store.close();
    }

    @Test
    void aStoreThatCouldNotBeRegisteredLeavesItsDirectoryFree() {
        TestContext context = new TestContext(directory, Map.of()).refusing(new IllegalStateException("twice"));
        CaskwrightKeyValueStore store = CaskwrightKeyValueStore.of("s", StoreFormat.PLAIN, null);
        assertThatThrownBy(() -> store.init(context, store)).hasMessage("twice");
        assertThat(store.isOpen()).isFalse();
        CaskwrightKeyValueStore next = keyValues(new TestContext(directory, Map.of()));
        next.put(KEY, VALUE);
        next.close();
    }

    @Test
    void aClosedStoreLeavesNoMetricBehind() {
        TestContext context = new TestContext(directory, Map.of());
        List<MetricName> before = List.copyOf(context.metrics().metrics().keySet());
        for (int i = 0; i < 2; i++) {
            CaskwrightWindowStore store = windows(context, WINDOWS);
            assertThat(context.metrics().metrics()).hasSizeGreaterThan(before.size());
            store.put(KEY, VALUE, 1_000_000);
            store.put(KEY, VALUE, 1); // late
            store.close();
            store.close();
            assertThat(context.metrics().metrics().keySet()).containsExactlyInAnyOrderElementsOf(before);
        }
        CaskwrightSessionStore sessions =
                CaskwrightSessionStore.of("c", new SessionShape(1_000, 60_000), StoreFormat.PLAIN, null);
        sessions.init(context, sessions);
        sessions.close();
        assertThat(context.metrics().metrics().keySet()).containsExactlyInAnyOrderElementsOf(before);
    }

    /** As Kafka's changelog has them: it counts each put, those without a value and those that are late too. */
    @Test
    void duplicatesThatAreRestoredOverThemselvesStayAsManyAsTheyWere() {
        CaskwrightWindowStore store =
                windows(new TestContext(directory, Map.of(StoreOptions.MAX_UNCOMMITTED, "1")), DUPLICATES);
        store.commit(Map.of(CHANGELOG, 0L));
        store.put(KEY, VALUE, 1_000_000); // the changelog's first
        store.put(KEY, null, 1_000_000);
        store.put(KEY, VALUE, 1);
        store.put(KEY, VALUE, 1_000_000); // and fourth
        store.close(); // as a kill does: what was written early is there, the offset stands before it

        TestContext context = new TestContext(directory, Map.of());
        store = windows(context, DUPLICATES);
        assertThat(store.committedOffset(CHANGELOG)).isZero();
        context.restore(List.of(
                KeyValue.pair(changelogKey(1_000_000, 1), VALUE),
                KeyValue.pair(changelogKey(1_000_000, 2), null),
                KeyValue.pair(changelogKey(1, 3), VALUE),
                KeyValue.pair(changelogKey(1_000_000, 4), VALUE)));
        int found = 0;
        try (WindowStoreIterator<byte[]> all = store.fetch(KEY, 0, Long.MAX_VALUE)) {
            for (; all.hasNext(); all.next()) {
                found++;
            }
        }
        assertThat(found).isEqualTo(2);
        store.close();
    }

    private static byte[] changelogKey(long start, int sequence) {
        return java.nio.ByteBuffer.allocate(KEY.get().length + Long.BYTES + Integer.BYTES)
                .put(KEY.get())
                .putLong(start)
                .putInt(sequence)
                .array();
    }

    @Test
    void aKeyThatIsNullIsRefusedAtOnceAndChangesNothing() {
        CaskwrightKeyValueStore store = keyValues(new TestContext(directory, Map.of()));
        assertThatThrownBy(() -> store.put(null, VALUE)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> store.putAll(Arrays.asList(KeyValue.pair(KEY, VALUE), KeyValue.pair(null, VALUE))))
                .isInstanceOf(NullPointerException.class);
        assertThat(store.get(KEY)).isNull();
        store.close();
        CaskwrightWindowStore windows = windows(new TestContext(directory, Map.of()), WINDOWS);
        assertThatThrownBy(() -> windows.put(null, VALUE, 5_000_000)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> windows.fetch(null, 0, 5_000_000)).isInstanceOf(NullPointerException.class);
        windows.put(KEY, VALUE, 1); // the refused put did not move the time on
        assertThat(windows.fetch(KEY, 1)).isEqualTo(VALUE);
        windows.close();
    }

    @Test
    void theEndsOfTimeAreBoundsOfAQuery() {
        CaskwrightWindowStore store = windows(new TestContext(directory, Map.of()), WINDOWS);
        store.put(KEY, VALUE, 1_000);
        try (WindowStoreIterator<byte[]> all = store.fetch(KEY, Instant.MIN, Instant.MAX)) {
            assertThat(all.hasNext()).isTrue();
        }
        store.close();
    }

    @Test
    void aKeyThatNoStoreCanHoldIsAbsent() {
        CaskwrightKeyValueStore store = keyValues(new TestContext(directory, Map.of()));
        assertThat(store.get(Bytes.wrap(new byte[70_000]))).isNull();
        try (KeyValueIterator<Bytes, byte[]> range =
                store.range(Bytes.wrap(new byte[70_000]), Bytes.wrap(new byte[] {9}))) {
            assertThat(range.hasNext()).isFalse();
        }
        store.close();
    }
}
