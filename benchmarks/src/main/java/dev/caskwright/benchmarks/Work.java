package dev.caskwright.benchmarks;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The parts of a run that {@code --work} can name. Every part but SYNC and OPEN begins with a fill. */
enum Work {
    /** Fill, with memory a key, disk and write amplification. */
    FILL,
    /** Random gets: copies, skewed, by two threads, into a buffer. */
    GET,
    /** Gets of absent keys. */
    MISS,
    /** A full scan. */
    SCAN,
    /** Ranges of 100 where there is an order, after a merge where there is one. */
    RANGE,
    /** Random overwrites by one thread. */
    OVERWRITE,
    /** Mixes of gets and puts by two threads: 95/5 and 50/50, skewed. */
    MIX,
    /** The same mixes with uniform keys. */
    UNIFORM,
    /** The core workloads A to F of YCSB; E where there is an order. */
    YCSB,
    /** Bytes allocated by an operation. */
    ALLOCATION,
    /** Latency at a fixed rate, idle and beside merges. */
    LATENCY,
    /** What batches gain and snapshots cost, on our engine. */
    FEATURES,
    /** Space after overwriting everything, and after a full merge. */
    SPACE,
    /** Durable puts by 1, 4, 16 and 64 threads. */
    SYNC,
    /** Opening after a clean close and after kill -9. */
    OPEN;

    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Work of(String id) {
        for (Work work : values()) {
            if (work.id().equals(id)) {
                return work;
            }
        }
        throw new IllegalArgumentException("unknown work: name=" + id + ", known="
                + Arrays.stream(values()).map(Work::id).collect(Collectors.joining(", ")));
    }
}
