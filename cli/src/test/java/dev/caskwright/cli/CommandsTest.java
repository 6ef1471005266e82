package dev.caskwright.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.caskwright.api.ChangeVisitor;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CommandsTest {
    private final Cli cli = new Cli();

    @TempDir
    private Path temporary;

    @Test
    void getWritesTheRawValue() throws IOException {
        byte[] value = {0, (byte) 0xFF, '\n', (byte) 0x80};
        cli.engine.put(bytes("k"), value);
        Cli.Result result = cli.run("get", "--dir", "d", "k");
        assertThat(result.exitCode()).isZero();
        assertThat(result.outBytes()).isEqualTo(value);
    }

    @Test
    void getOfAnAbsentKeyIsExitCodeOneAndNoOutput() {
        Cli.Result result = cli.run("get", "--dir", "d", "k");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.outBytes()).isEmpty();
    }

    @Test
    void putStoresTextAndBase64() {
        assertThat(cli.run("put", "--dir", "d", "kä", "vé\uD83D\uDE00").exitCode())
                .isZero();
        assertThat(cli.engine.entry(bytes("kä")).value()).isEqualTo(bytes("vé\uD83D\uDE00"));
        assertThat(cli.run("put", "--dir", "d", "--encoding", "base64", "/w==", "AP8=")
                        .exitCode())
                .isZero();
        assertThat(cli.engine.entry(new byte[] {-1}).value()).isEqualTo(new byte[] {0, -1});
    }

    @Test
    void valuesAreTakenAsTheyAre() {
        for (String value : List.of("", "@file", "\"quoted\"", "${sys:user.home}", "a=b", "a b", "'", "%n", "\\n")) {
            assertThat(cli.run("put", "--dir", "d", "k", value).exitCode()).isZero();
            assertThat(cli.run("get", "--dir", "d", "k").out()).isEqualTo(value);
        }
        assertThat(cli.run("put", "--dir", "d", "--", "--key", "--help").exitCode())
                .isZero();
        assertThat(cli.run("get", "--dir", "d", "--", "--key").out()).isEqualTo("--help");
    }

    @Test
    void putTakesTheValueFromAFileOrStandardInput() throws IOException {
        byte[] value = {0, (byte) 0xFF, '\r', '\n'};
        Path file = Files.write(temporary.resolve("value"), value);
        cli.run("put", "--dir", "d", "k1", "--file", file.toString());
        cli.in = value;
        cli.run("put", "--dir", "d", "k2", "--file", "-");
        assertThat(cli.engine.get(bytes("k1"))).isEqualTo(value);
        assertThat(cli.engine.get(bytes("k2"))).isEqualTo(value);
    }

    @Test
    void putIfAbsentLeavesWhatIsThere() throws IOException {
        assertThat(cli.run("put", "--dir", "d", "--if-absent", "k", "1").exitCode())
                .isZero();
        assertThat(cli.run("put", "--dir", "d", "--if-absent", "k", "2").exitCode())
                .isEqualTo(1);
        assertThat(cli.engine.get(bytes("k"))).isEqualTo(bytes("1"));
    }

    @Test
    void putWithTimeToLiveExpires() {
        long before = System.currentTimeMillis();
        cli.run("put", "--dir", "d", "--ttl", "30s", "k", "v");
        assertThat(cli.engine.entry(bytes("k")).expiresAtMillis())
                .isBetween(before + 30_000, System.currentTimeMillis() + 30_000);
        cli.run("put", "--dir", "d", "k", "v");
        assertThat(cli.engine.entry(bytes("k")).expiresAtMillis()).isEqualTo(Entry.NEVER);
    }

    @Test
    void deleteTellsWhetherTheKeyWasThere() {
        cli.run("put", "--dir", "d", "k", "v");
        assertThat(cli.run("delete", "--dir", "d", "k").exitCode()).isZero();
        assertThat(cli.run("delete", "--dir", "d", "k").exitCode()).isEqualTo(1);
        assertThat(cli.engine.entries).isEmpty();
    }

    @Test
    void scanWalksRangesBothWays() {
        cli.engine.isOrdered = true;
        for (String key : "a aa ab b c".split(" ")) {
            cli.run("put", "--dir", "d", key, "v");
        }
        assertThat(scan()).isEqualTo("a aa ab b c");
        assertThat(scan("--reverse")).isEqualTo("c b ab aa a");
        assertThat(scan("--prefix", "a")).isEqualTo("a aa ab");
        assertThat(scan("--prefix", "a", "--reverse", "--limit", "2")).isEqualTo("ab aa");
        assertThat(scan("--from", "aa", "--to", "c")).isEqualTo("aa ab b");
        assertThat(scan("--from", "aa", "--to", "c", "--reverse")).isEqualTo("b ab aa");
        assertThat(scan("--limit", "0")).isEmpty();
        assertThat(scan("--limit", "1")).isEqualTo("a");
    }

    @Test
    void scanWithoutOrderPrintsAllButRefusesARange() {
        cli.run("put", "--dir", "d", "k", "v");
        assertThat(cli.run("scan", "--dir", "d").out()).isEqualTo("{\"key\":\"k\",\"value\":\"v\"}\n");
        assertThat(cli.run("scan", "--dir", "d", "--keys-only").out()).isEqualTo("{\"key\":\"k\"}\n");
        assertThat(cli.run("scan", "--dir", "d", "--limit", "0").out()).isEmpty();
        Cli.Result result = cli.run("scan", "--dir", "d", "--prefix", "k");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("offered by=bitcask (index=btree or sorted)");
    }

    @Test
    void batchIsAppliedAsOne() {
        cli.run("put", "--dir", "d", "old", "v");
        int exitCode = cli.in("{\"op\":\"put\",\"key\":\"a\",\"value\":\"1\"}\n{\"op\":\"delete\",\"key\":\"old\"}\n"
                        + "{\"op\":\"put\",\"key\":\"b\",\"value\":\"2\",\"expiresAt\":99999999999999}")
                .run("batch", "--dir", "d", "-")
                .exitCode();
        assertThat(exitCode).isZero();
        assertThat(cli.engine.entries.keySet()).containsExactly(bytes("a"), bytes("b"));
        assertThat(cli.engine.entry(bytes("b")).expiresAtMillis()).isEqualTo(99999999999999L);
        assertThat(cli.engine.changes.stream().map(ChangeVisitor.Change::isLastOfBatch))
                .containsExactly(true, false, false, true);
    }

    @Test
    void aMalformedBatchAppliesNothing() {
        Cli.Result result = cli.in(
                        "{\"op\":\"put\",\"key\":\"a\",\"value\":\"1\"}\n{\"op\":\"mangle\",\"key\":\"a\"}\n")
                .run("batch", "--dir", "d", "-");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).startsWith("caskwright: line 2: ").contains("nothing was applied");
        assertThat(cli.accesses).isEmpty();
    }

    @Test
    void whatWatchPrintsCanBeAppliedElsewhere() throws IOException {
        cli.run("put", "--dir", "d", "a", "1");
        cli.run("put", "--dir", "d", "--encoding", "base64", "/w==", "AP8=");
        cli.run("delete", "--dir", "d", "a");
        Cli.Result watched = cli.run("watch", "--dir", "d");
        assertThat(watched.out().lines())
                .containsExactly(
                        "{\"version\":1,\"op\":\"put\",\"key\":\"a\",\"value\":\"1\",\"last\":true}",
                        "{\"version\":2,\"op\":\"put\",\"key\":\"/w==\",\"value\":\"AP8=\",\"encoding\":\"base64\","
                                + "\"last\":true}",
                        "{\"version\":3,\"op\":\"delete\",\"key\":\"a\",\"last\":true}");
        Cli other = new Cli().in(watched.out());
        assertThat(other.run("batch", "--dir", "d", "-").exitCode()).isZero();
        assertThat(other.engine.entries.keySet()).containsExactly(new byte[] {-1});
        assertThat(other.engine.get(new byte[] {-1})).isEqualTo(new byte[] {0, -1});
    }

    @Test
    void watchStartsAfterAVersionAndEndsAtALimit() {
        for (int i = 1; i <= 5; i++) {
            cli.run("put", "--dir", "d", "k" + i, "v");
        }
        assertThat(cli.run("watch", "--dir", "d", "--from", "1", "--limit", "2")
                        .out()
                        .lines())
                .satisfiesExactly(
                        line -> assertThat(line).contains("\"k2\""),
                        line -> assertThat(line).contains("\"k3\""));
        assertThat(cli.run("watch", "--dir", "d", "--from", "5").out()).isEmpty();
    }

    @Test
    void watchFollowsAndOpensOnlyWhenFilesHaveChanged() throws IOException {
        Path file = Files.createFile(temporary.resolve("data"));
        cli.run("put", "--dir", "d", "k1", "v");
        cli.accesses.clear();
        List<Long> pauses = new ArrayList<>();
        cli.pause = millis -> {
            pauses.add(millis);
            assertThat(pauses).as("looks at a store that was written").hasSizeLessThan(5);
            if (pauses.size() == 2) { // in the first pause nothing happens
                write(file);
            }
        };
        Cli.Result result =
                cli.run("watch", "--dir", temporary.toString(), "--follow", "--limit", "2", "--interval", "250ms");
        assertThat(result.exitCode()).isZero();
        assertThat(result.out().lines()).hasSize(2);
        assertThat(pauses).containsExactly(250L, 250L);
        assertThat(cli.accesses.stream().filter(access -> access == Access.READ))
                .hasSize(2);
    }

    private void write(Path file) {
        try {
            Files.write(file, new byte[1]);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        cli.run("put", "--dir", "d", "k2", "v");
    }

    @Test
    void watchFollowsAStoreThatIsLockedForAWhile() {
        cli.run("put", "--dir", "d", "k1", "v");
        boolean[] locked = {true};
        cli.stores = new Stores() {
            @Override
            public StorageEngine open(Path directory, BackendOptions backends, Access access) throws IOException {
                if (locked[0]) {
                    throw new EngineLockedException("locked");
                }
                return cli.engine;
            }

            @Override
            public StoreAtRest atRest(Path directory, BackendOptions backends) {
                throw new AssertionError();
            }
        };
        cli.pause = millis -> locked[0] = false;
        Cli.Result result = cli.run("watch", "--dir", temporary.toString(), "--follow", "--limit", "1");
        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).contains("\"k1\"");
        locked[0] = true;
        assertThat(cli.run("watch", "--dir", "d").exitCode()).isEqualTo(ExitCode.STORE_ERROR);
    }

    @Test
    void statIsOneJsonObject() throws IOException {
        cli.run("put", "--dir", "d", "k", "v");
        Cli.Result result = cli.run("stat", "--dir", "d", "--json");
        List<String> fields = new ArrayList<>();
        try (JsonParser parser = new JsonFactory().createParser(result.outBytes())) {
            assertThat(parser.nextToken()).isEqualTo(JsonToken.START_OBJECT);
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                fields.add(parser.currentName());
                JsonToken value = parser.nextToken();
                assertThat(value.isNumeric() || value.isBoolean()).isTrue();
            }
            assertThat(parser.nextToken()).isNull();
        }
        assertThat(fields)
                .contains(
                        "keys",
                        "files",
                        "diskBytes",
                        "liveBytes",
                        "deadBytes",
                        "indexBytes",
                        "spaceAmplification",
                        "openMillis",
                        "openedFromImage",
                        "savedImages",
                        "tornBytesCut");
        assertThat(result.out())
                .contains("\"keys\":1,", "\"diskBytes\":3000,", "\"spaceAmplification\":1.5", "\"tornBytesCut\":3,")
                .contains("\"openedFromImage\":true,", "\"savedImages\":2,")
                .endsWith("}\n");
    }

    @Test
    void statIsATableForPeople() {
        cli.run("put", "--dir", "d", "k", "v");
        assertThat(cli.run("stat", "--dir", "d").out())
                .containsPattern("keys +1\n")
                .containsPattern("disk +2.9 KiB  in 1 files\n")
                .containsPattern("  live +2.0 KiB  disk is 1.50 times as much\n")
                .containsPattern("  dead +1000 B  a merge gives it back\n")
                .containsPattern("opened in +7 ms  from an image of the index, 5 records replayed, 2 images saved")
                .containsPattern("torn tail +3 B  cut when the store was opened");
    }

    @Test
    void statOverTimeIsALineEachTime() {
        List<Long> pauses = new ArrayList<>();
        cli.pause = millis -> {
            pauses.add(millis);
            cli.run("put", "--dir", "d", "k" + pauses.size(), "v");
        };
        Cli.Result result = cli.run("stat", "--dir", "d", "--every", "2s", "--count", "3");
        assertThat(result.exitCode()).isZero();
        assertThat(pauses).containsExactly(2_000L, 2_000L);
        List<String> lines = result.out().lines().toList();
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0)).contains("time", "keys", "writes/s", "disk", "memory");
        assertThat(lines.get(1)).containsPattern("^0s +0 +- ");
        assertThat(lines.get(3)).containsPattern("^0s +2 +[0-9]");
        assertThat(cli.run("stat", "--dir", "d", "--every", "2s", "--count", "2", "--json")
                        .out()
                        .lines())
                .hasSize(2)
                .allMatch(line -> line.startsWith("{\"atMillis\":"))
                .last()
                .asString()
                .contains("\"writesPerSecond\":");
        assertThat(cli.run("stat", "--dir", "d", "--count", "2").exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(cli.run("stat", "--dir", "d", "--every", "1s", "--count", "0")
                        .exitCode())
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void whatWasDoneIsToldAsJsonOnRequest() {
        assertThat(cli.run("verify", "--dir", "d", "--json").out())
                .isEqualTo("{\"records\":3,\"bytes\":300,\"damages\":0}\n");
        cli.verification = new VerifyReport(3, 300, List.of(new VerifyReport.Damage("a\u001b.data", 4096, "bad")));
        assertThat(cli.run("verify", "--dir", "d", "--json").out())
                .isEqualTo("{\"file\":\"a\\u001B.data\",\"offset\":4096,\"what\":\"bad\"}\n"
                        + "{\"records\":3,\"bytes\":300,\"damages\":1}\n");
        assertThat(cli.run("merge", "--dir", "d", "--json").out())
                .isEqualTo("{\"bytesBefore\":3000,\"bytesAfter\":3000}\n");
        assertThat(cli.run("backup", "--dir", "d", "--json", "t").out())
                .isEqualTo("{\"lastVersion\":7,\"files\":1,\"bytes\":100,\"filesBrought\":1,\"bytesBrought\":100,"
                        + "\"doubts\":0}\n");
        String target = temporary.resolve("new").toString();
        assertThat(cli.run("salvage", "--dir", "d", "--to", target, "--json").out())
                .isEqualTo("{\"records\":3,\"bytes\":300,\"losses\":0,\"bytesLost\":0}\n");
        assertThat(cli.in("{\"key\":\"a\",\"value\":\"1\"}\n")
                        .run("load", "--dir", "d", "--json", "-")
                        .out())
                .isEqualTo("{\"entries\":1}\n");
    }

    @Test
    void loadTellsHowManyItStored() {
        Cli.Result result = cli.in("{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"value\":\"1\"}\n")
                .run("load", "--dir", "d", "-");
        assertThat(result.err()).isEqualTo("loaded 2 entries\n");
        result = cli.in("{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"a\",\"value\":{\"b\":{}}}\n")
                .run("load", "--dir", "d", "-");
        assertThat(result.exitCode()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        assertThat(result.errLines()).hasSize(1).first().asString().endsWith("are stored: 1 entries");
    }

    /** Names of classes and options of the parser are nothing to whoever wrote the line. */
    @Test
    void aMalformedLineIsToldWithoutTheParsersOwnNames() {
        for (String line : List.of(
                "{\"key\":\"a\"",
                "{\"key\":{\"a\":1}}",
                "{\"key\":[[1]]}",
                "{x}",
                "{\"key\":\"a\",\"key\":\"b\"}",
                "nonsense")) {
            Cli.Result result = cli.in(line).run("load", "--dir", "d", "-");
            assertThat(result.exitCode()).as(line).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
            assertThat(result.err())
                    .as(line)
                    .doesNotContain("Stream", "Source:", "jackson", "REDACTED", "`")
                    .contains("line 1");
        }
    }

    @Test
    void verifyListsDamage() {
        assertThat(cli.run("verify", "--dir", "d").exitCode()).isZero();
        cli.verification =
                new VerifyReport(3, 300, List.of(new VerifyReport.Damage("000001.data", 4096, "bad checksum")));
        Cli.Result result = cli.run("verify", "--dir", "d");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.out()).contains("file=000001.data, offset=4096, bad checksum", "1 places are damaged");
        assertThat(cli.accesses).isEmpty();
    }

    @Test
    void salvageListsWhatIsLost() throws IOException {
        String target = temporary.resolve("new").toString();
        Cli.Result result = cli.run("salvage", "--dir", "d", "--to", target);
        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).isEqualTo("3 records in 300 bytes are saved; 0 places with 0 bytes are lost\n");
        cli.salvaged =
                new SalvageReport(3, 300, List.of(new SalvageReport.Loss("000001.data", 4096, 5000, "bad record")));
        result = cli.run("salvage", "--dir", "d", "--to", target);
        assertThat(result.exitCode()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        assertThat(result.out())
                .contains(
                        "lost: file=000001.data, from=4096, to=5000, bad record\n", "1 places with 904 bytes are lost");
        assertThat(cli.accesses).isEmpty();
        assertThat(cli.run("salvage", "--dir", "d").exitCode()).isEqualTo(ExitCode.USAGE);
        Files.writeString(temporary.resolve("file"), "mine");
        assertThat(cli.run("salvage", "--dir", "d", "--to", temporary.toString())
                        .exitCode())
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void mergeMerges() {
        assertThat(cli.run("merge", "--dir", "d").exitCode()).isZero();
        assertThat(cli.engine.merges).isEqualTo(1);
    }

    /** Somebody makes a store of the directory after it was found empty; the restore that fails removes nothing of it. */
    @Test
    void restoreThatFailsLeavesTheLockOfSomebodyElse() throws IOException {
        for (String[] theirs : new String[][] {{"LOCK", "OWNER"}, {"LOCK", "MANIFEST"}, {"OWNER"}, {"LOCK", "mine"}}) {
            Path target = Files.createTempDirectory(temporary, "target");
            cli.whileRestoring(directory -> {
                for (String name : theirs) {
                    Files.createFile(directory.resolve(name));
                }
                throw new EngineLockedException("directory is in use");
            });
            Cli.Result result = cli.run("restore", "--dir", target.toString(), "source");
            assertThat(result.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
            assertThat(target.toFile().list()).containsExactlyInAnyOrder(theirs);
        }
    }

    @Test
    void restoreThatFailsLeavesNothingBehind() throws IOException {
        Path target = temporary.resolve("missing");
        cli.whileRestoring(directory -> {
            Files.createDirectory(directory);
            Files.createFile(directory.resolve("LOCK"));
            throw new IOException("failed");
        });
        assertThat(cli.run("restore", "--dir", target.toString(), "source").exitCode())
                .isEqualTo(ExitCode.STORE_ERROR);
        assertThat(target).doesNotExist();
    }

    @Test
    void restoreRefusesADirectoryInUse() throws IOException {
        Files.createFile(temporary.resolve("mine"));
        Cli.Result result = cli.run("restore", "--dir", temporary.toString(), "source");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(cli.accesses).isEmpty();
    }

    @Test
    void progressShowsOnATerminalOnly() {
        assertThat(cli.run("merge", "--dir", "d").err()).isEmpty();
        cli.showsProgress = true;
        assertThat(cli.run("merge", "--dir", "d").err()).contains("merging ...", "merged: 3,000 bytes before");
    }

    private String scan(String... options) {
        List<String> arguments = new ArrayList<>(List.of("scan", "--dir", "d", "--keys-only"));
        arguments.addAll(List.of(options));
        String out = cli.run(arguments.toArray(new String[0])).out();
        return out.replaceAll("\\{\"key\":\"(.*)\"}\n", "$1 ").strip();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
