package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.mvcc.backend.BackendOptions;
import dev.caskwright.mvcc.backend.OrderedStore;
import dev.caskwright.mvcc.backend.Stores;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random histories of every operation, with reopenings, against the model, over bolt and over Bitcask. */
final class MvccModelTest {
    private static final Path PLACE = Path.of("/simulated");

    private final ManualTimer timer = new ManualTimer();
    private final ManualClock clock = new ManualClock();

    private MvccStore open(Stores kind, CrashableIoManager disk, Random random) throws IOException {
        OrderedStore store = kind.open(PLACE, disk.factory(), MvccStore.buckets());
        return MvccStore.builder(store)
                .commits(new BackendOptions(1 + random.nextInt(60), 1 << 20, Duration.ofMillis(100)))
                .compaction(1 + random.nextInt(20), Duration.ZERO)
                .clock(clock)
                .timer(timer)
                .open();
    }

    private void live(Stores kind, long seed, int lives, int steps) throws IOException {
        Random random = new Random(seed);
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        Model model = new Model();
        RandomLife life = new RandomLife(seed, model, clock, timer);
        List<Integer> hashes = new ArrayList<>();
        for (int i = 0; i < lives; i++) {
            int step = 0;
            try (MvccStore store = open(kind, disk, random)) {
                if (i > 0) {
                    assertThat(store.hash(0).hash()).isEqualTo(hashes.get(i - 1));
                }
                life.checkAll(store);
                life.reconnect(store);
                for (; step < steps; step++) {
                    life.step(store);
                    life.fetch(false);
                }
                life.checkAll(store);
                life.checkWatches(store);
                hashes.add(store.hash(0).hash());
            } catch (AssertionError | IOException | RuntimeException e) {
                throw new AssertionError(kind + ", seed " + seed + ", life " + i + ", step " + step + ": " + e, e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void randomHistoriesAgreeWithTheModel(Stores kind) throws IOException {
        for (int seed = 0; seed < 8; seed++) {
            live(kind, seed, 3, 150);
        }
    }

    @Test
    @Tag("campaign")
    void manyRandomHistoriesAgreeWithTheModel() throws IOException {
        int seeds = Integer.getInteger("caskwright.mvcc.seeds", 2_000);
        for (int seed = 100; seed < 100 + seeds; seed++) {
            for (Stores kind : Stores.values()) {
                live(kind, seed, 4, 300);
            }
            if ((seed + 1) % 50 == 0) {
                System.out.println("revisions, model: " + (seed + 1 - 100) + " seeds over each of "
                        + Stores.values().length + " engines");
            }
        }
    }
}
