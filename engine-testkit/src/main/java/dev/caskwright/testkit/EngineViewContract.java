package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.get;
import static dev.caskwright.testkit.EngineSteps.merge;
import static dev.caskwright.testkit.EngineSteps.pair;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Snapshots. */
abstract class EngineViewContract extends EngineWriteContract {
    @Test
    void aSnapshotStaysAsItWas() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("changed"), bytes("1"));
            engine.put(bytes("deleted"), bytes("1"));
            engine.put(bytes("kept"), bytes("1"));
            try (Snapshot snapshot = engine.snapshot()) {
                assertThat(snapshot.version()).isEqualTo(engine.stats().lastVersion());
                engine.put(bytes("changed"), bytes("2"));
                engine.put(bytes("changed"), bytes("3"));
                engine.delete(bytes("deleted"));
                engine.put(bytes("new"), bytes("1"));
                engine.delete(bytes("new"));
                engine.put(bytes("newer"), bytes("1"));

                assertMoment(snapshot);
                merge(engine);
                assertMoment(snapshot);
                engine.write(new WriteBatch().delete(bytes("kept")).delete(bytes("changed")), WriteOptions.DEFAULT);
                merge(engine);
                assertMoment(snapshot);
                assertThat(content(engine)).containsExactly("newer=1");
            }
        }
    }

    private static void assertMoment(Snapshot snapshot) throws IOException {
        assertThat(content(snapshot)).containsExactly("changed=1", "deleted=1", "kept=1");
        assertThat(get(snapshot, "changed")).isEqualTo("1");
        assertThat(get(snapshot, "deleted")).isEqualTo("1");
        assertThat(snapshot.contains(bytes("new"))).isFalse();
        assertThat(snapshot.entry(bytes("newer"))).isNull();
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
                merge(engine);
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
}
