package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.BACKUP;
import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.FailedForce;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.RandomHistory;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.util.NavigableMap;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Lets every call of random lives of a store fail once, in every way, and has a model judge: what was acknowledged stays,
 * what was refused is not there, and the store goes on or says that it must be reopened.
 * {@code -Dcaskwright.fault.seeds} sets how many lives the campaign tries, from {@code -Dcaskwright.fault.firstSeed} on.
 */
final class FaultTest {
    private static final int SHORT = 22;

    @AfterEach
    void clearInterrupt() {
        Thread.interrupted();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = "OUT_OF_MEMORY.*|UNCHECKED")
    void everyCallOfAShortLifeMayFail(Fault fault) throws IOException {
        long lives = 0;
        for (long seed = 0; seed < 2; seed++) {
            lives += failEveryCall(seed, fault, SHORT);
        }
        assertThat(lives).isGreaterThan(200);
    }

    /** Want of memory, and the exceptions of a plug-in with a bug. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ANY, names = "OUT_OF_MEMORY.*|UNCHECKED")
    void everyCallOfAShortLifeMayEndInWhatItDoesNotDeclare(Fault fault) throws IOException {
        assertThat(fault.isUndeclared()).isTrue();
        assertThat(failEveryCall(7, fault, SHORT)).isGreaterThan(50);
    }

    @Test
    @Tag("campaign")
    void everyCallOfManyLivesMayFail() throws IOException {
        long first = Long.getLong("caskwright.fault.firstSeed", 1_000);
        long seeds = Long.getLong("caskwright.fault.seeds", 10);
        long lives = 0;
        for (long seed = first; seed < first + seeds; seed++) {
            for (Fault fault : Fault.values()) {
                lives += failEveryCall(seed, fault, 60);
            }
            System.out.println("fault campaign: seeds=" + first + ".." + seed + ", faults met=" + lives);
        }
    }

    private static long failEveryCall(long seed, Fault fault, int steps) throws IOException {
        for (long n = 0; ; n++) {
            Life life = new Life(seed, FaultPlan.failing(n).with(fault), fault.isUndeclared());
            try {
                life.live(steps);
            } catch (IOException | RuntimeException | AssertionError e) {
                throw new AssertionError("seed=" + seed + ", n=" + n + ", " + life + ": " + e, e);
            }
            if (!life.plan.hasFired()) {
                return n;
            }
        }
    }

    /** One random life of a store on a disk that fails once. */
    private static final class Life {
        final FaultPlan plan;
        private final boolean hasCodec; // values are stored by a codec, and merges recode them
        private final boolean isUndeclared;
        private final Random random;
        private final ManualClock clock = new ManualClock();
        private final StoreModel model;
        private final RandomHistory history;
        private CrashableIoManager disk;

        Life(long seed, FaultPlan plan, boolean isUndeclared) {
            this.plan = plan;
            this.isUndeclared = isUndeclared;
            this.random = new Random(~seed);
            this.model = new StoreModel(Durability.WRITE, clock);
            this.history = new RandomHistory(seed, model, clock)
                    .keys(2 + random.nextInt(20))
                    .values(random.nextBoolean() ? 30 : 150, false);
            this.hasCodec = seed % 3 == 1;
            if (hasCodec) {
                history.codecs("found", ValueCodec.NONE);
            }
            this.disk = new CrashableIoManager()
                    .mapped(random.nextBoolean())
                    .logging(false)
                    .failedForce(random.nextBoolean() ? FailedForce.PAGES_MARKED_CLEAN : FailedForce.PAGES_STAY_DIRTY);
        }

        @Override
        public String toString() {
            return history + ", " + plan;
        }

        @FunctionalInterface
        private interface Step<T> {
            T run() throws IOException;
        }

        /** Takes what the plan has thrown, and nobody declares, for one more way to fail. */
        private <T> T declared(Step<T> step) throws IOException {
            try {
                return step.run();
            } catch (RuntimeException | OutOfMemoryError e) {
                if (!isUndeclared || !plan.hasFired()) {
                    throw e;
                }
                throw new IOException("undeclared: " + e, e);
            }
        }

        private Void close(BitcaskEngine engine) throws IOException {
            return declared(() -> {
                engine.close();
                return null;
            });
        }

        private Void step(BitcaskEngine engine) throws IOException {
            return declared(() -> {
                history.step(engine);
                return null;
            });
        }

        void live(int steps) throws IOException {
            BitcaskEngine engine = open();
            boolean isJudged = false;
            for (int i = 0; i < steps; i++) {
                if (!isJudged && plan.hasFired()) {
                    isJudged = true;
                    judgePowerLosses(); // whether the call failed or went on: nothing was acknowledged falsely
                }
                int choice = random.nextInt(100);
                try {
                    if (choice < 4) {
                        history.forgetSnapshots();
                        close(engine);
                        engine = reopenAfterClose();
                    } else if (choice < 8) {
                        backup(engine);
                    } else {
                        step(engine);
                    }
                } catch (IOException e) {
                    assertThat(plan.hasFired())
                            .as("error without a fault: %s", e)
                            .isTrue();
                    engine = goOn(engine, choice < 4, e);
                }
                Thread.interrupted();
                if (engine.health() != null) { // a failure that its call did not have to tell
                    engine = goOn(engine, false, null);
                }
            }
            model.assertCurrent(content(engine));
            try {
                close(engine);
            } catch (IOException e) {
                engine = open(disk = disk.kill());
                model.recoverAfterKill(CrashFixture.content(engine));
            }
        }

        private void judgePowerLosses() throws IOException {
            for (int image = 0; image < 3; image++) {
                model.assertPossibleAfterPowerLoss(CrashFixture.content(
                        CrashFixture.open(disk.peekPowerLoss(image).capacity(Long.MAX_VALUE), clock)));
            }
        }

        /** Opens the store; if that fails, it must have failed for the fault, and the next try must do. */
        private BitcaskEngine open() throws IOException {
            try {
                return open(disk);
            } catch (IOException e) {
                assertThat(plan.hasFired()).isTrue();
                Thread.interrupted();
                return open(disk);
            }
        }

        private BitcaskEngine reopenAfterClose() throws IOException {
            BitcaskEngine next = open();
            model.reopened(content(next));
            return next;
        }

        private BitcaskEngine open(CrashableIoManager onto) throws IOException {
            EngineBuilder builder = CrashFixture.builder(HOME, plan.wrap(onto.factory(HOME)), clock);
            if (hasCodec) {
                builder.codec(new FoundCodec()).recodeOnMerge(true);
            }
            return declared(builder::open);
        }

        private void backup(BitcaskEngine engine) throws IOException {
            NavigableMap<byte[], Entry> before = content(engine);
            try {
                declared(() -> engine.backup(BACKUP));
            } catch (IOException e) {
                if (engine.health() != null) {
                    throw e;
                }
                engine.backup(BACKUP);
            }
            try (BitcaskEngine copy = CrashFixture.builder(BACKUP, disk.factory(HOME), clock)
                    .readOnly(true)
                    .open()) {
                assertThat(CrashFixture.isSame(before, CrashFixture.content(copy)))
                        .isTrue();
            }
        }

        /** Reads everything; a read that fails for the fault is tried again. */
        private NavigableMap<byte[], Entry> content(BitcaskEngine engine) throws IOException {
            boolean hadFired = plan.hasFired();
            try {
                return declared(() -> CrashFixture.content(engine));
            } catch (IOException e) {
                if (hadFired || !plan.hasFired()) {
                    throw e;
                }
                return CrashFixture.content(engine);
            }
        }

        private BitcaskEngine goOn(BitcaskEngine engine, boolean isClosed, IOException error) throws IOException {
            Thread.interrupted();
            if (error instanceof EngineException typed && typed.outcome() == Outcome.UNKNOWN) {
                assertThat(engine.health()).isNotNull();
            }
            if (!isClosed) {
                model.assertCurrent(content(engine));
            }
            if (!isClosed && engine.health() == null) {
                return engine;
            }
            history.forgetSnapshots();
            if (!isClosed) {
                assertThatThrownBy(() -> engine.put(KeyValues.key(0), new byte[1]))
                        .isInstanceOfSatisfying(
                                EngineFailedException.class,
                                e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED));
                assertThatThrownBy(engine::sync).isInstanceOf(EngineFailedException.class);
                model.assertCurrent(CrashFixture.content(engine));
            }
            int way = random.nextInt(3);
            if (way == 0) {
                disk = disk.kill();
            } else if (way == 1) {
                disk = disk.powerLoss(random.nextInt(8));
                BitcaskEngine next = open();
                model.recoverAfterPowerLoss(content(next));
                return next;
            } else {
                close(engine);
            }
            BitcaskEngine next = open();
            model.recoverAfterKill(content(next));
            return next;
        }
    }

    @Test
    void aFullDiskRefusesWritesAndNothingElse() throws IOException {
        for (int capacity = 500; capacity < 3_000; capacity += 8) {
            for (int variant = 0; variant < 4; variant++) {
                CrashableIoManager disk = new CrashableIoManager()
                        .mapped((variant & 1) != 0)
                        .shortWrites((variant & 2) != 0)
                        .logging(false);
                try {
                    fill(disk, capacity, variant);
                } catch (IOException | AssertionError e) {
                    throw new AssertionError("capacity=" + capacity + ", variant=" + variant + ": " + e, e);
                }
            }
        }
    }

    private static void fill(CrashableIoManager disk, int capacity, int variant) throws IOException {
        ManualClock clock = new ManualClock();
        StoreModel model = new StoreModel(Durability.WRITE, clock);
        BitcaskEngine engine = CrashFixture.open(disk, clock);
        disk.capacity(capacity + ((variant & 1) != 0 ? 3 * 4096 : 0));
        Random random = new Random(capacity);
        RandomHistory history =
                new RandomHistory(capacity, model, clock).keys(20).values(100, false);
        int refused = 0;
        for (int i = 0; i < 400 && refused < 5; i++) {
            try {
                history.step(engine);
            } catch (OutOfSpaceException e) {
                refused++;
                assertThat(engine.health()).isNull();
                model.assertCurrent(CrashFixture.content(engine));
                model.assertPossibleAfterKill(
                        CrashFixture.content(CrashFixture.open(disk.peekKill().capacity(Long.MAX_VALUE), clock)));
            }
        }
        assertThat(refused).isEqualTo(5);
        disk.capacity(Long.MAX_VALUE);
        for (int i = 0; i < 20; i++) {
            history.step(engine);
        }
        byte[] key = KeyValues.bytes("room");
        engine.put(key, new byte[random.nextInt(500)], WriteOptions.SYNC);
        engine.delete(key);
        model.assertCurrent(CrashFixture.content(engine));
        history.forgetSnapshots();
        engine.close();
        BitcaskEngine next = CrashFixture.open(disk, clock);
        model.reopened(CrashFixture.content(next));
        assertThat(BitcaskEngine.verify(HOME, disk.kill().factory(HOME)).damages())
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aSyncedPutThatFitsIsTakenAlthoughThereIsNoRoomToReserve(boolean isMapped) throws IOException {
        ManualClock clock = new ManualClock();
        CrashableIoManager disk = new CrashableIoManager().mapped(isMapped).capacity(40_000);
        BitcaskEngine engine = CrashFixture.builder(disk.factory(HOME), clock)
                .maxFileBytes(16 << 20)
                .open();
        for (int i = 0; i < 100; i++) {
            engine.put(KeyValues.key(i), new byte[50], WriteOptions.SYNC);
        }
        assertThat(CrashFixture.content(CrashFixture.open(disk.powerLoss(0), clock)))
                .hasSize(100);
    }
}
