package dev.caskwright.importer;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading dumps of Redis: made by hand from the format, and made by a real server. */
final class RedisDumpTest {
    private static final Path SERVER = Path.of("/usr/bin/redis-server");

    private final ForeignFormat format = new RedisDump();

    @TempDir
    private Path directory;

    @Test
    void stringsOfOneDatabaseAreToldWithTheirExpiry() throws IOException {
        Dump dump = new Dump()
                .bytes(0xFE, 0)
                .bytes(0xFD)
                .littleEndian(4, 1_700_000_000)
                .bytes(0)
                .string("seconds")
                .string("1")
                .bytes(0xFC)
                .littleEndian(8, 1_700_000_000_123L)
                .bytes(0)
                .string("millis")
                .bytes(0xC1, 0x39, 0x30)
                .bytes(0)
                .string("lasting")
                .string("3")
                .bytes(0xFE, 1, 0)
                .string("other")
                .string("4");
        Told told = Told.of(format, dump.write());
        assertThat(told.entries()).isEqualTo(Map.of("seconds", "1", "millis", "12345", "lasting", "3"));
        assertThat(told.expiries()).isEqualTo(Map.of("seconds", 1_700_000_000_000L, "millis", 1_700_000_000_123L));
        assertThat(told.skipped()).isEqualTo(Map.of("strings of other databases", 1L));
        assertThat(Told.of(format, dump.write(), new ReadOptions(0, 1, null, null))
                        .entries())
                .isEqualTo(Map.of("other", "4"));
    }

    /** What Redis 7.4 and Valkey 8 write, in a cluster and of hashes whose fields expire, laid out by hand as their sources do. */
    @Test
    void slotsOfAClusterAndHashesWithFieldsThatExpireAreReadOver() throws IOException {
        Dump dump = new Dump()
                .bytes(0xFE, 0)
                .bytes(0xF4, 5, 2, 1)
                .bytes(24)
                .string("hash")
                .littleEndian(8, 1_700_000_000_000L)
                .bytes(2, 0)
                .string("field")
                .string("value")
                .bytes(0x40, 0xFF)
                .string("other")
                .string("value")
                .bytes(25)
                .string("packed")
                .littleEndian(8, 1_700_000_000_000L)
                .string("a listpack")
                .bytes(22)
                .string("early")
                .bytes(1, 9)
                .string("field")
                .string("value")
                .bytes(23)
                .string("early packed")
                .string("a listpack")
                .bytes(0)
                .string("behind")
                .string("them");
        Told told = Told.of(format, dump.write());
        assertThat(told.entries()).isEqualTo(Map.of("behind", "them"));
        assertThat(told.skipped()).isEqualTo(Map.of("hashes", 4L));
    }

    @Test
    void aFlippedByteIsNoticedBeforeAnythingIsTold() throws IOException {
        Path file = new Dump().bytes(0).string("a").string("1").write();
        byte[] whole = Files.readAllBytes(file);
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 0x10;
            Files.write(file, damaged);
            Told told = new Told();
            assertThatThrownBy(() -> format.read(file, ReadOptions.DEFAULT, told))
                    .as("byte %d", i)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(file.toString());
            assertThat(told.entries()).as("byte %d", i).isEmpty();
        }
    }

    @Test
    void everyCutIsRefused() throws IOException {
        Path file = new Dump().bytes(0).string("a").string("1").write();
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> Told.of(format, file))
                    .as("cut to %d bytes", length)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(file.toString());
        }
    }

    @Test
    void lengthsThatCannotBeTakeNoMemory() throws IOException {
        Path file = new Dump()
                .bytes(0)
                .string("a")
                .bytes(0x81)
                .littleEndian(8, Long.reverseBytes(Long.MAX_VALUE))
                .write();
        assertThatThrownBy(() -> Told.of(format, file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cut short");
        Path packed = new Dump()
                .bytes(0)
                .string("a")
                .bytes(0xC3, 1, 0x80, 0x7F, 0xFF, 0xFF, 0xFF, 0)
                .write();
        assertThatThrownBy(() -> Told.of(format, packed))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("unpack");
    }

    @Test
    void aStreamWhoseConsumerAwaitsMoreThanCanBeIsDamage() throws IOException {
        Path file = new Dump()
                .bytes(15)
                .string("stream")
                .bytes(0, 0, 0, 0, 1)
                .string("group")
                .bytes(0, 0, 0, 1)
                .string("consumer")
                .littleEndian(8, 0)
                .bytes(0x81)
                .littleEndian(8, Long.reverseBytes(Long.MAX_VALUE))
                .write();
        assertThatThrownBy(() -> Told.of(format, file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cut short");
    }

    @Test
    void aNewerVersionAndAForeignFileAreRefused() throws IOException {
        Path file = directory.resolve("dump.rdb");
        Files.writeString(file, "REDIS0099");
        assertThatThrownBy(() -> Told.of(format, file))
                .hasMessageContaining("version 99")
                .hasMessageContaining("1 to 12");
        Files.writeString(file, "something else");
        assertThatThrownBy(() -> Told.of(format, file)).hasMessageContaining("no dump of Redis");
        assertThatThrownBy(() -> Told.of(format, directory)).hasMessageContaining("not a regular file");
    }

    @Test
    void whatRedisDumpedIsReadAsRedisReadsIt() throws Exception {
        assumeTrue(
                Files.isExecutable(SERVER),
                "SKIPPED LOUDLY: Debian's redis-server is not installed, so no dump of the real thing is read");
        Path socket = directory.resolve("s");
        Process server = new ProcessBuilder(
                        SERVER.toString(),
                        "--port",
                        "0",
                        "--unixsocket",
                        socket.toString(),
                        "--dir",
                        directory.toString(),
                        "--save",
                        "")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        try {
            Map<String, String> expected = new TreeMap<>();
            StringBuilder commands = new StringBuilder();
            for (int i = -40_000; i <= 40_000; i += 997) {
                expected.put("number" + i, Integer.toString(i));
            }
            for (int length = 1; length < 100_000; length = length * 3 / 2 + 1) {
                expected.put("packed" + length, "abcabd".repeat(length).substring(0, length));
            }
            expected.put("big", "123456789012345");
            expected.forEach((key, value) -> commands.append("SET " + key + " " + value + "\n"));
            commands.append("SET expires soon PXAT 4102444800123\n").append("SET a 1\nDEL a\n");
            commands.append(
                    "RPUSH list a b 300\nSADD ints 1 2 70000\nSADD set a b\nZADD zset 1.5 a 2 b\nHSET hash f v\n");
            commands.append("XADD stream * f v\nXGROUP CREATE stream g 0\nXREADGROUP GROUP g c STREAMS stream >\n");
            commands.append("SELECT 3\nSET elsewhere 1\nSAVE\n");
            await(server, socket);
            run(socket, commands.toString());
            expected.put("expires", "soon");
            Told told = Told.of(format, directory.resolve("dump.rdb"));
            assertThat(told.entries()).isEqualTo(expected);
            assertThat(told.expiries()).isEqualTo(Map.of("expires", 4_102_444_800_123L));
            assertThat(told.skipped())
                    .isEqualTo(Map.of(
                            "lists",
                            1L,
                            "sets",
                            2L,
                            "sorted sets",
                            1L,
                            "hashes",
                            1L,
                            "streams",
                            1L,
                            "strings of other databases",
                            1L));
        } finally {
            server.destroyForcibly().waitFor();
        }
    }

    /** Waits until the server answers, or ends without having done so. */
    private static void await(Process server, Path socket) throws Exception {
        while (!run(socket, "PING\n").contains("PONG")) {
            assertThat(server.isAlive()).isTrue();
        }
    }

    private static String run(Path socket, String commands) throws Exception {
        Process client = new ProcessBuilder("redis-cli", "-s", socket.toString())
                .redirectErrorStream(true)
                .start();
        client.getOutputStream().write(commands.getBytes(ISO_8859_1));
        client.getOutputStream().close();
        String output = new String(client.getInputStream().readAllBytes(), ISO_8859_1);
        assertThat(client.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return output;
    }

    /** Makes a dump piece by piece. */
    private final class Dump {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Dump() {
            out.writeBytes("REDIS0011".getBytes(ISO_8859_1));
        }

        Dump bytes(int... values) {
            for (int value : values) {
                out.write(value);
            }
            return this;
        }

        Dump string(String value) {
            out.write(value.length());
            out.writeBytes(value.getBytes(ISO_8859_1));
            return this;
        }

        Dump littleEndian(int bytes, long value) {
            for (int i = 0; i < bytes; i++) {
                out.write((int) (value >>> 8 * i));
            }
            return this;
        }

        Path write() throws IOException {
            ByteArrayOutputStream whole = new ByteArrayOutputStream();
            whole.writeBytes(out.toByteArray());
            whole.write(0xFF);
            byte[] body = whole.toByteArray();
            Crc64 crc = new Crc64();
            crc.update(body, body.length);
            whole.writeBytes(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(crc.value())
                    .array());
            return Files.write(directory.resolve("made.rdb"), whole.toByteArray());
        }
    }
}
