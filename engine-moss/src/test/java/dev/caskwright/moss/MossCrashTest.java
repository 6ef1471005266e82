package dev.caskwright.moss;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A disk that dies or loses power before each of its calls, and one of whose calls fails, while batches of all levels
 * are written, layers merged and persisted, files joined, and checkpoints made: afterwards the store opens, has
 * everything that its level promised, and of each batch all or nothing.
 */
final class MossCrashTest {
    private static final Path DIRECTORY = Path.of("/simulated/moss");
    private static final int STEPS = 30;
    private static final int KEYS = 12;

    /** What the store held after each batch; the first state is that of an empty store. */
    private final List<Model> states = new ArrayList<>();

    private int written; // the last state that survives the death of the process
    private int synced; // the last state that survives a power loss

    private static MossEngine open(CrashableIoManager disk) throws IOException {
        return builder().io(disk.factory()).open();
    }

    private static MossBuilder builder() {
        return MossEngine.builder(DIRECTORY)
                .mergeOperator(new Append())
                .tableBytes(4 << 10)
                .persistBytes(16 << 10)
                .cleanBytes(32 << 10)
                .keptCheckpoints(2)
                .withoutThreads();
    }

    private void start() {
        states.clear();
        states.add(new Model());
        written = 0;
        synced = 0;
    }

    private void run(MossEngine engine, long seed) throws IOException {
        Random random = new Random(seed);
        for (int step = 0; step < STEPS; step++) {
            Model state = states.get(states.size() - 1).copy();
            MossBatch batch = new MossBatch();
            state.change(random, batch, 1 + random.nextInt(8), KEYS, step);
            int level = random.nextInt(3);
            states.add(state);
            engine.write(batch, level == 0 ? WriteOptions.NONE : level == 1 ? WriteOptions.WRITE : WriteOptions.SYNC);
            written = level >= 1 ? states.size() - 1 : written;
            synced = level == 2 ? states.size() - 1 : synced;
            afterwards(engine, random.nextInt(14), step);
        }
    }

    private void afterwards(MossEngine engine, int choice, int step) throws IOException {
        switch (choice) {
            case 0, 1 -> {
                engine.flush();
                noteSynced();
            }
            case 2 -> engine.store().merger.step();
            case 3 -> {
                engine.compact();
                noteSynced();
            }
            case 4 -> {
                engine.checkpoint("c" + step);
                noteSynced();
            }
            case 5 -> {
                engine.sync();
                noteSynced();
            }
            case 6 -> {
                engine.store().lock.lock();
                try {
                    engine.store().seal();
                } finally {
                    engine.store().lock.unlock();
                }
            }
            case 7 -> engine.compactor().step(false);
            default -> {}
        }
    }

    private void noteSynced() {
        written = states.size() - 1;
        synced = states.size() - 1;
    }

    private void judge(CrashableIoManager image, int atLeast, String where) {
        try {
            int found;
            try (MossEngine engine = open(image)) {
                Model content = Model.of(engine);
                found = states.lastIndexOf(content);
                assertThat(found).as(where + ", content " + content).isGreaterThanOrEqualTo(atLeast);
                engine.put(Model.bytes("after"), Model.bytes("crash"), WriteOptions.SYNC);
                assertThat(engine.verify().damages()).as(where).isEmpty();
            }
            try (MossEngine engine = open(image)) {
                assertThat(engine.get(Model.bytes("after"))).as(where).isNotNull();
                engine.remove(Model.bytes("after"), WriteOptions.WRITE);
                assertThat(Model.of(engine)).as(where + ", opened again").isEqualTo(states.get(found));
            }
        } catch (IOException e) {
            throw new AssertionError(where + ": " + e, e);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void aCrashBeforeAnyCallLosesNothingThatWasPromised(long seed) throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false).mapped(seed % 2 == 0);
        start();
        int[] judged = {0};
        disk.observer(call -> {
            String where = "seed " + seed + ", before " + call;
            judge(disk.peekKill(), written, where + ", killed");
            for (int loss = 0; loss < 7; loss++) {
                long chance = loss < 5 ? loss : seed * 1_000_003 + call.number() * 31 + loss;
                judge(disk.peekPowerLoss(chance), synced, where + ", loss " + chance);
            }
            judged[0]++;
        });
        try (MossEngine engine = open(disk)) {
            run(engine, seed);
        }
        noteSynced();
        judge(disk.peekPowerLoss(seed), synced, "seed " + seed + ", closed");
        assertThat(judged[0]).isGreaterThan(STEPS * 2);
    }

    @ParameterizedTest
    @EnumSource(value = Fault.class, names = "INTERRUPT", mode = Mode.EXCLUDE)
    void aFailedCallIsNeverAcknowledged(Fault fault) throws IOException {
        for (int n = 0; ; n++) {
            CrashableIoManager disk = new CrashableIoManager().logging(false);
            start();
            FaultPlan plan = FaultPlan.failing(n).with(fault);
            String where = plan + ", call " + n;
            try (MossEngine engine = builder().io(plan.wrap(disk.factory())).open()) {
                runToTheFault(engine, plan, where);
            } catch (IOException | IllegalStateException | OutOfMemoryError e) {
                assertThat(plan.hasFired()).as(where + ": " + e).isTrue();
            }
            judge(disk.peekKill(), written, where + " " + plan + ", killed");
            judge(disk.peekPowerLoss(n), synced, where + " " + plan + ", loss");
            if (!plan.hasFired()) {
                return;
            }
        }
    }

    private void runToTheFault(MossEngine engine, FaultPlan plan, String where) throws IOException {
        int before = 0;
        try {
            before = states.size();
            run(engine, 7);
        } catch (IOException | IllegalStateException | OutOfMemoryError e) {
            assertThat(plan.hasFired()).as(where + ": " + e).isTrue();
            assertThat(before).isPositive();
            if (e instanceof EngineException failed && failed.outcome() == Outcome.NOT_APPLIED) {
                Model content = Model.of(engine);
                assertThat(states).as(where + ", readers see some state").contains(content);
            }
        }
    }

    @Test
    void recoveryMayBeCutShortAtAnyCall() throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        start();
        MossEngine engine = open(disk);
        run(engine, 11);
        engine.sync();
        noteSynced();
        CrashableIoManager image = disk.kill();
        int[] judged = {0};
        image.observer(call -> {
            judged[0]++;
            judge(image.peekKill(), synced, "recovery, before " + call + ", killed");
            for (int loss = 0; loss < 5; loss++) {
                judge(image.peekPowerLoss(loss), synced, "recovery, before " + call + ", loss " + loss);
            }
        });
        open(image).close();
        assertThat(judged[0]).isGreaterThan(3);
    }
}
