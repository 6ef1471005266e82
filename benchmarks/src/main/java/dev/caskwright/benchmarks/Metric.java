package dev.caskwright.benchmarks;

import java.util.Locale;

/** What is measured, with what a reader of the figure must know. */
enum Metric {
    FILL("Fill in random order", "puts/s, 1 thread", Better.HIGHER, Promise.UNFORCED),
    OVERWRITE("Overwrite at random", "puts/s, 1 thread", Better.HIGHER, Promise.UNFORCED),
    GET("Random get", "gets/s, 1 thread", Better.HIGHER, Promise.UNFORCED),
    GET_INTO("Random get into a caller's buffer", "gets/s, 1 thread", Better.HIGHER, Promise.UNFORCED),
    GET_ZIPF("Get, Zipf 0.99", "gets/s, 1 thread", Better.HIGHER, Promise.UNFORCED),
    GET_2("Random get, two threads", "gets/s, 2 threads", Better.HIGHER, Promise.UNFORCED),
    MISS("Get of absent keys", "gets/s, 1 thread", Better.HIGHER, Promise.UNFORCED),
    MIX95_ZIPF("95 % gets, 5 % puts, Zipf 0.99", "operations/s, 2 threads", Better.HIGHER, Promise.UNFORCED),
    MIX50_ZIPF("50 % gets, 50 % puts, Zipf 0.99", "operations/s, 2 threads", Better.HIGHER, Promise.UNFORCED),
    MIX95_UNIFORM("95 % gets, 5 % puts, uniform", "operations/s, 2 threads", Better.HIGHER, Promise.UNFORCED),
    MIX50_UNIFORM("50 % gets, 50 % puts, uniform", "operations/s, 2 threads", Better.HIGHER, Promise.UNFORCED),
    YCSB_A("YCSB A: half reads, half updates, Zipf", "operations/s, 2 threads", Better.HIGHER, Promise.UNFORCED),
    YCSB_B("YCSB B: 95 % reads, 5 % updates, Zipf", "operations/s, 2 threads", Better.HIGHER, Promise.UNFORCED),
    YCSB_C("YCSB C: reads, Zipf", "operations/s, 2 threads", Better.HIGHER, Promise.UNFORCED),
    YCSB_D("YCSB D: 95 % reads of the latest, 5 % inserts", "operations/s, 2 threads", Better.HIGHER, Promise.UNFORCED),
    YCSB_E("YCSB E: 95 % scans of 1 to 100, 5 % inserts", "operations/s, 2 threads", Better.HIGHER, Promise.UNFORCED),
    YCSB_F(
            "YCSB F: half reads, half read-modify-writes, Zipf",
            "operations/s, 2 threads",
            Better.HIGHER,
            Promise.UNFORCED),
    SCAN("Full scan, every value byte read", "entries/s, 1 thread", Better.HIGHER, Promise.UNFORCED),
    RANGE("Range of 100 entries, values read", "ranges/s, 1 thread", Better.HIGHER, Promise.UNFORCED),
    SYNC_1("Durable puts, 1 thread", "puts/s", Better.HIGHER, Promise.SYNC),
    SYNC_4("Durable puts, 4 threads", "puts/s", Better.HIGHER, Promise.SYNC),
    SYNC_16("Durable puts, 16 threads", "puts/s", Better.HIGHER, Promise.SYNC),
    SYNC_64("Durable puts, 64 threads", "puts/s", Better.HIGHER, Promise.SYNC),
    OPEN_CLEAN("Open after a clean close, new JVM", "ms", Better.LOWER, Promise.UNFORCED),
    OPEN_WARM("Open after a clean close, warmed JVM", "ms", Better.LOWER, Promise.UNFORCED),
    FIRST_GET("From the start of a JVM to the first get", "ms", Better.LOWER, Promise.UNFORCED),
    OPEN_KILLED("Open after kill -9, new JVM", "ms", Better.LOWER, Promise.UNFORCED),
    FIRST_PUT("First put right after an open, warmed JVM", "ms", Better.LOWER, Promise.UNFORCED),
    FULL_MERGE("Full merge or compaction", "s", Better.LOWER, Promise.UNFORCED),
    SURVIVED("Writes found after kill -9", "% of acknowledged", Better.HIGHER, Promise.UNFORCED),
    LATENCY_GET("Get latency, idle store", "µs", Better.LOWER, Promise.UNFORCED),
    LATENCY_PUT("Put latency, idle store", "µs", Better.LOWER, Promise.UNFORCED),
    LATENCY_GET_MERGE("Get latency while a merge runs", "µs", Better.LOWER, Promise.UNFORCED),
    LATENCY_PUT_MERGE("Put latency while a merge runs", "µs", Better.LOWER, Promise.UNFORCED),
    ALLOCATED_GET("Allocation of a get", "bytes/get, result included", Better.LOWER, Promise.UNFORCED),
    ALLOCATED_GET_INTO("Allocation of a get into a buffer", "bytes/get", Better.LOWER, Promise.UNFORCED),
    ALLOCATED_PUT("Allocation of a put", "bytes/put", Better.LOWER, Promise.UNFORCED),
    HEAP("Heap a key", "bytes/key after a collection", Better.LOWER, Promise.UNFORCED),
    OFF_HEAP("Off-heap memory a key", "bytes/key, caches included", Better.LOWER, Promise.UNFORCED),
    INDEX("Key index by the store's own count", "bytes/key", Better.LOWER, Promise.UNFORCED),
    DISK("Disk after the fill", "bytes per byte of keys and values", Better.LOWER, Promise.UNFORCED),
    DISK_OVERWRITTEN(
            "Disk after as many random overwrites as keys",
            "bytes per byte of keys and values",
            Better.LOWER,
            Promise.UNFORCED),
    WRITE_AMPLIFICATION(
            "Write amplification of the fill", "bytes written per byte put", Better.LOWER, Promise.UNFORCED),
    SPACE_OVERWRITTEN(
            "Space after 100 % overwrite and background merge", "disk per live byte", Better.LOWER, Promise.UNFORCED),
    BATCH("Batches of 1,000 puts", "× the time of single puts, 1 thread", Better.LOWER, Promise.UNFORCED),
    BATCH_SYNC("Durable batches of 1,000 puts", "× as fast as single puts, 1 thread", Better.HIGHER, Promise.SYNC),
    SNAPSHOT_PUT("Overwrites with a snapshot open", "× the time without one, 1 thread", Better.LOWER, Promise.UNFORCED),
    SNAPSHOT_SCAN(
            "Full scan of a snapshot, 10 % of the keys changed since",
            "× the rate of the plain scan", Better.HIGHER, Promise.UNFORCED),
    SPACE_MERGED("Space after a full merge", "disk per live byte", Better.LOWER, Promise.UNFORCED);

    /** Which way is better. */
    enum Better {
        HIGHER("longer is better"),
        LOWER("shorter is better");

        private final String words;

        Better(String words) {
            this.words = words;
        }

        String words() {
            return words;
        }
    }

    /** What the writes behind a figure promise. Figures of different promises are never in one chart. */
    enum Promise {
        /** Nothing is forced: NONE or WRITE, and each bar says which. */
        UNFORCED("durability NONE or WRITE, as each name says"),
        /** Every put is forced to the disk before it returns. */
        SYNC("durability SYNC: every put is forced");

        private final String words;

        Promise(String words) {
            this.words = words;
        }

        String words() {
            return words;
        }
    }

    private final String title;
    private final String unit;
    private final Better better;
    private final Promise promise;

    Metric(String title, String unit, Better better, Promise promise) {
        this.title = title;
        this.unit = unit;
        this.better = better;
        this.promise = promise;
    }

    String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String title() {
        return title;
    }

    String unit() {
        return unit;
    }

    Better better() {
        return better;
    }

    Promise promise() {
        return promise;
    }

    boolean isLatency() {
        return name().startsWith("LATENCY_");
    }

    static Metric syncPuts(int threads) {
        return valueOf("SYNC_" + threads);
    }
}
