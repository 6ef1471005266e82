package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static dev.caskwright.moss.Model.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.IoManagerFactory;
import dev.caskwright.api.spi.KeyIndexFactory;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine over Bitcask, with an ordered index and without. */
final class LowerLevelTest {
    private static final Path HOME = Path.of("/simulated/lower");
    private static final Path LOG = Path.of("/simulated/log");
    private static final int KEYS = 15;

    private static BitcaskEngine lower(CrashableIoManager disk, boolean isOrdered) throws IOException {
        KeyIndexFactory index = isOrdered ? context -> new BTreeKeyIndex() : HashKeyIndex::new;
        return BitcaskEngine.builder(HOME)
                .index(index)
                .io(disk.factory(HOME))
                .autoMerge(false)
                .executor(Runnable::run)
                .open();
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
    @ValueSource(booleans = {true, false})
    void historiesOverALowerLevelAnswerAsTheModelDoes(boolean isOrdered) throws IOException {
        for (long seed = 1; seed <= 3; seed++) {
            Random random = new Random(seed);
            CrashableIoManager disk = new CrashableIoManager().logging(false);
            Model model = new Model();
            for (int opening = 0; opening < 3; opening++) {
                try (BitcaskEngine lower = lower(disk, isOrdered);
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
    @ValueSource(booleans = {true, false})
    void aCrashLosesNothingAndAppliesNoOperandTwice(boolean isOrdered) throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        List<Model> states = new ArrayList<>();
        states.add(new Model());
        int[] promised = {0, 0};
        int[] judged = {0};
        disk.observer(call -> {
            judged[0]++;
            String where = "before " + call;
            judge(disk.peekKill(), isOrdered, states, promised[0], where + ", killed");
            judge(disk.peekPowerLoss(judged[0] % 7), isOrdered, states, promised[1], where + ", loss " + judged[0] % 7);
        });
        Random random = new Random(5);
        try (BitcaskEngine lower = lower(disk, isOrdered);
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

    private static void judge(
            CrashableIoManager image, boolean isOrdered, List<Model> states, int atLeast, String where) {
        try (BitcaskEngine lower = lower(image, isOrdered);
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

    @Test
    void aLowerLevelThatSomethingElseWroteToIsRefused() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (BitcaskEngine lower = lower(disk, true)) {
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
        try (BitcaskEngine lower = lower(disk, true)) {
            lower.put(bytes("mine"), bytes("1"));
            assertRefused(lower, disk, "it has entries");
            assertThat(text(lower.get(bytes("mine")))).isEqualTo("1");
        }
    }

    @Test
    void aLowerLevelOfAnotherStoreIsRefused() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (BitcaskEngine lower = lower(disk, true)) {
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
        try (BitcaskEngine lower = lower(disk, false)) {
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
        try (BitcaskEngine lower = lower(disk, true);
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
