package dev.caskwright.mvcc;

import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.BoltTransaction;
import dev.caskwright.mvcc.backend.BackendOptions;
import dev.caskwright.mvcc.backend.BackendView;
import dev.caskwright.mvcc.backend.BatchedBackend;
import dev.caskwright.mvcc.backend.BoltStore;
import dev.caskwright.mvcc.backend.Bucket;
import dev.caskwright.mvcc.backend.CommitTimer;
import dev.caskwright.mvcc.backend.CommitToken;
import dev.caskwright.mvcc.backend.OrderedStore;
import dev.caskwright.mvcc.backend.WriteTransaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures what docs/mvcc.md says, in short runs. Keys have 16 bytes, values 100. The names are puts, readers, views, rebuild,
 * compaction and watchers; without one, all are measured. The directory must exist:
 *
 * <pre>
 * ./mvnw -q -pl layer-mvcc -am test-compile
 * java -cp "$(printf '%s:' *&#47;target/classes)layer-mvcc/target/test-classes:$(find ~/.m2 -name slf4j-api-2.0.20.jar)" \
 *     dev.caskwright.mvcc.Figures /var/tmp [NAME ...]
 * </pre>
 */
public final class Figures {
    private static final int MILLION = 1_000_000;
    private static final byte[] VALUE = new byte[100];
    private static final Bucket KEYS = new Bucket(0, "keys", false);
    private static final Bucket LOG = new Bucket(1, "log", true);
    private static final List<Bucket> BUCKETS = List.of(KEYS, LOG);

    private final Path directory;
    private int files;

    private Figures(Path directory) {
        this.directory = directory;
    }

    /** Measures the figures that are named, or all. */
    public static void main(String[] arguments) throws Exception {
        Figures figures = new Figures(Path.of(arguments[0]));
        List<String> names = arguments.length > 1
                ? Arrays.asList(arguments).subList(1, arguments.length)
                : List.of("puts", "readers", "views", "rebuild", "compaction", "watchers");
        for (String name : names) {
            switch (name) {
                case "puts" -> figures.puts();
                case "readers" -> figures.readers();
                case "views" -> figures.views();
                case "rebuild" -> figures.rebuild();
                case "compaction" -> figures.compaction();
                case "watchers" -> figures.watchers();
                default -> throw new IllegalArgumentException("no such figure: " + name);
            }
        }
    }

    private static void tell(String format, Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
    }

    private Path newFile() throws IOException {
        Path file = directory.resolve("figures" + files++ + ".db");
        Files.deleteIfExists(file);
        return file;
    }

    private BatchedBackend open(Path file) throws IOException {
        return new BatchedBackend(
                new BoltStore(BoltDatabase.open(file)), BUCKETS, BackendOptions.DEFAULT, CommitTimer.daemon("commits"));
    }

    /** A key of 16 bytes. */
    private static byte[] key(long number) {
        return ByteBuffer.allocate(16)
                .putLong(number)
                .putLong(0x6B6B6B6B6B6B6B6BL)
                .array();
    }

    private static CommitToken put(BatchedBackend backend, Bucket bucket, byte[] key) throws IOException {
        try (WriteTransaction transaction = backend.begin()) {
            transaction.put(bucket, key, VALUE);
            return transaction.commit();
        }
    }

    private static double perSecond(long count, long startNanos) {
        return count * 1e9 / (System.nanoTime() - startNanos);
    }

    // ---------------------------------------------------------------- puts

    private void puts() throws Exception {
        for (int round = 0; round < 3; round++) {
            for (Bucket bucket : new Bucket[] {LOG, KEYS}) {
                Path file = newFile();
                try (BatchedBackend backend = open(file)) {
                    Random random = new Random(1);
                    int count = bucket == LOG ? MILLION : 300_000;
                    long start = System.nanoTime();
                    for (int i = 0; i < count; i++) {
                        put(backend, bucket, key(bucket == LOG ? i : random.nextInt(MILLION)));
                    }
                    backend.commit();
                    tell(
                            "puts, backend, %s keys: %,.0f/s",
                            bucket == LOG ? "ascending" : "random", perSecond(count, start));
                }
                Files.delete(file);
            }
            for (boolean isAscending : new boolean[] {true, false}) {
                directCommits(isAscending);
            }
        }
    }

    private void directCommits(boolean isAscending) throws IOException {
        Path file = newFile();
        Random random = new Random(1);
        int count = 50_000;
        try (BoltDatabase database = BoltDatabase.open(file)) {
            long start = System.nanoTime();
            for (int i = 0; i < count; i += 100) {
                try (BoltTransaction transaction = database.beginWrite()) {
                    var bucket = transaction.createBucketIfNotExists(KEYS.name());
                    if (isAscending) {
                        bucket.setFillPercent(0.9);
                    }
                    for (int j = i; j < i + 100; j++) {
                        bucket.put(key(isAscending ? j : random.nextInt(MILLION)), VALUE);
                    }
                    transaction.commit();
                }
            }
            tell(
                    "puts, direct commits of 100, %s keys: %,.0f/s",
                    isAscending ? "ascending" : "random", perSecond(count, start));
        }
        Files.delete(file);
    }

    // ---------------------------------------------------------------- readers

    private void readers() throws Exception {
        Path file = newFile();
        try (BatchedBackend backend = open(file)) {
            for (int i = 0; i < MILLION; i++) {
                put(backend, KEYS, key(i));
            }
            backend.commit();
            AtomicLong next = new AtomicLong();
            for (int round = 0; round < 3; round++) {
                Duration before = processorTime();
                double alone = writeFor(backend, next, Duration.ofSeconds(3));
                tell(
                        "readers: writer alone keeps %.2f processors busy, with what commits for it",
                        processorTime().minus(before).toMillis() / 3_000.0);
                besideSpinners(backend, next, alone);
                AtomicBoolean isOver = new AtomicBoolean();
                AtomicLong read = new AtomicLong();
                List<Thread> readers = new ArrayList<>();
                for (int i = 0; i < 10; i++) {
                    Thread reader = new Thread(() -> readAll(backend, isOver, read));
                    reader.start();
                    readers.add(reader);
                }
                long start = System.nanoTime();
                double beside = writeFor(backend, next, Duration.ofSeconds(6));
                isOver.set(true);
                for (Thread reader : readers) {
                    reader.join();
                }
                tell(
                        "readers: writer alone %,.0f/s, beside ten full ranges without end %,.0f/s (%.0f %%); they"
                                + " read %,.0f keys/s",
                        alone, beside, 100 * beside / alone, perSecond(read.get(), start));
                paced(backend, next);
            }
        }
        Files.delete(file);
    }

    private static Duration processorTime() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    /** The limit: a writer beside ten threads that touch no memory and no lock, so that it gets its part of the processors. */
    private static void besideSpinners(BatchedBackend backend, AtomicLong next, double alone) throws Exception {
        AtomicBoolean isOver = new AtomicBoolean();
        List<Thread> spinners = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Thread spinner = new Thread(() -> {
                while (!isOver.get()) {
                    Thread.onSpinWait();
                }
            });
            spinner.start();
            spinners.add(spinner);
        }
        double beside = writeFor(backend, next, Duration.ofSeconds(4));
        isOver.set(true);
        for (Thread spinner : spinners) {
            spinner.join();
        }
        tell("readers: beside ten threads that only spin %,.0f/s (%.0f %%)", beside, 100 * beside / alone);
    }

    /** What ten ranges do to a writer that does not want a whole core: 20,000 puts a second. */
    private static void paced(BatchedBackend backend, AtomicLong next) throws Exception {
        AtomicBoolean isOver = new AtomicBoolean();
        List<Thread> readers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Thread reader = new Thread(() -> readAll(backend, isOver, new AtomicLong()));
            reader.start();
            readers.add(reader);
        }
        long start = System.nanoTime();
        int count = 0;
        for (; System.nanoTime() - start < 4_000_000_000L; count++) {
            while (System.nanoTime() - start < count * 50_000L) {
                Thread.onSpinWait();
            }
            put(backend, LOG, key(next.incrementAndGet()));
        }
        tell("readers: a writer of 20,000/s gets %,.0f/s beside them", perSecond(count, start));
        isOver.set(true);
        for (Thread reader : readers) {
            reader.join();
        }
    }

    private static double writeFor(BatchedBackend backend, AtomicLong next, Duration time) throws IOException {
        long start = System.nanoTime();
        long count = 0;
        while (System.nanoTime() - start < time.toNanos()) {
            put(backend, LOG, key(next.incrementAndGet()));
            count++;
        }
        return perSecond(count, start);
    }

    private static void readAll(BatchedBackend backend, AtomicBoolean isOver, AtomicLong read) {
        try {
            while (!isOver.get()) {
                try (BackendView view = backend.openView();
                        OrderedStore.Cursor cursor = view.range(KEYS, null, null, false)) {
                    long count = 0;
                    while (!isOver.get() && cursor.next()) {
                        count += cursor.value().length / 100;
                    }
                    read.addAndGet(count);
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---------------------------------------------------------------- views

    private void views() throws IOException {
        Path file = newFile();
        try (BatchedBackend backend = new BatchedBackend(
                new BoltStore(BoltDatabase.open(file)),
                BUCKETS,
                new BackendOptions(Long.MAX_VALUE, Long.MAX_VALUE, Duration.ofDays(1)),
                CommitTimer.daemon("commits"))) {
            for (int gathered : new int[] {0, 100, 10_000, 200_000}) {
                for (long i = backend.stats().gathered(); i < gathered; i++) {
                    put(backend, KEYS, key(i));
                }
                double best = Double.MAX_VALUE;
                double last = 0;
                for (int round = 0; round < 5; round++) {
                    long start = System.nanoTime();
                    for (int i = 0; i < 200_000; i++) {
                        backend.openView().close();
                    }
                    last = (System.nanoTime() - start) / 200_000.0;
                    best = Math.min(best, last);
                }
                tell("views: opened and closed in %.0f ns over %,d changes (last round %.0f ns)", best, gathered, last);
            }
        }
        Files.delete(file);
    }

    // ---------------------------------------------------------------- rebuild, compaction

    private void fill(Path file, int keys) throws IOException {
        Random random = new Random(2);
        try (MvccStore store = MvccStore.open(file)) {
            for (int i = 0; i < MILLION; i++) {
                store.put(key(random.nextInt(keys)), VALUE);
            }
        }
    }

    private void rebuild() throws IOException {
        for (int keys : new int[] {MILLION, 100_000, 1_000}) {
            Path file = newFile();
            fill(file, keys);
            for (int round = 0; round < 5; round++) {
                long start = System.nanoTime();
                try (MvccStore store = MvccStore.builder(file).readOnly(true).open()) {
                    tell(
                            "rebuild: %,.0f revisions/s of a million, %,d keys",
                            perSecond(MILLION, start), store.stats().keys());
                }
                limit(file);
            }
            Files.delete(file);
        }
    }

    /** Tells what any index must do: see each revision, and bring their keys into order; in one thread. */
    private static void limit(Path file) throws IOException {
        long start = System.nanoTime();
        byte[][] keys = new byte[MILLION][];
        int count = 0;
        try (BoltStore store =
                        new BoltStore(BoltDatabase.builder(file).readOnly(true).open());
                OrderedStore.View view = store.openView();
                OrderedStore.Cursor cursor = view.range(Schema.KEY, null, null, false)) {
            while (cursor.next()) {
                keys[count++] = Schema.decode(cursor.key(), cursor.value()).key();
            }
        }
        double seen = perSecond(count, start);
        Arrays.sort(keys, 0, count, Arrays::compareUnsigned);
        tell("rebuild: %,.0f revisions/s seen, %,.0f with their keys sorted", seen, perSecond(count, start));
    }

    /** Puts beside a thread that changes as much as a compaction does, in transactions of as many changes, and looks for nothing. */
    private static long[] besideWriter(MvccStore store) throws Exception {
        AtomicBoolean isOver = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            List<Operation> puts = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                puts.add(Put.of(key(MILLION + i), VALUE));
            }
            try {
                while (!isOver.get()) {
                    store.txn(new Txn(List.of(), puts, List.of()));
                    LockSupport.parkNanos(1_000_000);
                }
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        writer.start();
        long[] beside = paced(store, new AtomicBoolean(true), 5);
        isOver.set(true);
        writer.join();
        return beside;
    }

    private void compaction() throws Exception {
        for (int round = 0; round < 2; round++) {
            Path file = newFile();
            fill(file, 1_000);
            try (MvccStore store = MvccStore.open(file)) {
                long[] alone = paced(store, new AtomicBoolean(true), 5);
                tell("compaction: p99 beside a writer of as many changes %,d us", at(besideWriter(store), 0.99));
                AtomicBoolean isOver = new AtomicBoolean();
                long start = System.nanoTime();
                long[] seconds = new long[1];
                Thread compactor = new Thread(() -> {
                    try {
                        store.compact(MILLION);
                        seconds[0] = (System.nanoTime() - start) / 1_000_000;
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    } finally {
                        isOver.set(true);
                    }
                });
                compactor.start();
                long[] beside = paced(store, isOver, 0);
                compactor.join();
                tell(
                        "compaction of a million in %,d ms beside 5,000 puts/s: p99 %,d us, without %,d us; p99.9 %,d"
                                + " and %,d us; longest %,d and %,d us",
                        seconds[0],
                        at(beside, 0.99),
                        at(alone, 0.99),
                        at(beside, 0.999),
                        at(alone, 0.999),
                        at(beside, 1),
                        at(alone, 1));
            }
            Files.delete(file);
        }
    }

    private static long at(long[] sorted, double part) {
        return sorted[(int) Math.min(sorted.length - 1, (long) (sorted.length * part))] / 1_000;
    }

    /** Puts 5,000 times a second until it is over and some seconds have passed; returns how long each put took from when it was due. */
    private static long[] paced(MvccStore store, AtomicBoolean isOver, int seconds) throws IOException {
        long[] taken = new long[1 << 20];
        int count = 0;
        long start = System.nanoTime();
        while (count < taken.length && (!isOver.get() || count < seconds * 5_000)) {
            long due = start + count * 200_000L;
            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                if (left > 60_000) {
                    LockSupport.parkNanos(left - 60_000);
                }
            }
            store.put(key(count % 1_000), VALUE);
            taken[count++] = System.nanoTime() - due;
        }
        long[] sorted = Arrays.copyOf(taken, count);
        Arrays.sort(sorted);
        return sorted;
    }

    // ---------------------------------------------------------------- watchers

    private void watchers() throws Exception {
        int watchers = 10_000;
        int puts = 300;
        Path file = newFile();
        try (MvccStore store = MvccStore.open(file)) {
            List<Watch> watches = new ArrayList<>();
            for (int i = 0; i < watchers; i++) {
                watches.add(store.watch(WatchRequest.of(KeyRange.of(key(1)))));
            }
            for (int round = 0; round < 5; round++) {
                long start = System.nanoTime();
                for (int i = 0; i < puts; i++) {
                    store.put(key(1), VALUE);
                }
                long told = 0;
                long wanted = (long) watchers * puts;
                store.commit();
                while (told < wanted) {
                    for (Watch watch : watches) {
                        WatchBatch batch = watch.poll();
                        told += batch == null ? 0 : batch.events().size();
                    }
                }
                tell("watchers: %,.0f events/s to %,d of one key, fetched", perSecond(told, start), watchers);
            }
        }
        Files.delete(file);
    }
}
