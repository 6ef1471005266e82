package dev.caskwright.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged and crafted files: each is told as an error of the file, or read rightly, in bounded time and memory, over both IO
 * managers. The format has no checksums but of meta pages, so damage within keys and values is none that a reader could see.
 */
@Timeout(300)
final class DamagedFileTest {
    private static final byte[] NAME = "bucket".getBytes();
    private static final int PAGE = 512;
    private static final List<IoManagerFactory> MANAGERS = List.of(StandardIoManager::open, MmapIoManager::open);

    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = directory.resolve("test.db");
    }

    /** A file with branches, leaves, a run, nested and inline buckets, and free pages. */
    private byte[] sound() throws IOException {
        try (BoltDatabase database =
                BoltDatabase.builder(file).pageSize(PAGE).forcesCommits(false).open()) {
            for (int round = 0; round < 3; round++) {
                int number = round;
                database.update(transaction -> {
                    Bucket bucket = transaction.createBucketIfNotExists(NAME);
                    for (int i = 0; i < 30; i++) {
                        bucket.put(
                                String.format("key%04d", i).getBytes(),
                                ("value" + number).repeat(3).getBytes());
                    }
                    bucket.put("long".getBytes(), new byte[1_300]);
                    Bucket inline = bucket.createBucketIfNotExists("inline".getBytes());
                    inline.put("k".getBytes(), "v".getBytes());
                    Bucket nested = bucket.createBucketIfNotExists("nested".getBytes());
                    nested.createBucketIfNotExists("deep".getBytes()).put("k".getBytes(), new byte[200]);
                });
            }
        }
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer meta = ByteBuffer.wrap(bytes);
        long pages = Math.max(
                Meta.read(meta.slice(0, PAGE)).highWater(),
                Meta.read(meta.slice(PAGE, PAGE)).highWater());
        return Arrays.copyOf(bytes, (int) pages * PAGE);
    }

    private static TreeMap<String, String> contentOf(BoltDatabase database) throws IOException {
        TreeMap<String, String> content = new TreeMap<>();
        database.view(transaction -> collect(transaction.root(), "", content, 0));
        return content;
    }

    private static void collect(Bucket bucket, String path, TreeMap<String, String> content, int depth)
            throws IOException {
        List<byte[]> names = new ArrayList<>();
        bucket.forEach((key, value) -> {
            if (value == null) {
                names.add(key);
            } else {
                content.put(path + new String(key), new String(value));
            }
        });
        if (depth < 50) { // buckets may lead in a circle: whoever follows them says how far
            for (byte[] name : names) {
                Bucket nested = bucket.bucket(name);
                if (nested != null) {
                    collect(nested, path + new String(name) + "/", content, depth + 1);
                }
            }
        }
    }

    /** Reads all, checks, changes and compacts; only errors of the file may come of it. */
    private void attack(byte[] bytes, String where) throws IOException {
        for (IoManagerFactory io : MANAGERS) {
            Files.write(file, bytes);
            try (BoltDatabase database = BoltDatabase.builder(file)
                    .io(io)
                    .requiresLock(false)
                    .forcesCommits(false)
                    .open()) {
                attempt(where + ", read", () -> contentOf(database));
                attempt(where + ", check", database::check);
                attempt(
                        where + ", put",
                        () -> database.update(transaction -> {
                            Bucket bucket = transaction.createBucketIfNotExists(NAME);
                            bucket.put("key0000a".getBytes(), new byte[300]);
                            bucket.deleteRange("key0010".getBytes(), "key0020".getBytes());
                        }));
                attempt(where + ", compact", () -> database.compact(5));
                attempt(where + ", delete", () -> database.update(transaction -> transaction.deleteBucket(NAME)));
                attempt(where + ", read again", () -> contentOf(database));
            } catch (IOException e) {
                assertThat(e).as(where).hasMessageContaining("test.db");
            } catch (RuntimeException | Error e) {
                throw new AssertionError(where + ": " + e, e);
            }
        }
    }

    private interface Action {
        void run() throws IOException;
    }

    private static void attempt(String where, Action action) {
        try {
            action.run();
        } catch (IOException | BucketException e) {
            assertThat(e.getMessage()).as(where).isNotEmpty();
        } catch (RuntimeException | Error e) {
            throw new AssertionError(where + ": " + e, e);
        }
    }

    @Test
    void aFlippedBitIsNoFaultOfTheProgram() throws IOException {
        byte[] sound = sound();
        for (int at = 0; at < sound.length; at += at % PAGE < 48 ? 7 : 211) {
            int bit = at * 5 % 8;
            byte[] damaged = sound.clone();
            damaged[at] ^= (byte) (1 << bit);
            attack(damaged, "bit " + bit + " of byte " + at);
        }
    }

    @Test
    void aFileThatIsCutIsNoFaultOfTheProgram() throws IOException {
        byte[] sound = sound();
        for (int length = 0; length < sound.length; length += length < 100 ? 19 : 997) {
            attack(Arrays.copyOf(sound, length), "length " + length);
        }
    }

    @Test
    @Tag("campaign")
    void noByteThatIsFlippedAndNoLengthIsAFaultOfTheProgram() throws IOException {
        byte[] sound = sound();
        for (int at = 0; at < sound.length; at++) {
            byte[] damaged = sound.clone();
            damaged[at] ^= (byte) 0xFF;
            attack(damaged, "byte " + at);
            attack(Arrays.copyOf(sound, at), "length " + at);
        }
    }

    @Test
    void pagesThatAreZeroOrAnothersAreNoFaultOfTheProgram() throws IOException {
        byte[] sound = sound();
        int pages = sound.length / PAGE;
        for (int page = 0; page < pages; page++) {
            byte[] zeroed = sound.clone();
            Arrays.fill(zeroed, page * PAGE, page * PAGE + PAGE, (byte) 0);
            attack(zeroed, "page " + page + " zeroed");
            for (int other = page % 11; other < pages; other += 11) {
                byte[] foreign = sound.clone();
                System.arraycopy(sound, other * PAGE, foreign, page * PAGE, PAGE);
                attack(foreign, "page " + page + " as " + other);
                if (other > 1) {
                    ByteBuffer.wrap(foreign).order(ByteOrder.LITTLE_ENDIAN).putLong(page * PAGE, page);
                    attack(foreign, "page " + page + " with content of " + other);
                }
            }
        }
    }

    // ---------------------------------------------------------------- crafted files

    private static final class Crafted {
        final ByteBuffer bytes;

        Crafted(int pages, long transaction, long root, long freelist) {
            bytes = ByteBuffer.allocate(pages * PAGE).order(ByteOrder.LITTLE_ENDIAN);
            meta(0, new Meta(PAGE, 0, root, 0, freelist, pages, transaction));
        }

        void meta(int page, Meta meta) {
            meta.write(bytes.slice(page * PAGE, PAGE).order(ByteOrder.LITTLE_ENDIAN));
        }

        void header(int page, int flags, int count, int overflow) {
            bytes.putLong(page * PAGE, page);
            bytes.putShort(page * PAGE + 8, (short) flags);
            bytes.putShort(page * PAGE + 10, (short) count);
            bytes.putInt(page * PAGE + 12, overflow);
        }

        void branch(int page, long... children) {
            header(page, 1, children.length, 0);
            for (int i = 0; i < children.length; i++) {
                int element = page * PAGE + 16 + i * 16;
                int key = page * PAGE + 16 + children.length * 16 + i;
                bytes.putInt(element, key - element);
                bytes.putInt(element + 4, 1);
                bytes.putLong(element + 8, children[i]);
                bytes.put(key, (byte) ('a' + i));
            }
        }

        /** A leaf whose only element is a bucket. */
        void bucket(int page, long root) {
            header(page, 2, 1, 0);
            int element = page * PAGE + 16;
            bytes.putInt(element, 1);
            bytes.putInt(element + 4, 16);
            bytes.putInt(element + 8, NAME.length);
            bytes.putInt(element + 12, 16);
            bytes.put(element + 16, NAME);
            bytes.putLong(element + 16 + NAME.length, root);
        }

        byte[] array() {
            return bytes.array();
        }
    }

    @Test
    void branchesThatLeadToOnePageAgainAndAgainEndInBoundedTime() throws IOException {
        for (boolean isEmpty : new boolean[] {true, false}) {
            int levels = 60;
            Crafted crafted = new Crafted(levels + 10, 2, 3, Meta.NO_FREELIST);
            crafted.bucket(3, 4);
            for (int level = 0; level < levels; level++) {
                crafted.branch(4 + level, 5 + level, 5 + level); // 2 to the power of 60 ways
            }
            if (isEmpty) {
                crafted.header(4 + levels, 2, 0, 0);
            } else {
                crafted.bucket(4 + levels, 0);
            }
            Files.write(file, crafted.array());
            for (IoManagerFactory io : MANAGERS) {
                try (BoltDatabase database =
                        BoltDatabase.builder(file).io(io).readOnly(true).open()) {
                    assertThatThrownBy(() -> database.view(transaction -> transaction
                                    .bucket(NAME)
                                    .forEach((key, value) -> assertThat(key).isNotNull())))
                            .isInstanceOf(CorruptRecordException.class);
                    assertThat(database.check().isSound()).isFalse();
                }
            }
            attack(crafted.array(), "branches, empty leaf " + isEmpty);
        }
    }

    @Test
    void pagesAndBucketsThatLeadInACircleEndInBoundedTime() throws IOException {
        Crafted page = new Crafted(8, 2, 3, 2);
        page.header(2, 0x10, 0, 0);
        page.bucket(3, 4);
        page.branch(4, 4, 4);
        attack(page.array(), "a branch that leads to itself");
        Crafted bucket = new Crafted(8, 2, 3, 2);
        bucket.header(2, 0x10, 0, 0);
        bucket.bucket(3, 4);
        bucket.bucket(4, 4);
        attack(bucket.array(), "a bucket within itself");
        Crafted root = new Crafted(8, 2, 3, 2);
        root.header(2, 0x10, 0, 0);
        root.bucket(3, 3);
        attack(root.array(), "a bucket that is the root");
    }

    @Test
    void bucketsNestedThousandsDeepAreWalkedWithoutRecursion() throws IOException {
        int depth = 3_000;
        Crafted crafted = new Crafted(depth + 8, 2, 3, Meta.NO_FREELIST);
        for (int page = 3; page < depth + 3; page++) {
            crafted.bucket(page, page + 1);
        }
        crafted.header(depth + 3, 2, 0, 0);
        Files.write(file, crafted.array());
        try (BoltDatabase database =
                BoltDatabase.builder(file).forcesCommits(false).open()) {
            assertThat(database.check().buckets()).isEqualTo(depth);
            database.update(transaction -> {
                Bucket bucket = transaction.root();
                for (int i = 0; i < depth; i++) {
                    bucket = bucket.bucket(NAME);
                }
                bucket.put("key".getBytes(), new byte[1_000]);
            });
            assertThat(database.check().problems()).isEmpty();
            database.compact(1_000);
            database.update(transaction -> transaction.deleteBucket(NAME));
            assertThat(database.check().problems()).isEmpty();
        }
    }

    @Test
    void aFreelistThatWouldTakePagesOfOthersIsRefused() throws IOException {
        for (int kind = 0; kind < 5; kind++) {
            Crafted crafted = new Crafted(8, 2, 3, kind == 4 ? 3 : 2);
            crafted.header(2, 0x10, kind == 0 ? 0 : 1, kind == 0 ? 3 : 0);
            crafted.bytes.putLong(2 * PAGE + 16, new long[] {0, 2, 3, 9, 5}[kind]);
            crafted.header(3, 2, 0, 0);
            Files.write(file, crafted.array());
            assertThatThrownBy(() -> BoltDatabase.open(file))
                    .as("kind %d", kind)
                    .isInstanceOf(CorruptRecordException.class)
                    .hasMessageContaining("freelist");
        }
    }

    @Test
    void freelistsOfAnyLengthAndOrderAreRead() throws IOException {
        int free = 70_001;
        int listPages = (16 + 8 * (free + 1) + PAGE - 1) / PAGE;
        Crafted crafted = new Crafted(3 + 1 + listPages + free, 2, 3, 4);
        crafted.header(3, 2, 0, 0);
        crafted.header(4, 0x10, 0xFFFF, listPages - 1);
        crafted.bytes.putLong(4 * PAGE + 16, free);
        for (int i = 0; i < free; i++) {
            crafted.bytes.putLong(4 * PAGE + 24 + i * 8, 4 + listPages + (i * 7L % free)); // unsorted
        }
        crafted.meta(0, new Meta(PAGE, 0, 3, 0, 4, 4 + listPages + free, 2));
        ByteBuffer twoMore = ByteBuffer.allocate(crafted.array().length + PAGE).put(crafted.array());
        Files.write(file, twoMore.array());
        byte[] written;
        try (BoltDatabase database =
                BoltDatabase.builder(file).forcesCommits(false).open()) {
            database.update(transaction -> transaction.createBucket(NAME).put(NAME, new byte[3_000]));
            assertThat(database.check().problems()).containsExactly("page is neither used nor free: page=2");
            written = Files.readAllBytes(file);
        }
        try (BoltDatabase again = BoltDatabase.open(file)) {
            assertThat(again.stats().freePages()).isBetween(free - 50L, free + listPages + 50L);
        }
        assertThat(written).isEqualTo(Files.readAllBytes(file));
    }

    @Test
    void theStateOfAMetaPageAtTheOthersPlaceIsNotWrittenOver() throws IOException {
        Crafted crafted = new Crafted(4, 7, 3, 2); // 7 is odd and yet in page 0
        crafted.header(2, 0x10, 0, 0);
        crafted.header(3, 2, 0, 0);
        Files.write(file, crafted.array());
        try (BoltDatabase database = BoltDatabase.open(file)) {
            database.update(transaction -> transaction.createBucket(NAME));
            assertThat(database.check().problems()).isEmpty();
        }
        byte[] bytes = Files.readAllBytes(file);
        assertThat(Meta.read(ByteBuffer.wrap(bytes)).transaction()).isEqualTo(7);
        assertThat(Meta.read(ByteBuffer.wrap(bytes).slice(PAGE, PAGE)).transaction())
                .isEqualTo(9);
    }

    @Test
    void numbersThatNoFileHasAreRefused() throws IOException {
        for (Meta meta : List.of(
                new Meta(PAGE, 0, 3, 0, 2, 4, -1),
                new Meta(PAGE, 0, 3, 0, 2, 4, Long.MAX_VALUE),
                new Meta(PAGE, 0, 3, 0, 2, -4, 2),
                new Meta(PAGE, 0, 3, 0, 2, Long.MAX_VALUE, 2),
                new Meta(PAGE, 0, -3, 0, 2, 4, 2),
                new Meta(PAGE, 0, 3, 0, Long.MIN_VALUE, 4, 2),
                new Meta(-PAGE, 0, 3, 0, 2, 4, 2),
                new Meta(0, 0, 3, 0, 2, 4, 2),
                new Meta(Integer.MIN_VALUE, 0, 3, 0, 2, 4, 2),
                new Meta(3, 0, 3, 0, 2, 4, 2))) {
            Crafted crafted = new Crafted(4, 2, 3, 2);
            crafted.meta(0, meta);
            Files.write(file, crafted.array());
            for (IoManagerFactory io : MANAGERS) {
                assertThatThrownBy(() -> BoltDatabase.builder(file).io(io).open())
                        .as("%s", meta)
                        .isInstanceOf(EngineException.class);
            }
        }
    }

    /** The file is sparse, so it is a large one for nothing. */
    @Test
    void aRunLargerThanTheHeapIsAnErrorAndNotTheEndOfTheProgram() throws IOException {
        long pages = 4_000_000; // 2 GB
        Crafted crafted = new Crafted(8, 2, 3, Meta.NO_FREELIST);
        crafted.meta(0, new Meta(PAGE, 0, 3, 0, Meta.NO_FREELIST, pages, 2));
        crafted.bucket(3, 4);
        crafted.header(4, 2, 1, (int) pages - 5);
        Files.write(file, crafted.array());
        try (RandomAccessFile longer = new RandomAccessFile(file.toFile(), "rw")) {
            longer.setLength(pages * PAGE);
        }
        for (IoManagerFactory io : MANAGERS) {
            try (BoltDatabase database =
                    BoltDatabase.builder(file).io(io).readOnly(true).open()) {
                attempt(
                        "get",
                        () -> database.view(
                                transaction -> transaction.bucket(NAME).get(NAME)));
                attempt("check", database::check);
            }
        }
    }

    // ---------------------------------------------------------------- files that become shorter

    /** Over mmap on JDK 22 and later: before, the JVM may tell of the fault later than in the call that met it. */
    @Test
    void aFileThatIsCutWhileItIsOpenIsAnErrorOfTheCallThatReads() throws IOException {
        boolean isToldAtOnce = Runtime.version().feature() >= 22;
        if (!isToldAtOnce) {
            System.err.println("SKIPPED over mmap: before JDK 22 a fault in mapped memory may be told too late");
        }
        for (IoManagerFactory io : isToldAtOnce ? MANAGERS : MANAGERS.subList(0, 1)) {
            Files.deleteIfExists(file);
            int keys = 2_000;
            try (BoltDatabase database =
                    BoltDatabase.builder(file).io(io).forcesCommits(false).open()) {
                database.update(transaction -> {
                    Bucket bucket = transaction.createBucket(NAME);
                    for (int i = 0; i < keys; i++) {
                        bucket.put(String.format("key%05d", i).getBytes(), new byte[100]);
                    }
                });
                for (int round = 0; round < 10; round++) { // so that it is compiled
                    contentOf(database);
                    readAll(database, keys);
                }
                long length = Files.size(file);
                try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
                    cut.setLength(8 * 4_096);
                }
                int failures = readAll(database, keys);
                assertThat(failures).isPositive();
                assertThatThrownBy(() -> contentOf(database)).isInstanceOf(IOException.class);
                attempt("check", database::check);
                attempt(
                        "put",
                        () -> database.update(
                                transaction -> transaction.bucket(NAME).put("key00500".getBytes(), new byte[100])));
                try (RandomAccessFile whole = new RandomAccessFile(file.toFile(), "rw")) {
                    whole.setLength(length); // as closing forces the file
                }
            }
        }
    }

    private static int readAll(BoltDatabase database, int keys) throws IOException {
        int[] failures = new int[1];
        database.view(transaction -> {
            for (int i = 0; i < keys; i++) {
                byte[] value = null;
                boolean isRead = true;
                try {
                    Bucket bucket = transaction.bucket(NAME);
                    value = bucket == null
                            ? null
                            : bucket.get(String.format("key%05d", i).getBytes());
                } catch (IOException e) {
                    isRead = false;
                    failures[0]++;
                }
                if (isRead) {
                    assertThat(value).as("key %d", i).isEqualTo(new byte[100]);
                }
            }
        });
        return failures[0];
    }
}
