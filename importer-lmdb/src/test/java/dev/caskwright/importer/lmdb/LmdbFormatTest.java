package dev.caskwright.importer.lmdb;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lmdbjava.ByteArrayProxy;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.Txn;

/** Environments that LMDB itself has written. */
final class LmdbFormatTest {
    @TempDir
    private Path directory;

    private Path source = Path.of("");

    private interface Work {
        void run(Env<byte[]> environment);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    @BeforeEach
    void make() throws IOException {
        source = Files.createDirectory(directory.resolve("env"));
    }

    private static void with(Path path, Work work, EnvFlags... flags) {
        try (Env<byte[]> environment = Env.create(ByteArrayProxy.PROXY_BA)
                .setMaxDbs(8)
                .setMapSize(16 << 20)
                .open(path.toFile(), flags)) {
            work.run(environment);
        }
    }

    @Test
    void theUnnamedDatabaseIsReadAndNothingIsChanged() throws IOException {
        Map<String, String> expected = new HashMap<>();
        with(source, environment -> {
            Dbi<byte[]> database = environment.openDbi((byte[]) null);
            try (Txn<byte[]> transaction = environment.txnWrite()) {
                for (int i = 0; i < 5_000; i++) {
                    database.put(transaction, bytes("key" + i), bytes("value" + i));
                    expected.put("key" + i, "value" + i);
                }
                database.put(transaction, bytes("long"), bytes("x".repeat(100_000)));
                transaction.commit();
            }
            expected.put("long", "x".repeat(100_000));
            database.delete(bytes("key7"));
            expected.remove("key7");
        });
        Files.deleteIfExists(source.resolve("lock.mdb"));
        byte[] before = Files.readAllBytes(source.resolve("data.mdb"));
        Told told = Told.of("lmdb", source);
        assertThat(told.entries).isEqualTo(expected);
        assertThat(told.damage).isEmpty();
        assertThat(told.skipped).isEmpty();
        assertThat(Files.readAllBytes(source.resolve("data.mdb"))).isEqualTo(before);
        try (Stream<Path> all = Files.list(source)) {
            assertThat(all).containsExactly(source.resolve("data.mdb"));
        }
    }

    @Test
    void ofSeveralDatabasesOneMustBeNamed() throws IOException {
        with(source, environment -> {
            environment.openDbi("first", DbiFlags.MDB_CREATE).put(bytes("a"), bytes("1"));
            environment.openDbi("second", DbiFlags.MDB_CREATE).put(bytes("b"), bytes("2"));
            // As long as the entry of a database.
            environment.openDbi((byte[]) null).put(bytes("third"), bytes("3".repeat(48)));
        });
        assertThatThrownBy(() -> Told.of("lmdb", source))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("found=., first, second");
        assertThat(Told.of("lmdb", source, Told.part("first")).entries).isEqualTo(Map.of("a", "1"));
        Told unnamed = Told.of("lmdb", source, Told.part("."));
        assertThat(unnamed.entries).isEqualTo(Map.of("third", "3".repeat(48)));
        assertThat(unnamed.skipped).isEqualTo(Map.of("named databases", 2L));
    }

    @Test
    void theOnlyNamedDatabaseNeedNotBeNamed() throws IOException {
        with(
                source,
                environment -> environment.openDbi("only", DbiFlags.MDB_CREATE).put(bytes("a"), bytes("1")));
        assertThat(Told.of("lmdb", source).entries).isEqualTo(Map.of("a", "1"));
    }

    @Test
    void furtherValuesOfAKeyAreCountedAndLeftOut() throws IOException {
        with(source, environment -> {
            Dbi<byte[]> database = environment.openDbi("many", DbiFlags.MDB_CREATE, DbiFlags.MDB_DUPSORT);
            database.put(bytes("a"), bytes("1"));
            database.put(bytes("a"), bytes("2"));
            database.put(bytes("a"), bytes("3"));
            database.put(bytes("b"), bytes("4"));
        });
        Told told = Told.of("lmdb", source);
        assertThat(told.entries).isEqualTo(Map.of("a", "1", "b", "4"));
        assertThat(told.skipped).isEqualTo(Map.of("values beside the first one of their key", 2L));
    }

    @Test
    void anEnvironmentMayBeAFile() throws IOException {
        Path file = directory.resolve("single.mdb");
        with(
                file,
                environment -> environment.openDbi((byte[]) null).put(bytes("a"), bytes("1")),
                EnvFlags.MDB_NOSUBDIR);
        assertThat(Told.of("lmdb", file).entries).isEqualTo(Map.of("a", "1"));
    }

    @Test
    void aFileThatWasCutShortIsAnErrorAndDoesNotEndTheProcess() throws IOException {
        with(source, environment -> {
            Dbi<byte[]> database = environment.openDbi((byte[]) null);
            database.put(bytes("long"), bytes("x".repeat(1_000_000)));
        });
        try (RandomAccessFile file =
                new RandomAccessFile(source.resolve("data.mdb").toFile(), "rw")) {
            file.setLength(file.length() / 2);
        }
        assertThatThrownBy(() -> Told.of("lmdb", source))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cut short");
    }

    @Test
    void aFileThatIsNoneIsAnError() throws IOException {
        assertThatThrownBy(() -> Told.of("lmdb", source))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("data.mdb");
        Files.write(source.resolve("data.mdb"), new byte[10_000]);
        assertThatThrownBy(() -> Told.of("lmdb", source)).isInstanceOf(IOException.class);
        Files.write(source.resolve("data.mdb"), new byte[10]);
        assertThatThrownBy(() -> Told.of("lmdb", source)).isInstanceOf(IOException.class);
    }
}
