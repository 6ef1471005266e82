package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static dev.caskwright.moss.Model.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caskwright.api.Merging;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.BoltEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The engine over Bitcask, with an ordered index and without, and over bolt. */
final class LowerLevelTest {
    private static final Path HOME = Path.of("/simulated/lower");
    private static final Path LOG = Path.of("/simulated/log");
    private static final int KEYS = 15;
    private static final List<Fault> FAULTS =
            Arrays.stream(Fault.values()).filter(Fault::isError).toList();

    /** What is below. */
    enum Below {
        BITCASK_WITH_ORDER,
        BITCASK_WITHOUT_ORDER,
        BOLT;

        StorageEngine open(IoManagerFactory disk) throws IOException {
            if (this == BOLT) {
                BoltDatabase database = BoltDatabase.builder(HOME.resolve("data.db"))
                        .io(disk)
                        .pageSize(512)
                        .open();
                return BoltEngine.over(database, List.of(bytes("moss")), true);
            }
            KeyIndexFactory index = this == BITCASK_WITH_ORDER ? context -> new BTreeKeyIndex() : HashKeyIndex::new;
            return BitcaskEngine.builder(HOME)
                    .index(index)
                    .io(disk)
                    .autoMerge(false)
                    .executor(Runnable::run)
                    .open();
        }
    }

    private static StorageEngine lower(CrashableIoManager disk, Below below) throws IOException {
        return below.open(disk.factory(HOME));
    }

    private static MossBuilder over(StorageEngine lower, IoManagerFactory log) {
        return MossEngine.builder(LOG)
                .io(log)
                .over(lower)
                .mergeOperator(new Append())
                .tableBytes(4 << 10)
                .persistBytes(16 << 10)
                .cleanBytes(32 << 10)
                .withoutThreads();
    }

    @ParameterizedTest
    @EnumSource
    void historiesOverALowerLevelAnswerAsTheModelDoes(Below below) throws IOException {
        for (long seed = 1; seed <= 3; seed++) {
            Random random = new Random(seed);
            CrashableIoManager disk = new CrashableIoManager().logging(false);
            Model model = new Model();
            for (int opening = 0; opening < 3; opening++) {
                try (StorageEngine lower = lower(disk, below);
                        MossEngine engine = over(lower, disk.factory(HOME)).open()) {
                    String where = "seed " + seed + ", opening " + opening;
                    model.assertShownBy(engine, where);
                    for (int step = 0; step < 60; step++) {
                        MossBatch batch = new MossBatch();
                        model.change(random, batch, 1 + random.nextInt(8), KEYS, step);
                        engine.write(batch, random.nextBoolean() ? WriteOptions.NONE : WriteOptions.WRITE);
                        switch (random.nextInt(8)) {
                            case 0 -> engine.flush();
                            case 1 -> engine.store().merger.step();
                            default -> {}
                        }
                        model.assertSamples(random, engine, KEYS, where + ", step " + step);
                    }
                    model.assertShownBy(engine, where + ", at the end");
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCrashLosesNothingAndAppliesNoOperandTwice(Below below) throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        List<Model> states = new ArrayList<>();
        states.add(new Model());
        int[] promised = {0, 0};
        int[] judged = {0};
        disk.observer(call -> {
            judged[0]++;
            String where = "before " + call;
            judge(disk.peekKill(), below, states, promised[0], where + ", killed");
            judge(disk.peekPowerLoss(judged[0] % 7), below, states, promised[1], where + ", loss " + judged[0] % 7);
        });
        Random random = new Random(5);
        try (StorageEngine lower = lower(disk, below);
                MossEngine engine = over(lower, disk.factory(HOME)).open()) {
            for (int step = 0; step < 24; step++) {
                Model state = states.get(states.size() - 1).copy();
                MossBatch batch = new MossBatch();
                state.change(random, batch, 1 + random.nextInt(6), KEYS, step);
                states.add(state);
                boolean isSync = random.nextInt(3) == 0;
                engine.write(batch, isSync ? WriteOptions.SYNC : WriteOptions.WRITE);
                promised[0] = states.size() - 1;
                promised[1] = isSync ? promised[0] : promised[1];
                if (random.nextInt(4) == 0) {
                    engine.flush();
                    promised[1] = promised[0];
                }
            }
        }
        assertThat(judged[0]).isGreaterThan(50);
    }

    private static void judge(CrashableIoManager image, Below below, List<Model> states, int atLeast, String where) {
        try (StorageEngine lower = lower(image, below);
                MossEngine engine = over(lower, image.factory(HOME)).open()) {
            Model content = Model.of(engine);
            assertThat(states.lastIndexOf(content))
                    .as(where + ", content " + content)
                    .isGreaterThanOrEqualTo(atLeast);
            engine.put(bytes("after"), bytes("crash"), WriteOptions.SYNC);
        } catch (IOException e) {
            throw new AssertionError(where + ": " + e, e);
        }
    }

    /** Each call to the disk fails once, in one way: calls of the log and of what is below alike. */
    @ParameterizedTest
    @CsvSource({"BITCASK_WITH_ORDER, 0", "BITCASK_WITHOUT_ORDER, 1", "BOLT, 2"})
    void aFailedCallOfAnyPartIsNeverAcknowledged(Below below, int shift) throws IOException {
        failEachCall(below, shift);
    }

    @ParameterizedTest
    @Tag("campaign")
    @EnumSource
    void everyFaultOfEveryCallIsNeverAcknowledged(Below below) throws IOException {
        for (int shift = 0; shift < FAULTS.size(); shift++) {
            failEachCall(below, shift);
        }
    }

    private static void failEachCall(Below below, int shift) throws IOException {
        for (int n = 0; ; n++) {
            Fault fault = FAULTS.get((n + shift) % FAULTS.size());
            CrashableIoManager disk = new CrashableIoManager().logging(false);
            FaultPlan plan = FaultPlan.failing(n).with(fault);
            List<Model> states = new ArrayList<>();
            states.add(new Model());
            int[] promised = {0, 0};
            String where = below + ", call " + n + ", " + fault;
            try (StorageEngine lower = below.open(plan.wrap(disk.factory(HOME)));
                    MossEngine engine =
                            over(lower, plan.wrap(disk.factory(HOME))).open()) {
                work(engine, lower, states, promised);
            } catch (IOException | IllegalStateException | UncheckedIOException | OutOfMemoryError e) {
                assertThat(plan.hasFired()).as(where + ": " + e).isTrue();
            }
            judge(disk.peekKill(), below, states, promised[0], where + " " + plan + ", killed");
            judge(disk.peekPowerLoss(n), below, states, promised[1], where + " " + plan + ", loss");
            if (!plan.hasFired()) {
                assertThat(n).isGreaterThan(50);
                return;
            }
        }
    }

    private static void work(MossEngine engine, StorageEngine lower, List<Model> states, int[] promised)
            throws IOException {
        Random random = new Random(9);
        for (int step = 0; step < 20; step++) {
            Model state = states.get(states.size() - 1).copy();
            MossBatch batch = new MossBatch();
            state.change(random, batch, 1 + random.nextInt(6), KEYS, step);
            states.add(state);
            boolean isSync = random.nextInt(3) == 0;
            engine.write(batch, isSync ? WriteOptions.SYNC : WriteOptions.WRITE);
            promised[0] = states.size() - 1;
            promised[1] = isSync ? promised[0] : promised[1];
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    engine.flush();
                    promised[1] = promised[0];
                }
                case 2 -> engine.compact();
                case 3 -> {
                    if (lower.facet(Merging.class).isPresent()) {
                        lower.facet(Merging.class).get().merge();
                    }
                }
                default -> {}
            }
        }
    }

    /** Returns an engine whose next write throws once it is made. */
    private static StorageEngine throwingOnce(StorageEngine lower, boolean[] isDue) {
        return (StorageEngine) Proxy.newProxyInstance(
                StorageEngine.class.getClassLoader(),
                new Class<?>[] {StorageEngine.class},
                (proxy, method, arguments) -> {
                    Object result;
                    try {
                        result = method.invoke(lower, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                    if (method.getName().equals("write") && isDue[0]) {
                        isDue[0] = false;
                        throw new IllegalStateException("thrown after the write");
                    }
                    return result;
                });
    }

    private static void seal(MossEngine engine) {
        engine.store().lock.lock();
        try {
            engine.store().seal();
        } finally {
            engine.store().lock.unlock();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLowerLevelThatThrewAfterItHadWrittenGetsNoOperandTwice(Below below) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        boolean[] isDue = {false};
        try (StorageEngine lower = lower(disk, below);
                MossEngine engine = over(throwingOnce(lower, isDue), disk.factory(HOME))
                        .persistBytes(160 << 10)
                        .maxMemoryBytes(8 << 20)
                        .open()) {
            engine.put(bytes("j"), bytes("0"));
            engine.flush();
            engine.put(bytes("long"), new byte[100 << 10]);
            seal(engine);
            engine.merge(bytes("j"), bytes("+1"), WriteOptions.WRITE);
            engine.put(bytes("b"), new byte[14 << 10]);
            seal(engine);
            isDue[0] = true;
            try {
                engine.flush();
            } catch (IllegalStateException e) {
                assertThat(e).hasMessage("thrown after the write");
            }
            assertThat(isDue[0]).isFalse();
            for (String key : List.of("c", "d", "e")) {
                engine.put(bytes(key), new byte[14 << 10]);
                seal(engine);
            }
            engine.store().merger.step(); // joins the operand's layer to later ones, and not to the one before
            engine.flush();
            assertThat(text(engine.get(bytes("j")))).isEqualTo("0+1");
        }
    }

    @Test
    void noMergeMakesALayerThatIsTooMuchForOneBatchBelow() throws IOException {
        long most = 64 << 10;
        CrashableIoManager disk = new CrashableIoManager();
        try (StorageEngine lower = lower(disk, Below.BITCASK_WITHOUT_ORDER);
                MossEngine engine =
                        over(lower, disk.factory(HOME)).persistBytes(most).open()) {
            for (int i = 0; i < 400; i++) {
                engine.put(bytes("key" + i), new byte[1_000], WriteOptions.NONE);
                engine.store().merger.step();
            }
            assertThat(engine.store().merger.merges()).isPositive();
            assertThat(engine.store().stack().layers).allMatch(layer -> layer.bytes() <= most);
            engine.compact();
            assertThat(engine.store().stack().bottom.version()).isEqualTo(400);
            assertThat(engine.store().persister.persists()).isGreaterThan(5);
            assertThat(engine.size()).isEqualTo(400);
        }
    }

    @Test
    void aLowerLevelThatSomethingElseWroteToIsRefused() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (StorageEngine lower = lower(disk, Below.BITCASK_WITH_ORDER)) {
            try (MossEngine engine = over(lower, disk.factory(HOME)).open()) {
                engine.put(bytes("a"), bytes("1"));
            }
            lower.put(bytes("foreign"), bytes("1"));
            assertRefused(lower, disk, "something else wrote to it");
        }
    }

    @Test
    void aLowerLevelWithDataOfItsOwnIsRefused() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (StorageEngine lower = lower(disk, Below.BITCASK_WITH_ORDER)) {
            lower.put(bytes("mine"), bytes("1"));
            assertRefused(lower, disk, "it has entries");
            assertThat(text(lower.get(bytes("mine")))).isEqualTo("1");
        }
    }

    @Test
    void aLowerLevelOfAnotherStoreIsRefused() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (StorageEngine lower = lower(disk, Below.BITCASK_WITH_ORDER)) {
            over(lower, disk.factory(HOME)).open().close();
            CrashableIoManager other = new CrashableIoManager();
            assertRefused(lower, other, "it belongs to another store");
        }
    }

    private static void assertRefused(StorageEngine lower, CrashableIoManager logs, String why) {
        MossException refused = catchThrowableOfType(
                MossException.class, () -> over(lower, logs.factory(HOME)).open());
        assertThat(refused).hasMessageContaining(why);
        assertThat(refused.reason()).isEqualTo(MossException.Reason.LOWER_LEVEL_CHANGED);
    }

    @Test
    void keysOfAnUnorderedLowerLevelThatDoNotFitAreRefused() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (StorageEngine lower = lower(disk, Below.BITCASK_WITHOUT_ORDER)) {
            try (MossEngine engine = over(lower, disk.factory(HOME)).open()) {
                for (int i = 0; i < 1_000; i++) {
                    engine.put(bytes("key" + i), bytes("1"));
                }
            }
            MossException refused = catchThrowableOfType(
                    MossException.class,
                    () -> over(lower, disk.factory(HOME))
                            .maxHeldKeyBytes(10_000)
                            .open());
            assertThat(refused.reason()).isEqualTo(MossException.Reason.KEYS_NOT_HELD);
            assertThat(refused).hasMessageContaining("limit=10000");
            try (MossEngine engine = over(lower, disk.factory(HOME)).open()) {
                assertThat(text(engine.get(bytes("key999")))).isEqualTo("1");
                assertThat(engine.size()).isEqualTo(1_000);
            }
        }
    }

    @Test
    void aKeyThatTheLowerLevelCannotHoldIsRefused() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (StorageEngine lower = lower(disk, Below.BITCASK_WITH_ORDER);
                MossEngine engine = over(lower, disk.factory(HOME)).open()) {
            engine.put(new byte[65_534], bytes("1"));
            assertThatThrownBy(() -> engine.put(new byte[65_535], bytes("1")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("too long for the lower level");
            engine.flush();
            assertThat(text(engine.get(new byte[65_534]))).isEqualTo("1");
        }
    }
}
