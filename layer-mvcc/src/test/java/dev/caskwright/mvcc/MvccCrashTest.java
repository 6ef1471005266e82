package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.mvcc.backend.BackendOptions;
import dev.caskwright.mvcc.backend.Stores;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A disk that dies or loses power before each of its calls, and one of whose calls fails: the store opens in a state that it was in,
 * at or after the last that was acknowledged, with all its revisions, and goes on; a compaction that was cut short ends.
 */
final class MvccCrashTest {
    private static final Path PLACE = Path.of("/simulated");

    private final ManualClock clock = new ManualClock();

    private MvccStore open(Stores kind, IoManagerFactory io, ManualTimer timer) throws IOException {
        return open(kind, io, timer, 2);
    }

    private MvccStore open(Stores kind, IoManagerFactory io, ManualTimer timer, int commitChanges) throws IOException {
        return MvccStore.builder(kind.open(PLACE, io, MvccStore.buckets()))
                .commits(new BackendOptions(commitChanges, 1 << 20, Duration.ofMillis(100)))
                .compaction(3, Duration.ZERO)
                .clock(clock)
                .timer(timer)
                .open();
    }

    /** Opens an image of the disk, looks at everything, and goes on. */
    private void judge(Stores kind, CrashableIoManager image, Model model, RandomLife life, String where) {
        int acknowledged = life.acknowledged();
        ManualTimer timer = new ManualTimer();
        int found = -2;
        try (MvccStore store = open(kind, image.factory(), timer)) {
            found = life.find(store, acknowledged);
            assertThat(found)
                    .as("acknowledged " + acknowledged + " of " + model.states.size() + ", found revision "
                            + store.revision() + ", compacted " + store.compactedRevision())
                    .isNotNegative();
            for (int i = 0; i < 200; i++) {
                timer.runAll(); // ends a compaction that was cut short
            }
            Model continued = model.upTo(found);
            RandomLife next = new RandomLife(found, continued, new ManualClock(clock.millis()), timer);
            next.checkAll(store);
            for (int i = 0; i < 3; i++) {
                store.put(("after" + i).getBytes(), "crash".getBytes());
            }
            store.commit();
        } catch (AssertionError | IOException | RuntimeException e) {
            throw new AssertionError(kind + ", " + where + ", found state " + found + ": " + e, e);
        }
    }

    private int crash(Stores kind, long seed, int steps, int losses) throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        Model model = new Model();
        ManualTimer timer = new ManualTimer();
        RandomLife life = new RandomLife(seed, model, clock, timer);
        int[] judged = {0};
        disk.observer(call -> {
            String where = "seed " + seed + ", before " + call;
            judge(kind, disk.peekKill(), model, life, where + ", killed");
            for (int loss = 0; loss < losses; loss++) {
                long kindOfLoss = loss < 2 ? loss : seed * 1_000_003 + call.number() * 31 + loss;
                judge(kind, disk.peekPowerLoss(kindOfLoss), model, life, where + ", loss " + kindOfLoss);
            }
            judged[0]++;
        });
        try (MvccStore store = open(kind, disk.factory(), timer)) {
            for (int i = 0; i < steps; i++) {
                life.step(store);
            }
        }
        disk.observer(null);
        judge(kind, disk.peekPowerLoss(seed), model, life, "seed " + seed + ", closed");
        assertThat(judged[0]).isGreaterThan(steps / 5);
        return judged[0] * (1 + losses);
    }

    @ParameterizedTest
    @CsvSource({"BOLT, 1", "BOLT, 2", "BITCASK, 1", "BITCASK, 2"})
    void aCrashBeforeAnyCallLosesNothingAcknowledged(Stores kind, long seed) throws IOException {
        crash(kind, seed, 40, 3);
    }

    @Test
    @Tag("campaign")
    void manyCrashesLoseNothingAcknowledged() throws IOException {
        int seeds = Integer.getInteger("caskwright.mvcc.seeds", 200);
        long judged = 0;
        for (long seed = 100; seed < 100 + seeds; seed++) {
            int states = 0;
            for (Stores kind : Stores.values()) {
                states += crash(kind, seed, 120, 6);
            }
            judged += states;
            System.out.println("revisions, crash: " + (seed + 1 - 100) + " seeds over each of " + Stores.values().length
                    + " engines, " + judged + " states judged");
        }
    }

    private boolean fail(Stores kind, Fault fault, int n, int steps) throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        FaultPlan plan = FaultPlan.failing(n).with(fault);
        Model model = new Model();
        ManualTimer timer = new ManualTimer();
        RandomLife life = new RandomLife(11, model, clock, timer);
        String where = kind + ", " + fault + ", call " + n;
        MvccStore store = null;
        try {
            // Commits come by themselves and not within other operations, so that it is known what a failed one takes.
            store = open(kind, plan.wrap(disk.factory()), timer, 1_000);
        } catch (IOException | IllegalStateException | OutOfMemoryError e) {
            assertThat(plan.hasFired()).as(where + ": " + e).isTrue();
        }
        if (store != null) {
            live(store, plan, model, life, timer, steps, where);
            try {
                store.close();
            } catch (IOException | IllegalStateException | OutOfMemoryError e) {
                assertThat(plan.hasFired()).as(where + ": " + e).isTrue();
            }
        }
        judge(kind, disk.peekKill(), model, life, plan + ", call " + n + ", killed");
        judge(kind, disk.peekPowerLoss(n), model, life, plan + ", call " + n + ", loss");
        return plan.hasFired();
    }

    private static void live(
            MvccStore store, FaultPlan plan, Model model, RandomLife life, ManualTimer timer, int steps, String where) {
        try {
            for (int i = 0; i < steps && store.health() == null; i++) {
                boolean hadFired = plan.hasFired();
                try {
                    life.step(store);
                    life.fetch(false);
                } catch (IOException | IllegalStateException | OutOfMemoryError e) {
                    assertThat(hadFired)
                            .as("a failure long after the fault: " + e)
                            .isFalse();
                    assertThat(plan.hasFired())
                            .as("a failure without a fault: " + e)
                            .isTrue();
                }
                if (!hadFired && plan.hasFired() && store.health() == null) {
                    goBack(store, model, life, where);
                }
            }
            plan.stop();
            if (store.health() == null) {
                goBack(store, model, life, where);
                for (int i = 0; i < 200; i++) {
                    timer.runAll(); // ends a compaction that failed
                }
                life.checkAll(store);
                life.checkWatches(store);
            }
        } catch (IOException | AssertionError | RuntimeException e) {
            throw new AssertionError(where + ", " + plan + ": " + e, e);
        }
    }

    /** A commit that failed took the writes since the last one; the store says which state it is in. */
    private static void goBack(MvccStore store, Model model, RandomLife life, String where) throws IOException {
        int found = life.find(store, life.acknowledged());
        assertThat(found).as(where + ": in no state that it was in").isNotNegative();
        model.goBackTo(found);
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void aCallThatFailsIsToldToItsCallersAndTheStoreGoesOnOrSaysThatItDoesNot(Stores kind) throws IOException {
        for (Fault fault : new Fault[] {Fault.IO_ERROR, Fault.OUT_OF_SPACE, Fault.UNCHECKED}) {
            int n = 0;
            while (fail(kind, fault, n, 25)) {
                n += 1 + n / 40;
            }
            assertThat(n).isGreaterThan(30);
        }
    }

    @Test
    @Tag("campaign")
    void everyCallThatFailsInEveryWayIsTold() throws IOException {
        for (Stores kind : Stores.values()) {
            for (Fault fault : Fault.values()) {
                if (fault.isError()) {
                    int n = 0;
                    while (fail(kind, fault, n, 60)) {
                        n++;
                    }
                    System.out.println("revisions, faults: " + n + " calls failed, " + fault + ", " + kind);
                }
            }
        }
    }
}
