package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.ThrowingPlan;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Lets the n-th call of a script to its disk or its index end in an {@link OutOfMemoryError}, or in an exception that it does
 * not declare, for n = 0, 1, 2 ... until the script ends without. Each time, what was acknowledged is there, what was refused
 * is not, and the store goes on or says that it has failed; then the same after a crash.
 */
@Timeout(300)
final class AbruptErrorsTest {
    private static final int KEYS = 9;

    /** A store on a disk, and what it should have. */
    private static final class Script {
        private final CrashableIoManager disk;
        private final ManualClock clock = new ManualClock();
        private final UnaryOperator<EngineBuilder> options;
        private final BooleanSupplier hasFired;
        private final Map<Integer, Integer> expected = new TreeMap<>();
        private final Map<Integer, Integer> attempted = new TreeMap<>(); // whose outcome is not known

        Script(CrashableIoManager disk, UnaryOperator<EngineBuilder> options, BooleanSupplier hasFired) {
            this.disk = disk;
            this.options = options;
            this.hasFired = hasFired;
        }

        private BitcaskEngine open() throws IOException {
            try {
                return tryToOpen();
            } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
                assertThat(hasFired.getAsBoolean())
                        .as("opening failed for nothing: " + e)
                        .isTrue();
                return tryToOpen();
            }
        }

        private BitcaskEngine tryToOpen() throws IOException {
            return options.apply(CrashFixture.builder(HOME, disk.factory(HOME), clock))
                    .open();
        }

        void run() throws IOException {
            BitcaskEngine engine = open();
            boolean isJudged = false;
            for (int i = 1; i <= 40 && engine.health() == null; i++) {
                step(engine, i);
                if (hasFired.getAsBoolean() && !isJudged) {
                    isJudged = true;
                    judge(engine);
                }
            }
            close(engine);
            BitcaskEngine next = open();
            assertThat(next.health()).isNull();
            judge(next);
            close(next);
            try (BitcaskEngine last = CrashFixture.open(disk, clock)) {
                judge(last);
            }
        }

        private void close(BitcaskEngine engine) throws IOException {
            try {
                engine.close();
            } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
                assertThat(hasFired.getAsBoolean())
                        .as("closing failed for nothing: " + e)
                        .isTrue();
            }
            engine.close();
        }

        private void step(BitcaskEngine engine, int i) throws IOException {
            int key = i % KEYS;
            try {
                switch (i % 8) {
                    case 2 -> {
                        attempted.put(key, 0);
                        engine.delete(KeyValues.key(key));
                    }
                    case 4 -> {
                        attempted.put(key, i);
                        attempted.put((key + 1) % KEYS, i);
                        engine.write(
                                new WriteBatch()
                                        .put(KeyValues.key(key), value(i))
                                        .put(KeyValues.key((key + 1) % KEYS), value(i)),
                                WriteOptions.DEFAULT);
                    }
                    case 5 -> {
                        try (Snapshot snapshot = engine.snapshot()) {
                            attempted.put(key, i);
                            engine.put(KeyValues.key(key), value(i));
                            snapshot.get(KeyValues.key(key));
                        }
                    }
                    default -> {
                        attempted.put(key, i);
                        engine.put(KeyValues.key(key), value(i), i % 3 == 0 ? WriteOptions.SYNC : WriteOptions.WRITE);
                    }
                }
                acknowledge();
            } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
                assertThat(hasFired.getAsBoolean())
                        .as("a call failed for nothing: " + e)
                        .isTrue();
                if (e instanceof EngineException typed && typed.outcome() == Outcome.NOT_APPLIED) {
                    attempted.clear();
                }
            }
        }

        private void acknowledge() {
            attempted.forEach((key, value) -> {
                if (value == 0) {
                    expected.remove(key);
                } else {
                    expected.put(key, value);
                }
            });
            attempted.clear();
        }

        /** All of an attempt is there, or nothing of it; and everything else as it was. Now, and after a crash. */
        private void judge(BitcaskEngine engine) throws IOException {
            if (engine.health() == null) {
                judge(content(engine), "now");
            } else {
                judgeFailed(content(engine));
            }
            try (BitcaskEngine crashed = CrashFixture.open(disk.peekKill(), clock)) {
                judge(content(crashed), "after a crash");
            }
            if (engine.health() != null || attempted.isEmpty()) {
                return;
            }
            if (isApplied(content(engine))) {
                acknowledge(); // an attempt that can be read is one that counts
                return;
            }
            // One that cannot be read is gone for good when the next write was made.
            attempted.clear();
            engine.put(KeyValues.key(KEYS), value(0));
            judge(engine);
        }

        private void judge(Map<Integer, Integer> found, String when) {
            if (attempted.isEmpty() || !isApplied(found)) {
                assertThat(found).as(when + ", attempted=" + attempted).isEqualTo(expected);
            }
        }

        /** In a store that has failed, readers may see a part of the batch of which the outcome is not known. */
        private void judgeFailed(Map<Integer, Integer> found) {
            for (int key = 0; key < KEYS; key++) {
                Integer value = found.get(key);
                if (!Objects.equals(value, expected.get(key))) {
                    assertThat(attempted.get(key)).isNotNull().isEqualTo(value == null ? Integer.valueOf(0) : value);
                }
            }
        }

        private boolean isApplied(Map<Integer, Integer> found) {
            Map<Integer, Integer> applied = new TreeMap<>(expected);
            attempted.forEach((key, value) -> {
                if (value == 0) {
                    applied.remove(key);
                } else {
                    applied.put(key, value);
                }
            });
            return found.equals(applied);
        }

        private static byte[] value(int i) {
            byte[] value = new byte[60];
            Arrays.fill(value, (byte) i);
            return value;
        }

        private @Nullable Entry entry(BitcaskEngine engine, byte[] key) throws IOException {
            boolean hadFired = hasFired.getAsBoolean();
            try {
                return engine.entry(key);
            } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
                assertThat(!hadFired && hasFired.getAsBoolean())
                        .as("a read failed for nothing: " + e)
                        .isTrue();
                return engine.entry(key);
            }
        }

        private Map<Integer, Integer> content(BitcaskEngine engine) throws IOException {
            Map<Integer, Integer> found = new TreeMap<>();
            for (int key = 0; key < KEYS; key++) {
                Entry entry = entry(engine, KeyValues.key(key));
                if (entry != null) {
                    found.put(key, (int) entry.value()[0]);
                }
            }
            return found;
        }
    }

    private static void tell(Script script, long n, Object plan) {
        try {
            script.run();
        } catch (IOException | RuntimeException | AssertionError | OutOfMemoryError | StackOverflowError e) {
            throw new AssertionError("n=" + n + ", " + plan + ": " + e, e);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ANY, names = "OUT_OF_MEMORY.*|UNCHECKED")
    void everyCallToTheDiskMayEndAbruptly(Fault fault) {
        for (boolean isMapped : new boolean[] {false, true}) {
            for (long n = 0; ; n++) {
                FaultPlan plan = FaultPlan.failing(n).with(fault);
                CrashableIoManager disk =
                        new CrashableIoManager().mapped(isMapped).logging(false);
                Script script = new Script(disk, builder -> builder.io(plan.wrap(disk.factory(HOME))), plan::hasFired);
                tell(script, n, "mapped=" + isMapped + ", " + plan);
                if (!plan.hasFired()) {
                    assertThat(n).isGreaterThan(100);
                    break;
                }
            }
        }
    }

    @Test
    void everyCallToTheIndexMayEndAbruptly() {
        for (int variant = 0; variant < 2; variant++) {
            for (long n = 0; ; n++) {
                ThrowingPlan plan = ThrowingPlan.failing(n);
                if (variant == 1) {
                    plan.with(() -> new StackOverflowError("planted"));
                }
                CrashableIoManager disk = new CrashableIoManager().logging(false);
                Script script = new Script(disk, builder -> builder.index(plan.wrap(builder.index)), plan::hasFired);
                tell(script, n, plan);
                if (!plan.hasFired()) {
                    assertThat(n).isGreaterThan(50);
                    break;
                }
            }
        }
    }

    /** A moment without descriptors, when a writer goes on to a new file. */
    @Test
    void aFileThatCannotBeMadeFailsOneWriteAndNoMore() throws IOException {
        for (Fault fault :
                new Fault[] {Fault.IO_ERROR, Fault.ERROR_AFTER_EFFECT, Fault.OUT_OF_MEMORY, Fault.UNCHECKED}) {
            for (long n = 1; n < 4; n++) {
                CrashableIoManager disk = new CrashableIoManager();
                CrashFixture.open(disk).close();
                FaultPlan plan = FaultPlan.failing(n).only(IoOperation.CREATE).with(fault);
                BitcaskEngine engine = CrashFixture.builder(HOME, plan.wrap(disk.factory(HOME)), new ManualClock())
                        .durability(Durability.SYNC)
                        .open();
                int refused = 0;
                for (int i = 0; i < 60; i++) {
                    try {
                        engine.put(KeyValues.key(i), new byte[100]);
                    } catch (EngineException e) {
                        refused++;
                        assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED);
                        engine.put(KeyValues.key(i), new byte[100]);
                    }
                }
                assertThat(engine.health()).as(plan.toString()).isNull();
                assertThat(refused).as(plan.toString()).isLessThanOrEqualTo(1);
                BitcaskEngine crashed = CrashFixture.open(disk.powerLoss(n));
                assertThat(crashed.size()).isEqualTo(60);
                crashed.close();
            }
        }
    }
}
