package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.assertRefused;
import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.get;
import static dev.caskwright.testkit.EngineSteps.inThreads;
import static dev.caskwright.testkit.EngineSteps.merge;
import static dev.caskwright.testkit.EngineSteps.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.TypedStore;
import dev.caskwright.api.ValueView;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Single puts, deletes and reads. */
abstract class EngineReadContract implements EngineFixture {
    private static final int BIG = 1 << 20;

    @Test
    void anAbsentKeyIsAbsentInEveryRead() throws Exception {
        try (StorageEngine engine = open()) {
            ByteBuffer target = ByteBuffer.allocate(10);
            assertThat(engine.get(bytes("a"))).isNull();
            assertThat(engine.get(bytes("a"), target)).isEqualTo(ReadView.ABSENT);
            assertThat(target.position()).isZero();
            assertThat(engine.contains(bytes("a"))).isFalse();
            assertThat(engine.entry(bytes("a"))).isNull();
            assertThat(engine.delete(bytes("a"))).isFalse();
            assertThat(engine.size()).isZero();
            assertThat(content(engine)).isEmpty();
        }
    }

    @Test
    void theLatestPutIsRead() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            engine.put(bytes("b"), bytes("2"));
            engine.put(bytes("a"), bytes("three"));
            assertThat(get(engine, "a")).isEqualTo("three");
            assertThat(engine.contains(bytes("a"))).isTrue();
            assertThat(engine.size()).isEqualTo(2);
            assertThat(content(engine)).containsExactly("a=three", "b=2");
        }
    }

    @Test
    void aDeletedKeyIsAbsentUntilPutAgain() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            assertThat(engine.delete(bytes("a"))).isTrue();
            assertThat(engine.delete(bytes("a"))).isFalse();
            assertThat(engine.contains(bytes("a"))).isFalse();
            assertThat(engine.entry(bytes("a"))).isNull();
            assertThat(engine.size()).isZero();
            engine.put(bytes("a"), bytes("2"));
            assertThat(content(engine)).containsExactly("a=2");
        }
    }

    @Test
    void deletingAnAbsentKeyWritesNothing() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            long version = engine.stats().lastVersion();
            engine.delete(bytes("b"));
            assertThat(engine.stats().lastVersion()).isEqualTo(version);
        }
    }

    @Test
    void anEmptyValueIsAValue() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), new byte[0]);
            engine.put(bytes("b"), bytes("after it"));
            assertEmptyValue(engine);
        }
        try (StorageEngine engine = open()) {
            assertEmptyValue(engine);
            merge(engine);
            assertEmptyValue(engine);
        }
        try (StorageEngine engine = open()) {
            assertEmptyValue(engine);
        }
    }

    private static void assertEmptyValue(StorageEngine engine) throws IOException {
        assertThat(engine.get(bytes("a"))).isEmpty();
        assertThat(engine.get(bytes("a"), ByteBuffer.allocate(0))).isZero();
        assertThat(engine.contains(bytes("a"))).isTrue();
        assertThat(content(engine)).containsExactly("a=", "b=after it");
    }

    @Test
    void keysAreAnyBytes() throws Exception {
        List<byte[]> keys = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            keys.add(new byte[] {(byte) b});
            keys.add(new byte[] {(byte) b, 0});
            keys.add(new byte[] {0, (byte) b, (byte) 0xFF});
        }
        try (StorageEngine engine = open()) {
            for (byte[] key : keys) {
                engine.put(key, KeyValues.bytes(KeyValues.describe(key)));
            }
        }
        try (StorageEngine engine = open()) {
            assertThat(engine.size()).isEqualTo(keys.size());
            for (byte[] key : keys) {
                assertThat(text(engine.get(key))).isEqualTo(KeyValues.describe(key));
            }
        }
    }

    @Test
    void valuesMayLookLikeAnything() throws Exception {
        List<byte[]> values = new ArrayList<>();
        for (int length : new int[] {1, 3, 4, 7, 8, 16, 24, 64, 4096, 70_000}) {
            for (int fill : new int[] {0, 1, 2, 0x7F, 0xFF}) {
                byte[] value = new byte[length];
                Arrays.fill(value, (byte) fill);
                values.add(value);
            }
        }
        try (StorageEngine engine = open()) {
            for (int i = 0; i < values.size(); i++) {
                engine.put(KeyValues.key(i), values.get(i));
            }
            merge(engine);
        }
        try (StorageEngine engine = open()) {
            for (int i = 0; i < values.size(); i++) {
                assertThat(engine.get(KeyValues.key(i))).isEqualTo(values.get(i));
            }
        }
    }

    @Test
    void theLongestKeyAndABigValueAreKept() throws Exception {
        byte[] key = new byte[StorageEngine.MAX_KEY_LENGTH];
        byte[] value = new byte[BIG];
        new Random(1).nextBytes(key);
        new Random(2).nextBytes(value);
        try (StorageEngine engine = open()) {
            engine.put(key, value);
            engine.put(Arrays.copyOf(key, key.length - 1), bytes("other"));
            assertThat(engine.get(key)).isEqualTo(value);
        }
        try (StorageEngine engine = open()) {
            assertThat(engine.get(key)).isEqualTo(value);
            assertThat(engine.size()).isEqualTo(2);
        }
    }

    @Test
    void keysOfOtherLengthsAreRefusedEverywhere() throws Exception {
        try (StorageEngine engine = open()) {
            long version = engine.stats().lastVersion();
            for (byte[] key : new byte[][] {{}, new byte[StorageEngine.MAX_KEY_LENGTH + 1]}) {
                byte[] value = bytes("v");
                assertRefused(() -> engine.get(key));
                assertRefused(() -> engine.get(key, ByteBuffer.allocate(1)));
                assertRefused(() -> engine.contains(key));
                assertRefused(() -> engine.entry(key));
                assertRefused(() -> engine.put(key, value));
                assertRefused(() -> engine.delete(key));
                assertRefused(() -> engine.getAll(bytes("good"), key));
                assertRefused(() -> engine.read(key, ValueView::length));
                WriteBatch batch = new WriteBatch().put(bytes("good"), value);
                assertRefused(() -> batch.put(key, value));
                assertRefused(() -> batch.delete(key));
                assertThat(batch.size()).isEqualTo(1);
                assertRefused(() -> {
                    try (var snapshot = engine.snapshot()) {
                        snapshot.get(key);
                    }
                });
            }
            assertThat(engine.stats().lastVersion()).isEqualTo(version);
            assertThat(engine.size()).isZero();
            engine.put(bytes("a"), bytes("1"));
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).containsExactly("a=1");
        }
    }

    @Test
    void arraysAreNeitherKeptNorShared() throws Exception {
        try (StorageEngine engine = open()) {
            byte[] key = bytes("a");
            byte[] value = bytes("1");
            WriteBatch batch = new WriteBatch();
            byte[] batchKey = bytes("b");
            byte[] batchValue = bytes("2");
            batch.put(batchKey, batchValue);
            engine.put(key, value);
            key[0] = 'x';
            value[0] = 'x';
            batchKey[0] = 'x';
            batchValue[0] = 'x';
            engine.write(batch, WriteOptions.DEFAULT);
            Objects.requireNonNull(engine.get(bytes("a")))[0] = 'x';
            Entry entry = Objects.requireNonNull(engine.entry(bytes("a")));
            entry.key()[0] = 'x';
            entry.value()[0] = 'x';
            engine.visit(visited -> {
                visited.key()[0] = 'x';
                visited.value()[0] = 'x';
                return true;
            });
            assertThat(content(engine)).containsExactly("a=1", "b=2");
        }
    }

    @Test
    void getIntoABufferAdvancesIt() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("12345"));
            ByteBuffer slice = ByteBuffer.wrap(bytes("..........")).position(2).slice();
            for (ByteBuffer target : List.of(ByteBuffer.allocate(8), ByteBuffer.allocateDirect(8), slice)) {
                target.position(1);
                assertThat(engine.get(bytes("a"), target)).isEqualTo(5);
                assertThat(target.position()).isEqualTo(6);
                byte[] copied = new byte[5];
                target.get(1, copied);
                assertThat(text(copied)).isEqualTo("12345");
            }
        }
    }

    @Test
    void aBufferThatIsTooSmallStaysAsItIs() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("12345"));
            ByteBuffer target = ByteBuffer.wrap(bytes("........"));
            target.position(2).limit(6);
            assertThat(engine.get(bytes("a"), target)).isEqualTo(5);
            assertThat(target.position()).isEqualTo(2);
            assertThat(target.limit()).isEqualTo(6);
            assertThat(text(target.array())).isEqualTo("........");
            target.limit(7);
            assertThat(engine.get(bytes("a"), target)).isEqualTo(5);
            assertThat(target.remaining()).isZero();
            assertThat(text(target.array())).isEqualTo("..12345.");
        }
    }

    @Test
    void aVisitEndsWhenTheVisitorHasEnough() throws Exception {
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 10; i++) {
                engine.put(bytes(i), bytes(i));
            }
            List<String> visited = new ArrayList<>();
            engine.visit(entry -> {
                visited.add(text(entry.key()));
                return visited.size() < 3;
            });
            assertThat(visited).hasSize(3).doesNotHaveDuplicates();
            IOException failure = new IOException("from the visitor");
            assertThatThrownBy(() -> engine.visit(entry -> {
                        throw failure;
                    }))
                    .isSameAs(failure);
            assertThat(content(engine)).hasSize(10);
        }
    }

    @Test
    void writesMadeDuringAVisitDoNotShow() throws Exception {
        try (StorageEngine engine = open()) {
            List<String> expected = new ArrayList<>();
            for (int i = 10; i < 60; i++) {
                engine.put(bytes(i), bytes("before"));
                expected.add(i + "=before");
            }
            List<String> visited = new ArrayList<>();
            engine.visit(entry -> {
                if (visited.isEmpty()) {
                    for (int i = 10; i < 60; i++) {
                        if (i % 3 == 0) {
                            engine.delete(bytes(i));
                        } else {
                            engine.put(bytes(i), bytes("after"));
                        }
                        engine.put(bytes(i + 100), bytes("new"));
                    }
                    merge(engine);
                }
                visited.add(text(entry.key()) + "=" + text(entry.value()));
                return true;
            });
            assertThat(visited).containsExactlyInAnyOrderElementsOf(expected);
        }
    }

    @Test
    void aVisitBesideWritersShowsOneMoment() throws Exception {
        int keys = 100;
        AtomicBoolean isDone = new AtomicBoolean();
        try (StorageEngine engine = open()) {
            engine.write(all(keys, 0), WriteOptions.NONE);
            inThreads(2, thread -> {
                if (thread == 0) {
                    try {
                        for (int round = 1; round <= 30; round++) {
                            engine.write(all(keys, round), WriteOptions.NONE);
                        }
                    } finally {
                        isDone.set(true);
                    }
                    return;
                }
                do {
                    Map<byte[], Entry> seen = KeyValues.entries(engine);
                    TreeSet<String> values = new TreeSet<>();
                    seen.values().forEach(entry -> values.add(Objects.requireNonNull(text(entry.value()))));
                    assertThat(seen).hasSize(keys);
                    assertThat(values).as("one batch wrote them all").hasSize(1);
                } while (!isDone.get());
            });
        }
    }

    private static WriteBatch all(int keys, int value) {
        WriteBatch batch = new WriteBatch();
        for (int i = 0; i < keys; i++) {
            batch.put(KeyValues.key(i), bytes(value));
        }
        return batch;
    }

    @Test
    void statsAreSane() throws Exception {
        try (StorageEngine engine = open()) {
            EngineStats empty = engine.stats();
            assertThat(empty.keys()).isZero();
            assertThat(empty.space().liveBytes()).isZero();
            assertThat(empty.opening().tornBytesCut()).isZero();
            assertThat(empty.space().amplification()).isEqualTo(1.0);

            for (int i = 0; i < 100; i++) {
                engine.put(KeyValues.key(i), new byte[100]);
            }
            EngineStats full = engine.stats();
            assertThat(full.keys()).isEqualTo(100);
            assertThat(full.space().liveBytes()).isGreaterThan(100 * 100);
            assertThat(full.space().diskBytes())
                    .isGreaterThanOrEqualTo(full.space().liveBytes());
            assertThat(full.writes().writtenBytes())
                    .isGreaterThanOrEqualTo(full.space().liveBytes());
            assertThat(full.lastVersion()).isGreaterThanOrEqualTo(empty.lastVersion() + 100);
            assertThat(full.space().files()).isPositive();
            assertThat(full.memory().indexBytes()).isPositive();

            for (int i = 0; i < 100; i++) {
                engine.delete(KeyValues.key(i));
            }
            EngineStats deleted = engine.stats();
            assertThat(deleted.keys()).isZero();
            assertThat(deleted.space().liveBytes()).isLessThan(full.space().liveBytes());
            if (deleted.merging().merges() == 0) { // otherwise the space may be back already
                assertThat(deleted.space().deadBytes()).isGreaterThan(100 * 100);
            }
            assertThat(deleted.snapshots()).isZero();
            try (var snapshot = engine.snapshot()) {
                assertThat(snapshot.version()).isEqualTo(engine.stats().lastVersion());
                assertThat(engine.stats().snapshots()).isEqualTo(1);
            }
            assertThat(engine.stats().snapshots()).isZero();
            assertThat(engine.health()).isNull();
        }
    }

    @Test
    void aCursorShowsWhatAVisitShows() throws Exception {
        try (StorageEngine engine = open()) {
            assertThat(walked(engine)).isEmpty();
            for (int i = 0; i < 700; i++) {
                engine.put(KeyValues.key(i % 500), bytes(i));
            }
            for (int i = 0; i < 500; i += 7) {
                engine.delete(KeyValues.key(i));
            }
            assertThat(walked(engine)).isEqualTo(content(engine));
            try (Snapshot snapshot = engine.snapshot()) {
                List<String> moment = content(snapshot);
                for (int i = 0; i < 500; i += 3) {
                    engine.put(KeyValues.key(i), bytes("later"));
                    engine.delete(KeyValues.key(i + 1));
                }
                merge(engine);
                assertThat(walked(snapshot)).isEqualTo(moment);
                assertThat(walked(engine)).isEqualTo(content(engine));
            }
        }
    }

    private static List<String> walked(ReadView view) throws IOException {
        NavigableMap<byte[], Entry> entries = KeyValues.newMap();
        try (Cursor cursor = view.cursor()) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                assertThat(entries.put(entry.key(), entry)).as("shown twice").isNull();
            }
            assertThat(cursor.next()).as("stays at its end").isNull();
        }
        List<String> walked = new ArrayList<>();
        entries.values().forEach(entry -> walked.add(text(entry.key()) + "=" + text(entry.value())));
        return walked;
    }

    @Test
    void writesMadeBesideACursorDoNotShow() throws Exception {
        try (StorageEngine engine = open()) {
            for (int i = 10; i < 60; i++) {
                engine.put(bytes(i), bytes("before"));
            }
            List<String> expected = content(engine);
            List<String> walked = new ArrayList<>();
            try (Cursor cursor = engine.cursor()) {
                for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                    walked.add(text(entry.key()) + "=" + text(entry.value()));
                    int i = 10 + walked.size() % 50;
                    if (i % 3 == 0) {
                        engine.delete(bytes(i));
                    } else {
                        engine.put(bytes(i), bytes("after"));
                    }
                    engine.put(bytes(i + 100), bytes("new"));
                    if (walked.size() % 20 == 0) {
                        merge(engine);
                    }
                }
            }
            assertThat(walked).containsExactlyInAnyOrderElementsOf(expected);
        }
    }

    @Test
    void manyKeysAtOnceAnswerAsOneByOne() throws Exception {
        Random random = new Random(11);
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 300; i++) {
                engine.put(KeyValues.key(i), KeyValues.value(random, i % 50 == 0 ? 70_000 : 300));
            }
            for (int i = 0; i < 300; i += 7) {
                engine.delete(KeyValues.key(i));
            }
            assertThat(engine.getAll()).isEmpty();
            try (Snapshot snapshot = engine.snapshot()) {
                for (int i = 0; i < 300; i += 5) {
                    engine.put(KeyValues.key(i), bytes("later"));
                    engine.delete(KeyValues.key(i + 1));
                }
                merge(engine);
                for (int size : new int[] {1, 2, 16, 63, 64, 65, 200}) {
                    byte[][] keys = new byte[size][];
                    for (int i = 0; i < size; i++) {
                        keys[i] = KeyValues.key(random.nextInt(400)); // some are absent, and some are asked for twice
                    }
                    for (ReadView view : List.of(engine, snapshot)) {
                        byte[] @Nullable [] values = view.getAll(keys);
                        assertThat(values.length).isEqualTo(size);
                        for (int i = 0; i < size; i++) {
                            assertThat(values[i])
                                    .as("%s of %s", KeyValues.describe(keys[i]), size)
                                    .isEqualTo(view.get(keys[i]));
                        }
                    }
                }
            }
        }
    }

    @Test
    void keysAndValuesMayBePartsOfBuffers() throws Exception {
        byte[] array = bytes("..key=value..");
        ByteBuffer direct = ByteBuffer.allocateDirect(array.length).put(array);
        try (StorageEngine engine = open()) {
            for (ByteBuffer whole : List.of(
                    ByteBuffer.wrap(array), direct, ByteBuffer.wrap(array).asReadOnlyBuffer())) {
                ByteBuffer key = whole.duplicate().position(2).limit(5);
                ByteBuffer value = whole.duplicate().position(6).limit(11);
                engine.put(key, value);
                assertThat(content(engine)).containsExactly("key=value");
                assertThat(text(engine.get(key))).isEqualTo("value");
                assertThat(text(engine.get(key.slice()))).isEqualTo("value");
                assertThat(engine.delete(key)).isTrue();
                assertThat(engine.delete(key)).isFalse();
                assertThat(engine.get(key)).isNull();
                assertThat(key.position()).isEqualTo(2);
                assertThat(value.limit()).isEqualTo(11);
            }
            assertRefused(() -> engine.put(ByteBuffer.allocate(0), direct));
            assertRefused(() -> engine.get(ByteBuffer.allocate(0)));
        }
    }

    @Test
    void aValueIsReadInPlaceAndNoLonger() throws Exception {
        byte[] large = new byte[300_000];
        new Random(5).nextBytes(large);
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("12345678"));
            engine.put(bytes("large"), large);
            engine.put(bytes("empty"), new byte[0]);
            ValueView[] kept = new ValueView[1];
            try (Snapshot snapshot = engine.snapshot()) {
                for (ReadView view : List.of(engine, snapshot)) {
                    String read = view.read(bytes("a"), value -> {
                        kept[0] = value;
                        assertThat(value.length()).isEqualTo(8);
                        assertThat(value.byteAt(7)).isEqualTo((byte) '8');
                        assertThat(value.longAt(0)).isEqualTo(0x3132333435363738L);
                        assertThat(value.contentEquals(bytes("12345678"))).isTrue();
                        byte[] target = bytes("......");
                        value.copyTo(2, target, 1, 3);
                        assertThat(text(target)).isEqualTo(".345..");
                        assertThatThrownBy(() -> value.byteAt(8)).isInstanceOf(IndexOutOfBoundsException.class);
                        assertThatThrownBy(() -> value.byteAt(-1)).isInstanceOf(IndexOutOfBoundsException.class);
                        assertThatThrownBy(() -> value.longAt(1)).isInstanceOf(IndexOutOfBoundsException.class);
                        return text(value.toBytes());
                    });
                    assertThat(read).isEqualTo("12345678");
                    ValueView ended = kept[0];
                    assertThatThrownBy(ended::length).isInstanceOf(IllegalStateException.class);
                    assertThatThrownBy(() -> ended.byteAt(0)).isInstanceOf(IllegalStateException.class);
                    assertThatThrownBy(ended::toBytes).isInstanceOf(IllegalStateException.class);
                    assertThat(view.<byte[]>read(bytes("large"), ValueView::toBytes))
                            .isEqualTo(large);
                    assertThat(view.<Integer>read(bytes("empty"), ValueView::length))
                            .isZero();
                    assertThat(view.<String>read(bytes("absent"), value -> {
                                throw new AssertionError("there is no value");
                            }))
                            .isNull();
                }
            }
        }
    }

    @Test
    void whoReadsInPlaceMayUseTheStore() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            engine.read(bytes("a"), value -> {
                for (int i = 0; i < 300; i++) {
                    engine.put(KeyValues.key(i), new byte[100], WriteOptions.SYNC);
                    assertThat(engine.get(KeyValues.key(i))).hasSize(100);
                }
                engine.delete(bytes("a"));
                merge(engine);
                assertThat(text(value.toBytes())).isEqualTo("1");
                return null;
            });
            assertThat(engine.contains(bytes("a"))).isFalse();
            IOException failure = new IOException("from the reader");
            assertThatThrownBy(() -> engine.read(KeyValues.key(1), value -> {
                        throw failure;
                    }))
                    .isSameAs(failure);
            assertThat(engine.size()).isEqualTo(300);
        }
    }

    @Test
    void aStoreHasKeysAndValuesOfOtherTypes() throws Exception {
        try (StorageEngine engine = open()) {
            TypedStore<Long, String> store = engine.as(Codecs.LONG, Codecs.STRING);
            for (long key : new long[] {5, -7, Long.MIN_VALUE, Long.MAX_VALUE, 0}) {
                store.put(key, "value " + key);
            }
            assertThat(store.get(-7L)).isEqualTo("value -7");
            assertThat(store.get(6L)).isNull();
            assertThat(store.contains(0L)).isTrue();
            assertThat(store.getAll(List.of(5L, 6L, 0L))).containsExactly("value 5", null, "value 0");
            assertThat(store.delete(0L)).isTrue();
            int walked = 0;
            try (var cursor = store.cursor()) {
                for (var pair = cursor.next(); pair != null; pair = cursor.next()) {
                    assertThat(pair.value()).isEqualTo("value " + pair.key());
                    walked++;
                }
            }
            assertThat(walked).isEqualTo(4);
            try (Snapshot snapshot = engine.snapshot()) {
                store.put(5L, "later");
                assertThat(snapshot.viewAs(Codecs.LONG, Codecs.STRING).get(5L)).isEqualTo("value 5");
            }
        }
    }
}
