package dev.caskwright.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on real stores. */
final class BitcaskCliTest {
    @TempDir
    private Path temporary;

    private final Cli cli = new Cli();
    private Path directory;

    @BeforeEach
    void useTheEngine() {
        cli.stores = new EngineStores();
        directory = temporary.resolve("store");
    }

    @Test
    void whatIsPutIsThereForTheNextCommand() {
        assertThat(run("put", "k", "v").exitCode()).isZero();
        assertThat(run("get", "k").out()).isEqualTo("v");
        assertThat(run("delete", "k").exitCode()).isZero();
        assertThat(run("get", "k").exitCode()).isEqualTo(1);
    }

    @Test
    void aDumpLoadedElsewhereDumpsTheSame() {
        load(1000);
        run("put", "--encoding", "base64", "/w==", "AP8=");
        run("put", "--ttl", "1d", "mortal", "v");
        Cli.Result dump = run("dump");
        directory = temporary.resolve("other");
        cli.in = dump.outBytes();
        assertThat(run("load", "-").exitCode()).isZero();
        assertThat(run("dump").out().lines().sorted())
                .hasSize(1002)
                .containsExactlyElementsOf(dump.out().lines().sorted().toList());
    }

    @Test
    void valuesArePutLoadedAndConvertedByACodecAndReadWithoutNamingIt() throws IOException {
        String value = "the same words over and over, ".repeat(200);
        long before = 0;
        for (String codec : List.of("none", "lz4", "zstd", "snappy")) {
            directory = temporary.resolve(codec);
            cli.in = ("{\"key\":\"loaded\",\"value\":\"" + value + "\"}\n").getBytes(StandardCharsets.UTF_8);
            assertThat(run("put", "--codec", codec, "put", value).exitCode()).isZero();
            assertThat(run("load", "--codec", codec, "-").exitCode()).isZero();
            Path converted = temporary.resolve(codec + "-converted");
            assertThat(cli.run(
                                    "convert",
                                    "--from",
                                    directory.toString(),
                                    "--to",
                                    converted.toString(),
                                    "--codec",
                                    codec)
                            .exitCode())
                    .isZero();
            for (Path store : List.of(directory, converted)) {
                directory = store;
                assertThat(run("get", "put").out()).isEqualTo(value);
                assertThat(run("get", "loaded").out()).isEqualTo(value);
                assertThat(run("verify").exitCode()).isZero();
                long bytes = Files.size(store.resolve("00000001.data"));
                assertThat(bytes).as(codec).isLessThan(codec.equals("none") ? 20_000 : before / 4);
                before = codec.equals("none") ? bytes : before;
            }
        }
        assertThat(run("put", "--codec", "none-such", "k", "v").exitCode()).isEqualTo(2);
    }

    @Test
    void readingCommandsChangeNothing() throws IOException {
        load(100);
        TreeMap<String, String> before = contents();
        assertThat(run("stat").exitCode()).isZero();
        assertThat(run("stat", "--json").out()).contains("\"keys\":100,");
        assertThat(run("scan").out().lines()).hasSize(100);
        assertThat(run("get", "key7").out()).isEqualTo("value7");
        assertThat(run("dump").out().lines()).hasSize(100);
        assertThat(run("verify").exitCode()).isZero();
        assertThat(run("watch").out().lines()).hasSize(100);
        assertThat(contents()).isEqualTo(before);
    }

    @Test
    void readingCommandsMakeNoStore() {
        for (String command : List.of("stat", "scan", "dump", "verify", "watch", "merge")) {
            Cli.Result result = run(command);
            assertThat(result.exitCode()).as(command).isEqualTo(ExitCode.STORE_ERROR);
            assertThat(result.errLines()).as(command).hasSize(1);
        }
        assertThat(directory).doesNotExist();
    }

    @Test
    void noStoreIsMadeAmongOtherFilesUnlessAskedFor() throws IOException {
        Files.createDirectory(directory);
        Files.writeString(directory.resolve("letter.txt"), "mine");
        String[][] commands = {{"put", "k", "v"}, {"load", "-"}, {"batch", "-"}};
        for (String[] command : commands) {
            cli.in(command[0].equals("batch") ? "{\"op\":\"put\",\"key\":\"k\",\"value\":\"v\"}" : "");
            Cli.Result result = run(command);
            assertThat(result.exitCode()).as(command[0]).isEqualTo(ExitCode.STORE_ERROR);
            assertThat(result.errLines()).hasSize(1);
            assertThat(result.err()).contains("letter.txt", "--among-other-files");
            assertThat(directory.toFile().list()).containsExactly("letter.txt");
        }
        for (String command : List.of("stat", "scan", "dump", "verify", "watch", "merge")) {
            assertThat(run(command).exitCode()).as(command).isEqualTo(ExitCode.STORE_ERROR);
            assertThat(directory.toFile().list()).containsExactly("letter.txt");
        }
        assertThat(cli.run("demo", "--dir", directory.toString()).exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(directory.toFile().list()).containsExactly("letter.txt");
        assertThat(run("put", "--among-other-files", "k", "v").exitCode()).isZero();
        assertThat(run("put", "k", "w").exitCode()).isZero();
        assertThat(run("get", "k").out()).isEqualTo("w");
        assertThat(directory.resolve("letter.txt")).hasContent("mine");
    }

    @Test
    void verifyCallsAStoreWithoutItsManifestDamaged() throws IOException {
        load(10);
        Files.delete(directory.resolve("MANIFEST"));
        assertThat(run("verify").exitCode()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
    }

    @Test
    void aDirectoryThatIsAFileIsToldInOneLine() throws IOException {
        Files.writeString(directory, "mine");
        for (String[] command : new String[][] {{"put", "k", "v"}, {"get", "k"}, {"stat"}, {"verify"}}) {
            Cli.Result result = run(command);
            assertThat(result.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
            assertThat(result.errLines()).hasSize(1);
        }
        assertThat(directory).hasContent("mine");
    }

    @Test
    void aStoreInUseIsToldInOneLine() throws IOException {
        run("put", "k", "v");
        try (StorageEngine owner = new EngineStores().open(directory, new BackendOptions(), Access.WRITE)) {
            assertThat(owner.size()).isEqualTo(1);
            Cli.Result result = run("put", "k", "w");
            assertThat(result.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
            assertThat(result.errLines()).hasSize(1);
        }
        assertThat(run("get", "k").out()).isEqualTo("v");
    }

    @Test
    void verifyFindsAWrongByte() throws IOException {
        load(100);
        damage(directory);
        TreeMap<String, String> before = contents();
        Cli.Result result = run("verify");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.out()).contains("damaged: file=");
        assertThat(contents()).isEqualTo(before);
    }

    @Test
    void mergeGivesBackSpaceAndKeepsContent() {
        for (int i = 0; i < 5; i++) {
            load(1000);
        }
        String dump = sortedDump();
        assertThat(run("merge").exitCode()).isZero();
        assertThat(sortedDump()).isEqualTo(dump);
        assertThat(run("stat", "--json").out()).contains("\"deadBytes\":0,", "\"keys\":1000,");
        assertThat(run("verify").exitCode()).isZero();
    }

    @Test
    void aBackupIsRestored() {
        load(100);
        String dump = sortedDump();
        Path backup = temporary.resolve("backup");
        Cli.Result backedUp = run("backup", backup.toString());
        assertThat(backedUp.exitCode()).as(backedUp.err()).isZero();
        run("put", "later", "v");
        directory = temporary.resolve("restored");
        Cli.Result result = run("restore", backup.toString());
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        assertThat(sortedDump()).isEqualTo(dump);
        assertThat(directory.resolveSibling("restored.restoring")).doesNotExist();
        // Each goes its own way from here.
        assertThat(run("put", "k", "v").exitCode()).isZero();
        directory = backup;
        assertThat(sortedDump()).isEqualTo(dump);
    }

    @Test
    void aDamagedBackupIsNotRestored() throws IOException {
        load(100);
        Path backup = temporary.resolve("backup");
        run("backup", backup.toString());
        damage(backup);
        directory = Files.createDirectory(temporary.resolve("restored"));
        Cli.Result result = run("restore", backup.toString());
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).contains("damaged and was not restored: file=");
        assertThat(directory).isEmptyDirectory();
        assertThat(directory.resolveSibling("restored.restoring")).doesNotExist();
    }

    @Test
    void aDamagedStoreIsSalvagedAndStaysAsItIs() throws IOException {
        load(100);
        String whole = sortedDump();
        damage(directory);
        Files.delete(directory.resolve("MANIFEST"));
        TreeMap<String, String> before = contents();
        Path target = temporary.resolve("salvaged");
        Cli.Result result = run("salvage", "--to", target.toString());
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        assertThat(result.out()).contains("lost: file=MANIFEST", "bad record", "99 records in ", "2 places with ");
        assertThat(contents()).isEqualTo(before);
        assertThat(run("get", "key1").exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        directory = target;
        assertThat(run("verify").exitCode()).isZero();
        assertThat(sortedDump().lines()).hasSize(99).doesNotContain("key50");
        assertThat(whole.lines()).containsAll(sortedDump().lines().toList());
        assertThat(run("put", "k", "v").exitCode()).isZero();
    }

    @Test
    void aSoundStoreIsSalvagedWholeEvenWithoutItsLockFile() throws IOException {
        load(100);
        String dump = sortedDump();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                if (!file.getFileName().toString().matches("MANIFEST|\\d+\\..*")) {
                    Files.delete(file);
                }
            }
        }
        TreeMap<String, String> before = contents();
        Path target = temporary.resolve("salvaged");
        assertThat(run("salvage", "--to", target.toString()).exitCode()).isZero();
        assertThat(contents()).isEqualTo(before);
        assertThat(run("salvage", "--to", target.toString()).exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run("salvage", "--to", directory.resolve("inside").toString())
                        .exitCode())
                .isEqualTo(ExitCode.USAGE);
        assertThat(contents()).isEqualTo(before);
        directory = target;
        assertThat(sortedDump()).isEqualTo(dump);
    }

    @Test
    void aStoreThatIsWrittenToIsNotSalvaged() throws IOException {
        run("put", "k", "v");
        Path target = temporary.resolve("salvaged");
        try (StorageEngine owner = new EngineStores().open(directory, new BackendOptions(), Access.WRITE)) {
            assertThat(owner.size()).isEqualTo(1);
            assertThat(run("salvage", "--to", target.toString()).exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        }
        assertThat(target).doesNotExist();
    }

    @Test
    void expireChangesTheExpiryAndNothingElse() {
        run("put", "k", "v");
        assertThat(run("expire", "k", "--at", "4102444800000").exitCode()).isZero();
        assertThat(run("dump").out()).isEqualTo("{\"key\":\"k\",\"value\":\"v\",\"expiresAt\":4102444800000}\n");
        assertThat(run("expire", "k", "--at", "2100-01-02T00:00:00Z").exitCode())
                .isZero();
        assertThat(run("dump").out()).contains("\"expiresAt\":4102531200000");
        assertThat(run("expire", "k", "--never").exitCode()).isZero();
        assertThat(run("dump").out()).isEqualTo("{\"key\":\"k\",\"value\":\"v\"}\n");
        assertThat(run("expire", "k", "--ttl", "1d").exitCode()).isZero();
        assertThat(run("dump").out()).contains("expiresAt");
        assertThat(run("expire", "none", "--never").exitCode()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        for (String[] wrong : new String[][] {
            {"expire", "k"},
            {"expire", "k", "--never", "--ttl", "1d"},
            {"expire", "k", "--at", "tomorrow"},
            {"expire", "k", "--at", "1969-01-01T00:00:00Z"}
        }) {
            Cli.Result result = run(wrong);
            assertThat(result.exitCode()).as(String.join(" ", wrong)).isEqualTo(ExitCode.USAGE);
            assertThat(result.errLines()).hasSize(1);
        }
    }

    @Test
    void scanOverTheTreeIsInOrder() {
        load(100);
        List<String> lines = run("scan", "--prefix", "key9", "--reverse", "--keys-only")
                .out()
                .lines()
                .toList();
        assertThat(lines).hasSize(11).first().isEqualTo("{\"key\":\"key99\"}");
        assertThat(lines).last().isEqualTo("{\"key\":\"key9\"}");
        Cli.Result unordered = run("scan", "--index", "hashmap", "--prefix", "key9");
        assertThat(unordered.exitCode()).isEqualTo(ExitCode.USAGE);
    }

    private void load(int entries) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < entries; i++) {
            lines.append("{\"key\":\"key" + i + "\",\"value\":\"value" + i + "\"}\n");
        }
        Cli.Result result = cli.in(lines.toString()).run("load", "--dir", directory.toString(), "-");
        assertThat(result.exitCode()).as(result.err()).isZero();
    }

    /** Flips a bit of a value that {@link #load} stored. */
    private static void damage(Path store) throws IOException {
        try (Stream<Path> files = Files.list(store)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                byte[] bytes = Files.readAllBytes(file);
                int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("value50");
                if (at >= 0) {
                    bytes[at] ^= 1;
                    Files.write(file, bytes);
                }
            }
        }
    }

    private String sortedDump() {
        return String.join("\n", run("dump").out().lines().sorted().toList());
    }

    private Cli.Result run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(1, List.of("--dir", directory.toString()));
        return cli.run(all.toArray(new String[0]));
    }

    private TreeMap<String, String> contents() throws IOException {
        TreeMap<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                contents.put(
                        file.getFileName() + " " + Files.getLastModifiedTime(file),
                        new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
            }
        }
        return contents;
    }
}
