package dev.caskwright.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.cli.Cli.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Directories that are mounted a second time, whole, in part, and with what is around them: no command that copies takes a
 * place for another one because of its name. Needs to be root.
 */
@EnabledOnOs(OS.LINUX)
final class MountedTwiceTest {
    @TempDir
    private Path temporary;

    private final Deque<Path> mounted = new ArrayDeque<>();
    private final Cli cli = new Cli();
    private Path store = Path.of("");

    @BeforeEach
    void makeAStore() {
        cli.stores = new EngineStores();
        store = at("outer/store");
        assertThat(cli.run("put", "--dir", store.toString(), "key", "value").exitCode())
                .isZero();
    }

    @AfterEach
    void unmount() throws Exception {
        while (!mounted.isEmpty()) {
            assertThat(run("umount", mounted.pop().toString())).isTrue();
        }
    }

    private Path at(String name) {
        return temporary.resolve(name);
    }

    private static boolean run(String... command) throws Exception {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(1, TimeUnit.MINUTES) && process.exitValue() == 0;
        } catch (IOException e) {
            return false; // no such tool
        }
    }

    /** Shows a directory under a second name. */
    private Path again(Path directory, String name) throws Exception {
        Files.createDirectories(directory);
        Path point = Files.createDirectories(at(name));
        assumeTrue(
                run("mount", "--bind", directory.toString(), point.toString()),
                "NOT PROVED: MountedTwiceTest skipped, as mount --bind is not allowed here");
        mounted.push(point);
        return point;
    }

    private static Map<String, String> bytesIn(Path directory) throws IOException {
        Map<String, String> found = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path each : files.filter(file -> !file.endsWith("OWNER")).toList()) {
                found.put(
                        each.toString(),
                        Files.isRegularFile(each) ? Files.readString(each, StandardCharsets.ISO_8859_1) : "");
            }
        }
        return found;
    }

    private void assertRefused(String... command) throws IOException {
        Map<String, String> before = bytesIn(at("outer"));
        Result result = cli.run(command);
        assertThat(result.exitCode())
                .as("%s: %s", List.of(command), result.err())
                .isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("must not be the same, nor one of them lie in the other");
        assertThat(bytesIn(at("outer"))).as("%s", List.of(command)).isEqualTo(before);
    }

    @Test
    void aPartOfASourceIsNoTarget() throws Exception {
        Path same = again(store, "the same");
        Path part = again(store.resolve("part"), "a part");
        Path other = again(store.resolve("other part"), "another part");
        Path deeper = again(other.resolve("deep"), "deeper"); // of what is mounted itself
        for (Path source : List.of(store, same)) {
            for (Path target : List.of(part, part.resolve("x/y"), deeper, deeper.resolve("x"))) {
                String from = source.toString();
                String to = target.toString();
                assertRefused("backup", "--dir", from, to);
                assertRefused("checkpoint", "--dir", from, to);
                assertRefused("restore", from, "--dir", to);
                assertRefused("salvage", "--dir", from, "--to", to);
                assertRefused("convert", "--from", from, "--to", to);
                assertRefused("import", "--from", "riak-bitcask", from, "--to", to);
            }
        }
    }

    /** The source is a directory in the target, and under its second name it is in none. */
    @Test
    void whatIsAroundASourceIsNoTarget() throws Exception {
        Path same = again(store, "the same");
        Path around = again(at("outer"), "around");
        for (Path target : List.of(at("outer"), around, around.resolve("store"), store, same, same.resolve("x"))) {
            assertRefused("backup", "--dir", same.toString(), target.toString());
            assertRefused("checkpoint", "--dir", same.toString(), target.toString());
        }
        for (Path target : List.of(same.resolve("x"), around.resolve("store/x"))) {
            assertRefused("restore", same.toString(), "--dir", target.toString());
            assertRefused("convert", "--from", same.toString(), "--to", target.toString());
        }
    }

    @Test
    void aPlaceBesideASourceIsATarget() throws Exception {
        Path around = again(at("outer"), "around");
        Path beside = again(at("outer/beside"), "beside it");
        assertThat(cli.run("backup", "--dir", store.toString(), beside.toString())
                        .exitCode())
                .isZero();
        assertThat(cli.run(
                                "restore",
                                beside.toString(),
                                "--dir",
                                around.resolve("restored").toString())
                        .exitCode())
                .isZero();
        assertThat(cli.run("get", "--dir", at("outer/restored").toString(), "key")
                        .out())
                .isEqualTo("value");
    }
}
