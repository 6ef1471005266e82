package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The steps of a run, round after round. Within a round every contender has its turn, so that a slow minute of the machine
 * falls on all of them; each round starts with another contender.
 */
final class Plan {
    private static final Set<Work> OWN_STEPS = EnumSet.of(Work.SYNC, Work.OPEN);
    /** Works beside which the bare limits stand. */
    private static final Set<Work> BOUNDED_WORKS = EnumSet.of(Work.FILL, Work.GET, Work.LATENCY);
    /** Works that take long and are spread over rounds only in a full run. */
    private static final Set<Work> LONG_WORKS = EnumSet.of(Work.LATENCY, Work.SPACE, Work.OPEN);

    /** Who does the long works in a short run. */
    private static final Set<Contender> LONG_WORKERS =
            EnumSet.of(Contender.HASHMAP_MMAP, Contender.COMPACT_MMAP, Contender.ROCKSDB, Contender.LMDB);
    /** Who makes durable puts in a short run. */
    private static final Set<Contender> SYNC_WORKERS =
            EnumSet.of(Contender.HASHMAP_MMAP, Contender.HASHMAP_STANDARD, Contender.ROCKSDB, Contender.LMDB);
    /** Who is measured with 10 million keys in a full run. */
    private static final Set<Contender> SCALE_WORKERS = EnumSet.of(
            Contender.HASHMAP_MMAP, Contender.COMPACT_MMAP, Contender.ROCKSDB, Contender.LMDB, Contender.CHRONICLE);

    private static final long MANY_KEYS = 10_000_000;
    private static final int[] OTHER_VALUE_SIZES = {1 << 10, 16 << 10};
    private static final long OTHER_DATA_BYTES = 512L << 20;

    private final BenchOptions options;

    Plan(BenchOptions options) {
        this.options = options;
    }

    /** Returns the steps of a round, counted from 0. */
    List<ChildJvm.Step> round(int round) {
        List<Contender> turn = new ArrayList<>(options.contenders());
        Collections.rotate(turn, -round);
        List<ChildJvm.Step> steps = new ArrayList<>();
        if (!Collections.disjoint(options.works(), BOUNDED_WORKS)) {
            steps.add(step(ChildMain.Task.RAW, "raw", Durability.WRITE, EnumSet.of(Work.FILL)));
        }
        for (Contender contender : turn) {
            Set<Work> works = EnumSet.copyOf(options.works());
            works.removeAll(OWN_STEPS);
            if (!contender.isOurs()) {
                works.remove(Work.FEATURES);
            }
            if (!options.full() && (round > 0 || !does(contender, LONG_WORKERS))) {
                works.removeAll(LONG_WORKS);
            }
            if (!works.isEmpty()) {
                steps.add(step(ChildMain.Task.STORE, contender.id(), Durability.WRITE, works));
            }
        }
        if (options.works().contains(Work.SYNC)) {
            addSync(steps, turn);
        }
        if (options.works().contains(Work.OPEN) && (options.full() || round == 0)) {
            addOpen(steps, turn);
        }
        if (options.full()) {
            addSizes(steps, turn);
            addScale(steps, turn);
        }
        return steps;
    }

    /** Returns whether a contender does some long work: in a short run only a few do, unless the user named them. */
    private boolean does(Contender contender, Set<Contender> workers) {
        return options.full() || options.isChosen() || workers.contains(contender);
    }

    private void addSync(List<ChildJvm.Step> steps, List<Contender> turn) {
        Set<Work> sync = EnumSet.of(Work.SYNC);
        steps.add(step(ChildMain.Task.RAW, "raw", Durability.SYNC, sync));
        for (Contender contender : turn) {
            if (contender.canSync() && does(contender, SYNC_WORKERS)) {
                steps.add(step(ChildMain.Task.STORE, contender.id(), Durability.SYNC, sync));
            }
        }
    }

    private void addOpen(List<ChildJvm.Step> steps, List<Contender> turn) {
        for (Contender contender : turn) {
            if (contender != Contender.HEAP_MAP && does(contender, LONG_WORKERS)) {
                steps.add(step(ChildMain.Task.OPEN_CLEAN, contender.id(), Durability.WRITE, EnumSet.of(Work.OPEN)));
            }
        }
    }

    private void addSizes(List<ChildJvm.Step> steps, List<Contender> turn) {
        Set<Work> works = EnumSet.of(Work.FILL, Work.GET, Work.SCAN, Work.OVERWRITE);
        works.retainAll(options.works());
        for (Contender contender : turn) {
            for (int valueSize : OTHER_VALUE_SIZES) {
                if (!works.isEmpty()) {
                    long keys = Math.min(options.keys(), OTHER_DATA_BYTES / valueSize);
                    steps.add(step(ChildMain.Task.STORE, contender.id(), keys, valueSize, works));
                }
            }
        }
    }

    /** Adds the steps with ten times a million keys, if the main run has the million to compare with. */
    private void addScale(List<ChildJvm.Step> steps, List<Contender> turn) {
        Set<Work> works = EnumSet.of(Work.FILL, Work.GET, Work.MISS, Work.OVERWRITE);
        works.retainAll(options.works());
        for (Contender contender : turn) {
            if (!SCALE_WORKERS.contains(contender) || options.keys() != MANY_KEYS / 10) {
                continue;
            }
            if (!works.isEmpty()) {
                steps.add(step(ChildMain.Task.STORE, contender.id(), MANY_KEYS, options.valueSize(), works));
            }
            if (options.works().contains(Work.OPEN)) {
                Set<Work> open = EnumSet.of(Work.OPEN);
                steps.add(step(ChildMain.Task.OPEN_CLEAN, contender.id(), MANY_KEYS, options.valueSize(), open));
            }
        }
    }

    private ChildJvm.Step step(ChildMain.Task task, String subject, long keys, int valueSize, Set<Work> works) {
        return new ChildJvm.Step(task, subject, keys, valueSize, Durability.WRITE, works, options.window());
    }

    private ChildJvm.Step step(ChildMain.Task task, String subject, Durability durability, Set<Work> works) {
        return new ChildJvm.Step(
                task, subject, options.keys(), options.valueSize(), durability, works, options.window());
    }
}
