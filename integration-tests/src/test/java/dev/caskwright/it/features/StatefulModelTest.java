package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Snapshot;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.RandomHistory;
import dev.caskwright.testkit.SimulatedCrash;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random lives of stores, step by step beside a model, over every pair of backends: writes of all kinds, snapshots,
 * cursors, expiry, merges, reopening, crashes, and a follower that lives on the change feed. (Clocks that go back have a model
 * of their own in {@code ClockTest}: what is absent then depends on what was told before.) On real disks a crash is the death of the process between two steps; on simulated ones it may come in the middle of
 * anything, recovery included, and may be a power loss.
 *
 * <p>A life is a list of numbers, one a step. When one fails it is shortened to the steps that matter. The campaign tries
 * as many lives as {@code -Dcaskwright.lives} says.
 */
final class StatefulModelTest {
    private static final int STEPS = 400;

    @TempDir
    Path temporary;

    private final AtomicInteger stores = new AtomicInteger();

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void everyBackendIsTheModel(Backend backend) {
        tryLife(1, List.of(backend), this::realDisk);
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void noBackendLosesOrMakesUpAnythingInACrash(Backend backend) {
        tryLife(21, List.of(backend), Disk.Simulated::new);
    }

    @Test
    void backendsAreExchangedWheneverTheStoreIsReopened() {
        for (long seed = 11; seed <= 12; seed++) {
            tryLife(seed, Backend.all().toList(), this::realDisk);
            tryLife(seed, Backend.all().toList(), Disk.Simulated::new);
        }
    }

    @Test
    @Tag("campaign")
    void manyLives() {
        for (long seed = 1_000; seed < 1_000 + Long.getLong("caskwright.lives", 300); seed++) {
            tryLife(seed, Backend.all().toList(), this::realDisk);
            for (long other = 0; other < 10; other++) {
                tryLife(seed + other * 1_000_000, Backend.all().toList(), Disk.Simulated::new);
            }
        }
    }

    private Disk realDisk() {
        return new Disk.Real(temporary.resolve("store" + stores.incrementAndGet()));
    }

    private static void tryLife(long seed, List<Backend> backends, Supplier<Disk> disks) {
        List<Long> steps = new Random(seed).longs(STEPS).boxed().toList();
        if (failure(seed, backends, disks, steps) == null) {
            return;
        }
        List<Long> shortest = Shrinker.shrink(steps, each -> failure(seed, backends, disks, each) != null);
        throw new AssertionError(
                "seed=" + seed + ", backends=" + backends + ", shortened to " + shortest.size() + " steps: " + shortest,
                failure(seed, backends, disks, shortest));
    }

    private static Throwable failure(long seed, List<Backend> backends, Supplier<Disk> disks, List<Long> steps) {
        AtomicReference<BitcaskEngine> engine = new AtomicReference<>();
        try {
            new Life(seed, backends, disks.get(), engine).live(steps);
            return null;
        } catch (IOException | RuntimeException | AssertionError e) {
            closeAfter(engine.get(), e);
            return e;
        }
    }

    private static void closeAfter(BitcaskEngine engine, Throwable failure) {
        try {
            if (engine != null) {
                engine.close();
            }
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private interface Step {
        void run() throws IOException;
    }

    /** One store, its model, and a follower. */
    private static final class Life {
        private final List<Backend> backends;
        private final Disk disk;
        private final AtomicReference<BitcaskEngine> engine;
        private final ManualClock clock = new ManualClock();
        private final StoreModel model = new StoreModel(Durability.WRITE, clock);
        private final RandomHistory history;
        private final NavigableMap<byte[], Entry> followed = KeyValues.newMap();
        private long followedTo;

        Life(long seed, List<Backend> backends, Disk disk, AtomicReference<BitcaskEngine> engine) {
            this.backends = backends;
            this.disk = disk;
            this.engine = engine;
            this.history = new RandomHistory(seed, model, clock).values(60, false);
        }

        void live(List<Long> steps) throws IOException {
            open(0);
            for (long step : steps) {
                step(step);
            }
            model.assertCurrent(KeyValues.entries(engine.get()));
            follow();
            reopen(1);
            engine.get().close();
        }

        private void step(long number) throws IOException {
            int choice = new Random(number ^ 0x5DEECE66DL).nextInt(40);
            switch (choice) {
                case 0 -> reopen(number);
                case 1 -> clock.advance(Duration.ofMillis(Math.floorMod(number, 5_000)));
                case 2, 3 -> follow();
                case 4 -> crash(number);
                default -> history.step(engine.get(), number);
            }
        }

        private void open(long number) throws IOException {
            Backend backend = backends.get(Math.floorMod(number >>> 7, backends.size()));
            engine.set(disk.builder(backend, clock).open());
        }

        private void reopen(long number) throws IOException {
            history.forgetSnapshots();
            engine.get().close();
            open(number);
            model.reopened(KeyValues.entries(engine.get()));
        }

        /** Lets the process die, perhaps in the middle of a step and of the recovery, and judges what the next one finds. */
        private void crash(long number) throws IOException {
            Random random = new Random(~number);
            if (random.nextBoolean()) {
                disk.crashSoon(random);
                dyingIn(() -> {
                    switch (random.nextInt(8)) {
                        case 0 -> engine.get().merge();
                        case 1 -> engine.get().close();
                        default -> history.step(engine.get(), random.nextLong());
                    }
                });
            }
            boolean isPowerLost = endProcess(random);
            while (random.nextInt(3) == 0) {
                disk.crashSoon(random);
                dyingIn(() -> open(number));
                isPowerLost |= endProcess(random);
            }
            open(number);
            if (isPowerLost) {
                model.recoverAfterPowerLoss(KeyValues.entries(engine.get()));
            } else {
                model.recoverAfterKill(KeyValues.entries(engine.get()));
            }
            // Versions of writes that are lost are given again: who has followed up to one of them cannot go on.
            followed.clear();
            followedTo = 0;
        }

        /** Does something that the process may die of. What a model must know of its outcome it is told by the step. */
        private static void dyingIn(Step step) throws IOException {
            try {
                step.run();
            } catch (SimulatedCrash e) {
                // The process has died.
            } catch (IOException e) {
                if (!isCausedByCrash(e)) {
                    throw e;
                }
            }
        }

        private static boolean isCausedByCrash(Throwable e) {
            return e instanceof SimulatedCrash || (e.getCause() != null && isCausedByCrash(e.getCause()));
        }

        /** Ends the process; returns whether the power was lost with it. */
        private boolean endProcess(Random random) throws IOException {
            history.forgetSnapshots();
            BitcaskEngine dead = engine.get();
            Disk.Crash crash = disk.crash(random);
            closeDead(dead);
            return crash == Disk.Crash.POWER_LOSS;
        }

        /** Gives back the memory of an engine whose disk is gone. */
        private static void closeDead(BitcaskEngine dead) {
            try {
                dead.close();
            } catch (IOException | SimulatedCrash e) {
                // It cannot reach its disk any more, and should not.
            }
        }

        /** Brings a copy up to date by the changes since the last time, or again if they are gone. */
        private void follow() throws IOException {
            BitcaskEngine store = engine.get();
            try {
                followedTo = store.changes(followedTo, change -> {
                    assertThat(change.version()).isGreaterThan(followedTo);
                    byte[] value = change.value();
                    if (value == null) {
                        followed.remove(change.key());
                    } else {
                        followed.put(
                                change.key(),
                                new Entry(change.key(), value, change.version(), change.expiresAtMillis()));
                    }
                    return true;
                });
            } catch (EngineException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.CHANGES_GONE);
                followed.clear();
                try (Snapshot snapshot = store.snapshot()) {
                    followed.putAll(KeyValues.entries(snapshot));
                    followedTo = snapshot.version();
                }
            }
            assertThat(followedTo).isEqualTo(store.stats().lastVersion());
            long now = clock.millis();
            NavigableMap<byte[], Entry> visible = KeyValues.newMap();
            for (Map.Entry<byte[], Entry> each : followed.entrySet()) {
                long expiresAt = each.getValue().expiresAtMillis();
                if (expiresAt == Entry.NEVER || expiresAt > now) {
                    visible.put(each.getKey(), each.getValue());
                }
            }
            model.assertCurrent(visible);
        }
    }
}
