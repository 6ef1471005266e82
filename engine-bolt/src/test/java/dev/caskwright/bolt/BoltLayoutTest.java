package dev.caskwright.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.PageFormat;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of all page sizes, of both byte orders, with two meta pages of one number, and with long freelists. */
final class BoltLayoutTest {
    private static final byte[] BUCKET = "bucket".getBytes(UTF_8);
    private static final List<IoManagerFactory> MANAGERS = List.of(StandardIoManager::open, MmapIoManager::open);

    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = directory.resolve("layout.db");
    }

    /** Makes branches, leaves, runs, nested and inline buckets, and free pages; returns what is there. */
    private TreeMap<String, String> fill(int pageSize) throws IOException {
        TreeMap<String, String> content = new TreeMap<>();
        try (BoltDatabase database = BoltDatabase.builder(file)
                .pageSize(pageSize)
                .checksCommits(true)
                .open()) {
            for (int round = 0; round < 4; round++) {
                int number = round;
                database.update(transaction -> {
                    Bucket bucket = transaction.createBucketIfNotExists(BUCKET);
                    bucket.setSequence(0x0102_0304_0506_0708L + number);
                    for (int i = 0; i < 400; i++) {
                        put(bucket, content, "", "key" + (i * 7919 % 1_000), number + "v".repeat(i % 60));
                    }
                    put(bucket, content, "", "run", "r".repeat(3 * pageSize + number));
                    Bucket inline = bucket.createBucketIfNotExists("inline".getBytes(UTF_8));
                    put(inline, content, "inline/", "a", "inline " + number);
                    Bucket nested = bucket.createBucketIfNotExists("nested".getBytes(UTF_8));
                    for (int i = 0; i < 50; i++) {
                        put(nested, content, "nested/", "n" + i, "w".repeat(pageSize / 8));
                    }
                });
            }
        }
        return content;
    }

    private static void put(Bucket bucket, TreeMap<String, String> content, String path, String key, String value)
            throws IOException {
        bucket.put(key.getBytes(UTF_8), value.getBytes(UTF_8));
        content.put(path + key, value);
    }

    private static TreeMap<String, String> content(BoltDatabase database) throws IOException {
        TreeMap<String, String> content = new TreeMap<>();
        database.view(transaction -> collect(Objects.requireNonNull(transaction.bucket(BUCKET)), "", content));
        return content;
    }

    private static void collect(Bucket bucket, String path, TreeMap<String, String> content) throws IOException {
        bucket.forEach((key, value) -> {
            if (value == null) {
                collect(Objects.requireNonNull(bucket.bucket(key)), path + new String(key, UTF_8) + "/", content);
            } else {
                content.put(path + new String(key, UTF_8), new String(value, UTF_8));
            }
        });
    }

    private void assertHolds(TreeMap<String, String> expected, boolean readOnly) throws IOException {
        for (IoManagerFactory io : MANAGERS) {
            try (BoltDatabase database =
                    BoltDatabase.builder(file).io(io).readOnly(readOnly).open()) {
                assertThat(content(database)).isEqualTo(expected);
                assertThat(database.check().problems()).isEmpty();
                for (String key : List.of("key7", "run", "key993")) {
                    assertThat(database.<byte[]>query(
                                    transaction -> transaction.bucket(BUCKET).get(key.getBytes(UTF_8))))
                            .isEqualTo(
                                    expected.containsKey(key)
                                            ? expected.get(key).getBytes(UTF_8)
                                            : null);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536})
    void filesOfEveryPageSizeAreWrittenAndRead(int pageSize) throws Exception {
        TreeMap<String, String> expected = fill(pageSize);
        assertHolds(expected, false);
        BboltPeer.build().assertSound(file, "page size " + pageSize);
    }

    // ---------------------------------------------------------------- the other byte order

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65_536})
    void filesOfTheOtherByteOrderAreReadAndNotWritten(int pageSize) throws IOException {
        TreeMap<String, String> expected = fill(pageSize);
        Files.write(file, turned(pageSize));
        assertHolds(expected, true);
        try (BoltDatabase database = BoltDatabase.builder(file).readOnly(true).open()) {
            assertThat(database.<Long>query(
                            transaction -> transaction.bucket(BUCKET).sequence()))
                    .isEqualTo(0x0102_0304_0506_070BL);
        }
        byte[] before = Files.readAllBytes(file);
        assertThatThrownBy(() -> BoltDatabase.open(file))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("big-endian");
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
    }

    private byte[] turned(int pageSize) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer from = ByteBuffer.wrap(bytes.clone()).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer to = ByteBuffer.wrap(bytes).order(ByteOrder.BIG_ENDIAN);
        try (BoltFile pages = BoltFile.open(file, StandardIoManager::open)) {
            for (long id = 2; id < pages.pages(); id++) {
                BoltFile.PageInfo info = pages.page(id);
                if (info.kind() != BoltFile.Kind.FREE) {
                    turnPage(from, to, (int) id * pageSize);
                    id += info.overflow();
                }
            }
        }
        for (int page = 0; page < 2; page++) {
            Meta meta = Objects.requireNonNull(Meta.read(from.slice(page * pageSize, pageSize)));
            byte[] turned = new byte[pageSize];
            meta.write(ByteBuffer.wrap(turned).order(ByteOrder.BIG_ENDIAN));
            to.put(page * pageSize, turned);
        }
        return bytes;
    }

    private static void turnPage(ByteBuffer from, ByteBuffer to, int start) {
        int flags = from.getShort(start + PageFormat.FLAGS_OFFSET);
        int count = from.getShort(start + PageFormat.COUNT_OFFSET) & 0xFFFF;
        to.putLong(start, from.getLong(start));
        to.putShort(start + PageFormat.FLAGS_OFFSET, (short) flags);
        to.putShort(start + PageFormat.COUNT_OFFSET, (short) count);
        to.putInt(start + PageFormat.OVERFLOW_OFFSET, from.getInt(start + PageFormat.OVERFLOW_OFFSET));
        for (int i = 0; i < count; i++) {
            int element = start + PageFormat.HEADER_LENGTH + i * PageFormat.ELEMENT_LENGTH;
            if (flags == PageFormat.FREELIST) {
                int entry = start + PageFormat.HEADER_LENGTH + i * Long.BYTES;
                to.putLong(entry, from.getLong(entry));
                continue;
            }
            for (int word = 0; word < PageFormat.ELEMENT_LENGTH; word += Integer.BYTES) {
                to.putInt(element + word, from.getInt(element + word));
            }
            if (flags == PageFormat.BRANCH) {
                int child = element + PageFormat.BRANCH_CHILD_OFFSET;
                to.putLong(child, from.getLong(child));
            } else if (from.getInt(element) == PageFormat.BUCKET) {
                int value = element
                        + from.getInt(element + PageFormat.LEAF_POS_OFFSET)
                        + from.getInt(element + PageFormat.LEAF_KEY_LENGTH_OFFSET);
                to.putLong(value, from.getLong(value));
                to.putLong(value + Long.BYTES, from.getLong(value + Long.BYTES));
                if (from.getLong(value) == 0) {
                    turnPage(from, to, value + PageFormat.BUCKET_LENGTH);
                }
            }
        }
    }

    // ---------------------------------------------------------------- meta pages and freelists

    @Test
    void twoMetaPagesOfOneNumberAreAcceptedAndTheNextCommitKeepsAWayBack() throws IOException {
        TreeMap<String, String> expected = fill(1024);
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        Meta first = Objects.requireNonNull(Meta.read(buffer.slice(0, 1024)));
        Meta second = Objects.requireNonNull(Meta.read(buffer.slice(1024, 1024)));
        Meta newest = first.transaction() > second.transaction() ? first : second;
        for (int page = 0; page < 2; page++) { // one state under one number, in both places
            byte[] copy = new byte[1024];
            newest.write(ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN));
            ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).putLong(0, page);
            buffer.put(page * 1024, copy);
        }
        Files.write(file, bytes);
        assertHolds(expected, false);
        try (BoltDatabase database = BoltDatabase.open(file)) {
            database.update(transaction ->
                    Objects.requireNonNull(transaction.bucket(BUCKET)).put("more".getBytes(UTF_8), new byte[0]));
        }
        expected.put("more", "");
        assertHolds(expected, false);
    }

    @Test
    void aFreelistOfMoreEntriesThanItsHeaderCountsIsKept() throws Exception {
        int keys = 140_000;
        try (BoltDatabase database =
                BoltDatabase.builder(file).pageSize(512).forcesCommits(false).open()) {
            database.update(transaction -> {
                Bucket bucket = transaction.createBucketIfNotExists(BUCKET);
                bucket.setFillPercent(1);
                byte[] value = new byte[200];
                for (int i = 0; i < keys; i++) {
                    bucket.put(String.format("%08d", i).getBytes(UTF_8), value);
                }
            });
            database.update(transaction -> Objects.requireNonNull(transaction.bucket(BUCKET))
                    .deleteRange("00000100".getBytes(UTF_8), "00139900".getBytes(UTF_8)));
            assertThat(database.stats().freePages() + database.stats().pendingPages())
                    .isGreaterThan(0xFFFF);
        }
        try (BoltDatabase database = BoltDatabase.open(file)) {
            assertThat(database.stats().freePages()).isGreaterThan(0xFFFF);
            assertThat(database.check().problems()).isEmpty();
            database.update(transaction ->
                    Objects.requireNonNull(transaction.bucket(BUCKET)).put("x".getBytes(UTF_8), new byte[100]));
            assertThat(database.check().problems()).isEmpty();
        }
        BboltPeer.build().assertSound(file, "a freelist of more than 65,535 pages");
    }
}
