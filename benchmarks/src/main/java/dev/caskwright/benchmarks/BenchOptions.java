package dev.caskwright.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the user of {@link Bench} asked for.
 *
 * @param full whether to run everything
 * @param keys number of keys of the main run
 * @param valueSize bytes of a value of the main run
 * @param contenders the stores to measure, in order
 * @param isChosen whether the user named them, so that each does all works
 * @param works what to do
 * @param out where the report goes
 * @param stores where the stores are made while measuring
 * @param seconds how long the run may take, roughly, where it is not {@code full}
 * @param sizes the numbers of keys of a run over sizes, ascending; empty for another run
 * @param capSeconds how long a contender may take for one of the sizes
 * @param rounds how many times everything is measured, or 0 for as often as the time allows
 */
record BenchOptions(
        boolean full,
        long keys,
        int valueSize,
        List<Contender> contenders,
        boolean isChosen,
        Set<Work> works,
        Path out,
        Path stores,
        double seconds,
        List<Long> sizes,
        double capSeconds,
        int rounds) {
    static final String USAGE = """
            Usage: caskwright bench [options]
                   caskwright bench --scale [--keys N,N,...] [--cap-seconds N] [options]
                   caskwright bench jmh [JMH options]

            Measures our engine and its peers on the same work, in turn, each in JVMs of its own, and writes
            report.html, report.md, report.json and summary.svg.

              --scale             measure loading, memory, opening, reads and merging over numbers of keys
                                  (default 1, 10, 50 and 100 million, with values of 20 bytes) of one of ours,
                                  RocksDB and LMDB; takes up to an hour and 30 GB of disk
              --cap-seconds N     how long a contender may take for one of the sizes (default 900)
              --full              run all contenders, works, sizes and 10 million keys (hours, not minutes)
              --keys N            number of keys (default 1000000)
              --value-size N      bytes of a value (default 100)
              --contenders A,B    which stores: %s
              --engine A,B        all stores of these engines of ours
              --work A,B          which work: %s
              --out DIR           where the report goes (default target/bench-report)
              --dir DIR           where the stores are made (default: within --out); use a real disk
              --quick-seconds N   how long the run may take, roughly, without --full (default 300)
              --rounds N          measure everything N times (default: as the time allows; --full 5)
            """;

    private static final double DEFAULT_SECONDS = 300;
    private static final List<Long> SIZES = List.of(1_000_000L, 10_000_000L, 50_000_000L, 100_000_000L);
    private static final int SCALE_VALUE_SIZE = 20;
    private static final int VALUE_SIZE = 100;
    private static final double CAP_SECONDS = 900;
    private static final List<Contender> SCALE_CONTENDERS =
            List.of(Contender.COMPACT_MMAP, Contender.ROCKSDB, Contender.LMDB);
    private static final int FULL_ROUNDS = 5;
    private static final List<Contender> QUICK_CONTENDERS = List.of(
            Contender.HASHMAP_MMAP,
            Contender.ROCKSDB,
            Contender.HASHMAP_STANDARD,
            Contender.LMDB,
            Contender.COMPACT_MMAP,
            Contender.CHRONICLE,
            Contender.BTREE_MMAP,
            Contender.MAPDB_HASH,
            Contender.MVSTORE,
            Contender.HEAP_MAP);
    private static final Set<Work> QUICK_WORKS = EnumSet.of(
            Work.FILL,
            Work.GET,
            Work.MISS,
            Work.SCAN,
            Work.RANGE,
            Work.MIX,
            Work.ALLOCATION,
            Work.LATENCY,
            Work.SPACE,
            Work.SYNC,
            Work.OPEN);

    /**
     * Reads the command line.
     *
     * @throws IllegalArgumentException with a message for the user if something is wrong with it
     */
    static BenchOptions parse(String... arguments) {
        boolean full = false;
        boolean scale = false;
        List<Long> sizes = List.of(1_000_000L);
        boolean areSizesGiven = false;
        int valueSize = 0;
        double cap = CAP_SECONDS;
        List<Contender> contenders = new ArrayList<>();
        Set<Work> works = EnumSet.noneOf(Work.class);
        Path out = Path.of("target", "bench-report");
        Path stores = null;
        double seconds = DEFAULT_SECONDS;
        int rounds = 0;
        for (int i = 0; i < arguments.length; i++) {
            String name = arguments[i];
            if (name.equals("--full")) {
                full = true;
                continue;
            }
            if (name.equals("--scale")) {
                scale = true;
                continue;
            }
            if (i + 1 == arguments.length) {
                throw new IllegalArgumentException("unknown option, or one without its value: " + name);
            }
            String value = arguments[++i];
            switch (name) {
                case "--keys" -> {
                    sizes = names(value)
                            .map(each -> number(name, each, 1_000, Integer.MAX_VALUE / 2))
                            .sorted()
                            .toList();
                    areSizesGiven = true;
                }
                case "--cap-seconds" -> cap = number(name, value, 1, 1_000_000);
                case "--value-size" -> valueSize = (int) number(name, value, 1, 1 << 20);
                case "--contenders" -> names(value).map(Contender::of).forEach(contenders::add);
                case "--engine" -> names(value).map(Contender::ofEngine).forEach(contenders::addAll);
                case "--work" -> names(value).map(Work::of).forEach(works::add);
                case "--out" -> out = Path.of(value);
                case "--dir" -> stores = Path.of(value);
                case "--quick-seconds" -> seconds = number(name, value, 1, 1_000_000);
                case "--rounds" -> rounds = (int) number(name, value, 1, 1_000);
                default -> throw new IllegalArgumentException("unknown option: " + name);
            }
        }
        boolean isChosen = !contenders.isEmpty();
        if (!isChosen) {
            contenders.addAll(scale ? SCALE_CONTENDERS : full ? Arrays.asList(Contender.values()) : QUICK_CONTENDERS);
        }
        if (works.isEmpty()) {
            works.addAll(full ? EnumSet.allOf(Work.class) : QUICK_WORKS);
        }
        int wantedRounds = rounds == 0 && full ? FULL_ROUNDS : rounds;
        Path where = stores == null ? out.resolve("stores") : stores;
        if (!scale && sizes.size() != 1) {
            throw new IllegalArgumentException("--keys takes one number without --scale: " + sizes);
        }
        List<Long> wanted = !scale ? List.of() : areSizesGiven ? sizes : SIZES;
        return new BenchOptions(
                full,
                scale ? wanted.get(0) : sizes.get(0),
                valueSize > 0 ? valueSize : scale ? SCALE_VALUE_SIZE : VALUE_SIZE,
                contenders,
                isChosen,
                works,
                out,
                where,
                seconds,
                wanted,
                cap,
                wantedRounds);
    }

    private static Stream<String> names(String list) {
        return Arrays.stream(list.split(","));
    }

    private static long number(String name, String value, long least, long most) {
        long number;
        try {
            number = Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " needs a whole number: " + value, e);
        }
        if (number < least || number > most) {
            throw new IllegalArgumentException(name + " must be from " + least + " to " + most + ": " + value);
        }
        return number;
    }

    /** Returns whether this is a run over sizes. */
    boolean isScale() {
        return !sizes.isEmpty();
    }

    /** Returns how long each figure is measured, in seconds. */
    double window() {
        return full ? 2.0 : Math.min(2.0, Math.max(0.05, 0.4 * seconds / DEFAULT_SECONDS));
    }
}
