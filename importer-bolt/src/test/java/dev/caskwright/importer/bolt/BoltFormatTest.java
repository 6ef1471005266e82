package dev.caskwright.importer.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.Bucket;
import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Told;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that our engine has written, which {@code BboltPeerTest} compares with bbolt's. */
final class BoltFormatTest {
    @TempDir
    private Path directory;

    private Path file = Path.of("");

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    @BeforeEach
    void write() throws IOException {
        file = directory.resolve("db");
        try (BoltDatabase database = BoltDatabase.open(file)) {
            database.update(transaction -> {
                Bucket outer = transaction.createBucket(bytes("outer"));
                outer.put(bytes("a"), bytes("1"));
                outer.put(bytes("b"), bytes(""));
                outer.put(bytes("gone"), bytes("2"));
                Bucket inner = outer.createBucket(bytes("inner"));
                for (int i = 0; i < 1000; i++) {
                    inner.put(bytes("key" + i), bytes("value" + i));
                }
            });
            database.update(transaction -> {
                Bucket outer = transaction.bucket(bytes("outer"));
                assertThat(outer).isNotNull();
                outer.delete(bytes("gone"));
            });
        }
    }

    @Test
    void aBucketIsRead() throws IOException {
        byte[] before = Files.readAllBytes(file);
        Told told = Told.of("bolt", file, ReadOptions.ofPart("outer"));
        assertThat(told.entries()).isEqualTo(Map.of("a", "1", "b", ""));
        assertThat(told.skipped()).isEqualTo(Map.of("buckets within the bucket", 1L));
        assertThat(told.damage()).isEmpty();
        Told inner = Told.of("bolt", file, ReadOptions.ofPart("outer/inner"));
        assertThat(inner.entries()).hasSize(1000).containsEntry("key7", "value7");
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        try (var all = Files.list(directory)) {
            assertThat(all).containsExactly(file);
        }
    }

    @Test
    void ofSeveralBucketsOneMustBeNamed() {
        assertThatThrownBy(() -> Told.of("bolt", file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("found=outer, outer/inner");
        assertThatThrownBy(() -> Told.of("bolt", file, ReadOptions.ofPart("other")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("wanted=other, found=outer, outer/inner");
    }

    @Test
    void namesThatAreNoTextAreToldApart() throws IOException {
        Path other = directory.resolve("other");
        try (BoltDatabase database = BoltDatabase.open(other)) {
            database.update(transaction -> {
                transaction.createBucket(new byte[] {(byte) 0xFE}).put(bytes("a"), bytes("1"));
                transaction.createBucket(new byte[] {(byte) 0xFF}).put(bytes("a"), bytes("2"));
                transaction.createBucket(bytes("x/y")).put(bytes("a"), bytes("3"));
                transaction.createBucket(bytes("x")).createBucket(bytes("y")).put(bytes("a"), bytes("4"));
            });
        }
        assertThatThrownBy(() -> Told.of("bolt", other))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("found=\\xfe, \\xff, x, x/y, x\\x2fy");
        assertThat(Told.of("bolt", other, ReadOptions.ofPart("\\xff")).entries())
                .isEqualTo(Map.of("a", "2"));
        assertThat(Told.of("bolt", other, ReadOptions.ofPart("x\\x2fy")).entries())
                .isEqualTo(Map.of("a", "3"));
        assertThat(Told.of("bolt", other, ReadOptions.ofPart("x/y")).entries()).isEqualTo(Map.of("a", "4"));
    }

    /** Whatever a byte says: all ends, by what the format may throw. */
    @Test
    void noDamagedByteEndsOtherwiseThanByBeingTold() throws IOException {
        damageBytes(100);
    }

    @Test
    @Tag("campaign")
    void noneOfManyDamagedBytesEndsOtherwiseThanByBeingTold() throws IOException {
        damageBytes(9_000);
    }

    private void damageBytes(int rounds) throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] sound = Files.readAllBytes(file);
        Path damaged = directory.resolve("damaged");
        for (int i = 0; i < rounds; i++) {
            byte[] content = sound.clone();
            content[random.nextInt(content.length)] = (byte) random.nextInt(256);
            Files.write(damaged, content);
            Told.ofDamaged("bolt", damaged, ReadOptions.ofPart("outer/inner"), "seed=" + seed + ", round=" + i);
        }
    }

    /** Each has two more within it that are the same one: of 40 levels there are as many paths as a file of a tebibyte has bytes. */
    @Test
    void bucketsThatManyLeadToAreNotFollowedForEver() throws IOException {
        Path other = directory.resolve("other");
        try (BoltDatabase database = BoltDatabase.open(other)) {
            database.update(transaction -> {
                Bucket bucket = transaction.createBucket(bytes("a"));
                for (int i = 0; i < 40; i++) {
                    bucket.createBucket(bytes("right")).createBucket(bytes("x"));
                    bucket = bucket.createBucket(bytes("left"));
                }
            });
        }
        ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(other)).order(ByteOrder.nativeOrder());
        int pageSize = content.getInt(16 + 8);
        for (int page = 2 * pageSize; page < content.limit(); page += pageSize) {
            boolean isLeaf = content.getShort(page + 8) == 2;
            if (isLeaf && content.getShort(page + 10) == 2) {
                int left = page + 16 + content.getInt(page + 16 + 4) + "left".length();
                int right = page + 32 + content.getInt(page + 32 + 4) + "right".length();
                content.putLong(right, content.getLong(left));
            }
        }
        Files.write(other, content.array());
        Told told = Told.of("bolt", other, ReadOptions.ofPart("a/right"));
        assertThat(told.damage()).last().asString().contains("within each other");
        assertThat(told.skipped()).isEqualTo(Map.of("buckets within the bucket", 2L));
    }

    @Test
    void bucketsMayBeNestedToAnyDepth() throws IOException {
        Path other = directory.resolve("other");
        try (BoltDatabase database = BoltDatabase.open(other)) {
            database.update(transaction -> {
                Bucket bucket = transaction.createBucket(bytes("a"));
                for (int i = 1; i < 150; i++) {
                    bucket = bucket.createBucket(bytes("a"));
                }
                bucket.put(bytes("key"), bytes("value"));
            });
        }
        Told told = Told.of("bolt", other, ReadOptions.ofPart("a" + "/a".repeat(149)));
        assertThat(told.entries()).isEqualTo(Map.of("key", "value"));
        assertThat(told.damage()).isEmpty();
    }

    @Test
    void damageIsTold() throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            // All pages after the meta pages.
            for (long at = 2 * 4096; at < channel.size(); at += 4096) {
                channel.write(ByteBuffer.wrap(bytes("nonsense")), at + 8);
            }
        }
        try {
            assertThat(Told.of("bolt", file, ReadOptions.ofPart("outer")).damage())
                    .isNotEmpty();
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("db"); // not even the root can be read
        }
    }

    @Test
    void aFileThatIsNoneIsAnError() throws IOException {
        assertThatThrownBy(() -> Told.of("bolt", directory.resolve("missing"))).isInstanceOf(NoSuchFileException.class);
        Path other = Files.write(directory.resolve("other"), new byte[10_000]);
        assertThatThrownBy(() -> Told.of("bolt", other)).isInstanceOf(IOException.class);
        assertThat(Files.readAllBytes(other)).isEqualTo(new byte[10_000]);
    }
}
