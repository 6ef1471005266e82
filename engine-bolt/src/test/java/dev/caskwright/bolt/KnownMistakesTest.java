package dev.caskwright.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What went wrong in stores of this kind, as their users told. */
final class KnownMistakesTest {
    private static final byte[] NAME = bytes("bucket");

    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = directory.resolve("mistakes.db");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static byte[] key(int i) {
        return bytes(String.format("key%05d", i));
    }

    private BoltBuilder builder() {
        return BoltDatabase.builder(file).pageSize(512).checksCommits(true).forcesCommits(false);
    }

    private static Bucket bucket(BoltTransaction transaction) throws IOException {
        return Objects.requireNonNull(transaction.bucket(NAME));
    }

    private static void fill(BoltDatabase database, int keys, int valueLength) throws IOException {
        database.update(transaction -> {
            Bucket bucket = transaction.createBucketIfNotExists(NAME);
            for (int i = 0; i < keys; i++) {
                bucket.put(key(i), new byte[valueLength]);
            }
        });
    }

    private static List<String> keys(Bucket bucket) throws IOException {
        List<String> keys = new ArrayList<>();
        bucket.forEach((key, value) -> keys.add(new String(key, UTF_8)));
        return keys;
    }

    /** An array that its owner used again put keys out of order, and made freed pages reachable. */
    @Test
    void arraysThatAreUsedAgainAfterAPutChangeNothing() throws IOException {
        try (BoltDatabase database = builder().open()) {
            database.update(transaction -> {
                Bucket bucket = transaction.createBucketIfNotExists(NAME);
                byte[] key = key(0);
                byte[] value = new byte[100];
                for (int i = 0; i < 300; i++) {
                    System.arraycopy(key(i * 7919 % 300), 0, key, 0, key.length);
                    Arrays.fill(value, (byte) i);
                    bucket.put(key, value);
                }
                Arrays.fill(key, (byte) 0xFF);
                byte[] name = bytes("inner");
                bucket.createBucket(name).put(bytes("k"), bytes("v"));
                Arrays.fill(name, (byte) 0);
            });
            database.view(transaction -> {
                assertThat(keys(bucket(transaction))).hasSize(301).isSorted();
                assertThat(bucket(transaction).bucket(bytes("inner"))).isNotNull();
            });
        }
    }

    /** What a rollback had allocated stayed noted as its own, and was freed under readers later. */
    @Test
    void whatARollbackAllocatedIsNotTakenFromReadersLater() throws IOException {
        try (BoltDatabase database = builder().open()) {
            fill(database, 200, 60);
            for (int round = 0; round < 30; round++) {
                try (BoltTransaction undone = database.beginWrite()) {
                    for (int i = 0; i < 200; i += 2) {
                        bucket(undone).put(key(i), new byte[90]);
                    }
                    undone.rollback();
                }
                int number = round;
                try (BoltTransaction reader = database.beginRead()) {
                    List<String> before = keys(bucket(reader));
                    for (int i = 0; i < 3; i++) {
                        int each = i;
                        database.update(transaction -> {
                            bucket(transaction).put(key(number * 5 + each), new byte[80]);
                            bucket(transaction).delete(key(199 - number));
                        });
                    }
                    assertThat(keys(bucket(reader))).isEqualTo(before);
                }
                assertThat(database.check().problems()).isEmpty();
            }
        }
    }

    /** A copy opened the path again, and copied whatever file was there by then. */
    @Test
    void aCopyIsOfTheOpenFileAlsoWhenAnotherTookItsName() throws IOException {
        try (BoltDatabase database = builder().open()) {
            fill(database, 100, 50);
            Path other = Files.writeString(directory.resolve("other"), "something else");
            Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
            Path copy = directory.resolve("copy.db");
            database.copyTo(copy);
            Path compact = directory.resolve("compact.db");
            database.compactTo(compact);
            for (Path each : List.of(copy, compact)) {
                try (BoltDatabase copied = BoltDatabase.open(each)) {
                    copied.view(
                            transaction -> assertThat(keys(bucket(transaction))).hasSize(100));
                    assertThat(copied.check().problems()).isEmpty();
                }
            }
        }
    }

    /** After deletes the last leaf may be empty: the last key was not found then, and statistics failed. */
    @Test
    void theLastKeyIsFoundBesideLeavesThatDeletesLeftEmpty() throws IOException {
        try (BoltDatabase database = builder().open()) {
            fill(database, 300, 60);
            database.update(transaction -> {
                Bucket bucket = bucket(transaction);
                for (int last = 299; last >= 0; last--) {
                    BoltCursor cursor = bucket.cursor();
                    assertThat(cursor.last()).isTrue();
                    assertThat(cursor.key()).isEqualTo(key(last));
                    assertThat(bucket.stats().keys()).isEqualTo(last + 1);
                    bucket.delete(key(last));
                }
                assertThat(bucket.cursor().last()).isFalse();
                assertThat(bucket.cursor().first()).isFalse();
                assertThat(bucket.stats().keys()).isZero();
            });
        }
    }

    /** A delete under a cursor made its next move leave a key out. */
    @Test
    void deletingUnderACursorLeavesNoKeyOut() throws IOException {
        try (BoltDatabase database = builder().open()) {
            fill(database, 500, 40);
            database.update(transaction -> {
                BoltCursor cursor = bucket(transaction).cursor();
                int seen = 0;
                for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
                    assertThat(cursor.key()).isEqualTo(key(seen));
                    if (seen % 3 != 0) {
                        cursor.delete();
                    }
                    seen++;
                }
                assertThat(seen).isEqualTo(500);
                for (boolean isThere = cursor.last(); isThere; isThere = cursor.previous()) {
                    cursor.delete();
                }
                assertThat(keys(bucket(transaction))).isEmpty();
            });
        }
    }

    /** Keys that were put in the same transaction were left out as well. */
    @Test
    void keysOfTheSameTransactionAreDeletedUnderACursor() throws IOException {
        try (BoltDatabase database = builder().open()) {
            fill(database, 50, 40);
            database.update(transaction -> {
                Bucket bucket = bucket(transaction);
                for (int i = 25; i < 200; i++) {
                    bucket.put(key(i), new byte[30]);
                }
                BoltCursor cursor = bucket.cursor();
                for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
                    cursor.delete();
                }
                assertThat(keys(bucket)).isEmpty();
                bucket.put(key(7), new byte[0]);
            });
            database.view(
                    transaction -> assertThat(keys(bucket(transaction))).containsExactly(new String(key(7), UTF_8)));
        }
    }

    /** A file that was opened with the list of free pages and without it in turn was damaged, above all by rollbacks. */
    @Test
    void theFreelistMayComeAndGoBetweenOpenings() throws IOException {
        for (int opening = 0; opening < 12; opening++) {
            int number = opening;
            try (BoltDatabase database =
                    builder().writesFreelist(opening % 3 == 0).open()) {
                fill(database, 60 + number, 20 + number * 5);
                try (BoltTransaction undone = database.beginWrite()) {
                    bucket(undone).deleteRange(key(10), key(50));
                    bucket(undone).put(bytes("long"), new byte[3_000]);
                    undone.rollback();
                }
                database.update(transaction -> bucket(transaction).deleteRange(key(number), key(number + 9)));
                assertThat(database.check().problems())
                        .as("opening %s", opening)
                        .isEmpty();
            }
        }
        try (BoltDatabase database = builder().open()) {
            database.view(transaction ->
                    assertThat(keys(bucket(transaction))).hasSize(71 - 9).doesNotContain("long"));
        }
    }

    /** Cursors over buckets that were moved or deleted read pages of others. */
    @Test
    void cursorsGoOnInABucketThatIsMovedAndEndWithOneThatIsDeleted() throws IOException {
        for (int keys : new int[] {3, 400}) { // in its parent's page, and in pages of its own
            Files.deleteIfExists(file);
            try (BoltDatabase database = builder().open()) {
                database.update(transaction -> {
                    Bucket inner = transaction.createBucket(NAME).createBucket(bytes("inner"));
                    for (int i = 0; i < keys; i++) {
                        inner.put(key(i), new byte[20]);
                    }
                    transaction.createBucket(bytes("other"));
                });
                database.update(transaction -> {
                    Bucket from = bucket(transaction);
                    Bucket inner = Objects.requireNonNull(from.bucket(bytes("inner")));
                    BoltCursor cursor = inner.cursor();
                    assertThat(cursor.first()).isTrue();
                    from.moveBucket(bytes("inner"), Objects.requireNonNull(transaction.bucket(bytes("other"))));
                    inner.put(bytes("key00000a"), new byte[5]);
                    int seen = 1;
                    while (cursor.next()) {
                        seen++;
                    }
                    assertThat(seen).isEqualTo(keys + 1);
                    assertThat(from.bucket(bytes("inner"))).isNull();
                });
                database.update(transaction -> {
                    Bucket other = Objects.requireNonNull(transaction.bucket(bytes("other")));
                    Bucket inner = Objects.requireNonNull(other.bucket(bytes("inner")));
                    assertThat(keys(inner)).hasSize(keys + 1);
                    BoltCursor cursor = inner.cursor();
                    assertThat(cursor.last()).isTrue();
                    other.deleteBucket(bytes("inner"));
                    assertThatThrownBy(cursor::previous).isInstanceOf(IllegalStateException.class);
                    assertThatThrownBy(() -> inner.put(key(1), new byte[1])).isInstanceOf(IllegalStateException.class);
                    other.createBucket(bytes("inner")).put(key(1), new byte[1]);
                });
                database.view(transaction -> assertThat(
                                keys(Objects.requireNonNull(Objects.requireNonNull(transaction.bucket(bytes("other")))
                                        .bucket(bytes("inner")))))
                        .hasSize(1));
                assertThat(database.check().problems()).isEmpty();
            }
        }
    }

    /** After trouble with the disk a rollback or close died, and the lock was kept. */
    @Test
    void aDatabaseThatFailedIsClosedAndGivesTheLockBack() throws IOException {
        Path simulated = Path.of("/simulated/failed.db");
        for (int n = 0; n < 12; n++) {
            CrashableIoManager disk = new CrashableIoManager().logging(false);
            BoltDatabase.builder(simulated).io(disk.factory()).open().close();
            FaultPlan plan = FaultPlan.failing(n)
                    .only(IoOperation.WRITE, IoOperation.FORCE)
                    .with(Fault.IO_ERROR)
                    .fromThenOn();
            try (BoltDatabase database = BoltDatabase.builder(simulated)
                    .io(plan.wrap(disk.factory()))
                    .open()) {
                for (int i = 0; i < 10; i++) {
                    fill(database, 10, i);
                }
            } catch (IOException e) {
                assertThat(plan.hasFired()).isTrue();
            }
            try (BoltDatabase database =
                    BoltDatabase.builder(simulated).io(disk.factory()).open()) {
                fill(database, 10, 10);
            }
        }
    }

    @Test
    void aHugeValueIsPutReadAndReplaced() throws IOException {
        byte[] huge = new byte[96 << 20];
        huge[huge.length - 1] = 1;
        try (BoltDatabase database = builder().checksCommits(false).open()) {
            fill(database, 10, 10);
            database.update(transaction -> bucket(transaction).put(key(5), huge));
            assertThat(database.<byte[]>query(transaction -> bucket(transaction).get(key(5))))
                    .isEqualTo(huge);
            database.update(transaction -> bucket(transaction).put(key(5), new byte[1]));
            assertThat(database.check().problems()).isEmpty();
        }
    }

    /** Where the space was used up, nothing could be deleted either, above all not in a commit with others' puts. */
    @Test
    void aDeleteThatSharesACommitWithPutsThatDoNotFitIsDone() throws Exception {
        try (BoltDatabase database = builder().maxSize(256 << 10).open()) {
            assertThatThrownBy(() -> {
                        for (int round = 0; ; round++) {
                            int from = round * 100;
                            database.update(transaction -> {
                                Bucket bucket = transaction.createBucketIfNotExists(NAME);
                                for (int i = from; i < from + 100; i++) {
                                    bucket.put(key(i), new byte[60]);
                                }
                            });
                        }
                    })
                    .isInstanceOf(OutOfSpaceException.class)
                    .hasMessageContaining("missing=");
            AtomicReference<Throwable> ofPut = new AtomicReference<>();
            AtomicReference<Throwable> ofDelete = new AtomicReference<>();
            List<Thread> threads;
            try (BoltTransaction inTheWay = database.beginWrite()) {
                threads = List.of(
                        batch(database, ofPut, bucket -> bucket.put(bytes("large"), new byte[200 << 10])),
                        batch(database, ofDelete, bucket -> bucket.delete(key(7))));
                for (Thread thread : threads) {
                    while (thread.getState() != Thread.State.WAITING) {
                        Thread.onSpinWait();
                    }
                }
                inTheWay.rollback();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(ofPut.get()).isInstanceOf(OutOfSpaceException.class);
            assertThat(ofDelete.get()).isNull();
            database.view(transaction -> {
                assertThat(bucket(transaction).get(key(7))).isNull();
                assertThat(bucket(transaction).get(bytes("large"))).isNull();
            });
        }
    }

    private interface Change {
        void of(Bucket bucket) throws IOException;
    }

    private static Thread batch(BoltDatabase database, AtomicReference<Throwable> failure, Change change) {
        Thread thread = new Thread(() -> {
            try {
                database.batch(transaction -> change.of(bucket(transaction)));
            } catch (IOException | RuntimeException e) {
                failure.set(e);
            }
        });
        thread.start();
        return thread;
    }

    // ---------------------------------------------------------------- statistics

    @Test
    void figuresOfBucketsAndTransactionsAreWhatIsThere() throws IOException {
        try (BoltDatabase database = builder().open()) {
            try (BoltTransaction transaction = database.beginWrite()) {
                Bucket bucket = transaction.createBucket(NAME);
                for (int i = 0; i < 100; i++) {
                    bucket.put(key(i), new byte[50]);
                }
                bucket.put(bytes("run"), new byte[2_000]);
                bucket.createBucket(bytes("inline")).put(bytes("a"), bytes("1"));
                assertThat(bucket.stats().keys()).isEqualTo(101);
                transaction.commit();
                TransactionStats written = transaction.stats();
                assertThat(written.nodes()).isGreaterThan(10);
                assertThat(written.writtenPages()).isGreaterThanOrEqualTo(written.nodes() + 3);
                assertThat(written.putBytes()).isGreaterThan(100 * 58 + 2_000);
                assertThat(written.nanos()).isPositive();
            }
            database.view(transaction -> {
                BucketStats figures = bucket(transaction).stats();
                assertThat(figures.keys()).isEqualTo(101);
                assertThat(figures.buckets()).isEqualTo(1);
                assertThat(figures.inlineBuckets()).isEqualTo(1);
                assertThat(figures.depth()).isBetween(2, 3);
                assertThat(figures.branchPages()).isPositive();
                assertThat(figures.leafPages()).isGreaterThan(10);
                assertThat(figures.overflowPages()).isGreaterThanOrEqualTo(3);
                assertThat(figures.usedBytes()).isBetween(100L * (16 + 8 + 50) + 2_000, figures.allocatedBytes());
                BucketStats inline = Objects.requireNonNull(bucket(transaction).bucket(bytes("inline")))
                        .stats();
                assertThat(inline.depth()).isZero();
                assertThat(inline.allocatedBytes()).isZero();
                assertThat(transaction.stats().nodes()).isZero();
            });
        }
    }

    /** Half-full pages, as random puts leave them, become full ones. */
    @Test
    void aCompactCopyHasAllAndLittleElse() throws IOException {
        try (BoltDatabase database =
                builder().pageSize(4096).checksCommits(false).open()) {
            for (int round = 0; round < 40; round++) {
                int from = round;
                database.update(transaction -> {
                    Bucket bucket = transaction.createBucketIfNotExists(NAME);
                    bucket.setSequence(from);
                    for (int i = from; i < 8_000; i += 40) {
                        bucket.put(key(i), new byte[40]);
                    }
                });
            }
            Path target = directory.resolve("compact.db");
            database.compactTo(target);
            long dataBytes = 8_000L * (16 + 8 + 40);
            assertThat(Files.size(target)).isBetween(dataBytes, dataBytes * 11 / 10);
            assertThatThrownBy(() -> database.compactTo(target)).isInstanceOf(IOException.class);
            try (BoltDatabase copy = BoltDatabase.open(target)) {
                assertThat(copy.check().problems()).isEmpty();
                copy.view(transaction -> {
                    assertThat(keys(bucket(transaction))).hasSize(8_000);
                    assertThat(bucket(transaction).sequence()).isEqualTo(39);
                });
            }
        }
    }
}
