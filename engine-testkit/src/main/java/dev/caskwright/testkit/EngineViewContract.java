package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Snapshots and ordered views. */
abstract class EngineViewContract extends EngineWriteContract {
    @Test
    void aSnapshotStaysAsItWas() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("changed"), bytes("1"));
            engine.put(bytes("deleted"), bytes("1"));
            engine.put(bytes("expiring"), bytes("1"), WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1)));
            engine.put(bytes("kept"), bytes("1"));
            try (Snapshot snapshot = engine.snapshot()) {
                assertThat(snapshot.version()).isEqualTo(engine.stats().lastVersion());
                engine.put(bytes("changed"), bytes("2"));
                engine.put(bytes("changed"), bytes("3"));
                engine.delete(bytes("deleted"));
                engine.put(bytes("new"), bytes("1"));
                engine.delete(bytes("new"));
                engine.put(bytes("newer"), bytes("1"));
                clock.advance(Duration.ofSeconds(2));

                assertMoment(snapshot);
                engine.require(Merging.class).merge();
                assertMoment(snapshot);
                engine.write(new WriteBatch().delete(bytes("kept")).delete(bytes("changed")), WriteOptions.DEFAULT);
                engine.require(Merging.class).merge();
                assertMoment(snapshot);
                assertThat(content(engine)).containsExactly("newer=1");
            }
        }
    }

    private void assertMoment(Snapshot snapshot) throws IOException {
        assertThat(content(snapshot)).containsExactly("changed=1", "deleted=1", "expiring=1", "kept=1");
        assertThat(get(snapshot, "changed")).isEqualTo("1");
        assertThat(get(snapshot, "deleted")).isEqualTo("1");
        assertThat(get(snapshot, "expiring")).isEqualTo("1");
        assertThat(snapshot.contains(bytes("new"))).isFalse();
        assertThat(snapshot.entry(bytes("newer"))).isNull();
        assertThat(snapshot.facet(OrderedView.class).isPresent()).isEqualTo(isOrdered());
        if (isOrdered()) {
            assertThat(keys(snapshot, Range.all())).containsExactly("changed", "deleted", "expiring", "kept");
            assertThat(keys(snapshot, Range.all().descending(true)))
                    .containsExactly("kept", "expiring", "deleted", "changed");
        }
    }

    @Test
    void eachSnapshotHasItsOwnMoment() throws Exception {
        try (StorageEngine engine = open()) {
            NavigableMap<Integer, Snapshot> snapshots = new TreeMap<>();
            for (int i = 0; i < 5; i++) {
                engine.write(pair(i), WriteOptions.DEFAULT);
                snapshots.put(i, engine.snapshot());
            }
            engine.delete(bytes("left"));
            for (int closing : new int[] {2, 0, 4, 1, 3}) {
                engine.require(Merging.class).merge();
                for (Map.Entry<Integer, Snapshot> open : snapshots.entrySet()) {
                    int moment = open.getKey();
                    assertThat(content(open.getValue())).containsExactly("left=" + moment, "right=" + moment);
                }
                Snapshot closed = Objects.requireNonNull(snapshots.remove(closing));
                closed.close();
                closed.close();
            }
            assertThat(content(engine)).containsExactly("right=4");
        }
    }

    @Test
    void aClosedSnapshotGivesItsFilesBack() throws Exception {
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 200; i++) {
                engine.put(KeyValues.key(i), new byte[100]);
            }
            Snapshot snapshot = engine.snapshot();
            for (int i = 0; i < 200; i++) {
                engine.delete(KeyValues.key(i));
            }
            engine.require(Merging.class).merge();
            assertThat(KeyValues.entries(snapshot)).hasSize(200);
            snapshot.close();
            engine.require(Merging.class).merge();
            assertThat(engine.stats().space().pinnedBytes()).isZero();
            assertThat(engine.stats().space().diskBytes()).isLessThan(200 * 100);
        }
    }

    @Test
    void theOrderedViewIsThereExactlyIfPromised() throws Exception {
        try (StorageEngine engine = open()) {
            assertThat(engine.facet(OrderedView.class).isPresent()).isEqualTo(isOrdered());
        }
    }

    @Test
    void rangesHaveBoundsAndDirections() throws Exception {
        try (StorageEngine engine = open()) {
            if (!isOrdered()) {
                return;
            }
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
    void aLimitEndsAWalk() throws Exception {
        try (StorageEngine engine = open()) {
            if (!isOrdered()) {
                return;
            }
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
    void theArraysOfAnEntryAreItsReaders() throws Exception {
        try (StorageEngine engine = open()) {
            if (!isOrdered()) {
                return;
            }
            List<String> all =
                    IntStream.range(0, 400).mapToObj(i -> "%03d".formatted(i)).toList();
            for (String key : all) {
                engine.put(bytes(key), bytes(key));
            }
            try (Snapshot snapshot = engine.snapshot()) {
                for (ReadView view : List.of(engine, snapshot)) {
                    for (boolean isDescending : new boolean[] {false, true}) {
                        List<String> seen = new ArrayList<>();
                        try (Cursor cursor = ordered(view).range(Range.all().descending(isDescending))) {
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
    void keysAreInTheOrderOfUnsignedBytes() throws Exception {
        try (StorageEngine engine = open()) {
            if (!isOrdered()) {
                return;
            }
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
            try (Cursor cursor = ordered(engine).range(Range.all())) {
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
    void prefixesEndWhereTheyShould() throws Exception {
        try (StorageEngine engine = open()) {
            if (!isOrdered()) {
                return;
            }
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
            try (Cursor cursor = ordered(engine).prefix(prefix, isDescending)) {
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
    void neighboursAreFound() throws Exception {
        try (StorageEngine engine = open()) {
            if (!isOrdered()) {
                return;
            }
            OrderedView ordered = ordered(engine);
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
    void aCursorShowsWhatStaysOnceAndInOrder() throws Exception {
        AtomicBoolean isDone = new AtomicBoolean();
        try (StorageEngine engine = open()) {
            if (!isOrdered()) {
                return;
            }
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
                            engine.require(Merging.class).merge();
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

    static OrderedView ordered(ReadView view) {
        return view.ordered();
    }

    static List<String> keys(ReadView view, Range range) throws IOException {
        List<String> keys = new ArrayList<>();
        try (Cursor cursor = ordered(view).range(range)) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                keys.add(text(entry.key()));
            }
            assertThat(cursor.next()).as("stays at its end").isNull();
        }
        return keys;
    }

    private static @Nullable String key(@Nullable Entry entry) {
        return entry == null ? null : text(entry.key());
    }
}
