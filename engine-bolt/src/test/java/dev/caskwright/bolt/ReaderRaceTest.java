package dev.caskwright.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Races of readers that begin and end with a writer that commits, frees and looks who reads. */
@Timeout(180)
final class ReaderRaceTest {
    private static final byte[] NAME = "bucket".getBytes();
    private static final byte[] TOTAL = "total".getBytes();

    @TempDir
    Path directory;

    @Test
    void aTableThatGrowsWhileItsStatesAreListedIsListed() throws Exception {
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            for (int round = 0; round < 500; round++) {
                ReaderTable table = new ReaderTable(1 << 16);
                CountDownLatch listing = new CountDownLatch(1);
                AtomicBoolean isFull = new AtomicBoolean();
                Future<?> lister = pool.submit(() -> {
                    while (!isFull.get()) {
                        table.states();
                        listing.countDown();
                    }
                });
                listing.await();
                for (int i = 0; i < 400; i++) {
                    table.add(i).state = i;
                }
                isFull.set(true);
                lister.get();
                assertThat(table.states()).hasSize(400);
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void exactlyAsManyReadersAsAllowedAreAdded() {
        for (int allowed : new int[] {1, 2, 63, 64, 65, 100, 128, 130}) {
            ReaderTable table = new ReaderTable(allowed);
            List<ReaderTable.Reader> readers = new ArrayList<>();
            for (int i = 0; i < allowed; i++) {
                readers.add(table.add(i));
            }
            assertThat(readers).doesNotContainNull();
            assertThat(table.add(0)).as("allowed %d", allowed).isNull();
            readers.get(allowed - 1).close();
            assertThat(table.add(0)).as("allowed %d", allowed).isNotNull();
        }
    }

    /** Each commit writes its number under all keys; so a reader that sees two numbers sees two states. */
    @Test
    void hundredsOfReadersSeeOneStateEachAndNoneOlderThanBefore() throws Exception {
        int threads = 200;
        int commits = 150;
        try (BoltDatabase database = BoltDatabase.builder(directory.resolve("test.db"))
                .pageSize(512)
                .forcesCommits(false)
                .checksCommits(true)
                .open()) {
            AtomicLong committed = new AtomicLong(commit(database, 0));
            AtomicBoolean isDone = new AtomicBoolean();
            ExecutorService pool = Executors.newFixedThreadPool(threads);
            try {
                List<Future<?>> readers = new ArrayList<>();
                for (int t = 0; t < threads; t++) {
                    readers.add(pool.submit(() -> {
                        long before = 0;
                        while (!isDone.get()) {
                            long acknowledged = committed.get();
                            try (BoltTransaction reader = database.beginRead()) {
                                assertThat(reader.id()).isGreaterThanOrEqualTo(Math.max(before, acknowledged));
                                before = reader.id();
                                String first = contentOf(reader);
                                Thread.yield();
                                assertThat(contentOf(reader)).isEqualTo(first);
                            }
                        }
                        return null;
                    }));
                }
                for (int i = 1; i <= commits; i++) {
                    committed.set(commit(database, i));
                }
                isDone.set(true);
                for (Future<?> reader : readers) {
                    reader.get();
                }
            } finally {
                isDone.set(true);
                pool.shutdownNow();
            }
            commit(database, commits + 1);
            commit(database, commits + 2);
            assertThat(database.stats().pendingPages())
                    .isLessThan(database.stats().pages() / 2);
            assertThat(database.stats().readers()).isZero();
            assertThat(database.check().problems()).isEmpty();
        }
    }

    /**
     * Each writer counts for itself and in a total, in one commit. So a reader sees counts that add up to the total, those that were
     * acknowledged before it began among them.
     */
    @Test
    void hundredsOfReadersAndWritersSeeEachCommitAsAWhole() throws Exception {
        int writers = 100;
        int readers = 100;
        int commits = 4;
        try (BoltDatabase database = BoltDatabase.builder(directory.resolve("writers.db"))
                .pageSize(512)
                .forcesCommits(false)
                .checksCommits(true)
                .open()) {
            database.update(transaction -> transaction.createBucket(NAME));
            AtomicLong acknowledged = new AtomicLong();
            AtomicBoolean isDone = new AtomicBoolean();
            ExecutorService pool = Executors.newFixedThreadPool(writers + readers);
            try {
                List<Future<?>> reading = new ArrayList<>();
                for (int t = 0; t < readers; t++) {
                    reading.add(pool.submit(() -> {
                        for (long before = 0; !isDone.get(); ) {
                            before = readOnce(database, before, acknowledged.get());
                        }
                        return null;
                    }));
                }
                List<Future<?>> writing = new ArrayList<>();
                for (int t = 0; t < writers; t++) {
                    byte[] mine = ("count" + t).getBytes();
                    boolean shares = t % 2 == 0;
                    writing.add(pool.submit(() -> {
                        for (int i = 0; i < commits; i++) {
                            BoltDatabase.Work work = transaction -> {
                                Bucket bucket = transaction.bucket(NAME);
                                bucket.put(mine, number(numberAt(bucket, mine) + 1));
                                bucket.put(TOTAL, number(numberAt(bucket, TOTAL) + 1));
                            };
                            if (shares) {
                                database.batch(work);
                            } else {
                                database.update(work);
                            }
                            acknowledged.incrementAndGet();
                        }
                        return null;
                    }));
                }
                for (Future<?> writer : writing) {
                    writer.get();
                }
                isDone.set(true);
                for (Future<?> reader : reading) {
                    reader.get();
                }
            } finally {
                isDone.set(true);
                pool.shutdownNow();
            }
            assertThat(readOnce(database, 0, 0)).isPositive();
            long total = database.query(transaction -> numberAt(transaction.bucket(NAME), TOTAL));
            assertThat(total).isEqualTo(writers * commits);
            assertThat(database.check().problems()).isEmpty();
        }
    }

    private static long readOnce(BoltDatabase database, long before, long acknowledged) throws IOException {
        try (BoltTransaction reader = database.beginRead()) {
            assertThat(reader.id()).isGreaterThanOrEqualTo(before);
            Bucket bucket = reader.bucket(NAME);
            long total = numberAt(bucket, TOTAL);
            assertThat(total).isGreaterThanOrEqualTo(acknowledged);
            long[] sum = {0};
            bucket.forEach((key, value) -> sum[0] += Arrays.equals(key, TOTAL) ? 0 : Long.parseLong(new String(value)));
            assertThat(sum[0]).isEqualTo(total);
            assertThat(numberAt(bucket, TOTAL)).isEqualTo(total);
            return reader.id();
        }
    }

    private static byte[] number(long number) {
        return Long.toString(number).getBytes();
    }

    private static long numberAt(Bucket bucket, byte[] key) throws IOException {
        byte[] value = bucket.get(key);
        return value == null ? 0 : Long.parseLong(new String(value));
    }

    private static long commit(BoltDatabase database, int number) throws IOException {
        try (BoltTransaction transaction = database.beginWrite()) {
            Bucket bucket = transaction.createBucketIfNotExists(NAME);
            for (int i = 0; i < 40; i++) {
                bucket.put(
                        ("key" + i).getBytes(),
                        ("value " + number).repeat(1 + number % 5).getBytes());
            }
            long id = transaction.id();
            transaction.commit();
            return id;
        }
    }

    private static String contentOf(BoltTransaction reader) throws IOException {
        List<String> values = new ArrayList<>();
        reader.bucket(NAME).forEach((key, value) -> values.add(new String(value)));
        assertThat(values).hasSize(40);
        assertThat(values).containsOnly(values.get(0));
        return values.get(0);
    }

    @Test
    void aForgottenReaderIsReportedWithWhatItPins() throws IOException {
        try (BoltDatabase database =
                BoltDatabase.builder(directory.resolve("test.db")).pageSize(512).open()) {
            commit(database, 0);
            try (BoltTransaction forgotten = database.beginRead()) {
                for (int i = 1; i < 20; i++) {
                    commit(database, i);
                }
                DatabaseStats stats = database.stats();
                assertThat(forgotten.id()).isEqualTo(2);
                assertThat(stats.readers()).isOne();
                assertThat(stats.oldestReaderNanos()).isPositive();
                assertThat(stats.oldestReaderPages()).isBetween(4L, 40L);
                assertThat(database.oldestReader())
                        .contains("state=2", Thread.currentThread().getName());
            }
            commit(database, 30);
            assertThat(database.stats().oldestReaderPages()).isZero();
        }
    }

    /** A copy reads free pages as well, and those at the end may be cut off beside it. */
    @Test
    void aHotCopyIsWholeAlthoughTheFileIsCutBesideIt() throws IOException {
        Path copied = directory.resolve("copy.db");
        try (BoltDatabase database =
                BoltDatabase.builder(directory.resolve("test.db")).pageSize(512).open()) {
            commit(database, 0);
            database.update(
                    transaction -> transaction.createBucket("big".getBytes()).put("big".getBytes(), new byte[4 << 20]));
            database.update(transaction -> transaction.deleteBucket("big".getBytes()));
            commit(database, 1);
            ByteArrayOutputStream copy = new ByteArrayOutputStream() {
                private boolean isCompacted;

                @Override
                public void write(byte[] bytes, int offset, int length) {
                    super.write(bytes, offset, length);
                    if (!isCompacted) {
                        isCompacted = true;
                        try {
                            database.compact(10);
                        } catch (IOException e) {
                            throw new IllegalStateException(e);
                        }
                    }
                }
            };
            database.copyTo(copy);
            Files.write(copied, copy.toByteArray());
            database.compact(10);
            assertThat(Files.size(directory.resolve("test.db"))).isLessThan(1 << 20);
        }
        try (BoltDatabase copy = BoltDatabase.open(copied)) {
            assertThat(copy.check().problems()).isEmpty();
            copy.view(transaction -> assertThat(contentOf(transaction)).isEqualTo("value 1".repeat(2)));
        }
    }
}
