package dev.caskwright.benchmarks;

import dev.caskwright.api.spi.io.SideFiles;
import java.io.Closeable;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Does the work of the bolt comparison on one store, in a JVM of its own, and prints {@code name value} lines: operations a
 * second, unless the name says otherwise. The program {@code bbolt-work} does the same on a real bbolt: 16-byte keys, 100-byte
 * values, 10,000 a commit, in the same orders.
 *
 * <p>Arguments: store, directory, keys, keys of the smaller parts, works.
 */
final class BoltWork {
    static final int VALUE_LENGTH = 100;
    static final int PER_COMMIT = 10_000;
    /** Names the line that keeps what was read from being left out. */
    static final String SINK = "sink";

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int PASSES = 3;
    private static final int COMMITS = 5_000;
    private static final int WARMING_COMMITS = 10_000;
    private static final int FORCED_COMMITS = 200;
    private static final int BATCH_THREADS = 64;
    private static final int BATCHES_PER_THREAD = 100;
    private static final int OVERWRITE_ROUNDS = 10;
    private static final int KEY_LENGTH = 16;
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final String store;
    private final Path directory;
    private final int keys;
    private final int small;
    private final Set<String> works;
    private final PrintStream out;
    private long sink;

    private BoltWork(String[] arguments, PrintStream out) {
        store = arguments[0];
        directory = Path.of(arguments[1]);
        keys = Integer.parseInt(arguments[2]);
        small = Integer.parseInt(arguments[3]);
        works = Set.of(arguments[4].split(","));
        this.out = out;
    }

    public static void main(String[] arguments) throws Exception {
        new BoltWork(arguments, System.out).run();
    }

    // ---------------------------------------------------------------- keys, values and orders

    static byte[] key(int i) {
        byte[] key = new byte[KEY_LENGTH];
        int rest = i;
        for (int at = KEY_LENGTH - 1; at >= 0; at--) {
            key[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        return key;
    }

    static byte[] value(int i, int generation) {
        byte[] value = new byte[VALUE_LENGTH];
        long state = i * GOLDEN + generation;
        for (int at = 0; at < VALUE_LENGTH; at += Long.BYTES) {
            state = mix(state + GOLDEN);
            for (int b = 0; b < Math.min(Long.BYTES, VALUE_LENGTH - at); b++) {
                value[at + b] = (byte) (state >>> (Long.SIZE - Byte.SIZE * (b + 1)));
            }
        }
        return value;
    }

    private static long mix(long seed) {
        long z = (seed ^ (seed >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    static int[] shuffled(int count, long seed) {
        int[] order = inOrder(count);
        long state = seed;
        for (int i = count - 1; i > 0; i--) {
            state = mix(state + GOLDEN);
            int j = (int) ((state >>> 1) % (i + 1));
            int kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
        return order;
    }

    private static int[] inOrder(int count) {
        int[] order = new int[count];
        Arrays.setAll(order, i -> i);
        return order;
    }

    // ---------------------------------------------------------------- works

    private void run() throws Exception {
        // Two loads first, so that what follows is compiled.
        for (int i = 0; i < 2; i++) {
            Path warm = directory.resolve("warm" + i);
            try (BoltSubject subject = open(warm, false)) {
                load(subject, i == 0 ? shuffled(small, 2) : inOrder(small), 0);
            }
            SideFiles.deleteTree(warm);
        }
        if (works.contains("load-in-order")) {
            Path path = directory.resolve("ordered");
            try (BoltSubject subject = open(path, false)) {
                long start = System.nanoTime();
                load(subject, inOrder(keys), 0);
                report("load-in-order", keys, System.nanoTime() - start);
            }
            SideFiles.deleteTree(path);
        }
        Path path = directory.resolve("random");
        try (BoltSubject subject = open(path, false)) {
            int[] order = shuffled(keys, 1);
            long processor = processorNanos();
            long start = System.nanoTime();
            load(subject, order, 0);
            report("load-random", keys, System.nanoTime() - start);
            report("load-random-by-processor-time", keys, processorNanos() - processor);
            out.println("size-after-load " + subject.size(path));
            read(subject);
            if (works.contains("limits") && subject instanceof BoltSubjectOfOurs ours) {
                limits(ours, path);
            }
            if (works.contains("commit")) {
                commits(subject);
            }
        }
        SideFiles.deleteTree(path);
        if (works.contains("forced")) {
            forced();
        }
        if (works.contains("overwrite")) {
            overwrite();
        }
        if (works.contains("reader")) {
            besideReader();
        }
        out.println(SINK + " " + sink);
    }

    private void read(BoltSubject subject) throws Exception {
        byte[][] wanted = wanted();
        if (works.contains("get")) {
            repeat("get", () -> subject.getAll(wanted));
            repeat("get-in-transactions", () -> {
                long sum = 0;
                for (byte[] key : wanted) {
                    sum += subject.get(key)[0];
                }
                return sum;
            });
        }
        if (works.contains("scan")) {
            repeat("scan-in-place", subject::scanInPlace);
            repeat("scan-copied", subject::scanCopied);
        }
    }

    private void limits(BoltSubjectOfOurs subject, Path path) throws Exception {
        long pages = subject.writtenPages();
        BoltLimits limits = BoltLimits.of(path.resolve(BoltSubjectOfOurs.FILE), subject.rootPage());
        byte[][] wanted = wanted();
        if (limits.getAll(wanted) != subject.getAll(wanted)) {
            throw new IllegalStateException("the limit's lookups find something else");
        }
        repeat("get-limit", () -> limits.getAll(wanted));
        Path written = directory.resolve("written");
        report("load-random-limit", keys, BoltLimits.writeNanos(written, pages, subject.size(path)));
        Files.delete(written);
    }

    /** Loads while a reader is open that began before, and as much without it. */
    private void besideReader() throws Exception {
        for (boolean isHeld : new boolean[] {false, true}) {
            Path path = directory.resolve("reader" + isHeld);
            try (BoltSubject subject = open(path, false)) {
                load(subject, shuffled(small, 6), 0);
                Closeable reader = isHeld ? subject.holdReader() : null;
                if (isHeld && reader == null) {
                    return;
                }
                long start = System.nanoTime();
                load(subject, shuffled(small, 7), 1);
                load(subject, shuffled(small, 8), 2);
                report(
                        isHeld ? "load-beside-a-reader" : "load-beside-no-reader",
                        2L * small,
                        System.nanoTime() - start);
                if (reader != null) {
                    reader.close();
                }
            }
            SideFiles.deleteTree(path);
        }
    }

    private byte[][] wanted() {
        byte[][] wanted = new byte[keys][];
        int[] order = shuffled(keys, 3);
        for (int i = 0; i < keys; i++) {
            wanted[i] = key(order[i]);
        }
        return wanted;
    }

    private void commits(BoltSubject subject) throws IOException {
        int[] order = shuffled(keys, 3);
        for (int i = 0; i < WARMING_COMMITS; i++) {
            putOne(subject, order[i % keys]);
        }
        long before = written();
        long start = System.nanoTime();
        for (int i = 0; i < COMMITS; i++) {
            putOne(subject, order[i % keys]);
        }
        report("commit", COMMITS, System.nanoTime() - start);
        out.printf("commit-bytes %.1f%n", (double) (written() - before) / COMMITS);
    }

    private static void putOne(BoltSubject subject, int i) throws IOException {
        subject.putOne(key(i), value(i, 1));
    }

    private void forced() throws Exception {
        Path path = directory.resolve("forced");
        try (BoltSubject subject = open(path, true)) {
            load(subject, shuffled(small, 4), 0);
            long forces = subject.forces();
            long start = System.nanoTime();
            for (int i = 0; i < FORCED_COMMITS; i++) {
                subject.putOne(key(i), value(i, 1));
            }
            report("commit-forced", FORCED_COMMITS, System.nanoTime() - start);
            if (forces >= 0) {
                out.printf("commit-forces %.2f%n", (double) (subject.forces() - forces) / FORCED_COMMITS);
            }
            ExecutorService threads = Executors.newFixedThreadPool(BATCH_THREADS);
            try {
                start = System.nanoTime();
                List<Future<?>> done = new ArrayList<>();
                for (int thread = 0; thread < BATCH_THREADS; thread++) {
                    int first = thread * BATCHES_PER_THREAD;
                    Callable<Object> work = () -> {
                        for (int i = first; i < first + BATCHES_PER_THREAD; i++) {
                            subject.batchOne(key(i), value(i, 2));
                        }
                        return "";
                    };
                    done.add(threads.submit(work));
                }
                for (Future<?> each : done) {
                    each.get();
                }
                report("batch-forced-64", BATCH_THREADS * BATCHES_PER_THREAD, System.nanoTime() - start);
            } finally {
                threads.shutdownNow();
            }
        }
        SideFiles.deleteTree(path);
    }

    private void overwrite() throws IOException {
        Path path = directory.resolve("overwritten");
        try (BoltSubject subject = open(path, false)) {
            for (int round = 0; round <= OVERWRITE_ROUNDS; round++) {
                load(subject, shuffled(small, 5 + round), round);
            }
            out.println("size-after-overwriting " + subject.size(path));
            long compacted = subject.compact(path);
            if (compacted >= 0) {
                out.println("size-in-place " + subject.size(path));
                out.println("size-after-compaction " + compacted);
            }
        }
    }

    private BoltSubject open(Path path, boolean forces) throws IOException {
        Files.createDirectories(path);
        return BoltSubject.open(store, path, forces, (long) keys * (KEY_LENGTH + VALUE_LENGTH));
    }

    private static void load(BoltSubject subject, int[] order, int generation) throws IOException {
        byte[][] keysOfCommit = new byte[PER_COMMIT][];
        byte[][] values = new byte[PER_COMMIT][];
        for (int from = 0; from < order.length; from += PER_COMMIT) {
            int count = Math.min(PER_COMMIT, order.length - from);
            for (int i = 0; i < count; i++) {
                keysOfCommit[i] = key(order[from + i]);
                values[i] = value(order[from + i], generation);
            }
            subject.putAll(keysOfCommit, values, count);
        }
    }

    private void repeat(String name, Callable<Long> pass) throws Exception {
        sink += pass.call();
        sink += pass.call();
        long[] nanos = new long[PASSES];
        long[] processor = new long[PASSES];
        for (int i = 0; i < PASSES; i++) {
            processor[i] = processorNanos();
            long start = System.nanoTime();
            sink += pass.call();
            nanos[i] = System.nanoTime() - start;
            processor[i] = processorNanos() - processor[i];
        }
        Arrays.sort(nanos);
        Arrays.sort(processor);
        report(name, keys, nanos[PASSES / 2]);
        report(name + "-by-processor-time", keys, processor[PASSES / 2]);
    }

    /** Returns how long this thread has had a processor: less noisy than the clock where the machine has other work. */
    private static long processorNanos() {
        return THREADS.getCurrentThreadCpuTime();
    }

    private void report(String name, long count, long nanos) {
        out.printf("%s %.1f%n", name, count * 1e9 / nanos);
    }

    /** Returns how many bytes this process has handed to the system to be written, where the system tells. */
    private static long written() throws IOException {
        Path counters = Path.of("/proc/self/io");
        if (!Files.exists(counters)) {
            return 0;
        }
        String wanted = "wchar: ";
        return new String(Files.readAllBytes(counters), StandardCharsets.US_ASCII)
                .lines()
                .filter(line -> line.startsWith(wanted))
                .mapToLong(line -> Long.parseLong(line.substring(wanted.length())))
                .sum();
    }
}
