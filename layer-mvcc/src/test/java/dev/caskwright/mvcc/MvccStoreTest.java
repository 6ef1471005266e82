package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Outcome;
import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.mvcc.MvccException.Reason;
import dev.caskwright.mvcc.backend.BackendOptions;
import dev.caskwright.mvcc.backend.Stores;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is promised of single requests: limits, errors by their names, leases, quota, watches, damage. */
final class MvccStoreTest {
    private static final Path PLACE = Path.of("/simulated");

    private final CrashableIoManager disk = new CrashableIoManager().logging(false);
    private final ManualClock clock = new ManualClock();
    private final ManualTimer timer = new ManualTimer();

    @TempDir
    Path directory;

    private MvccBuilder builder() throws IOException {
        return MvccStore.builder(Stores.BOLT.open(PLACE, disk.factory(), MvccStore.buckets()))
                .clock(clock)
                .timer(timer);
    }

    private static byte[] bytes(String text) {
        return text.getBytes();
    }

    private static long put(MvccStore store, String key, String value) throws IOException {
        return store.put(bytes(key), bytes(value)).revision();
    }

    private static String get(MvccStore store, String key) throws IOException {
        KeyValue found = store.get(bytes(key));
        return found == null ? null : new String(found.value());
    }

    private static void assertRefused(ThrowingCallable call, Reason reason) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        MvccException.class, e -> assertThat(e.reason()).isEqualTo(reason))
                .hasMessageStartingWith(reason.text());
    }

    @Test
    void requestsThatCannotBeServedAreRefusedByTheirNames() throws IOException {
        try (MvccStore store = builder().limits(100, 3).open()) {
            assertRefused(() -> put(store, "", "value"), Reason.EMPTY_KEY);
            assertRefused(() -> put(store, "key", "x".repeat(98)), Reason.REQUEST_TOO_LARGE);
            assertRefused(() -> store.put(Put.of(bytes("key"), bytes("value")).withLease(5)), Reason.LEASE_NOT_FOUND);
            assertRefused(() -> store.revokeLease(5), Reason.LEASE_NOT_FOUND);
            assertRefused(() -> store.keepLeaseAlive(5), Reason.LEASE_NOT_FOUND);
            assertRefused(() -> store.lease(5), Reason.LEASE_NOT_FOUND);
            store.grantLease(5, 10);
            assertRefused(() -> store.grantLease(5, 10), Reason.LEASE_EXISTS);
            assertRefused(() -> store.grantLease(6, 10_000_000_000L), Reason.LEASE_TTL_TOO_LARGE);
            assertRefused(() -> store.put(Put.of(bytes("key"), new byte[0]).keepingValue()), Reason.KEY_NOT_FOUND);
            Put one = Put.of(bytes("a1"), bytes("v"));
            assertRefused(() -> store.txn(new Txn(List.of(), List.of(one, one), List.of())), Reason.DUPLICATE_KEY);
            DeleteRange all = DeleteRange.of(KeyRange.prefix(bytes("a")));
            assertRefused(() -> store.txn(new Txn(List.of(), List.of(all, one), List.of())), Reason.DUPLICATE_KEY);
            assertRefused(
                    () -> store.txn(new Txn(List.of(), List.of(), List.of(all, all, all, all))),
                    Reason.TOO_MANY_OPERATIONS);
            assertThat(store.revision()).isEqualTo(1);
            put(store, "key", "value");
            put(store, "key", "other");
            RangeRequest request = RangeRequest.of(KeyRange.all());
            assertRefused(() -> store.range(request.atRevision(4)), Reason.FUTURE_REVISION);
            assertRefused(() -> store.compact(4), Reason.FUTURE_REVISION);
            store.compact(3);
            assertRefused(() -> store.range(request.atRevision(2)), Reason.COMPACTED);
            assertRefused(() -> store.compact(3), Reason.COMPACTED);
            assertRefused(() -> store.hash(2), Reason.COMPACTED);
            assertRefused(() -> store.watch(WatchRequest.of(KeyRange.all()).fromRevision(3)), Reason.COMPACTED);
            assertThat(store.range(request.atRevision(3)).count()).isEqualTo(1);
        }
    }

    @Test
    void aFailedTransactionLeavesNoTrace() throws IOException {
        try (MvccStore store = builder().open()) {
            Put there = Put.of(bytes("first"), bytes("value"));
            Put impossible = Put.of(bytes("second"), bytes("value")).withLease(77);
            assertRefused(
                    () -> store.txn(new Txn(List.of(), List.of(there, impossible), List.of())), Reason.LEASE_NOT_FOUND);
            assertThat(get(store, "first")).isNull();
            assertThat(put(store, "first", "other")).isEqualTo(2);
            assertThat(store.get(bytes("first")).version()).isEqualTo(1);
        }
    }

    @Test
    void aPutMayKeepWhatIsThere() throws IOException {
        try (MvccStore store = builder().open()) {
            store.grantLease(9, 100);
            store.put(Put.of(bytes("key"), bytes("value")).withLease(9));
            store.put(Put.of(bytes("key"), bytes("other")).keepingLease());
            assertThat(store.get(bytes("key")).lease()).isEqualTo(9);
            store.put(Put.of(bytes("key"), bytes("ignored")).keepingValue());
            assertThat(get(store, "key")).isEqualTo("other");
            assertThat(store.get(bytes("key")).lease()).isZero();
            assertThat(store.lease(9).keys()).isEmpty();
        }
    }

    // ---------------------------------------------------------------- leases

    @Test
    void aLeaseEndsWithItsKeysAndNotBeforeItsTime() throws IOException {
        try (MvccStore store = builder().open()) {
            store.grantLease(1, 10);
            store.grantLease(2, 20);
            store.put(Put.of(bytes("a"), bytes("1")).withLease(1));
            store.put(Put.of(bytes("b"), bytes("1")).withLease(1));
            store.put(Put.of(bytes("c"), bytes("2")).withLease(2));
            clock.advance(Duration.ofMillis(9_999));
            timer.runAll();
            assertThat(store.leases()).containsExactly(1L, 2L);
            assertThat(store.keepLeaseAlive(1)).isEqualTo(10);
            clock.advance(Duration.ofMillis(9_999));
            timer.runAll();
            assertThat(store.leases()).containsExactly(1L, 2L);
            long before = store.revision();
            clock.advance(Duration.ofMillis(1));
            assertRefused(() -> store.keepLeaseAlive(1), Reason.LEASE_NOT_FOUND);
            timer.runAll();
            assertThat(store.leases()).containsExactly(2L);
            assertThat(store.revision()).isEqualTo(before + 1); // both keys at one revision
            assertThat(get(store, "a")).isNull();
            assertThat(get(store, "c")).isEqualTo("2");
        }
    }

    @Test
    void aLeaseLivesOnAfterARestartForWhatIsLeftOfIt() throws IOException {
        try (MvccStore store = builder().open()) {
            store.grantLease(1, 100);
            store.put(Put.of(bytes("key"), bytes("value")).withLease(1));
            clock.advance(Duration.ofSeconds(70));
        }
        clock.advance(Duration.ofDays(1)); // while the store is closed, time stands still for it
        try (MvccStore store = builder().open()) {
            assertThat(store.lease(1).remainingSeconds()).isEqualTo(30);
            assertThat(store.lease(1).keys()).hasSize(1);
            clock.advance(Duration.ofSeconds(30));
            timer.runAll();
            assertThat(get(store, "key")).isNull();
        }
        try (MvccStore store = builder().open()) {
            assertThat(store.leases()).isEmpty();
            assertThat(get(store, "key")).isNull();
        }
    }

    @Test
    void aKilledProcessMakesNoLeaseShorter() throws IOException {
        try (MvccStore store = builder().open()) {
            store.grantLease(1, 100);
            store.commit();
            clock.advance(Duration.ofSeconds(70));
            CrashableIoManager image = disk.peekKill();
            try (MvccStore again = MvccStore.builder(Stores.BOLT.open(PLACE, image.factory(), MvccStore.buckets()))
                    .clock(clock)
                    .timer(new ManualTimer())
                    .open()) {
                assertThat(again.lease(1).remainingSeconds()).isEqualTo(100);
            }
        }
    }

    // ---------------------------------------------------------------- space

    @Test
    void afterTheQuotaIsUsedUpOnlyPutsAreRefused() throws IOException {
        try (MvccStore store = builder().quotaBytes(200_000).open()) {
            int puts = 0;
            try {
                while (puts < 1_000) {
                    put(store, "key" + puts, "x".repeat(1_000));
                    puts++;
                }
            } catch (MvccException e) {
                assertThat(e.reason()).isEqualTo(Reason.NO_SPACE);
            }
            assertThat(puts).isBetween(50, 200);
            assertThat(store.stats().hasSpaceAlarm()).isTrue();
            assertRefused(() -> put(store, "a", "b"), Reason.NO_SPACE);
            assertRefused(() -> store.grantLease(0, 10), Reason.NO_SPACE);
        }
        try (MvccStore store = builder().quotaBytes(200_000).open()) {
            assertThat(store.stats().hasSpaceAlarm()).isTrue(); // the alarm outlives a restart
            assertRefused(() -> put(store, "a", "b"), Reason.NO_SPACE);
            store.delete(DeleteRange.of(KeyRange.all()));
            store.compact(store.revision());
            store.commit();
            assertRefused(() -> put(store, "a", "b"), Reason.NO_SPACE);
            store.disarmSpaceAlarm();
            put(store, "a", "b");
            assertThat(get(store, "a")).isEqualTo("b");
        }
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void defragmentationGivesSpaceBackAndChangesNothing(Stores kind) throws IOException {
        try (MvccStore store = MvccStore.builder(kind.open(PLACE, disk.factory(), MvccStore.buckets()))
                .timer(timer)
                .open()) {
            for (int i = 0; i < 2_000; i++) {
                put(store, "key" + i % 50, "x".repeat(300));
                if (i % 100 == 0) {
                    store.commit();
                }
            }
            store.compact(store.revision());
            store.commit();
            int hash = store.hash(0).hash();
            long before = store.stats().sizeBytes();
            store.defragment();
            assertThat(store.stats().sizeBytes()).isLessThan(before / 4);
            assertThat(store.hash(0).hash()).isEqualTo(hash);
            assertThat(store.range(RangeRequest.of(KeyRange.all())).count()).isEqualTo(50);
        }
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void aSnapshotIsADatabaseWithItsHash(Stores kind) throws Exception {
        byte[] snapshot;
        int hash;
        try (MvccStore store = MvccStore.builder(kind.open(PLACE, disk.factory(), MvccStore.buckets()))
                .timer(timer)
                .open()) {
            for (int i = 0; i < 100; i++) {
                put(store, "key" + i, "value" + i);
            }
            store.grantLease(3, 60);
            ByteArrayOutputStream target = new ByteArrayOutputStream();
            store.snapshotTo(target);
            snapshot = target.toByteArray();
            hash = store.hash(0).hash();
            put(store, "later", "value");
        }
        byte[] database = Arrays.copyOf(snapshot, snapshot.length - 32);
        assertThat(MessageDigest.getInstance("SHA-256").digest(database))
                .isEqualTo(Arrays.copyOfRange(snapshot, snapshot.length - 32, snapshot.length));
        Path file = directory.resolve("db");
        Files.write(file, database);
        try (MvccStore copy = MvccStore.builder(file).readOnly(true).open()) {
            assertThat(copy.revision()).isEqualTo(101);
            assertThat(copy.hash(0).hash()).isEqualTo(hash);
            assertThat(copy.leases()).containsExactly(3L);
            assertThatThrownBy(() -> put(copy, "key", "value")).isInstanceOf(EngineException.class);
        }
    }

    // ---------------------------------------------------------------- watches

    private static List<String> fetch(Watch watch) throws IOException {
        List<String> told = new ArrayList<>();
        for (WatchBatch batch = watch.poll(); batch != null; batch = watch.poll()) {
            for (Event event : batch.events()) {
                told.add(event.revision() + " " + event.kind() + " "
                        + new String(event.keyValue().key())
                        + (event.previous() == null
                                ? ""
                                : " was " + new String(event.previous().value())));
            }
        }
        return told;
    }

    @Test
    void aWatchTellsNothingThatIsNotDurable() throws IOException {
        try (MvccStore store = builder().open();
                Watch watch = store.watch(WatchRequest.of(KeyRange.all()).withPrevious())) {
            put(store, "key", "1");
            put(store, "key", "2");
            assertThat(fetch(watch)).isEmpty();
            store.commit();
            store.delete(bytes("key"));
            assertThat(fetch(watch)).containsExactly("2 PUT key", "3 PUT key was 1");
            store.commit();
            assertThat(fetch(watch)).containsExactly("4 DELETE key was 2");
        }
    }

    @Test
    void aWatchOfWhatIsToComeTellsWhatComesAfterWritesWereLost() throws IOException {
        try (MvccStore store = builder().open()) {
            disk.capacity(1);
            List<Written<PutResult>> lost = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                lost.add(store.put(bytes("lost" + i), new byte[100_000]));
            }
            try (Watch watch = store.watch(WatchRequest.of(KeyRange.all()))) {
                put(store, "lost", "value");
                assertThatThrownBy(store::commit).isInstanceOf(EngineException.class);
                for (Written<PutResult> each : lost) {
                    assertThatThrownBy(() -> each.token().await())
                            .isInstanceOfSatisfying(
                                    EngineException.class,
                                    e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED));
                }
                assertThat(store.revision()).isEqualTo(1);
                assertThat(get(store, "lost1")).isNull();
                disk.capacity(Long.MAX_VALUE);
                assertThat(put(store, "key", "value")).isEqualTo(2);
                store.commit();
                assertThat(fetch(watch)).containsExactly("2 PUT key");
            }
        }
    }

    @Test
    void aWatchThatIsOvertakenByACompactionSaysSo() throws IOException {
        try (MvccStore store = builder().open();
                Watch watch = store.watch(WatchRequest.of(KeyRange.all()).buffering(1))) {
            for (int i = 0; i < 5; i++) {
                put(store, "key", "value" + i);
            }
            store.commit();
            store.compact(5);
            WatchBatch first = watch.poll(); // what it has kept
            assertThat(first.revision()).isEqualTo(2);
            assertRefused(watch::poll, Reason.COMPACTED);
            assertRefused(watch::poll, Reason.COMPACTED);
        }
    }

    @Test
    void useAfterCloseIsATypedError() throws IOException {
        MvccStore store = builder().open();
        put(store, "key", "value");
        Watch watch = store.watch(WatchRequest.of(KeyRange.all()));
        store.close();
        store.close();
        assertThatThrownBy(() -> get(store, "key")).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> put(store, "key", "value")).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(watch::poll).isInstanceOf(EngineClosedException.class);
    }

    // ---------------------------------------------------------------- damage

    private Path damaged(BoltDatabase.Work damage) throws IOException {
        Path file = directory.resolve("db");
        try (MvccStore store = MvccStore.open(file)) {
            put(store, "key", "value");
            put(store, "other", "value");
            store.grantLease(1, 60);
        }
        try (BoltDatabase database = BoltDatabase.open(file)) {
            database.update(damage);
        }
        return file;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void damageIsToldWithBucketKeyAndRevision(int kind) throws IOException {
        byte[] two = Schema.revision(2, 0);
        Path file = damaged(transaction -> {
            var keys = transaction.bucket(bytes("key"));
            switch (kind) {
                case 0 -> keys.put(two, new byte[] {10, 100});
                case 1 -> keys.put(two, new byte[0]);
                case 2 -> keys.put(two, keys.get(Schema.revision(3, 0)));
                case 3 -> keys.put(new byte[] {0, 0, 1}, keys.get(two));
                case 4 ->
                    transaction
                            .bucket(bytes("lease"))
                            .put(Schema.leaseKey(1), Schema.encode(new Schema.StoredLease(2, 1, 0)));
                default ->
                    transaction.createBucketIfNotExists(bytes("meta")).put(Schema.FINISHED_COMPACTION, new byte[3]);
            }
        });
        String told = switch (kind) {
            case 0, 1, 2 -> "bucket=key, key=00000000000000025f0000000000000000, revision=2.0";
            case 3 -> "bucket=key, key=000001";
            case 4 -> "bucket=lease, key=0000000000000001";
            default -> "bucket=meta, key=";
        };
        assertThatThrownBy(() -> MvccStore.open(file))
                .isInstanceOfSatisfying(
                        MvccException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT))
                .hasMessageContaining(told);
    }

    @Test
    void aFileOfANewerServerIsRefused() throws IOException {
        Path file = damaged(transaction ->
                transaction.createBucketIfNotExists(bytes("meta")).put(Schema.STORAGE_VERSION, bytes("3.7.0")));
        assertRefused(() -> MvccStore.open(file), Reason.NEWER_FORMAT);
        try (BoltDatabase database = BoltDatabase.open(file)) {
            database.update(transaction ->
                    transaction.createBucketIfNotExists(bytes("meta")).put(Schema.STORAGE_VERSION, bytes("3.6.0")));
        }
        try (MvccStore store = MvccStore.open(file)) {
            assertThat(get(store, "key")).isEqualTo("value");
        }
    }

    @Test
    void noFlippedBitOfAValueEndsInAnythingButAnErrorOrAnAnswer() throws IOException {
        KeyValue entry = new KeyValue(bytes("key"), 5, 7, 2, bytes("value"), 9);
        byte[] revision = Schema.revision(7, 0);
        byte[] stored = Schema.encode(entry);
        int refused = 0;
        for (int bit = 0; bit < stored.length * 8; bit++) {
            byte[] flipped = stored.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            try {
                assertThat(Schema.decode(revision, flipped).modRevision()).isEqualTo(7);
            } catch (MvccException e) {
                assertThat(e.reason()).isEqualTo(Reason.CORRUPT);
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(stored.length);
        for (int length = 0; length < stored.length; length++) {
            byte[] cut = Arrays.copyOf(stored, length);
            try {
                assertThat(Schema.decode(revision, cut).key()).isEqualTo(bytes("key"));
            } catch (MvccException e) {
                assertThat(e.reason()).isEqualTo(Reason.CORRUPT);
            }
        }
    }

    @Test
    void commitsMayBeAskedForByCountAlone() throws IOException {
        try (MvccStore store = builder()
                .commits(new BackendOptions(5, 1 << 20, Duration.ofDays(1)))
                .open()) {
            for (int i = 0; i < 10; i++) {
                put(store, "key" + i, "value");
            }
            timer.runAll();
            assertThat(store.stats().backend().commits()).isEqualTo(1);
        }
    }
}
