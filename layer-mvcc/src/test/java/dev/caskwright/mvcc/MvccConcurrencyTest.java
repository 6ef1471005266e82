package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.io.standard.StandardIoManager;
import dev.caskwright.mvcc.backend.BackendOptions;
import dev.caskwright.mvcc.backend.Stores;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Many threads at once: transactions take effect one after another, between their call and their return; watches tell each event once. */
final class MvccConcurrencyTest {
    private static final int ACCOUNTS = 8;
    private static final int START = 100;

    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final List<Thread> threads = new ArrayList<>();

    @TempDir
    Path directory;

    private interface Work {
        void run() throws Exception;
    }

    private void start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (Throwable e) {
                failure.compareAndSet(null, e);
            }
        });
        thread.start();
        threads.add(thread);
    }

    private void join(int from) throws InterruptedException {
        for (Thread thread : threads.subList(from, threads.size())) {
            thread.join();
        }
        if (failure.get() != null) {
            throw new AssertionError("in a thread: " + failure.get(), failure.get());
        }
    }

    private MvccStore open(Stores kind) throws IOException {
        return MvccStore.builder(kind.open(directory, StandardIoManager::open, MvccStore.buckets()))
                .commits(new BackendOptions(100, 1 << 20, Duration.ofMillis(2)))
                .compaction(50, Duration.ZERO)
                .open();
    }

    private static byte[] account(int number) {
        return ("account" + number).getBytes();
    }

    private static byte[] amount(long value) {
        return Long.toString(value).getBytes();
    }

    private static long amount(KeyValue entry) {
        return Long.parseLong(new String(entry.value()));
    }

    /** Moves an amount if nobody has changed the accounts since they were read; returns whether it did. */
    private static boolean transfer(MvccStore store, Random random, AtomicLong completed) throws IOException {
        int from = random.nextInt(ACCOUNTS);
        int to = (from + 1 + random.nextInt(ACCOUNTS - 1)) % ACCOUNTS;
        KeyValue source = store.get(account(from));
        KeyValue target = store.get(account(to));
        long before = completed.get();
        Txn txn = new Txn(
                List.of(
                        Comparison.of(
                                source.key(),
                                Comparison.Target.MOD_REVISION,
                                Comparison.Relation.EQUAL,
                                source.modRevision()),
                        Comparison.of(
                                target.key(),
                                Comparison.Target.MOD_REVISION,
                                Comparison.Relation.EQUAL,
                                target.modRevision())),
                List.of(
                        Put.of(source.key(), amount(amount(source) - 1)),
                        Put.of(target.key(), amount(amount(target) + 1))),
                List.of(RangeRequest.of(KeyRange.all())));
        TxnResult result = store.txn(txn);
        if (result.isSuccess()) {
            // Whatever had returned before this was called came before it.
            assertThat(result.revision()).isGreaterThan(before);
        } else {
            assertThat(result.revision()).isGreaterThanOrEqualTo(before);
            assertThat(sum((RangeResult) result.results().get(0))).isEqualTo(ACCOUNTS * START);
        }
        completed.accumulateAndGet(result.revision(), Math::max);
        return result.isSuccess();
    }

    private static long sum(RangeResult result) {
        long sum = 0;
        for (KeyValue entry : result.entries()) {
            sum += amount(entry);
        }
        return sum;
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void transactionsAreLinearizableAndReadsShowOneMoment(Stores kind) throws Exception {
        try (MvccStore store = open(kind)) {
            for (int i = 0; i < ACCOUNTS; i++) {
                store.put(account(i), amount(START));
            }
            AtomicLong completed = new AtomicLong(store.revision());
            AtomicLong moved = new AtomicLong();
            AtomicBoolean isOver = new AtomicBoolean();
            long first = store.revision();
            for (int i = 0; i < 3; i++) {
                long seed = i;
                start(() -> {
                    Random random = new Random(seed);
                    for (int step = 0; step < 700; step++) {
                        moved.addAndGet(transfer(store, random, completed) ? 1 : 0);
                    }
                });
            }
            int writers = threads.size();
            start(() -> {
                while (!isOver.get()) {
                    readAnyRevision(store, completed, first);
                }
            });
            start(() -> {
                while (!isOver.get()) {
                    long to = store.revision() - 30;
                    if (to > store.compactedRevision() && to > first) {
                        store.compact(to);
                    }
                }
            });
            for (Thread writer : threads.subList(0, writers)) {
                writer.join();
            }
            isOver.set(true);
            join(0);
            assertThat(store.revision()).isEqualTo(first + moved.get());
            assertThat(sum(store.range(RangeRequest.of(KeyRange.all())))).isEqualTo(ACCOUNTS * START);
        }
    }

    private static void readAnyRevision(MvccStore store, AtomicLong completed, long first) throws IOException {
        long before = completed.get();
        RangeResult now = store.range(RangeRequest.of(KeyRange.all()));
        assertThat(now.revision()).isGreaterThanOrEqualTo(before);
        assertThat(sum(now)).isEqualTo(ACCOUNTS * START);
        long past = Math.max(first, before - 25);
        try {
            RangeResult then = store.range(RangeRequest.of(KeyRange.all()).atRevision(past));
            assertThat(sum(then)).isEqualTo(ACCOUNTS * START);
            assertThat(then.entries()).allMatch(entry -> entry.modRevision() <= past);
        } catch (MvccException e) {
            assertThat(e.reason()).isEqualTo(MvccException.Reason.COMPACTED);
            assertThat(past).isLessThan(store.compactedRevision());
        }
    }

    /** A key counts up; whoever follows it sees each number once, whatever is compacted and however often it connects again. */
    @ParameterizedTest
    @EnumSource(Stores.class)
    void watchesBesideCompactionsTellEachEventOnceAndInOrder(Stores kind) throws Exception {
        int puts = 3_000;
        byte[] key = "counter".getBytes();
        try (MvccStore store = open(kind)) {
            store.put(key, amount(0));
            store.commit();
            AtomicBoolean isOver = new AtomicBoolean();
            for (int i = 0; i < 4; i++) {
                long seed = i;
                start(() -> follow(store, key, puts, new Random(seed)));
            }
            int followers = threads.size();
            start(() -> {
                while (!isOver.get()) {
                    long to = store.revision() - 200;
                    if (to > store.compactedRevision() && to > 1) {
                        store.compact(to);
                    }
                }
            });
            for (int i = 1; i <= puts; i++) {
                store.put(key, amount(i));
                store.put("other".getBytes(), amount(i));
            }
            store.commit();
            for (Thread follower : threads.subList(0, followers)) {
                follower.join();
            }
            isOver.set(true);
            join(0);
        }
    }

    /** A watch of one event falls behind with nearly each commit, mostly while it is asked. */
    @ParameterizedTest
    @EnumSource(Stores.class)
    void aWatchThatFallsBehindTellsFirstWhatItHolds(Stores kind) throws Exception {
        int commits = 1_500;
        byte[] key = "counter".getBytes();
        try (MvccStore store = open(kind);
                Watch watch = store.watch(WatchRequest.of(KeyRange.of(key)).buffering(1))) {
            start(() -> {
                for (int i = 1; i <= commits; i++) {
                    store.put(key, amount(2L * i - 1));
                    store.put(key, amount(2L * i));
                    store.commit();
                }
            });
            long told = 0;
            while (told < 2 * commits && failure.get() == null) {
                WatchBatch batch = watch.poll();
                for (Event event : batch == null ? List.<Event>of() : batch.events()) {
                    assertThat(amount(event.keyValue())).isEqualTo(++told);
                }
            }
            join(0);
        }
    }

    private static void follow(MvccStore store, byte[] key, int last, Random random) throws Exception {
        long expected = 0; // the number told last
        long next = 2;
        Watch watch = null;
        while (expected < last) {
            try {
                if (watch == null) {
                    watch = store.watch(WatchRequest.of(random.nextBoolean() ? KeyRange.of(key) : KeyRange.prefix(key))
                            .fromRevision(next)
                            .buffering(1 + random.nextInt(20)));
                }
                WatchBatch batch = watch.take(10, TimeUnit.SECONDS);
                for (Event event : batch == null ? List.<Event>of() : batch.events()) {
                    long told = amount(event.keyValue());
                    if (event.revision() == 2) {
                        assertThat(told).isZero();
                    } else {
                        assertThat(told).isEqualTo(++expected);
                    }
                }
                next = batch == null ? next : batch.revision() + 1;
                if (random.nextInt(20) == 0) {
                    watch.close();
                    watch = null;
                }
            } catch (MvccException e) {
                assertThat(e.reason()).isEqualTo(MvccException.Reason.COMPACTED);
                if (watch != null) {
                    watch.close();
                    watch = null;
                }
                RangeResult now = store.range(RangeRequest.of(KeyRange.of(key)));
                expected = amount(now.entries().get(0));
                next = now.revision() + 1;
            }
        }
        if (watch != null) {
            watch.close();
        }
    }
}
