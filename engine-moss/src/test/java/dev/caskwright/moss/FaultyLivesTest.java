package dev.caskwright.moss;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.Merging;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Lives of stores in which calls to the disk fail here and there, of the log, the persister, the compaction and the lower
 * level alike; the engine is used on for as long as it takes writes, then dies or loses power, and is opened again, also
 * with faults. Whatever happens, readers see a state that some writes made, with every promised one.
 */
final class FaultyLivesTest {
    private static final Path HOME = Path.of("/simulated/lives");
    private static final Path STORE = Path.of("/simulated/lives/moss");
    private static final int KEYS = 12;
    private static final List<Fault> FAULTS =
            Arrays.stream(Fault.values()).filter(Fault::isError).toList();

    private final List<Model> states = new ArrayList<>(); // those that the store may be in, as writes made them
    private int written; // the first of them after the death of the process
    private int synced; // the first of them after a power loss
    private boolean isInDoubt;
    private int faults;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void aStoreThatMetFaultsIsWhatItsWritesMadeOfIt(long seed) throws IOException {
        live(seed);
    }

    /** For {@code -Dcaskwright.lives} of them, from {@code -Dcaskwright.seed} on. */
    @Test
    @Tag("campaign")
    void manyStoresThatMetFaultsAreWhatTheirWritesMadeOfThem() throws IOException {
        long first = Long.getLong("caskwright.seed", 1_000);
        int lives = Integer.getInteger("caskwright.lives", 2_000);
        for (int i = 0; i < lives; i++) {
            live(first + i);
        }
        System.out.println("faulty lives: " + lives + " from seed " + first + ", faults met: " + faults);
    }

    private void live(long seed) throws IOException {
        Random random = new Random(seed);
        LowerLevelTest.Below below = seed % 4 == 0 ? null : LowerLevelTest.Below.values()[(int) (seed % 4) - 1];
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        states.clear();
        states.add(new Model());
        for (int opening = 0; opening < 4; opening++) {
            FaultPlan plan = FaultPlan.failing(random.nextInt(120)).with(FAULTS.get(random.nextInt(FAULTS.size())));
            if (random.nextInt(4) == 0) {
                plan.fromThenOn();
            }
            written = 0;
            synced = 0;
            isInDoubt = false;
            String where = "seed " + seed + ", opening " + opening + ", " + below;
            boolean isPowerLost = random.nextBoolean();
            disk = use(disk, below, plan, random, isPowerLost, where);
            faults += plan.hasFired() ? 1 : 0;
            Model found = judge(disk, below, isPowerLost ? synced : written, where + ", " + plan);
            states.clear();
            states.add(found);
        }
    }

    private MossEngine open(IoManagerFactory disk, @Nullable StorageEngine lower) throws IOException {
        MossBuilder builder = MossEngine.builder(STORE)
                .io(disk)
                .mergeOperator(new Append())
                .tableBytes(4 << 10)
                .persistBytes(16 << 10)
                .cleanBytes(32 << 10)
                .withoutThreads();
        return (lower == null ? builder : builder.over(lower)).open();
    }

    /** Returns the disk after the crash, which comes before the engine is closed or after. */
    private CrashableIoManager use(
            CrashableIoManager disk,
            LowerLevelTest.@Nullable Below below,
            FaultPlan plan,
            Random random,
            boolean isPowerLost,
            String where) {
        long loss = random.nextLong();
        CrashableIoManager image = null;
        IoManagerFactory faulty = plan.wrap(disk.factory(HOME));
        try (StorageEngine lower = below == null ? null : below.open(faulty);
                MossEngine engine = open(faulty, lower)) {
            for (int step = 0; step < 25 && engine.health() == null && !isInDoubt; step++) {
                String now = where + ", step " + step;
                try {
                    write(engine, random, step, now);
                    if (!isInDoubt) {
                        afterwards(engine, lower, random.nextInt(12));
                    }
                } catch (IOException | IllegalStateException | UncheckedIOException | OutOfMemoryError e) {
                    assertThat(plan.hasFired()).as(now + ": " + e).isTrue();
                }
                if (random.nextInt(6) == 0) {
                    plan.stop(); // the trouble passes
                }
            }
            if (random.nextBoolean()) {
                image = isPowerLost ? disk.peekPowerLoss(loss) : disk.peekKill();
            }
        } catch (IOException | IllegalStateException | UncheckedIOException | OutOfMemoryError e) {
            assertThat(plan.hasFired()).as(where + ": " + e).isTrue();
        }
        if (image != null) {
            return image;
        }
        return isPowerLost ? disk.powerLoss(loss) : disk.kill();
    }

    private void write(MossEngine engine, Random random, int step, String where) throws IOException {
        Model before = states.get(states.size() - 1);
        Model after = before.copy();
        MossBatch batch = new MossBatch();
        after.change(random, batch, 1 + random.nextInt(6), KEYS, step);
        int level = random.nextInt(3);
        try {
            engine.write(batch, level == 0 ? WriteOptions.NONE : level == 1 ? WriteOptions.WRITE : WriteOptions.SYNC);
        } catch (IOException | IllegalStateException | OutOfMemoryError e) {
            states.add(after);
            Model shown;
            try {
                shown = Model.of(engine);
            } catch (IOException | IllegalStateException | OutOfMemoryError reading) {
                isInDoubt = true; // either may be there, so nothing can be added to it
                return;
            }
            boolean isNotApplied = e instanceof EngineException told && told.outcome() == Outcome.NOT_APPLIED;
            if (shown.equals(before) && (isNotApplied || engine.health() == null)) {
                states.remove(states.size() - 1);
            } else {
                assertThat(shown).as(where + ": " + e).isIn(before, after);
                assertThat(isNotApplied && !shown.equals(before))
                        .as(where + ": " + e)
                        .isFalse();
            }
            return;
        }
        states.add(after);
        written = level >= 1 ? states.size() - 1 : written;
        synced = level == 2 ? states.size() - 1 : synced;
        if (random.nextInt(3) == 0) {
            Model shown;
            try {
                shown = Model.of(engine);
            } catch (IOException | IllegalStateException | OutOfMemoryError reading) {
                return; // it met the fault
            }
            assertThat(shown).as(where).isEqualTo(after);
        }
    }

    private void afterwards(MossEngine engine, @Nullable StorageEngine lower, int choice) throws IOException {
        switch (choice) {
            case 0, 1, 2 -> {
                engine.flush();
                noteSynced();
            }
            case 3 -> engine.store().merger.step();
            case 4 -> {
                engine.compact();
                if (lower == null) {
                    noteSynced();
                }
            }
            case 5 -> {
                engine.sync();
                noteSynced();
            }
            case 6 -> {
                if (lower == null) {
                    engine.compactor().step(false);
                } else if (lower.facet(Merging.class).isPresent()) {
                    lower.facet(Merging.class).get().merge();
                }
            }
            case 7 -> {
                if (lower == null) {
                    engine.checkpoint("c");
                    noteSynced();
                }
            }
            default -> {}
        }
    }

    private void noteSynced() {
        written = states.size() - 1;
        synced = states.size() - 1;
    }

    private Model judge(CrashableIoManager disk, LowerLevelTest.@Nullable Below below, int atLeast, String where)
            throws IOException {
        try (StorageEngine lower = below == null ? null : below.open(disk.factory(HOME));
                MossEngine engine = open(disk.factory(HOME), lower)) {
            Model content = Model.of(engine);
            assertThat(states.lastIndexOf(content))
                    .as(where + ", content " + content + ", states " + states.size())
                    .isGreaterThanOrEqualTo(atLeast);
            assertThat(engine.verify().damages()).as(where).isEmpty();
            return content;
        } catch (IOException e) {
            throw new AssertionError(where + ": " + e, e);
        }
    }
}
