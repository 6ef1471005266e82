package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class SnapshotTest extends FeatureFixture {
    /**
     * A merge leaves its inputs for the snapshots that are open. Younger snapshots have these files in their list, too:
     * once the older ones closed and the files were gone, they were taken for part of the store again.
     */
    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void aSnapshotOutlivesOlderOnesAndTheirFiles(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        fill(engine, 30, "old");
        Snapshot older = engine.snapshot();
        engine.merge();
        Snapshot younger = engine.snapshot();
        fill(engine, 30, "new");
        older.close();
        assertThat(engine.stats().space().pinnedBytes()).isZero();
        assertThat(content(younger)).isEqualTo(filled(30, "old"));
        if (younger.facet(OrderedView.class).isPresent()) {
            assertThat(younger.ordered().first().value()).isEqualTo(bytes("old0"));
        }
        assertThat(content(engine)).isEqualTo(filled(30, "new"));
        younger.close();
        engine.merge();
        assertThat(content(engine)).isEqualTo(filled(30, "new"));
        engine.close();
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void itsFilesGoWhenTheLastOneCloses(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        fill(engine, 50, "old");
        Snapshot one = engine.snapshot();
        Snapshot other = engine.snapshot();
        assertThat(engine.stats().snapshots()).isEqualTo(2);
        assertThat(engine.stats().space().pinnedBytes()).isZero();
        fill(engine, 50, "new");
        delete(engine, "key7");
        long before = dataFiles(directory());
        engine.merge();
        assertThat(engine.stats().space().pinnedBytes()).isPositive();
        assertThat(dataFiles(directory())).isGreaterThan(before);
        one.close();
        one.close();
        assertThat(engine.stats().space().pinnedBytes()).isPositive();
        assertThat(content(other)).isEqualTo(filled(50, "old"));
        other.close();
        assertThat(engine.stats().space().pinnedBytes()).isZero();
        assertThat(engine.stats().snapshots()).isZero();
        assertThat(dataFiles(directory()))
                .isLessThan(before)
                .isEqualTo(engine.stats().space().files());
        engine.close();
    }

    /** The output of a merge lies after records younger than its own: where a record lies does not tell its age alone. */
    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void whatAMergeMovedIsStillSavedWhenItChanges(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        fill(engine, 30, "old");
        try (Snapshot snapshot = engine.snapshot()) {
            put(engine, "another", "value");
            engine.merge();
            fill(engine, 30, "new");
            fill(engine, 30, "newer");
            assertThat(content(snapshot)).isEqualTo(filled(30, "old"));
            assertThat(get(snapshot, "key7")).isEqualTo("old7");
            assertThat(get(snapshot, "another")).isNull();
        }
        engine.close();
    }

    /** What was saved for a snapshot that closes is passed on to the older ones, in whatever order they close. */
    @Test
    void closingOneInTheMiddleLeavesTheOthersAsTheyWere() throws IOException {
        BitcaskEngine engine = open();
        fill(engine, 25, "first ");
        Map<Snapshot, Map<String, String>> open = new LinkedHashMap<>();
        for (int round = 0; round < 5; round++) {
            open.put(engine.snapshot(), content(engine));
            for (int i = round; i < 25; i += 5) {
                put(engine, "key" + i, "round" + round);
            }
        }
        List<Snapshot> snapshots = new ArrayList<>(open.keySet());
        for (int closed : new int[] {2, 4, 1, 0, 3}) {
            snapshots.get(closed).close();
            open.remove(snapshots.get(closed));
            delete(engine, "key" + closed);
            for (Map.Entry<Snapshot, Map<String, String>> each : open.entrySet()) {
                assertThat(content(each.getKey())).isEqualTo(each.getValue());
            }
        }
        engine.close();
    }

    @Test
    void asManyAsTheStoreAllowsAreOpenAtOnce() throws IOException {
        BitcaskEngine engine = builder().maxSnapshots(3).open();
        put(engine, "key", "value");
        List<Snapshot> open = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            open.add(engine.snapshot());
        }
        assertCode(ErrorCode.TOO_MANY_SNAPSHOTS, engine::snapshot);
        assertThat(content(engine)).as("a scan does not count").isEqualTo(Map.of("key", "value"));
        put(engine, "key", "writes go on");
        open.remove(1).close();
        open.add(engine.snapshot());
        assertThat(content(open.get(0))).isEqualTo(Map.of("key", "value"));
        assertThat(content(open.get(2))).isEqualTo(Map.of("key", "writes go on"));
        open.forEach(Snapshot::close);
        engine.close();
    }

    @Test
    void oneThatIsDroppedIsClosedInTheEnd() throws IOException {
        BitcaskEngine engine = open();
        fill(engine, 30, "old");
        leak(engine);
        fill(engine, 30, "new");
        engine.merge();
        assertThat(engine.stats().space().pinnedBytes()).isPositive();
        for (int i = 0; i < 2_000 && engine.stats().snapshots() > 0; i++) {
            System.gc(); // the collector, and then the cleaner's thread, need a moment
            Thread.yield();
        }
        assertThat(engine.stats().snapshots()).isZero();
        assertThat(engine.stats().space().pinnedBytes()).isZero();
        engine.close();
    }

    private static void leak(BitcaskEngine engine) throws IOException {
        assertThat(engine.snapshot().contains(bytes("key1"))).isTrue();
    }

    @Test
    void closingTheEngineClosesIt() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "value");
        Snapshot snapshot = engine.snapshot();
        engine.close();
        assertThatThrownBy(() -> snapshot.get(bytes("key"))).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> snapshot.visit(entry -> true)).isInstanceOf(EngineClosedException.class);
        snapshot.close();
        snapshot.close();
        BitcaskEngine reopened = open();
        assertThat(get(reopened, "key")).isEqualTo("value");
        reopened.close();
    }

    /** Closing a snapshot removes the files that only it needed; but not once the directory is another engine's. */
    @Test
    void oneThatIsClosedAfterItsEngineRemovesNothing() throws IOException {
        BitcaskEngine engine = open();
        fill(engine, 30, "old");
        Snapshot snapshot = engine.snapshot();
        fill(engine, 30, "new");
        engine.merge();
        assertThat(engine.stats().space().pinnedBytes()).isPositive();
        engine.close();
        List<Path> before = files(directory());
        snapshot.close();
        assertThat(files(directory())).isEqualTo(before);
        BitcaskEngine reopened = open();
        assertThat(content(reopened)).isEqualTo(filled(30, "new"));
        assertThat(dataFiles(directory()))
                .as("it removes leftovers")
                .isEqualTo(reopened.stats().space().files());
        reopened.close();
    }

    @Test
    void oneThatIsClosedRefuses() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "value");
        Snapshot snapshot = engine.snapshot();
        snapshot.close();
        assertThatThrownBy(() -> snapshot.get(bytes("key"))).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> snapshot.contains(bytes("key"))).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> snapshot.entry(bytes("key"))).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> snapshot.visit(entry -> true)).isInstanceOf(EngineClosedException.class);
        engine.close();
    }

    @Test
    void timeStandsStillInIt() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "value", Duration.ofMinutes(1));
        put(engine, "gone", "value", Duration.ofMillis(1));
        clock.advance(Duration.ofSeconds(1));
        Snapshot snapshot = engine.snapshot();
        clock.advance(Duration.ofHours(1));
        assertThat(content(engine)).isEmpty();
        engine.merge();
        assertThat(content(snapshot)).isEqualTo(Map.of("key", "value"));
        assertThat(get(snapshot, "key")).isEqualTo("value");
        assertThat(get(snapshot, "gone")).isNull();
        snapshot.close();
        engine.close();
    }
}
