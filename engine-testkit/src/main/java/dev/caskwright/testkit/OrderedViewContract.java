package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.assertClosed;
import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.inThreads;
import static dev.caskwright.testkit.EngineSteps.keys;
import static dev.caskwright.testkit.EngineSteps.merge;
import static dev.caskwright.testkit.EngineSteps.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Codec;
import dev.caskwright.api.Codecs;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.TypedStore;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Order: what an engine that holds an {@link OrderedView} must do, and its snapshots too. */
public interface OrderedViewContract extends EngineFixture {
    @Test
    default void rangesHaveBoundsAndDirections() throws Exception {
        try (StorageEngine engine = open()) {
            for (String key : List.of("b", "a", "d", "c", "e")) {
                engine.put(bytes(key), bytes(key));
            }
            Range all = Range.all();
            assertThat(keys(engine, all)).containsExactly("a", "b", "c", "d", "e");
            assertThat(keys(engine, all.descending(true))).containsExactly("e", "d", "c", "b", "a");
            assertThat(keys(engine, all.from(bytes("b"), true).to(bytes("d"), true)))
                    .containsExactly("b", "c", "d");
            assertThat(keys(engine, all.from(bytes("b"), false).to(bytes("d"), false)))
                    .containsExactly("c");
            assertThat(keys(engine, all.from(bytes("b"), true).to(bytes("d"), false)))
                    .containsExactly("b", "c");
            assertThat(keys(
                            engine,
                            all.from(bytes("b"), false).to(bytes("d"), true).descending(true)))
                    .containsExactly("d", "c");
            assertThat(keys(engine, all.from(bytes("bb"), true))).containsExactly("c", "d", "e");
            assertThat(keys(engine, all.to(bytes("bb"), true).descending(true))).containsExactly("b", "a");
            assertThat(keys(engine, all.from(bytes("c"), true).to(bytes("c"), true)))
                    .containsExactly("c");
            assertThat(keys(engine, all.from(bytes("c"), true).to(bytes("c"), false)))
                    .isEmpty();
            assertThat(keys(engine, all.from(bytes("d"), true).to(bytes("b"), true)))
                    .isEmpty();
            assertThat(keys(engine, all.from(bytes("f"), true))).isEmpty();
            assertThat(keys(engine, all.from(new byte[0], true).to(bytes("a"), true)))
                    .containsExactly("a");
        }
    }

    @Test
    default void aLimitEndsAWalk() throws Exception {
        try (StorageEngine engine = open()) {
            List<String> all =
                    IntStream.range(0, 400).mapToObj(i -> "%03d".formatted(i)).toList();
            for (String key : all) {
                engine.put(bytes(key), bytes(key));
            }
            List<String> reversed = new ArrayList<>(all);
            Collections.reverse(reversed);
            try (Snapshot snapshot = engine.snapshot()) {
                for (ReadView view : List.of(engine, snapshot)) {
                    for (int limit : new int[] {0, 1, 2, 100, 127, 128, 129, 300, 400, 401}) {
                        assertThat(keys(view, Range.all().limit(limit)))
                                .containsExactlyElementsOf(all.subList(0, Math.min(limit, 400)));
                        assertThat(keys(view, Range.all().limit(limit).descending(true)))
                                .containsExactlyElementsOf(reversed.subList(0, Math.min(limit, 400)));
                    }
                }
                for (int i = 0; i < 300; i++) {
                    engine.delete(bytes(all.get(i)));
                }
                assertThat(keys(engine, Range.all().limit(7))).isEqualTo(all.subList(300, 307));
                assertThat(keys(snapshot, Range.all().limit(7))).isEqualTo(all.subList(0, 7));
                assertThat(keys(snapshot, Range.all().from(bytes("295"), true).limit(10)))
                        .isEqualTo(all.subList(295, 305));
            }
            assertThatThrownBy(() -> Range.all().limit(-1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("-1");
        }
    }

    @Test
    default void theArraysOfAnEntryAreItsReaders() throws Exception {
        try (StorageEngine engine = open()) {
            List<String> all =
                    IntStream.range(0, 400).mapToObj(i -> "%03d".formatted(i)).toList();
            for (String key : all) {
                engine.put(bytes(key), bytes(key));
            }
            try (Snapshot snapshot = engine.snapshot()) {
                for (ReadView view : List.of(engine, snapshot)) {
                    for (boolean isDescending : new boolean[] {false, true}) {
                        List<String> seen = new ArrayList<>();
                        try (Cursor cursor = view.ordered().range(Range.all().descending(isDescending))) {
                            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                                seen.add(text(entry.key()));
                                Arrays.fill(entry.key(), (byte) '5');
                                Arrays.fill(entry.value(), (byte) '5');
                            }
                        }
                        assertThat(seen.stream().sorted().toList()).isEqualTo(all);
                    }
                }
            }
        }
    }

    @Test
    default void keysAreInTheOrderOfUnsignedBytes() throws Exception {
        try (StorageEngine engine = open()) {
            List<byte[]> keys = new ArrayList<>();
            for (int b = 0; b < 256; b += 5) {
                keys.add(new byte[] {(byte) b});
                keys.add(new byte[] {(byte) b, 0});
                keys.add(new byte[] {(byte) b, (byte) 0xFF});
            }
            List<byte[]> shuffled = new ArrayList<>(keys);
            Collections.shuffle(shuffled, new Random(1));
            for (byte[] key : shuffled) {
                engine.put(key, key);
            }
            List<byte[]> found = new ArrayList<>();
            try (Cursor cursor = engine.ordered().range(Range.all())) {
                for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                    found.add(entry.key());
                }
            }
            assertThat(found.stream().map(KeyValues::describe))
                    .containsExactlyElementsOf(keys.stream()
                            .sorted(Arrays::compareUnsigned)
                            .map(KeyValues::describe)
                            .toList());
        }
    }

    @Test
    default void prefixesEndWhereTheyShould() throws Exception {
        try (StorageEngine engine = open()) {
            byte ff = (byte) 0xFF;
            byte[][] keys = {
                {1}, {1, 0}, {1, 5}, {1, ff}, {1, ff, 0}, {1, ff, ff}, {1, ff, ff, 7}, {2}, {ff}, {ff, 1}, {ff, ff}
            };
            for (byte[] key : keys) {
                engine.put(key, key);
            }
            assertPrefix(engine, new byte[] {1}, Arrays.copyOfRange(keys, 0, 7));
            assertPrefix(engine, new byte[] {1, ff}, Arrays.copyOfRange(keys, 3, 7));
            assertPrefix(engine, new byte[] {1, ff, ff}, Arrays.copyOfRange(keys, 5, 7));
            assertPrefix(engine, new byte[] {ff}, Arrays.copyOfRange(keys, 8, 11));
            assertPrefix(engine, new byte[] {ff, ff}, Arrays.copyOfRange(keys, 10, 11));
            assertPrefix(engine, new byte[] {3}, new byte[0][]);
            assertPrefix(engine, new byte[0], keys);
        }
    }

    private static void assertPrefix(StorageEngine engine, byte[] prefix, byte[][] expected) throws IOException {
        List<String> descriptions =
                new ArrayList<>(Arrays.stream(expected).map(KeyValues::describe).toList());
        for (boolean isDescending : new boolean[] {false, true}) {
            List<String> found = new ArrayList<>();
            try (Cursor cursor = engine.ordered().prefix(prefix, isDescending)) {
                for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                    found.add(KeyValues.describe(entry.key()));
                    assertThat(entry.value()).isEqualTo(entry.key());
                }
            }
            assertThat(found)
                    .as("prefix=%s, descending=%s", KeyValues.describe(prefix), isDescending)
                    .isEqualTo(descriptions);
            Collections.reverse(descriptions);
        }
    }

    @Test
    default void neighboursAreFound() throws Exception {
        try (StorageEngine engine = open()) {
            OrderedView ordered = engine.ordered();
            assertThat(ordered.first()).isNull();
            assertThat(ordered.last()).isNull();
            assertThat(ordered.ceiling(bytes("b"))).isNull();
            for (String key : List.of("b", "d", "f")) {
                engine.put(bytes(key), bytes(key));
            }
            assertThat(key(ordered.first())).isEqualTo("b");
            assertThat(key(ordered.last())).isEqualTo("f");
            assertThat(key(ordered.ceiling(bytes("c")))).isEqualTo("d");
            assertThat(key(ordered.ceiling(bytes("d")))).isEqualTo("d");
            assertThat(key(ordered.floor(bytes("e")))).isEqualTo("d");
            assertThat(key(ordered.floor(bytes("d")))).isEqualTo("d");
            assertThat(ordered.floor(bytes("a"))).isNull();
            assertThat(ordered.ceiling(bytes("g"))).isNull();
        }
    }

    @Test
    default void aCursorShowsWhatStaysOnceAndInOrder() throws Exception {
        AtomicBoolean isDone = new AtomicBoolean();
        try (StorageEngine engine = open()) {
            for (int i = 1000; i < 1400; i += 2) {
                engine.put(bytes(i), bytes("stays"), WriteOptions.NONE);
            }
            inThreads(2, thread -> {
                if (thread == 0) {
                    try {
                        for (int round = 0; round < 20; round++) {
                            for (int i = 1001; i < 1400; i += 2) {
                                engine.put(bytes(i), bytes("comes"), WriteOptions.NONE);
                                engine.delete(bytes(i - 2 * (round % 2)), WriteOptions.NONE);
                            }
                            merge(engine);
                        }
                    } finally {
                        isDone.set(true);
                    }
                    return;
                }
                boolean isDescending = false;
                do {
                    List<String> seen = keys(engine, Range.all().descending(isDescending));
                    List<String> sorted = new ArrayList<>(seen);
                    Collections.sort(sorted);
                    if (isDescending) {
                        Collections.reverse(sorted);
                    }
                    assertThat(seen).isEqualTo(sorted).doesNotHaveDuplicates();
                    assertThat(seen.stream().filter(key -> Integer.parseInt(key) % 2 == 0))
                            .hasSize(200);
                    isDescending = !isDescending;
                } while (!isDone.get());
            });
        }
    }

    private static @Nullable String key(@Nullable Entry entry) {
        return entry == null ? null : text(entry.key());
    }

    @Test
    default void aSnapshotHasAnOrderOfItsOwnMoment() throws Exception {
        try (StorageEngine engine = open()) {
            for (String key : List.of("kept", "changed", "deleted")) {
                engine.put(bytes(key), bytes("1"));
            }
            try (Snapshot snapshot = engine.snapshot()) {
                engine.put(bytes("changed"), bytes("2"));
                engine.delete(bytes("deleted"));
                engine.put(bytes("new"), bytes("1"));
                merge(engine);
                assertThat(keys(snapshot, Range.all())).containsExactly("changed", "deleted", "kept");
                assertThat(keys(snapshot, Range.all().descending(true))).containsExactly("kept", "deleted", "changed");
                assertThat(Objects.requireNonNull(snapshot.ordered().ceiling(bytes("d")))
                                .value())
                        .isEqualTo(bytes("1"));
            }
        }
    }

    @Test
    default void closedOrderedCursorsRefuse() throws Exception {
        StorageEngine engine = open();
        engine.put(bytes("a"), bytes("1"));
        OrderedView ordered = engine.ordered();
        Cursor cursor = ordered.range(Range.all());
        cursor.close();
        cursor.close();
        assertClosed(cursor::next);
        Cursor open = ordered.range(Range.all());
        engine.close();
        assertClosed(open::next);
        assertClosed(() -> ordered.range(Range.all()).next());
    }

    @Test
    default void typedKeysKeepTheirOrder() throws Exception {
        try (StorageEngine engine = open()) {
            TypedStore<Long, String> store = engine.as(Codecs.LONG, Codecs.STRING);
            long[] keys = {Long.MIN_VALUE, -300, -1, 0, 1, 255, 256, Long.MAX_VALUE};
            for (int i = keys.length - 1; i >= 0; i--) {
                store.put(keys[i], "v");
            }
            List<Long> walked = new ArrayList<>();
            try (var cursor = store.range(-300L, 256L)) {
                for (var pair = cursor.next(); pair != null; pair = cursor.next()) {
                    walked.add(pair.key());
                }
            }
            assertThat(walked).containsExactly(-300L, -1L, 0L, 1L, 255L);
            try (var cursor = store.range(null, null, true)) {
                assertThat(Objects.requireNonNull(cursor.next()).key()).isEqualTo(Long.MAX_VALUE);
            }
            Codec<byte[]> unordered = Codecs.of(byte[]::clone, byte[]::clone);
            assertThatThrownBy(() -> engine.as(unordered, Codecs.BYTES).range(bytes(1), bytes(2)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("Codecs.LONG");
        }
    }
}
