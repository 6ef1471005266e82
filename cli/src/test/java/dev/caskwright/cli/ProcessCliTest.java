package dev.caskwright.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.owner.AskedStore;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What needs a process of its own: signals, and shells that read what is printed for them. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ProcessCliTest {
    private static final int SIGINT = 2;

    @TempDir
    private Path temporary;

    private Process start(String... arguments) throws IOException {
        return startWith("-Xmx128m", arguments);
    }

    private Process startWith(String flag, String... arguments) throws IOException {
        return builder(flag, arguments)
                .redirectError(temporary.resolve("err").toFile())
                .start();
    }

    private static ProcessBuilder builder(String flag, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                flag,
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    private static void interrupt(Process process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** A shell has what it starts in the background ignore SIGINT, and so does all that this starts. */
    private static boolean ignoresInterrupts(Process process) throws IOException {
        Path status = Path.of("/proc", Long.toString(process.pid()), "status");
        if (!Files.exists(status)) {
            return false; // not on Linux: the test finds out
        }
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("SigIgn:")) {
                return (Long.parseUnsignedLong(line.substring(7).trim(), 16) >> SIGINT - 1 & 1) != 0;
            }
        }
        return false;
    }

    /** The load has what it was given, and waits for more: others see it come, and the count is told when it is interrupted. */
    @Test
    void anInterruptedLoadTellsHowManyEntriesAreStored() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/kill")) || Files.isExecutable(Path.of("/usr/bin/kill")), "no kill");
        Path directory = temporary.resolve("store");
        Process load = start("load", "--dir", directory.toString(), "-");
        try (OutputStream in = load.getOutputStream()) {
            for (int i = 0; i < 500; i++) {
                in.write(("{\"key\":\"key" + i + "\",\"value\":\"v\"}\n").getBytes(UTF_8));
            }
            in.flush();
            while (loaded(directory) < 500) {
                assertThat(load.isAlive())
                        .as(Files.readString(temporary.resolve("err")))
                        .isTrue();
            }
            if (ignoresInterrupts(load)) {
                load.destroyForcibly().waitFor();
                abort("SKIPPED: SIGINT is ignored here, as by all that a shell starts in the background");
            }
            interrupt(load);
            assertThat(load.waitFor()).isEqualTo(130);
        }
        assertThat(Files.readString(temporary.resolve("err"))).contains("interrupted", "500 entries were loaded");
        Cli cli = new Cli();
        cli.stores = new EngineStores();
        assertThat(cli.run("stat", "--dir", directory.toString(), "--json").out())
                .contains("\"keys\":500,");
    }

    /** A dump that nobody reads would keep the lock for ever: the program that owns the store starts, and the dump ends. */
    @Test
    void aLookGivesWayToAProgramThatStarts() throws Exception {
        Path directory = temporary.resolve("store");
        try (BitcaskEngine store = BitcaskEngine.open(directory)) {
            for (int i = 0; i < 100; i++) {
                store.put(("key" + i).getBytes(UTF_8), new byte[10_000]);
            }
        }
        Process dump = start("dump", "--dir", directory.toString());
        try {
            assertThat(dump.getInputStream().read()).isEqualTo('{'); // it has the lock, and waits for us to read on
            try (BitcaskEngine store = BitcaskEngine.open(directory)) {
                assertThat(store.size()).isEqualTo(100);
            }
            assertThat(dump.waitFor()).isEqualTo(ExitCode.STORE_ERROR);
            assertThat(Files.readString(temporary.resolve("err")))
                    .contains("a program is opening the store for writing");
        } finally {
            dump.destroyForcibly().waitFor();
        }
    }

    /** With standard error in the same pipe, as {@code 2>&1 | less} has it: what is said at the end waits for the reader, too. */
    @Test
    void aLookGivesWayAlsoIfNobodyReadsWhatItSays() throws Exception {
        Path directory = temporary.resolve("store");
        try (BitcaskEngine store = BitcaskEngine.open(directory)) {
            for (int i = 0; i < 100; i++) {
                store.put(("key" + i).getBytes(UTF_8), new byte[10_000]);
            }
        }
        Process dump = builder("-Xmx128m", "dump", "--dir", directory.toString())
                .redirectErrorStream(true)
                .start();
        try {
            assertThat(dump.getInputStream().read()).isEqualTo('{');
            BitcaskEngine.open(directory).close();
            assertThat(dump.waitFor()).isEqualTo(ExitCode.STORE_ERROR);
        } finally {
            dump.destroyForcibly().waitFor();
        }
    }

    @Test
    void aLibraryThatCannotUnpackItsNativeCodeIsToldInOneLine() throws Exception {
        Path noDirectory = Files.createFile(temporary.resolve("file"));
        for (String codec : List.of("snappy", "zstd")) {
            Process put = startWith(
                    "-Djava.io.tmpdir=" + noDirectory,
                    "put",
                    "--dir",
                    temporary.resolve("store").toString(),
                    "--codec",
                    codec,
                    "key",
                    "v".repeat(100));
            assertThat(put.waitFor()).as(codec).isEqualTo(ExitCode.STORE_ERROR);
            assertThat(Files.readString(temporary.resolve("err")).lines())
                    .filteredOn(line -> line.startsWith("caskwright: "))
                    .singleElement()
                    .asString()
                    .contains("a codec cannot run here", "codec=" + codec);
        }
    }

    private static long loaded(Path directory) throws IOException {
        Optional<AskedStore> store = Files.isDirectory(directory) ? AskedStore.of(directory) : Optional.empty();
        return store.isEmpty() ? 0 : store.get().size();
    }

    @Test
    void bashCompletesCommandsAndOptions() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "BASH IS NOT TRIED: there is none");
        Path script = temporary.resolve("completion");
        Files.write(script, new Cli().run("completion", "bash").outBytes());
        assertThat(complete(script, "caskwright", "insp")).contains("inspect");
        assertThat(complete(script, "caskwright", "scan", "--pre")).contains("--prefix");
        assertThat(new Cli().run("completion", "zsh").out()).contains("bashcompinit");
        assertThat(new Cli().run("completion", "fish").exitCode()).isEqualTo(ExitCode.USAGE);
    }

    private static String complete(Path script, String... words) throws Exception {
        String line = "source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1));"
                + " COMP_LINE=\"$*\"; COMP_POINT=${#COMP_LINE};"
                + " \"$(complete -p caskwright | sed 's/.*-F \\([^ ]*\\).*/\\1/')\" caskwright; echo \"${COMPREPLY[@]}\"";
        List<String> command = new ArrayList<>(List.of("/bin/bash", "-c", line, script.toString()));
        command.addAll(List.of(words));
        Process bash = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(bash.getInputStream().readAllBytes(), UTF_8);
        assertThat(bash.waitFor()).as(out).isZero();
        return out;
    }
}
