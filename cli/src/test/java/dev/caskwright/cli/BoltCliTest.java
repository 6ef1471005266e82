package dev.caskwright.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.Bucket;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tools for bolt files, on a sound file and on damaged ones. */
final class BoltCliTest {
    private static final int PAGE_SIZE = 1_024;

    @TempDir
    Path directory;

    private Path file;

    private record Result(int exit, String out, String err) {}

    @BeforeEach
    void makeTheFile() throws IOException {
        file = directory.resolve("casks.db");
        try (BoltDatabase database =
                BoltDatabase.builder(file).pageSize(PAGE_SIZE).open()) {
            for (int part = 0; part < 10; part++) {
                int from = part * 30;
                database.update(transaction -> {
                    Bucket casks = transaction.createBucketIfNotExists(bytes("casks"));
                    for (int i = from; i < from + 30; i++) {
                        casks.put(bytes(String.format("cask:%03d", i)), bytes("oak " + i));
                    }
                    casks.createBucketIfNotExists(bytes("inner")).put(bytes("key"), bytes("value"));
                });
            }
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static Result run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Shell shell = new Shell(
                new ByteArrayInputStream(new byte[0]),
                out,
                new PrintStream(err, true, UTF_8),
                false,
                false,
                new EngineStores(),
                millis -> {});
        int exit = new Main(shell).run(arguments);
        return new Result(exit, out.toString(UTF_8), err.toString(UTF_8));
    }

    private Result bolt(String command, String... more) {
        String[] arguments = new String[more.length + 3];
        arguments[0] = "bolt";
        arguments[1] = command;
        arguments[2] = file.toString();
        System.arraycopy(more, 0, arguments, 3, more.length);
        return run(arguments);
    }

    @Test
    void aPageThatIsNotThereIsAMistake() {
        for (String command : List.of("page", "dump")) {
            for (String id : List.of("-1", "99999999999")) {
                Result result = run("bolt", command, file.toString(), id);
                assertThat(result.exit()).as(command).isEqualTo(ExitCode.USAGE);
                assertThat(result.err()).contains("no such page: " + id).doesNotContain("Exception");
            }
        }
    }

    @Test
    void aSoundFileIsLookedAt() {
        assertThat(bolt("check")).isEqualTo(new Result(0, "OK\n", ""));
        assertThat(bolt("info").out())
                .contains("Page Size: 1024")
                .contains("Meta 0")
                .contains("Meta 1");
        assertThat(bolt("buckets").out()).isEqualTo("casks\n");
        assertThat(bolt("buckets", "casks").out()).isEqualTo("inner\n");
        assertThat(bolt("keys", "casks").out().lines()).hasSize(301).contains("cask:123", "inner");
        assertThat(bolt("get", "casks", "cask:123")).isEqualTo(new Result(0, "oak 123", ""));
        assertThat(bolt("get", "casks", "inner", "key").out()).isEqualTo("value");
        assertThat(bolt("get", "casks", "none").exit()).isOne();
        assertThat(bolt("keys", "none")).satisfies(result -> {
            assertThat(result.exit()).isEqualTo(2);
            assertThat(result.err()).contains("no such bucket: none");
        });
        assertThat(bolt("stats").out()).contains("Buckets: 2").contains("Keys: 301");
    }

    @Test
    void pagesAreShownOneByOne() {
        assertThat(bolt("pages").out())
                .contains("meta")
                .contains("leaf")
                .contains("branch")
                .contains("free");
        assertThat(bolt("page", "0").out()).contains("Page Type: meta");
        assertThat(bolt("dump", "0").out().lines())
                .hasSize(PAGE_SIZE / 16)
                .first()
                .asString()
                .startsWith("00000000  00");
        assertThat(bolt("page", "100000").err()).contains("no such page");
    }

    @Test
    void aCompactCopyIsShorterAndSound() throws IOException {
        Path copy = directory.resolve("compact.db");
        Result result = run("bolt", "compact", "-o", copy.toString(), file.toString());
        assertThat(result.exit()).as(result.err()).isZero();
        assertThat(Files.size(copy)).isLessThan(Files.size(file));
        assertThat(run("bolt", "check", copy.toString()).out()).isEqualTo("OK\n");
        assertThat(run("bolt", "compact", "-o", copy.toString(), file.toString())
                        .exit())
                .isEqualTo(2);
    }

    @Test
    void surgeryWritesNewFilesOnly() throws IOException {
        byte[] before = Files.readAllBytes(file);
        for (String command : new String[] {"revert-meta-page", "abandon-freelist", "rebuild-freelist", "salvage"}) {
            Path repaired = directory.resolve(command + ".db");
            Result result = run("bolt", "surgery", command, "--output", repaired.toString(), file.toString());
            assertThat(result.exit()).as(command + ": " + result.err()).isZero();
            assertThat(run("bolt", "check", repaired.toString()).out())
                    .as(command)
                    .isEqualTo("OK\n");
            boolean isEarlier = command.equals("revert-meta-page");
            assertThat(run("bolt", "get", repaired.toString(), "casks", "cask:299")
                            .exit())
                    .isEqualTo(isEarlier ? 1 : 0);
            assertThat(run("bolt", "get", repaired.toString(), "casks", "cask:269")
                            .out())
                    .isEqualTo("oak 269");
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
    }

    @Test
    void whatIsSoundOfADamagedFileIsSalvaged() throws IOException {
        byte[] damaged = Files.readAllBytes(file);
        int leaf = -1;
        for (int page = 2; page < damaged.length / PAGE_SIZE && leaf < 0; page++) {
            String text = new String(damaged, page * PAGE_SIZE, PAGE_SIZE, UTF_8);
            boolean isLive = bolt("page", String.valueOf(page)).out().contains("Page Type: leaf");
            leaf = isLive && text.contains("cask:150") ? page : -1;
        }
        damaged[leaf * PAGE_SIZE + 8] = 0x77;
        Files.write(file, damaged);
        assertThat(bolt("check").exit()).isNotZero();
        Path repaired = directory.resolve("repaired.db");
        Result result = run("bolt", "surgery", "salvage", "-o", repaired.toString(), file.toString());
        assertThat(result.exit()).isOne();
        assertThat(result.out()).contains("lost: ").contains("page=" + leaf);
        assertThat(run("bolt", "get", repaired.toString(), "casks", "cask:000").out())
                .isEqualTo("oak 0");
        assertThat(run("bolt", "get", repaired.toString(), "casks", "cask:299").out())
                .isEqualTo("oak 299");
        assertThat(run("bolt", "get", repaired.toString(), "casks", "cask:150").exit())
                .isOne();
    }

    // ---------------------------------------------------------------- as a store

    @Test
    void aBucketIsAStoreForTheOtherCommands() {
        String[] store = {"--engine", "bolt", "--set", "bucket=casks", "--dir", file.toString()};
        assertThat(run(with(store, "put", "new", "elm")).exit()).isZero();
        assertThat(run(with(store, "get", "new")).out()).isEqualTo("elm");
        assertThat(run(with(store, "scan", "--from", "cask:298", "--keys-only"))
                        .out()
                        .lines())
                .hasSize(3);
        assertThat(run(with(store, "stat")).out()).contains("301");
        assertThat(run(with(store, "verify")).exit()).isZero();
        assertThat(run(with(store, "merge")).err()).contains("facet=Merging");
        Path copy = directory.resolve("copy.db");
        assertThat(run(with(store, "backup", "--json", copy.toString())).out()).contains("\"filesBrought\":1");
        Path restored = directory.resolve("restored.db");
        assertThat(run("restore", "--engine", "bolt", "--dir", restored.toString(), copy.toString())
                        .exit())
                .isZero();
        store[store.length - 1] = restored.toString();
        assertThat(run(with(store, "get", "new")).out()).isEqualTo("elm");
    }

    private static String[] with(String[] store, String command, String... more) {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(List.of(store));
        all.addAll(List.of(more));
        return all.toArray(new String[0]);
    }

    @Test
    void aStoreIsConvertedToAnotherEngineAndBack() {
        String bitcask = directory.resolve("bitcask").toString();
        String back = directory.resolve("back.db").toString();
        Result there = run(
                "convert",
                "--from",
                file.toString(),
                "--from-engine",
                "bolt",
                "--from-set",
                "bucket=casks",
                "--to",
                bitcask);
        assertThat(there.exit()).as(there.err()).isZero();
        assertThat(there.out()).contains("copied: 300 entries").contains("found:  300 entries");
        Result again = run("convert", "--from", bitcask, "--to", back, "--engine", "bolt", "--set", "bucket=other");
        assertThat(again.exit()).as(again.err()).isZero();
        assertThat(again.out()).isEqualTo(there.out());

        Result refused = run("convert", "--from", bitcask, "--to", back, "--engine", "bolt");
        assertThat(refused.exit()).isNotZero();
        assertThat(refused.err()).contains("must not exist");
        assertThat(run("get", "--engine", "bolt", "--set", "bucket=other", "--dir", back, "cask:007")
                        .out())
                .isEqualTo("oak 7");
    }

    @Test
    void whatExpiresIsNotConvertedToAnEngineWithoutExpiry() {
        String bitcask = directory.resolve("bitcask").toString();
        assertThat(run("put", "--dir", bitcask, "--ttl", "1h", "a", "1").exit()).isZero();
        Result refused = run(
                "convert",
                "--from",
                bitcask,
                "--to",
                directory.resolve("new.db").toString(),
                "--engine",
                "bolt");
        assertThat(refused.exit()).isNotZero();
        assertThat(refused.err()).contains("facet=Expiry");
    }
}
