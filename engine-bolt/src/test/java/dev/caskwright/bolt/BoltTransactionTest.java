package dev.caskwright.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Outcome;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Attacks on the ends of transactions: who ends them, how often, what is told then, and what one work may do to others. */
@Timeout(120)
final class BoltTransactionTest {
    private static final byte[] NAME = "bucket".getBytes();

    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = directory.resolve("test.db");
    }

    private BoltDatabase open() throws IOException {
        BoltDatabase database =
                BoltDatabase.builder(file).pageSize(512).checksCommits(true).open();
        database.update(transaction -> transaction.createBucketIfNotExists(NAME));
        return database;
    }

    private static void put(BoltTransaction transaction, String key) throws IOException {
        transaction.bucket(NAME).put(key.getBytes(), key.getBytes());
    }

    private static boolean has(BoltDatabase database, String key) throws IOException {
        return database.query(transaction -> transaction.bucket(NAME).contains(key.getBytes()));
    }

    @Test
    void aWorkCannotEndTheTransactionThatItIsGiven() throws IOException {
        try (BoltDatabase database = open()) {
            BoltDatabase.Work ends = transaction -> {
                assertThatThrownBy(transaction::close).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(transaction::rollback).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(transaction::commit).isInstanceOf(IllegalStateException.class);
            };
            database.view(ends);
            database.update(ends);
            database.batch(ends);
            database.update(transaction -> put(transaction, "after"));
            assertThat(has(database, "after")).isTrue();
        }
    }

    @Test
    void aWorkThatTriesToEndTheTransactionSpoilsItsOwnCallAlone() throws Exception {
        try (BoltDatabase database = open()) {
            List<BoltDatabase.Work> works = List.of(
                    transaction -> put(transaction, "first"),
                    BoltTransaction::rollback,
                    transaction -> put(transaction, "second"),
                    transaction -> transaction.commit(),
                    transaction -> sneak(new InterruptedException("on purpose")),
                    transaction -> put(transaction, "third"));
            List<Throwable> outcomes = batchTogether(database, works);
            assertThat(outcomes.get(0)).isNull();
            assertThat(outcomes.get(1)).isInstanceOf(IllegalStateException.class);
            assertThat(outcomes.get(2)).isNull();
            assertThat(outcomes.get(3)).isInstanceOf(IllegalStateException.class);
            assertThat(outcomes.get(4)).isInstanceOf(IOException.class).hasMessageContaining("on purpose");
            assertThat(outcomes.get(5)).isNull();
            for (String key : List.of("first", "second", "third")) {
                assertThat(has(database, key)).as(key).isTrue();
            }
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneak(Throwable e) throws E {
        throw (E) e;
    }

    /** Runs works that wait together, so that they share a commit; returns what each call threw. */
    private static List<Throwable> batchTogether(BoltDatabase database, List<BoltDatabase.Work> works)
            throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(works.size());
        List<Future<Throwable>> calls = new ArrayList<>();
        AtomicReference<BoltTransaction> held = new AtomicReference<>(database.beginWrite());
        try {
            CountDownLatch called = new CountDownLatch(works.size());
            for (BoltDatabase.Work work : works) {
                calls.add(pool.submit(() -> {
                    called.countDown();
                    try {
                        database.batch(work);
                        return null;
                    } catch (Throwable e) {
                        return e;
                    }
                }));
            }
            called.await();
            held.get().rollback();
            List<Throwable> outcomes = new ArrayList<>();
            for (Future<Throwable> call : calls) {
                outcomes.add(call.get(60, TimeUnit.SECONDS));
            }
            return outcomes;
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void allCommitHandlersRunAndAFailedOneTellsThatTheCommitIsThere() throws IOException {
        try (BoltDatabase database = open()) {
            List<String> ran = new ArrayList<>();
            BoltDatabase.Work work = transaction -> {
                put(transaction, "key");
                transaction.onCommit(() -> ran.add("first"));
                transaction.onCommit(() -> {
                    throw new IllegalArgumentException("on purpose");
                });
                transaction.onCommit(() -> ran.add("last"));
            };
            for (boolean isBatch : new boolean[] {false, true}) {
                ran.clear();
                assertThatThrownBy(() -> {
                            if (isBatch) {
                                database.batch(work);
                            } else {
                                database.update(work);
                            }
                        })
                        .isInstanceOfSatisfying(
                                EngineException.class,
                                e -> assertThat(e.outcome()).isEqualTo(Outcome.APPLIED))
                        .hasRootCauseMessage("on purpose");
                assertThat(ran).containsExactly("first", "last");
            }
            assertThat(has(database, "key")).isTrue();
            assertThat(database.health()).isNull();
        }
    }

    @Test
    void aCommitHandlerOfABatchMayCallTheDatabase() throws Exception {
        try (BoltDatabase database = open()) {
            List<BoltDatabase.Work> works = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                String key = "key" + i;
                works.add(transaction -> {
                    put(transaction, key);
                    transaction.onCommit(() -> {
                        try {
                            database.batch(inner -> put(inner, key + "/again"));
                        } catch (IOException e) {
                            throw new IllegalStateException(e);
                        }
                    });
                });
            }
            assertThat(batchTogether(database, works)).containsOnlyNulls();
            assertThat(has(database, "key7/again")).isTrue();
        }
    }

    @Test
    void aHandlerOfAWorkThatFailedIsNotCalled() throws Exception {
        try (BoltDatabase database = open()) {
            AtomicInteger called = new AtomicInteger();
            List<BoltDatabase.Work> works =
                    List.of(transaction -> transaction.onCommit(called::incrementAndGet), transaction -> {
                        transaction.onCommit(() -> called.addAndGet(100));
                        throw new IOException("on purpose");
                    });
            batchTogether(database, works);
            assertThat(called).hasValue(1);
        }
    }

    @Test
    void aWriteTransactionThatTwoThreadsEndIsEndedOnce() throws Exception {
        try (BoltDatabase database = open()) {
            ExecutorService pool = Executors.newFixedThreadPool(4);
            try {
                for (int round = 0; round < 300; round++) {
                    BoltTransaction transaction = database.beginWrite();
                    CyclicBarrier barrier = new CyclicBarrier(2);
                    List<Future<?>> ends = new ArrayList<>();
                    for (int t = 0; t < 2; t++) {
                        ends.add(pool.submit(() -> {
                            barrier.await();
                            transaction.close();
                            return null;
                        }));
                    }
                    for (Future<?> end : ends) {
                        end.get();
                    }
                }
                assertThat(database.writersThatMayBegin()).isOne();
            } finally {
                pool.shutdownNow();
            }
        }
    }

    @Test
    void aChangeThatFailedHalfwayIsNeverCommitted() throws IOException {
        try (BoltDatabase database = open()) {
            database.update(transaction -> {
                for (int i = 0; i < 200; i++) {
                    put(transaction, String.format("key%04d", i));
                }
            });
        }
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer pages = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int damaged = lastLeafOf(pages);
        bytes[damaged * 512 + 8] = 0x40; // no such kind of page
        Files.write(file, bytes);
        try (BoltDatabase database = BoltDatabase.builder(file).open()) {
            BoltTransaction transaction = database.beginWrite();
            assertThatThrownBy(() -> transaction.deleteBucket(NAME)).isInstanceOf(CorruptRecordException.class);
            assertThatThrownBy(transaction::commit)
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED));
            assertThat(database.health()).isNull();
            assertThatThrownBy(() -> database.batch(inner -> {
                        try {
                            inner.deleteBucket(NAME);
                        } catch (CorruptRecordException e) {
                            inner.createBucketIfNotExists("other".getBytes());
                        }
                    }))
                    .isInstanceOf(CorruptRecordException.class);
            assertThat(has(database, "key0000")).isTrue();
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
    }

    /** Returns the leaf with the greatest key. */
    private static int lastLeafOf(ByteBuffer pages) {
        for (int page = 2; page < pages.capacity() / 512; page++) {
            int start = page * 512;
            int count = pages.getShort(start + 10);
            if (pages.getLong(start) == page && pages.getShort(start + 8) == 2 && count > 0) {
                int element = start + 16 + (count - 1) * 16;
                int key = element + pages.getInt(element + 4);
                byte[] name = new byte[Math.min(7, pages.getInt(element + 8))];
                pages.get(key, name);
                if (new String(name).equals("key0199")) {
                    return page;
                }
            }
        }
        throw new AssertionError("no such leaf");
    }

    @Test
    void anInterruptedBatchIsDoneAndStaysInterrupted() throws Exception {
        try (BoltDatabase database = open()) {
            AtomicBoolean isInterrupted = new AtomicBoolean();
            Thread thread = new Thread(() -> {
                Thread.currentThread().interrupt();
                try {
                    database.batch(transaction -> put(transaction, "key"));
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
                isInterrupted.set(Thread.currentThread().isInterrupted());
            });
            thread.start();
            thread.join();
            assertThat(isInterrupted).isTrue();
            assertThat(has(database, "key")).isTrue();
            database.update(transaction -> put(transaction, "after"));
        }
    }
}
