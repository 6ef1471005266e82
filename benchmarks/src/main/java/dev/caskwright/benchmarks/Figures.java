package dev.caskwright.benchmarks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Predicate;

/** The figures that the project holds itself to, computed from the medians of one run. */
final class Figures {
    private static final long MANY_KEYS = 10_000_000;
    private static final long VERY_MANY_KEYS = 100_000_000;
    private static final Contender HASHMAP = Contender.HASHMAP_MMAP;
    private static final String P999 = "p99.9";

    private final Results results;
    private final List<Figure> figures = new ArrayList<>();

    private Figures(Results results) {
        this.results = results;
    }

    /** Returns all figures, those included that the run did not measure; of a run over sizes, those that it did. */
    static List<Figure> of(Results results) {
        Figures made = new Figures(results);
        made.reads();
        made.writes();
        made.durableWrites();
        made.mixes();
        made.latencies();
        made.space();
        made.features();
        made.indexes();
        made.scale();
        if (results.isBySize()) {
            // A run over sizes measures few of them, and means to.
            made.figures.removeIf(figure -> figure.value().isEmpty());
        }
        return made.figures;
    }

    private void reads() {
        times(Metric.GET, HASHMAP.id(), 3, Contender.LMDB.id());
        times(Metric.GET, HASHMAP.id(), 1.25, Contender.CHRONICLE.id());
        times(Metric.GET, HASHMAP.id(), 8, Contender.ROCKSDB.id());
        times(Metric.MISS, HASHMAP.id(), 0.8, Contender.CHRONICLE.id());
        times(Metric.MISS, HASHMAP.id(), 6, Contender.LMDB.id());
        times(Metric.GET, Contender.HASHMAP_STANDARD.id(), 0.85, RawLimit.READ.id());
        times(Metric.GET_ZIPF, Contender.HASHMAP_STANDARD.id(), 0.7, RawLimit.READ.id());
        twoThreads();
        Optional<String> scanner = best(Metric.SCAN, contender -> contender.id().endsWith("-mmap"));
        times(Metric.SCAN, scanner.orElse(HASHMAP.id()), 0.7, Contender.LMDB.id());
        times(Metric.SCAN, scanner.orElse(HASHMAP.id()), 2, Contender.ROCKSDB.id());
        times(Metric.RANGE, Contender.BTREE_MMAP.id(), 1, Contender.LMDB.id());
    }

    private void twoThreads() {
        String subject = best(Metric.GET_2, contender -> true).orElse(HASHMAP.id());
        add(
                Metric.GET_2.title(),
                subject,
                "at least 1.8 × its one thread",
                1.8,
                true,
                ratio(results.median(subject, Metric.GET_2), results.median(subject, Metric.GET)),
                "×");
    }

    private void writes() {
        times(Metric.FILL, HASHMAP.id(), 4, Contender.LMDB.id());
        times(Metric.FILL, HASHMAP.id(), 4, Contender.ROCKSDB.id());
        times(Metric.FILL, HASHMAP.id(), 2, Contender.HEAP_MAP.id());
        times(Metric.FILL, Contender.HASHMAP_STANDARD.id(), 0.85, RawLimit.APPEND.id());
    }

    private void durableWrites() {
        durable(Metric.SYNC_1, 0.9, RawLimit.APPEND_FORCE.id());
        durable(Metric.SYNC_1, 1, Contender.ROCKSDB.id());
        durable(Metric.SYNC_16, 2, Contender.ROCKSDB.id());
        durable(Metric.SYNC_64, 3, Contender.ROCKSDB.id());
    }

    private void durable(Metric metric, double factor, String other) {
        times(metric, best(metric, contender -> true).orElse(HASHMAP.id()), factor, other);
    }

    private void mixes() {
        for (Metric mix : List.of(Metric.MIX50_ZIPF, Metric.MIX95_ZIPF)) {
            times(mix, HASHMAP.id(), 5, Contender.LMDB.id());
            times(mix, HASHMAP.id(), 5, Contender.ROCKSDB.id());
            times(mix, HASHMAP.id(), 2, Contender.MAPDB_HASH.id());
        }
    }

    private void latencies() {
        OptionalDouble merging = results.median(HASHMAP.id(), Metric.LATENCY_GET_MERGE, P999);
        add(
                "Get latency p99.9 while a merge runs",
                HASHMAP.id(),
                "at most 5 × the idle p99.9",
                5,
                false,
                ratio(merging, results.median(HASHMAP.id(), Metric.LATENCY_GET, P999)),
                "×");
        add(
                "Get latency maximum while a merge runs",
                HASHMAP.id(),
                "under 10 ms",
                10,
                false,
                scaled(results.median(HASHMAP.id(), Metric.LATENCY_GET_MERGE, Latency.MAXIMUM), 1e-3),
                "ms");
        add(
                "Put latency p99.9 while a merge runs",
                HASHMAP.id(),
                "under 50 µs",
                50,
                false,
                results.median(HASHMAP.id(), Metric.LATENCY_PUT_MERGE, P999),
                "µs");
    }

    private void space() {
        atMost(Metric.SPACE_OVERWRITTEN, HASHMAP, 1.5, "× live");
        atMost(Metric.SPACE_MERGED, HASHMAP, 1.03, "× live");
        atMost(Metric.ALLOCATED_GET_INTO, HASHMAP, 0, "bytes");
        atMost(Metric.ALLOCATED_PUT, HASHMAP, 0, "bytes");
    }

    /** Of the engine as it is unless something else is asked for. */
    private void features() {
        atMost(Metric.BATCH, Contender.HASHMAP_STANDARD, 0.6, "×");
        atLeast(Metric.BATCH_SYNC, Contender.HASHMAP_STANDARD, 100, "×");
        atMost(Metric.SNAPSHOT_PUT, Contender.HASHMAP_STANDARD, 1.3, "×");
        atLeast(Metric.SNAPSHOT_SCAN, Contender.HASHMAP_STANDARD, 0.5, "×");
    }

    private void indexes() {
        times(Metric.GET, HASHMAP.id(), 3, Contender.HASHMAP_STANDARD.id());
        times(Metric.GET_ZIPF, HASHMAP.id(), 3, Contender.HASHMAP_STANDARD.id());
        times(Metric.FILL, HASHMAP.id(), 2, Contender.HASHMAP_STANDARD.id());
        times(Metric.GET, Contender.COMPACT_MMAP.id(), 0.7, HASHMAP.id());
        atMost(Metric.INDEX, HASHMAP, 64, "bytes");
        atMost(Metric.INDEX, Contender.COMPACT_MMAP, 12, "bytes");
        OptionalDouble peer = results.median(Contender.ROCKSDB.id(), Metric.FIRST_GET);
        add(
                Metric.FIRST_GET.title(),
                Contender.COMPACT_MMAP.id(),
                "faster than RocksDB",
                1,
                false,
                ratio(results.median(Contender.COMPACT_MMAP.id(), Metric.FIRST_GET), peer),
                "×");
    }

    private void scale() {
        for (Metric metric : List.of(Metric.GET, Metric.FILL)) {
            add(
                    metric.title() + ", 10 M keys",
                    HASHMAP.id(),
                    "at least 0.7 × that of 1 M keys",
                    0.7,
                    true,
                    ratio(at(MANY_KEYS, HASHMAP, metric), results.median(HASHMAP.id(), metric)),
                    "×");
        }
        add(
                Metric.OPEN_WARM.title() + ", 10 M keys",
                Contender.COMPACT_MMAP.id(),
                "under 20 ms",
                20,
                false,
                at(MANY_KEYS, Contender.COMPACT_MMAP, Metric.OPEN_WARM),
                "ms");
        add(
                Metric.OPEN_WARM.title() + ", 100 M keys",
                Contender.COMPACT_MMAP.id(),
                "under 100 ms",
                100,
                false,
                at(VERY_MANY_KEYS, Contender.COMPACT_MMAP, Metric.OPEN_WARM),
                "ms");
        for (long keys : new long[] {MANY_KEYS, VERY_MANY_KEYS}) {
            add(
                    Metric.FIRST_GET.title() + ", " + keys / 1_000_000 + " M keys",
                    Contender.COMPACT_MMAP.id(),
                    "faster than RocksDB",
                    1,
                    false,
                    ratio(
                            at(keys, Contender.COMPACT_MMAP, Metric.FIRST_GET),
                            at(keys, Contender.ROCKSDB, Metric.FIRST_GET)),
                    "×");
        }
        add(
                Metric.INDEX.title() + ", 100 M keys",
                Contender.COMPACT_MMAP.id(),
                "at most 12 bytes",
                12,
                false,
                at(VERY_MANY_KEYS, Contender.COMPACT_MMAP, Metric.INDEX),
                "bytes");
        add(
                Metric.OPEN_KILLED.title() + ", 10 M keys",
                Contender.COMPACT_MMAP.id(),
                "under 1 s",
                1000,
                false,
                at(MANY_KEYS, Contender.COMPACT_MMAP, Metric.OPEN_KILLED),
                "ms");
    }

    private OptionalDouble at(long keys, Contender contender, Metric metric) {
        Optional<Spread> spread = results.spread(contender.id(), metric, "", keys, results.valueSize());
        return spread.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(spread.get().median());
    }

    private void times(Metric metric, String subject, double factor, String other) {
        String bound = factor == 1 ? "at least as fast as " : "at least " + shortest(factor) + " × ";
        add(
                metric.title(),
                subject,
                bound + Subject.of(other).fullLabel(),
                factor,
                true,
                ratio(results.median(subject, metric), results.median(other, metric)),
                "×");
    }

    private void atMost(Metric metric, Contender contender, double bound, String unit) {
        add(
                metric.title(),
                contender.id(),
                "at most " + shortest(bound) + " " + unit,
                bound,
                false,
                results.median(contender.id(), metric),
                unit);
    }

    private void atLeast(Metric metric, Contender contender, double bound, String unit) {
        add(
                metric.title(),
                contender.id(),
                "at least " + shortest(bound) + " " + unit,
                bound,
                true,
                results.median(contender.id(), metric),
                unit);
    }

    private void add(
            String work,
            String subject,
            String target,
            double bound,
            boolean isLeast,
            OptionalDouble value,
            String unit) {
        figures.add(new Figure(work, Subject.of(subject).label(), target, bound, isLeast, value, unit));
    }

    private Optional<String> best(Metric metric, Predicate<Contender> chosen) {
        return results.subjects(metric, results.keys(), results.valueSize()).stream()
                .filter(id -> Subject.of(id).kind() == Subject.Kind.OURS && chosen.test(Contender.of(id)))
                .max(Comparator.comparingDouble(id -> results.median(id, metric).orElse(0)));
    }

    private static OptionalDouble ratio(OptionalDouble over, OptionalDouble under) {
        return over.isEmpty() || under.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(over.getAsDouble() / under.getAsDouble());
    }

    private static OptionalDouble scaled(OptionalDouble value, double factor) {
        return value.isEmpty() ? value : OptionalDouble.of(value.getAsDouble() * factor);
    }

    private static String shortest(double number) {
        return number == Math.rint(number)
                ? String.valueOf((long) number)
                : String.format(Locale.ROOT, "%.2f", number).replaceAll("0+$", "");
    }
}
