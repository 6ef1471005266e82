package dev.caskwright.importer.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.Bucket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
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
        Told told = Told.of("bolt", file, Told.part("outer"));
        assertThat(told.entries).isEqualTo(Map.of("a", "1", "b", ""));
        assertThat(told.skipped).isEqualTo(Map.of("buckets within the bucket", 1L));
        assertThat(told.damage).isEmpty();
        Told inner = Told.of("bolt", file, Told.part("outer/inner"));
        assertThat(inner.entries).hasSize(1000).containsEntry("key7", "value7");
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
        assertThatThrownBy(() -> Told.of("bolt", file, Told.part("other")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("wanted=other, found=outer, outer/inner");
    }

    @Test
    void damageIsTold() throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            // All pages behind the meta pages.
            for (long at = 2 * 4096; at < channel.size(); at += 4096) {
                channel.write(ByteBuffer.wrap(bytes("nonsense")), at + 8);
            }
        }
        try {
            assertThat(Told.of("bolt", file, Told.part("outer")).damage).isNotEmpty();
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
