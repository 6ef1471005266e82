package dev.caskwright.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encrypted stores on the command line: keys from a file. */
final class EncryptedCliTest {
    private static final String OLD = "# ours\n\nold=" + "0123456789abcdef".repeat(4) + "\n";

    @TempDir
    private Path temporary;

    private final Cli cli = new Cli();
    private Path keys;
    private Path store;

    @BeforeEach
    void makeStore() throws IOException {
        cli.stores = new EngineStores();
        keys = temporary.resolve("keys");
        store = temporary.resolve("store");
        Files.writeString(keys, OLD);
        assertThat(run("put", store, "secretkey", "secretvalue").exitCode()).isZero();
    }

    private Cli.Result run(String command, Path directory, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(0, List.of("--set", "keys=" + keys));
        return without(command, directory, all.toArray(String[]::new));
    }

    private Cli.Result without(String command, Path directory, String... arguments) {
        List<String> all = new ArrayList<>(List.of(command, "--dir", directory.toString()));
        all.addAll(List.of(arguments));
        return cli.run(all.toArray(String[]::new));
    }

    @Test
    void withTheKeysAllIsAsWithoutEncryption() {
        assertThat(run("get", store, "secretkey").out()).contains("secretvalue");
        assertThat(run("verify", store).exitCode()).isZero();
        Path backup = temporary.resolve("backup");
        assertThat(run("backup", store, backup.toString()).exitCode()).isZero();
        Path restored = temporary.resolve("restored");
        assertThat(run("restore", restored, backup.toString()).exitCode()).isZero();
        Path salvaged = temporary.resolve("salvaged");
        assertThat(run("salvage", store, "--to", salvaged.toString()).exitCode())
                .isZero();
        for (Path each : List.of(restored, salvaged)) {
            assertThat(run("get", each, "secretkey").out()).contains("secretvalue");
            assertNamesKey(without("get", each, "secretkey"));
        }
        Path plain = temporary.resolve("plain");
        assertThat(cli.run(
                                "convert",
                                "--from",
                                store.toString(),
                                "--from-set",
                                "keys=" + keys,
                                "--to",
                                plain.toString())
                        .exitCode())
                .isZero();
        assertThat(without("get", plain, "secretkey").out()).contains("secretvalue");
        Path again = temporary.resolve("again");
        assertThat(cli.run("convert", "--from", plain.toString(), "--to", again.toString(), "--set", "keys=" + keys)
                        .exitCode())
                .isZero();
        assertNamesKey(without("get", again, "secretkey"));
    }

    @Test
    void withoutThemTheKeyIsNamed() {
        assertNamesKey(without("get", store, "secretkey"));
        assertNamesKey(without("put", store, "a", "b"));
        assertNamesKey(without("verify", store));
        assertNamesKey(without("stat", store));
        assertNamesKey(without("backup", store, temporary.resolve("b").toString()));
        assertNamesKey(without("salvage", store, "--to", temporary.resolve("s").toString()));
    }

    private static void assertNamesKey(Cli.Result result) {
        assertThat(result.exitCode()).isNotZero();
        assertThat(result.err()).contains("key=old", "--set keys=FILE");
    }

    @Test
    void aLineAtTheEndAndAMergeChangeTheKey() throws IOException {
        Files.writeString(keys, OLD + "new = " + "ab".repeat(32) + "\n");
        assertThat(run("stat", store).out()).contains("by other keys: old=");
        assertThat(run("doctor", store).out()).contains("by other keys than new");
        assertThat(run("merge", store).exitCode()).isZero();
        assertThat(run("stat", store).out()).contains("by key new").doesNotContain("by other keys");
        assertThat(run("stat", store, "--json").out())
                .contains("\"encryptionKey\":\"new\"", "\"encryptedByOthersBytes\":0");
        Files.writeString(keys, "new=" + "ab".repeat(32));
        assertThat(run("get", store, "secretkey").out()).contains("secretvalue");
        assertThat(run("merge", store, "--set", "key=none").exitCode()).isZero();
        assertThat(without("get", store, "secretkey").out()).contains("secretvalue");
    }

    @Test
    void aBadFileOfKeysIsToldWithoutTheKeys() throws IOException {
        for (String bad :
                List.of("old=abc", "old", "=" + "ab".repeat(32), "a b=" + "ab".repeat(32), OLD + OLD, "", "old=ab")) {
            Files.writeString(keys, bad);
            Cli.Result result = run("get", store, "secretkey");
            assertThat(result.exitCode()).as(bad).isNotZero();
            assertThat(result.err()).as(bad).contains("option=keys").doesNotContain("abab", "abcdef");
        }
        Files.writeString(keys, OLD);
        assertThat(run("get", store, "--set", "key=other", "secretkey").err())
                .contains("option=key", "there is no such key");
        assertThat(without("get", store, "--set", "key=old", "secretkey").err()).contains("option=key", "keys");
    }

    @Test
    void inspectShowsWhatIsNotEncryptedAndTheIdOfTheKey() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(store)) {
            files = all.filter(file -> file.toString().matches(".*\\.(data|hint|image)"))
                    .sorted()
                    .toList();
        }
        assertThat(files).hasSize(3);
        StringBuilder shown = new StringBuilder();
        for (Path file : files) {
            Cli.Result result = cli.run("inspect", file.toString());
            assertThat(result.exitCode()).as(result.out()).isZero();
            shown.append(result.out());
        }
        assertThat(shown.toString())
                .contains("data file format=2", "encryption key=old", "encrypted=yes, keyLength=9, valueLength=11")
                .contains("hint file format=2", "encrypted entries length=", "image format=2")
                .doesNotContain("secret", "damaged");
    }
}
