package dev.caskwright.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.UnsupportedFormatException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a database promises to its users, one promise a test. */
final class BoltDatabaseTest {
    private static final byte[] NAME = bytes("bucket");

    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = directory.resolve("test.db");
    }

    private static byte[] bytes(String text) {
        return text.getBytes();
    }

    private static void put(BoltDatabase database, String key, String value) throws IOException {
        database.update(transaction -> transaction.createBucketIfNotExists(NAME).put(bytes(key), bytes(value)));
    }

    private static String get(BoltTransaction transaction, String key) throws IOException {
        byte[] value = transaction.bucket(NAME).get(bytes(key));
        return value == null ? null : new String(value);
    }

    @Test
    void aReaderSeesItsMomentWhateverIsCommitted() throws IOException {
        try (BoltDatabase database =
                BoltDatabase.builder(file).pageSize(512).checksCommits(true).open()) {
            put(database, "key", "first");
            try (BoltTransaction reader = database.beginRead()) {
                for (int i = 0; i < 200; i++) {
                    put(database, "key", "later " + i);
                }
                assertThat(get(reader, "key")).isEqualTo("first");
                assertThat(reader.id()).isEqualTo(2);
            }
            assertThat(database.<String>query(transaction -> get(transaction, "key")))
                    .isEqualTo("later 199");
        }
    }

    @Test
    void anOldReaderHoldsBackOnlyThePagesThatItMayRead() throws IOException {
        try (BoltDatabase database =
                BoltDatabase.builder(file).pageSize(512).checksCommits(true).open()) {
            put(database, "key", "first");
            try (BoltTransaction reader = database.beginRead()) {
                for (int i = 0; i < 500; i++) {
                    put(database, "key", "later " + i);
                }
                DatabaseStats stats = database.stats();
                assertThat(stats.readers()).isOne();
                assertThat(stats.pages()).isLessThan(40);
                assertThat(get(reader, "key")).isEqualTo("first");
            }
        }
    }

    @Test
    void anEmptyValueMayBeAllThatATransactionPuts() throws IOException {
        try (BoltDatabase database =
                BoltDatabase.builder(file).checksCommits(true).open()) {
            put(database, "key", "value");
            put(database, "key", "");
            assertThat(database.<String>query(transaction -> get(transaction, "key")))
                    .isEmpty();
        }
    }

    @Test
    void whatIsRolledBackLeavesNoTrace() throws IOException {
        try (BoltDatabase database =
                BoltDatabase.builder(file).checksCommits(true).open()) {
            put(database, "key", "value");
            long pages = database.stats().pages();
            for (int i = 0; i < 10; i++) {
                BoltTransaction transaction = database.beginWrite();
                transaction.bucket(NAME).put(bytes("key"), new byte[100_000]);
                transaction.rollback();
            }
            assertThat(database.stats().pages()).isEqualTo(pages);
            assertThatThrownBy(() -> database.update(transaction -> {
                        transaction.bucket(NAME).put(bytes("key"), bytes("other"));
                        throw new IOException("on purpose");
                    }))
                    .hasMessage("on purpose");
            assertThat(database.<String>query(transaction -> get(transaction, "key")))
                    .isEqualTo("value");
        }
    }

    @Test
    void aViewCannotBeReadAfterItsTransaction() throws IOException {
        try (BoltDatabase database = BoltDatabase.open(file)) {
            put(database, "key", "value");
            ByteView view;
            try (BoltTransaction reader = database.beginRead()) {
                view = reader.bucket(NAME).view(bytes("key"));
                assertThat(view.toByteArray()).isEqualTo(bytes("value"));
                assertThat(view.get(1)).isEqualTo((byte) 'a');
                assertThatThrownBy(() -> view.get(5)).isInstanceOf(IndexOutOfBoundsException.class);
            }
            assertThatThrownBy(() -> view.get(0)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void aKeyHasEitherAValueOrABucket() throws IOException {
        try (BoltDatabase database = BoltDatabase.open(file)) {
            database.update(transaction -> {
                Bucket bucket = transaction.createBucket(NAME);
                bucket.createBucket(bytes("inner"));
                bucket.put(bytes("key"), bytes("value"));
                assertThat(bucket.get(bytes("inner"))).isNull();
                assertThat(bucket.bucket(bytes("key"))).isNull();
                assertReason(() -> bucket.put(bytes("inner"), bytes("x")), BucketException.Reason.INCOMPATIBLE_VALUE);
                assertReason(() -> bucket.delete(bytes("inner")), BucketException.Reason.INCOMPATIBLE_VALUE);
                assertReason(() -> bucket.createBucket(bytes("key")), BucketException.Reason.INCOMPATIBLE_VALUE);
                assertReason(() -> bucket.createBucket(bytes("inner")), BucketException.Reason.EXISTS);
                assertReason(() -> bucket.deleteBucket(bytes("none")), BucketException.Reason.NOT_FOUND);
                assertReason(() -> bucket.deleteBucket(bytes("key")), BucketException.Reason.INCOMPATIBLE_VALUE);
                Bucket inner = bucket.bucket(bytes("inner"));
                assertReason(
                        () -> transaction.root().moveBucket(NAME, inner), BucketException.Reason.INCOMPATIBLE_VALUE);
            });
        }
    }

    private interface Call {
        void run() throws IOException;
    }

    private static void assertReason(Call call, BucketException.Reason reason) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        BucketException.class, e -> assertThat(e.reason()).isEqualTo(reason));
    }

    @Test
    void keysOutsideOfTheLimitsAreRefused() throws IOException {
        try (BoltDatabase database =
                BoltDatabase.builder(file).checksCommits(true).open()) {
            database.update(transaction -> {
                Bucket bucket = transaction.createBucket(NAME);
                byte[] longest = new byte[Bucket.MAX_KEY_LENGTH];
                bucket.put(longest, bytes("value"));
                assertThatThrownBy(() -> bucket.put(new byte[longest.length + 1], bytes("value")))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("32768");
                assertThatThrownBy(() -> bucket.put(new byte[0], bytes("value")))
                        .isInstanceOf(IllegalArgumentException.class);
                assertThatThrownBy(() -> bucket.createBucket(new byte[0])).isInstanceOf(IllegalArgumentException.class);
            });
            database.view(transaction -> assertThat(transaction.bucket(NAME).get(new byte[Bucket.MAX_KEY_LENGTH]))
                    .isEqualTo(bytes("value")));
        }
    }

    @Test
    void theGreatestSizeRefusesPutsAndStillLetsKeysBeDeleted() throws IOException {
        try (BoltDatabase database =
                BoltDatabase.builder(file).maxSize(1 << 20).checksCommits(true).open()) {
            List<String> keys = new ArrayList<>();
            OutOfSpaceException refused = null;
            while (refused == null) {
                String key = "key-" + keys.size();
                try {
                    put(database, key, "v".repeat(3_000));
                    keys.add(key);
                } catch (OutOfSpaceException e) {
                    refused = e;
                }
            }
            assertThat(refused).hasMessageContaining("missing=").hasMessageContaining("allowed=");
            assertThat(database.health()).isNull();
            assertThat(Files.size(file)).isLessThanOrEqualTo(1 << 20);
            for (String key : keys) {
                database.update(transaction ->
                        assertThat(transaction.bucket(NAME).delete(bytes(key))).isTrue());
            }
            put(database, "again", "v".repeat(3_000));
            assertThat(database.check().problems()).isEmpty();
        }
    }

    @Test
    void threadsShareCommitsAndEachLearnsItsOwnOutcome() throws Exception {
        int threads = 16;
        int each = 40;
        AtomicInteger failures = new AtomicInteger();
        try (BoltDatabase database =
                BoltDatabase.builder(file).checksCommits(true).open()) {
            database.update(transaction -> transaction.createBucket(NAME));
            ExecutorService pool = Executors.newFixedThreadPool(threads);
            try {
                List<Future<?>> running = new ArrayList<>();
                for (int t = 0; t < threads; t++) {
                    int number = t;
                    running.add(pool.submit(() -> {
                        for (int i = 0; i < each; i++) {
                            byte[] key = bytes(number + "/" + i);
                            boolean fails = i % 10 == 3;
                            try {
                                database.batch(transaction -> {
                                    transaction.bucket(NAME).put(key, key);
                                    if (fails) {
                                        throw new IOException("on purpose");
                                    }
                                });
                                assertThat(fails).isFalse();
                            } catch (IOException e) {
                                assertThat(e).hasMessage("on purpose");
                                failures.incrementAndGet();
                            }
                        }
                        return null;
                    }));
                }
                for (Future<?> future : running) {
                    future.get();
                }
            } finally {
                pool.shutdown();
            }
            assertThat(failures).hasValue(threads * each / 10);
            database.view(transaction -> {
                for (int t = 0; t < threads; t++) {
                    for (int i = 0; i < each; i++) {
                        byte[] key = bytes(t + "/" + i);
                        assertThat(transaction.bucket(NAME).get(key)).isEqualTo(i % 10 == 3 ? null : key);
                    }
                }
            });
            assertThat(database.check().problems()).isEmpty();
        }
    }

    @Test
    void aThreadThatWouldWaitForItselfIsRefused() throws IOException {
        try (BoltDatabase database = BoltDatabase.open(file)) {
            database.update(transaction -> {
                assertThatThrownBy(database::beginWrite).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> database.batch(inner -> {})).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(database::close).isInstanceOf(IllegalStateException.class);
            });
        }
    }

    @Test
    void aHotCopyIsADatabaseOfItsOwn() throws IOException {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        Path copied = directory.resolve("copy.db");
        try (BoltDatabase database = BoltDatabase.builder(file).pageSize(512).open()) {
            for (int i = 0; i < 300; i++) {
                put(database, "key-" + i, "value " + i);
            }
            database.copyTo(stream);
            database.copyTo(copied);
            put(database, "key-0", "changed later");
            assertThatThrownBy(() -> database.copyTo(copied)).isInstanceOf(FileAlreadyExistsException.class);
        }
        assertThat(Files.readAllBytes(copied)).isEqualTo(stream.toByteArray());
        try (BoltDatabase copy =
                BoltDatabase.builder(copied).checksCommits(true).open()) {
            assertThat(copy.check().problems()).isEmpty();
            assertThat(copy.<String>query(transaction -> get(transaction, "key-0")))
                    .isEqualTo("value 0");
            put(copy, "key-0", "changed in the copy");
        }
    }

    @Test
    void eitherMetaPageIsEnough() throws IOException {
        try (BoltDatabase database = BoltDatabase.builder(file).pageSize(512).open()) {
            put(database, "key", "first");
            put(database, "key", "second");
        }
        byte[] sound = Files.readAllBytes(file);
        for (int page = 0; page < 2; page++) {
            byte[] damaged = sound.clone();
            damaged[page * 512 + 40] ^= 1;
            Files.write(file, damaged);
            try (BoltDatabase database = BoltDatabase.builder(file).open()) {
                assertThat(database.<String>query(transaction -> get(transaction, "key")))
                        .isIn("first", "second");
            }
        }
        byte[] damaged = sound.clone();
        Arrays.fill(damaged, 40, 41, (byte) ~damaged[40]);
        damaged[512 + 40] ^= 1;
        Files.write(file, damaged);
        assertThatThrownBy(() -> BoltDatabase.open(file))
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining("test.db");
        assertThat(Files.readAllBytes(file)).isEqualTo(damaged);
    }

    @Test
    void aFileThatIsNotBoltsIsRefusedAndLeftAlone() throws IOException {
        byte[] foreign = "this is a letter, and not a database\n".repeat(500).getBytes();
        Files.write(file, foreign);
        assertThatThrownBy(() -> BoltDatabase.open(file)).isInstanceOf(UnsupportedFormatException.class);
        assertThat(Files.readAllBytes(file)).isEqualTo(foreign);
    }

    @Test
    void closingEndsReadersAndKeepsTheFileForThem() throws IOException {
        BoltDatabase database = BoltDatabase.open(file);
        put(database, "key", "value");
        BoltTransaction reader = database.beginRead();
        Bucket bucket = reader.bucket(NAME);
        database.close();
        database.close();
        assertThatThrownBy(() -> bucket.get(bytes("key"))).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(database::beginRead).isInstanceOf(EngineException.class);
        reader.close();
        try (BoltDatabase again = BoltDatabase.open(file)) {
            assertThat(again.<String>query(transaction -> get(transaction, "key")))
                    .isEqualTo("value");
        }
    }

    @Test
    void compactingShortensTheFileBesideReadersAndWriters() throws Exception {
        try (BoltDatabase database =
                BoltDatabase.builder(file).pageSize(1_024).checksCommits(true).open()) {
            for (int i = 0; i < 20; i++) {
                int part = i;
                database.update(transaction -> {
                    Bucket bucket = transaction.createBucketIfNotExists(NAME);
                    Bucket nested = bucket.createBucketIfNotExists(bytes("nested"));
                    for (int key = 0; key < 200; key++) {
                        bucket.put(bytes("key-" + key * 20 + part), bytes("v".repeat(100)));
                        nested.put(bytes("key-" + key * 20 + part), bytes("n".repeat(200)));
                    }
                });
            }
            long full = Files.size(file);
            database.update(transaction -> {
                Bucket bucket = transaction.bucket(NAME);
                for (int key = 0; key < 180; key++) {
                    for (int part = 0; part < 20; part++) {
                        bucket.delete(bytes("key-" + key * 20 + part));
                        bucket.bucket(bytes("nested")).delete(bytes("key-" + key * 20 + part));
                    }
                }
            });
            try (BoltTransaction reader = database.beginRead()) {
                database.compact(7);
                assertThat(reader.bucket(NAME).get(bytes("key-" + 190 * 20 + 3)))
                        .isEqualTo(bytes("v".repeat(100)));
            }
            database.compact(50);
            assertThat(Files.size(file)).isLessThan(full / 5);
            assertThat(database.check().problems()).isEmpty();
            database.view(transaction -> {
                for (int key = 180; key < 200; key++) {
                    for (int part = 0; part < 20; part++) {
                        byte[] name = bytes("key-" + key * 20 + part);
                        assertThat(transaction.bucket(NAME).get(name)).hasSize(100);
                        assertThat(transaction
                                        .bucket(NAME)
                                        .bucket(bytes("nested"))
                                        .get(name))
                                .hasSize(200);
                    }
                }
            });
        }
        try (BoltDatabase database =
                BoltDatabase.builder(file).checksCommits(true).open()) {
            assertThat(database.check().problems()).isEmpty();
            put(database, "key", "value");
        }
    }

    @Test
    void tooManyReadersAreRefused() throws IOException {
        try (BoltDatabase database = BoltDatabase.builder(file).maxReaders(64).open()) {
            List<BoltTransaction> readers = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                readers.add(database.beginRead());
            }
            assertThatThrownBy(database::beginRead)
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("allowed=64");
            readers.forEach(BoltTransaction::close);
            database.beginRead().close();
            assertThat(database.stats().readers()).isZero();
        }
    }
}
