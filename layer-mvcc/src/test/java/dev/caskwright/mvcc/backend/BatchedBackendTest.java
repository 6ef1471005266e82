package dev.caskwright.mvcc.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Outcome;
import dev.caskwright.io.standard.StandardIoManager;
import dev.caskwright.mvcc.ManualTimer;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoHook;
import dev.caskwright.testkit.IoOperation;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Writes are seen at once, committed together when it is time, and told of when that fails. Over bolt and over Bitcask. */
final class BatchedBackendTest {
    private static final Path PLACE = Path.of("/simulated");
    private static final Bucket ONE = new Bucket(0, "one", true);
    private static final Bucket TWO = new Bucket(1, "two", false);
    private static final List<Bucket> BUCKETS = List.of(ONE, TWO);
    private static final Duration INTERVAL = Duration.ofMillis(100);

    private final ManualTimer timer = new ManualTimer();

    @TempDir
    Path directory;

    private BatchedBackend open(Stores kind, CrashableIoManager disk, long commitChanges) throws IOException {
        return new BatchedBackend(
                kind.open(PLACE, disk.factory(), BUCKETS),
                BUCKETS,
                new BackendOptions(commitChanges, 1 << 20, INTERVAL),
                timer);
    }

    private static CommitToken put(BatchedBackend backend, String key, String value) throws IOException {
        try (WriteTransaction transaction = backend.begin()) {
            transaction.put(ONE, key.getBytes(), value.getBytes());
            return transaction.commit();
        }
    }

    private static String get(BatchedBackend backend, String key) throws IOException {
        try (BackendView view = backend.openView()) {
            byte[] value = view.get(ONE, key.getBytes());
            return value == null ? null : new String(value);
        }
    }

    private static TreeMap<byte[], byte[]> newModel() {
        return new TreeMap<>(Arrays::compareUnsigned);
    }

    private static List<String> content(BackendView view, Bucket bucket, byte[] from, byte[] to, boolean descending)
            throws IOException {
        List<String> found = new ArrayList<>();
        try (OrderedStore.Cursor cursor = view.range(bucket, from, to, descending)) {
            while (cursor.next()) {
                found.add(new String(cursor.key()) + "=" + new String(cursor.value()));
            }
        }
        return found;
    }

    private static List<String> content(TreeMap<byte[], byte[]> model, byte[] from, byte[] to, boolean descending) {
        List<String> found = new ArrayList<>();
        (descending ? model.descendingMap() : model).forEach((key, value) -> {
            if ((from == null || Arrays.compareUnsigned(key, from) >= 0)
                    && (to == null || Arrays.compareUnsigned(key, to) < 0)) {
                found.add(new String(key) + "=" + new String(value));
            }
        });
        return found;
    }

    private record Kept(BackendView view, List<TreeMap<byte[], byte[]>> models) {}

    private static byte[] someKey(Random random) {
        return ("k" + random.nextInt(300)).getBytes();
    }

    private static void check(BackendView view, List<TreeMap<byte[], byte[]>> models, Random random)
            throws IOException {
        for (Bucket bucket : BUCKETS) {
            TreeMap<byte[], byte[]> model = models.get(bucket.index());
            byte[] from = random.nextInt(4) == 0 ? null : someKey(random);
            byte[] to = random.nextInt(4) == 0 ? null : someKey(random);
            boolean descending = random.nextBoolean();
            if (from != null && to != null && Arrays.compareUnsigned(from, to) > 0) {
                byte[] other = from;
                from = to;
                to = other;
            }
            assertThat(content(view, bucket, from, to, descending)).isEqualTo(content(model, from, to, descending));
            byte[] key = someKey(random);
            assertThat(view.get(bucket, key)).isEqualTo(model.get(key));
        }
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void viewsShowTheirMomentThroughWritesCommitsAndReopenings(Stores kind) throws IOException {
        for (int seed = 0; seed < 6; seed++) {
            Random random = new Random(seed);
            CrashableIoManager disk = new CrashableIoManager().logging(false);
            List<TreeMap<byte[], byte[]>> models = List.of(newModel(), newModel());
            for (int life = 0; life < 3; life++) {
                List<Kept> kept = new ArrayList<>();
                try (BatchedBackend backend = open(kind, disk, 1 + random.nextInt(200))) {
                    for (int step = 0; step < 150; step++) {
                        step(backend, models, random);
                        if (random.nextInt(12) == 0) {
                            timer.runAll();
                        }
                        if (random.nextInt(15) == 0) {
                            backend.commit();
                        }
                        if (random.nextInt(20) == 0) {
                            kept.add(new Kept(backend.openView(), List.of(copy(models.get(0)), copy(models.get(1)))));
                        }
                        try (BackendView view = backend.openView()) {
                            check(view, models, random);
                        } catch (AssertionError e) {
                            throw new AssertionError("seed " + seed + ", life " + life + ", step " + step, e);
                        }
                    }
                    for (Kept each : kept) {
                        check(each.view, each.models, random);
                        each.view.close();
                    }
                }
            }
        }
    }

    private static TreeMap<byte[], byte[]> copy(TreeMap<byte[], byte[]> model) {
        TreeMap<byte[], byte[]> copy = newModel();
        copy.putAll(model);
        return copy;
    }

    private static void step(BatchedBackend backend, List<TreeMap<byte[], byte[]>> models, Random random)
            throws IOException {
        List<TreeMap<byte[], byte[]>> written = List.of(copy(models.get(0)), copy(models.get(1)));
        try (WriteTransaction transaction = backend.begin()) {
            for (int i = random.nextInt(6); i >= 0; i--) {
                Bucket bucket = BUCKETS.get(random.nextInt(2));
                TreeMap<byte[], byte[]> model = written.get(bucket.index());
                byte[] key = someKey(random);
                int kind = random.nextInt(10);
                if (kind < 6) {
                    byte[] value = "v".repeat(random.nextInt(30)).getBytes();
                    transaction.put(bucket, key, value);
                    model.put(key, value);
                } else if (kind < 9) {
                    transaction.delete(bucket, key);
                    model.remove(key);
                } else {
                    byte[] to = (new String(key) + "5").getBytes();
                    int there = model.subMap(key, to).size();
                    assertThat(transaction.deleteRange(bucket, key, to)).isEqualTo(there);
                    model.subMap(key, to).clear();
                }
                assertThat(transaction.get(bucket, key)).isEqualTo(model.get(key));
            }
            try (BackendView view = transaction.view()) {
                check(view, written, random);
            }
            if (random.nextInt(5) == 0) {
                return; // closed without a commit
            }
            transaction.commit();
        }
        for (int i = 0; i < 2; i++) {
            models.get(i).clear();
            models.get(i).putAll(written.get(i));
        }
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void aWriteIsDurableWhenItsTokenSaysSo(Stores kind) throws Exception {
        CrashableIoManager disk = new CrashableIoManager();
        try (BatchedBackend backend = open(kind, disk, 100)) {
            CommitToken token = put(backend, "key", "value");
            assertThat(get(backend, "key")).isEqualTo("value");
            assertThat(token.isDone()).isFalse();
            assertThat(token.await(0, TimeUnit.MILLISECONDS)).isFalse();
            assertThat(timer.waiting(INTERVAL)).isEqualTo(1);
            timer.runAll();
            token.await();
            ManualTimer other = new ManualTimer();
            try (BatchedBackend again = new BatchedBackend(
                    kind.open(PLACE, disk.peekPowerLoss(0).factory(), BUCKETS),
                    BUCKETS,
                    BackendOptions.DEFAULT,
                    other)) {
                assertThat(get(again, "key")).isEqualTo("value");
            }
        }
    }

    @Test
    void aCommitBeginsAfterAsManyChangesAsAreSaid() throws Exception {
        try (BatchedBackend backend = open(Stores.BOLT, new CrashableIoManager(), 10)) {
            for (int i = 0; i < 9; i++) {
                put(backend, "key" + i, "value");
            }
            assertThat(timer.waiting(Duration.ZERO)).isZero();
            CommitToken token = put(backend, "key9", "value");
            assertThat(timer.waiting(Duration.ZERO)).isEqualTo(1);
            timer.runAll();
            assertThat(token.isDone()).isTrue();
            assertThat(backend.stats().commits()).isEqualTo(1);
            assertThat(backend.stats().gathered()).isZero();
        }
    }

    @Test
    void whoeverWritesFasterThanTheDiskCommits() throws Exception {
        try (BatchedBackend backend = open(Stores.BOLT, new CrashableIoManager(), 10)) {
            for (int i = 0; i < 1_000; i++) { // the timer's thread never comes to it
                put(backend, "key" + i, "value");
                assertThat(backend.stats().gathered()).isLessThanOrEqualTo(20);
            }
            assertThat(backend.stats().commits()).isBetween(45L, 50L);
        }
    }

    @Test
    void aTransactionThatWroteNothingIsAsDurableAsWhatItRead() throws Exception {
        try (BatchedBackend backend = open(Stores.BOLT, new CrashableIoManager(), 10)) {
            try (WriteTransaction transaction = backend.begin()) {
                assertThat(transaction.commit().isDone()).isTrue();
            }
            put(backend, "key", "value");
            try (WriteTransaction transaction = backend.begin()) {
                CommitToken token = transaction.commit();
                assertThat(token.isDone()).isFalse();
                timer.runAll();
                assertThat(token.isDone()).isTrue();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void aFullDiskFailsTheWritesOfACommitAndNothingElse(Stores kind) throws Exception {
        CrashableIoManager disk = new CrashableIoManager();
        try (BatchedBackend backend = open(kind, disk, 100)) {
            put(backend, "before", "value").whenDone(() -> {});
            backend.commit();
            AtomicReference<Throwable> told = new AtomicReference<>();
            backend.onDiscard(told::set);
            disk.capacity(100 << 20);
            disk.capacity((100 << 20) - disk.usableSpace() + 50_000);
            CommitToken first = put(backend, "big", "x".repeat(300_000));
            CommitToken second = put(backend, "before", "other");
            assertThatThrownBy(backend::commit).isInstanceOf(EngineException.class);
            assertThat(told.get()).isNotNull();
            for (CommitToken token : List.of(first, second)) {
                assertThatThrownBy(token::await)
                        .isInstanceOfSatisfying(
                                EngineException.class,
                                e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED))
                        .hasCause(told.get());
            }
            assertThat(get(backend, "before")).isEqualTo("value");
            assertThat(get(backend, "big")).isNull();
            disk.capacity(Long.MAX_VALUE);
            CommitToken third = put(backend, "after", "value");
            backend.commit();
            third.await();
            assertThat(get(backend, "after")).isEqualTo("value");
        }
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void aFailedForceFailsItsCallersAndRefusesWritesUntilAReopening(Stores kind) throws Exception {
        CrashableIoManager disk = new CrashableIoManager();
        AtomicBoolean isFailing = new AtomicBoolean();
        IoHook hook = call -> {
            if (isFailing.get() && call.operation() == IoOperation.FORCE) {
                throw new IOException("Input/output error (simulated)");
            }
        };
        try (BatchedBackend ready = open(kind, disk, 100)) {
            put(ready, "before", "value");
        }
        try (BatchedBackend backend = new BatchedBackend(
                kind.open(PLACE, hook.wrap(disk.factory()), BUCKETS),
                BUCKETS,
                BackendOptions.DEFAULT,
                new ManualTimer())) {
            isFailing.set(true);
            CommitToken token = put(backend, "lost", "value");
            assertThat(get(backend, "lost")).isEqualTo("value");
            assertThatThrownBy(backend::commit).isInstanceOf(EngineException.class);
            assertThatThrownBy(token::await).isInstanceOf(EngineException.class);
            assertThat(get(backend, "lost")).isNull();
            assertThat(get(backend, "before")).isEqualTo("value");
            assertThatThrownBy(() -> put(backend, "key", "value")).isInstanceOf(EngineFailedException.class);
            isFailing.set(false);
        }
    }

    @Test
    void useAfterCloseIsATypedError() throws IOException {
        BatchedBackend backend = open(Stores.BOLT, new CrashableIoManager(), 10);
        put(backend, "key", "value");
        backend.close();
        backend.close();
        assertThatThrownBy(backend::openView).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(backend::begin).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(backend::commit).isInstanceOf(EngineClosedException.class);
    }

    @Test
    void aThreadWithATransactionDoesNotWaitForItself() throws IOException {
        try (BatchedBackend backend = open(Stores.BOLT, new CrashableIoManager(), 10);
                WriteTransaction transaction = backend.begin()) {
            assertThatThrownBy(backend::begin).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(backend::commit).isInstanceOf(IllegalStateException.class);
            transaction.commit();
            assertThatThrownBy(() -> transaction.put(ONE, new byte[1], new byte[1]))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    /** Each transaction moves an amount between keys, so that every view must show the same sum. */
    @ParameterizedTest
    @EnumSource(Stores.class)
    void readersBesideTheWriterSeeWholeTransactions(Stores kind) throws Exception {
        int keys = 100;
        try (BatchedBackend backend = new BatchedBackend(
                kind.open(directory, StandardIoManager::open, BUCKETS),
                BUCKETS,
                new BackendOptions(50, 1 << 20, Duration.ofMillis(1)),
                CommitTimer.daemon("commits"))) {
            try (WriteTransaction transaction = backend.begin()) {
                for (int i = 0; i < keys; i++) {
                    transaction.put(ONE, new byte[] {(byte) i}, new byte[] {50});
                }
                transaction.commit();
            }
            AtomicReference<Throwable> failure = new AtomicReference<>();
            List<Thread> readers = new ArrayList<>();
            boolean[] isOver = {false};
            for (int i = 0; i < 3; i++) {
                Thread reader = new Thread(() -> {
                    try {
                        while (!isDone(isOver)) {
                            readSum(backend, keys);
                        }
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                    }
                });
                reader.start();
                readers.add(reader);
            }
            Random random = new Random(1);
            for (int i = 0; i < 4_000; i++) {
                move(backend, random.nextInt(keys), random.nextInt(keys));
            }
            synchronized (isOver) {
                isOver[0] = true;
            }
            for (Thread reader : readers) {
                reader.join();
            }
            assertThat(failure.get()).isNull();
        }
    }

    private static boolean isDone(boolean[] flag) {
        synchronized (flag) {
            return flag[0];
        }
    }

    private static void readSum(BatchedBackend backend, int keys) throws IOException {
        int sum = 0;
        try (BackendView view = backend.openView();
                OrderedStore.Cursor cursor = view.range(ONE, null, null, false)) {
            while (cursor.next()) {
                sum += cursor.value()[0];
            }
        }
        assertThat(sum).isEqualTo(keys * 50);
    }

    private static void move(BatchedBackend backend, int from, int to) throws IOException {
        try (WriteTransaction transaction = backend.begin()) {
            byte less = transaction.get(ONE, new byte[] {(byte) from})[0];
            if (from != to && less > 0) {
                transaction.put(ONE, new byte[] {(byte) from}, new byte[] {(byte) (less - 1)});
                byte more = transaction.get(ONE, new byte[] {(byte) to})[0];
                if (more < 120) {
                    transaction.put(ONE, new byte[] {(byte) to}, new byte[] {(byte) (more + 1)});
                    transaction.commit();
                }
            }
        }
    }
}
