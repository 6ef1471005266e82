package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.bitcask.merge.MergePolicy;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What snapshots and scans show, whatever is written, merged and closed meanwhile, and what they hold. */
final class SnapshotsTest {
    private static final int KEYS = 40;

    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager().logging(false);

    private EngineBuilder builder() {
        return CrashFixture.builder(disk.factory(HOME), clock);
    }

    private BitcaskEngine open() throws IOException {
        return builder().index(context -> new SmallImageIndex(() -> {})).open();
    }

    private static byte[] key(int number) {
        return KeyValues.key(number);
    }

    private static byte[] value(String text) {
        return KeyValues.bytes(text);
    }

    private static void fill(BitcaskEngine engine, int count, String text) throws IOException {
        for (int i = 0; i < count; i++) {
            engine.put(key(i), value(text + i));
        }
    }

    /** Checks that every way to read a view gives the same; returns the values. */
    private static NavigableMap<byte[], String> content(ReadView view, int keys) throws IOException {
        NavigableMap<byte[], Entry> visited = KeyValues.entries(view);
        NavigableMap<byte[], String> values = KeyValues.newMap();
        for (int i = 0; i < keys; i++) {
            byte[] key = key(i);
            Entry entry = visited.remove(key);
            byte[] value = view.get(key);
            ByteBuffer target = ByteBuffer.allocate(100);
            assertThat(view.contains(key)).isEqualTo(value != null);
            if (value == null) {
                assertThat(entry).as("key %s is absent, but visited", i).isNull();
                assertThat(view.entry(key)).isNull();
                assertThat(view.get(key, target)).isEqualTo(ReadView.ABSENT);
                continue;
            }
            assertThat(entry).as("key %s is there, but not visited", i).isNotNull();
            assertThat(entry.value()).isEqualTo(value);
            assertThat(view.get(key, target)).isEqualTo(value.length);
            Entry single = view.entry(key);
            assertThat(single).isNotNull();
            assertThat(single.version()).isEqualTo(entry.version());
            assertThat(single.expiresAtMillis()).isEqualTo(entry.expiresAtMillis());
            values.put(key, new String(value, StandardCharsets.UTF_8));
        }
        assertThat(visited).isEmpty();
        if (view.facet(OrderedView.class).isPresent()) {
            try (Cursor cursor = view.ordered().range(Range.all())) {
                for (Map.Entry<byte[], String> each : values.entrySet()) {
                    Entry next = cursor.next();
                    assertThat(next).isNotNull();
                    assertThat(next.key()).isEqualTo(each.getKey());
                    assertThat(next.value()).isEqualTo(value(each.getValue()));
                }
                assertThat(cursor.next()).isNull();
            }
        }
        return values;
    }

    /** An open snapshot, and what it should show. */
    private record Moment(Snapshot snapshot, NavigableMap<byte[], String> content) {}

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void everySnapshotStaysAsItWas(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        KeyIndexFactory[] indexes = {
            context -> new SmallImageIndex(() -> {}), context -> new SmallOrderedIndex(), HashKeyIndex::new
        };
        List<Moment> open = new ArrayList<>();
        try (BitcaskEngine engine = builder()
                .index(indexes[(int) seed % indexes.length])
                .maxFileBytes(2_000)
                .open()) {
            for (int step = 0; step < 400; step++) {
                byte[] key = key(random.nextInt(KEYS));
                switch (random.nextInt(16)) {
                    case 0, 1 -> engine.delete(key);
                    case 2 ->
                        engine.write(
                                new WriteBatch()
                                        .put(key, value("batch" + step))
                                        .delete(key(random.nextInt(KEYS)))
                                        .put(key(random.nextInt(KEYS)), value("batched" + step)),
                                WriteOptions.DEFAULT);
                    case 3 -> {
                        engine.put(key, value("brief" + step), WriteOptions.DEFAULT.timeToLive(Duration.ofMillis(2)));
                        clock.advance(Duration.ofMillis(1));
                    }
                    case 4 -> {
                        disk.capacity(1);
                        assertThatThrownBy(() -> engine.put(key, new byte[50])).isInstanceOf(OutOfSpaceException.class);
                        disk.capacity(Long.MAX_VALUE);
                    }
                    case 5, 6 -> open.add(new Moment(engine.snapshot(), content(engine, KEYS)));
                    case 7 -> {
                        if (!open.isEmpty()) {
                            open.remove(random.nextInt(open.size())).snapshot().close();
                        }
                    }
                    case 8 -> {
                        if (random.nextInt(4) == 0) {
                            engine.merge();
                        }
                    }
                    default -> engine.put(key, value("step" + step));
                }
                if (step % 8 == 0 && !open.isEmpty()) {
                    Moment moment = open.get(random.nextInt(open.size()));
                    assertThat(content(moment.snapshot(), KEYS))
                            .as("seed=%s, step=%s", seed, step)
                            .isEqualTo(moment.content());
                }
                assertThat(engine.stats().snapshots()).isEqualTo(open.size());
            }
            while (!open.isEmpty()) {
                for (Moment moment : open) {
                    assertThat(content(moment.snapshot(), KEYS))
                            .as("seed=%s, left=%s", seed, open.size())
                            .isEqualTo(moment.content());
                }
                open.remove(random.nextInt(open.size())).snapshot().close();
            }
            assertThat(engine.stats().space().pinnedBytes()).isZero();
            assertThat(engine.health()).isNull();
        }
    }

    @Test
    void theLimitIsForThoseThatAUserHasOpen() throws IOException {
        try (BitcaskEngine engine = builder().maxSnapshots(2).open()) {
            fill(engine, 10, "value");
            for (int round = 0; round < 3; round++) {
                Snapshot one = engine.snapshot();
                Snapshot other = engine.snapshot();
                assertThat(engine.stats().snapshots()).isEqualTo(2);
                assertThatThrownBy(engine::snapshot)
                        .hasMessageContaining("limit=2")
                        .isInstanceOfSatisfying(EngineException.class, e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.TOO_MANY_SNAPSHOTS);
                            assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED);
                        });
                assertThat(content(engine, 10)).as("scans do not count").hasSize(10);
                assertThat(content(one, 10)).hasSize(10);
                other.close();
                other.close(); // counts once
                Snapshot third = engine.snapshot();
                assertThatThrownBy(engine::snapshot).isInstanceOf(EngineException.class);
                one.close();
                third.close();
                assertThat(engine.stats().snapshots()).isZero();
            }
        }
    }

    @Test
    void whoHoldsAllSnapshotsMayStillBackUpAndFollowChanges() throws IOException {
        try (BitcaskEngine engine = builder().maxSnapshots(1).open()) {
            fill(engine, 10, "value");
            try (Snapshot only = engine.snapshot()) {
                List<byte[]> changed = new ArrayList<>();
                engine.changes(0, change -> changed.add(change.key()));
                assertThat(changed).hasSize(10);
                engine.backup(CrashFixture.BACKUP);
                assertThat(engine.stats().snapshots())
                        .as("those of calls are closed")
                        .isEqualTo(1);
                assertThat(content(only, 10)).hasSize(10);
            }
        }
    }

    @Test
    void aScanIsASnapshotUntilItEnds() throws IOException {
        try (BitcaskEngine engine = builder().maxSnapshots(1).open()) {
            fill(engine, 10, "value");
            engine.visit(entry -> {
                assertThat(engine.stats().snapshots()).isEqualTo(1);
                engine.snapshot().close(); // it is no user's
                return false;
            });
            assertThat(engine.stats().snapshots()).isZero();
            assertThatThrownBy(() -> engine.visit(entry -> {
                        throw new IllegalStateException("planted");
                    }))
                    .hasMessage("planted");
            assertThat(engine.stats().snapshots()).isZero();
            engine.snapshot().close();
        }
    }

    @Test
    void aScanHasEveryRecordOfALongFileOnce() throws IOException {
        int count = 1_500; // several batches, and several fillings of the scanner's buffer
        try (BitcaskEngine engine = builder().maxFileBytes(1 << 20).open()) {
            fill(engine, count, "old");
            Snapshot snapshot = engine.snapshot();
            fill(engine, count / 2, "new");
            NavigableMap<byte[], String> now = content(engine, count);
            assertThat(now).hasSize(count);
            assertThat(now.get(key(count / 2 - 1))).startsWith("new");
            assertThat(now.get(key(count / 2))).startsWith("old");
            assertThat(content(snapshot, count))
                    .hasSize(count)
                    .allSatisfy((key, value) -> assertThat(value).startsWith("old"));
            for (int limit : new int[] {1, 255, 256, 257, count / 2 + 1, count}) {
                for (ReadView view : List.of(engine, snapshot)) {
                    AtomicInteger seen = new AtomicInteger();
                    view.visit(entry -> seen.incrementAndGet() < limit);
                    assertThat(seen).as("of %s", view).hasValue(limit);
                }
            }
            snapshot.close();
        }
    }

    @Test
    void whatExpiresIsSeenUntilThen() throws IOException {
        try (BitcaskEngine engine = open()) {
            engine.put(key(1), value("brief"), WriteOptions.DEFAULT.timeToLive(Duration.ofMillis(10)));
            clock.advance(Duration.ofMillis(9));
            Snapshot before = engine.snapshot();
            clock.advance(Duration.ofMillis(1));
            Snapshot after = engine.snapshot();
            assertThat(content(before, 2)).hasSize(1);
            assertThat(content(after, 2)).isEmpty();
            assertThat(content(engine, 2)).isEmpty();
            engine.put(key(1), value("next")); // what was is in the undo maps only
            assertThat(content(before, 2)).containsValue("brief");
            assertThat(content(after, 2)).isEmpty();
            assertThat(content(engine, 2)).containsValue("next");
            after.close();
            assertThat(content(before, 2)).containsValue("brief");
            before.close();
        }
    }

    @Test
    void whatWasLostIsVisitedUntilTheVisitorHasEnough() throws IOException {
        try (BitcaskEngine engine = open()) {
            fill(engine, 100, "old");
            Snapshot snapshot = engine.snapshot();
            for (int i = 0; i < 100; i++) {
                engine.delete(key(i));
            }
            engine.merge();
            for (int limit : new int[] {1, 64, 65, 100}) {
                AtomicInteger seen = new AtomicInteger();
                snapshot.visit(entry -> seen.incrementAndGet() < limit);
                assertThat(seen).hasValue(limit);
            }
            assertThat(content(snapshot, 100)).hasSize(100);
            assertThat(content(engine, 100)).isEmpty();
            snapshot.close();
        }
    }

    /** For want of space: that it was about to change is noted, and that its record is the old one. */
    @Test
    void aWriteThatFailedChangesNoSnapshot() throws IOException {
        try (BitcaskEngine engine = open()) {
            fill(engine, 3, "old");
            Snapshot snapshot = engine.snapshot();
            disk.capacity(1);
            for (int i = 0; i < 4; i++) {
                int number = i;
                assertThatThrownBy(() -> engine.put(key(number), new byte[400]))
                        .isInstanceOf(OutOfSpaceException.class);
            }
            disk.capacity(Long.MAX_VALUE);
            assertThat(content(snapshot, 5)).hasSize(3);
            engine.merge(); // moves the record that was noted
            assertThat(content(snapshot, 5)).hasSize(3);
            engine.put(key(4), value("later"));
            engine.put(key(1), value("new"));
            assertThat(content(snapshot, 5)).hasSize(3).containsValue("old1");
            assertThat(content(engine, 5)).hasSize(4).containsValue("later");
            snapshot.close();
        }
    }

    @Test
    void filesStayUntilTheLastSnapshotOfTheirTimeCloses() throws IOException {
        try (BitcaskEngine engine = open()) {
            fill(engine, 30, "old");
            long before = engine.stats().space().diskBytes();
            Snapshot one = engine.snapshot();
            Snapshot other = engine.snapshot();
            engine.merge();
            long pinned = engine.stats().space().pinnedBytes();
            assertThat(pinned).as("all that there was").isBetween(before, before + 100);
            Snapshot later = engine.snapshot();
            engine.merge();
            assertThat(engine.stats().space().pinnedBytes()).isGreaterThan(pinned);
            long both = engine.stats().space().diskBytes();
            other.close();
            assertThat(engine.stats().space().diskBytes()).isEqualTo(both);
            one.close();
            assertThat(engine.stats().space().diskBytes()).isEqualTo(both - pinned);
            assertThat(content(later, 30)).hasSize(30);
            later.close();
            assertThat(engine.stats().space().pinnedBytes()).isZero();
            assertThat(engine.stats().space().diskBytes()).isLessThan(before + 100);
            // With no snapshot open, what a merge has replaced goes at once.
            fill(engine, 30, "new");
            List<String> inputs = new ArrayList<>(disk.list());
            inputs.removeIf(name -> !name.endsWith(".data") && !name.endsWith(".merged"));
            engine.merge();
            assertThat(disk.list()).doesNotContainAnyElementsOf(inputs);
            assertThat(engine.stats().space().pinnedBytes()).isZero();
            assertThat(disk.list().stream().filter(name -> name.endsWith(".data") || name.endsWith(".merged")))
                    .hasSize(engine.stats().space().files());
        }
    }

    @Test
    void oneThatIsClosedWhileItIsReadRefuses() throws IOException {
        try (BitcaskEngine engine = open()) {
            fill(engine, 30, "old");
            Snapshot snapshot = engine.snapshot();
            assertThat(snapshot.version()).isEqualTo(30);
            for (int i = 0; i < 30; i += 2) {
                engine.delete(key(i));
            }
            Snapshot lost = engine.snapshot();
            for (int i = 1; i < 30; i += 2) {
                engine.delete(key(i));
            }
            // One is closed among the entries that are still there, the other among those that are not.
            for (Snapshot each : List.of(snapshot, lost)) {
                AtomicInteger visited = new AtomicInteger();
                assertThatThrownBy(() -> each.visit(entry -> {
                            visited.incrementAndGet();
                            each.close();
                            return true;
                        }))
                        .isInstanceOf(EngineClosedException.class);
                assertThat(visited).hasValue(1);
                assertThatThrownBy(() -> each.get(key(1)))
                        .isInstanceOf(EngineClosedException.class)
                        .hasMessageContaining("version=" + each.version());
                assertThatThrownBy(() -> each.get(key(1), ByteBuffer.allocate(9)))
                        .isInstanceOf(EngineClosedException.class);
                assertThatThrownBy(() -> each.contains(key(1))).isInstanceOf(EngineClosedException.class);
                assertThatThrownBy(() -> each.entry(key(1))).isInstanceOf(EngineClosedException.class);
                assertThatThrownBy(() -> each.visit(entry -> true)).isInstanceOf(EngineClosedException.class);
            }
            assertThat(engine.stats().snapshots()).isZero();
        }
    }

    @Test
    void anEngineThatIsClosedEndsAVisit() throws IOException {
        for (boolean isLost : new boolean[] {false, true}) {
            BitcaskEngine engine = open();
            fill(engine, 30, "old");
            Snapshot snapshot = engine.snapshot();
            if (isLost) {
                for (int i = 0; i < 30; i++) {
                    engine.delete(key(i));
                }
            }
            AtomicInteger visited = new AtomicInteger();
            assertThatThrownBy(() -> snapshot.visit(entry -> {
                        visited.incrementAndGet();
                        engine.close();
                        return true;
                    }))
                    .isInstanceOf(EngineClosedException.class)
                    .hasMessageContaining("engine is closed");
            assertThat(visited).hasValue(1);
            snapshot.close();
            snapshot.close();
            assertThatThrownBy(engine::snapshot).isInstanceOf(EngineClosedException.class);
        }
    }

    /** At each of its calls; so also while its outputs are whole and the index does not refer to them yet. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aMergeUnderWayShowsNowhere(boolean isFull) throws IOException {
        try (BitcaskEngine engine = open()) {
            fill(engine, 20, "old");
            fill(engine, 13, "new");
            engine.delete(key(15));
            NavigableMap<byte[], String> content = content(engine, 20);
            assertThat(content).hasSize(19);
            List<Snapshot> open = new ArrayList<>();
            AtomicInteger running = new AtomicInteger();
            disk.observer(call -> {
                if (running.getAndIncrement() == 0) {
                    try {
                        assertThat(content(engine, 20)).as("%s", call).isEqualTo(content);
                        Snapshot snapshot = engine.snapshot();
                        assertThat(content(snapshot, 20)).as("%s", call).isEqualTo(content);
                        open.add(snapshot);
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                }
                running.decrementAndGet();
            });
            if (isFull) {
                engine.merge();
            } else {
                engine.mergeInBackground(new MergePolicy(1.01, 4_096));
            }
            disk.observer(null);
            assertThat(engine.health()).isNull();
            assertThat(engine.stats().merging().merges()).isEqualTo(1);
            assertThat(open).hasSizeGreaterThan(5);
            fill(engine, 20, "later");
            while (!open.isEmpty()) {
                assertThat(content(open.get(0), 20)).isEqualTo(content);
                open.remove(0).close();
            }
            assertThat(engine.stats().space().pinnedBytes()).isZero();
        }
    }

    /** A record that was moved is visited where it was, as the scan does not come to where it is now. */
    @Test
    void aMergeInTheMiddleOfAScanHidesNothingAndShowsNothingTwice() throws IOException {
        try (BitcaskEngine engine = open()) {
            for (int at : new int[] {1, 10, 25, 40}) {
                fill(engine, 40, "old");
                engine.delete(key(39));
                fill(engine, 20, "new");
                NavigableMap<byte[], String> content = content(engine, 40);
                Snapshot snapshot = engine.snapshot();
                for (ReadView view : List.of(engine, snapshot)) {
                    NavigableMap<byte[], String> visited = KeyValues.newMap();
                    view.visit(entry -> {
                        String value = new String(entry.value(), StandardCharsets.UTF_8);
                        assertThat(visited.put(entry.key(), value)).isNull();
                        if (visited.size() == at) {
                            fill(engine, 5, "meanwhile");
                            engine.delete(key(30));
                            engine.merge();
                            engine.merge();
                        }
                        return true;
                    });
                    assertThat(visited).as("merged after %s", at).isEqualTo(content);
                }
                snapshot.close();
            }
        }
    }

    @Test
    void figuresLeaveOutWhatIsKeptForSnapshots() throws IOException {
        try (BitcaskEngine engine = open()) {
            fill(engine, 30, "old");
            fill(engine, 30, "new");
            long live = engine.stats().space().liveBytes();
            assertThat(engine.stats().space().deadBytes()).isPositive();
            Snapshot snapshot = engine.snapshot();
            engine.merge();
            assertThat(engine.stats().space().pinnedBytes()).isPositive();
            assertThat(engine.stats().space().liveBytes()).isEqualTo(live);
            assertThat(engine.stats().space().deadBytes()).isZero();
            snapshot.close();
            assertThat(engine.stats().space().liveBytes()).isEqualTo(live);
        }
    }

    @Test
    @Timeout(60)
    void othersWriteOnceASnapshotWasClosed() throws Exception {
        try (BitcaskEngine engine = open()) {
            Snapshot snapshot = engine.snapshot();
            Thread closer = new Thread(snapshot::close);
            closer.setDaemon(true);
            closer.start();
            closer.join();
            fill(engine, 3, "value");
            Thread opener = new Thread(() -> {
                try {
                    engine.snapshot();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            opener.setDaemon(true);
            opener.start();
            opener.join();
            fill(engine, 3, "next");
        }
    }

    @Test
    void theOrderedViewIsThatOfTheIndex() throws IOException {
        try (BitcaskEngine engine = open();
                Snapshot snapshot = engine.snapshot()) {
            assertThat(snapshot.facet(OrderedView.class)).isEmpty();
        }
        try (BitcaskEngine engine =
                builder().index(context -> new SmallOrderedIndex()).open()) {
            fill(engine, 10, "old");
            Snapshot snapshot = engine.snapshot();
            fill(engine, 20, "new");
            assertThat(content(snapshot, 20)).hasSize(10).containsValue("old9");
            snapshot.close();
        }
    }
}
