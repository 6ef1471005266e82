package dev.caskwright.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class MainTest {
    private final Cli cli = new Cli();

    static Set<String> commands() {
        return new Main(Shell.ofProcess()).commands().keySet();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasHelpWithExitCodes(String command) {
        Cli.Result result = cli.run(command, "--help");
        assertThat(result.exitCode()).isZero();
        assertThat(result.out())
                .startsWith("Usage: caskwright " + command + " ")
                .contains("Exit codes:", where(command));
        assertThat(result.err()).isEmpty();
    }

    /** Returns how a command is told what it works on. */
    private static String where(String command) {
        return switch (command) {
            case "bolt", "mvcc" -> "Commands:"; // which take a file
            case "convert", "import" -> "--from";
            case "inspect" -> "FILE";
            case "completion" -> "SHELL";
            default -> "--dir";
        };
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandIsInTheHelpOfTheProgram(String command) {
        assertThat(cli.run("--help").out()).contains("\n  " + command + " ").contains("Exit codes:");
    }

    @Test
    void versionNamesTheProgramAndTheJvm() {
        assertThat(cli.run("--version").out()).contains("caskwright ", "Java " + Runtime.version());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "frobnicate",
                "get",
                "get --dir d",
                "get key",
                "get --dir d key surplus",
                "get --dir d --frobnicate key",
                "get --dir d --durability maybe key",
                "get --dir d --encoding latin1 key",
                "get --dir d --encoding base64 !!!",
                "put --dir d key",
                "put --dir d key value --file -",
                "put --dir d key value --ttl 30",
                "put --dir d key value --ttl 0s",
                "put --dir d key value --ttl -5s",
                "put --dir d key value --ttl 99999999999d",
                "scan --dir d --limit x",
                "scan --dir d --limit -1",
                "scan --dir d --prefix a --from b",
                "watch --dir d --from -1",
                "load --dir d",
                "load --dir d /no/such/file",
                "load --dir d /",
            })
    void wrongUseIsOneLineAndExitCodeTwo(String line) {
        Cli.Result result = cli.run(line.isEmpty() ? new String[] {} : line.split(" "));
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.out()).isEmpty();
        assertThat(result.errLines()).hasSizeBetween(1, 2).first().asString().startsWith("caskwright: ");
        assertThat(cli.accesses).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "sacn,scan",
        "stats,stat",
        "verfy,verify",
        "restor,restore",
        "get --dri d k,--dir",
        "scan --dir d --prefx a,--prefix",
    })
    void aMistypedWordGetsASuggestion(String line, String meant) {
        Cli.Result result = cli.run(line.split(" "));
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("did you mean").contains("'" + meant + "'");
    }

    @Test
    void theBenchmarksSayWhoStartsThem() {
        assertThat(cli.run("bench", "--keys", "10").err()).contains("./caskwright bench");
        assertThat(cli.run("bench").exitCode()).isEqualTo(ExitCode.USAGE);
    }

    /** The reference must name every command, and no command that is not there. */
    @Test
    void theReferenceHasEveryCommand() throws IOException {
        String reference = Files.readString(Path.of("../docs/command-line.md"));
        String table = reference.substring(0, reference.indexOf("Commands on a store take"));
        for (String command : commands()) {
            assertThat(table).contains("`" + command + "`");
        }
        Matcher rows = Pattern.compile("(?m)^\\| (`[a-z]+`(?:, `[a-z]+`)*) \\|").matcher(table);
        while (rows.find()) {
            for (String name : rows.group(1).replace("`", "").split(", ")) {
                assertThat(commands()).contains(name);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ErrorCode.class)
    void everyErrorHasASectionThatSaysWhatToDo(ErrorCode code) throws IOException {
        assertThat(Files.readString(Path.of("../docs/operations.md"))).containsPattern("(?m)^### " + code + "(:|$)");
    }

    @Test
    void keysOfIllegalLengthAreRefusedBeforeTheStoreIsOpened() {
        for (String key : new String[] {"", "k".repeat(StorageEngine.MAX_KEY_LENGTH + 1)}) {
            for (Cli.Result result : new Cli.Result[] {
                cli.run("put", "--dir", "d", key, "v"),
                cli.run("get", "--dir", "d", key),
                cli.run("delete", "--dir", "d", key)
            }) {
                assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
                assertThat(result.err()).contains("it must have 1 to 65,535");
            }
        }
        assertThat(cli.accesses).isEmpty();
        assertThat(cli.run("put", "--dir", "d", "k".repeat(StorageEngine.MAX_KEY_LENGTH), "v")
                        .exitCode())
                .isZero();
    }

    @Test
    void anArgumentThatWasNotUtf8IsRefused() {
        Cli.Result result = cli.run("put", "--dir", "d", "caf\uFFFD", "v");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("--encoding base64");
        assertThat(cli.engine.entries).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"--engine,engine", "--index,key index", "--io,IO manager", "--startup-io,IO manager"})
    void anUnknownBackendIsNamedWithTheKnownOnes(String option, String kind) {
        cli.stores = new EngineStores();
        Cli.Result result = cli.run("get", "--dir", "/no/such", option, "nonesuch", "key");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.errLines()).hasSize(1);
        assertThat(result.err()).contains("unknown " + kind + ": name=nonesuch, known=");
    }

    @Test
    void anUnknownOptionOfTheEngineIsNamedWithTheKnownOnes() {
        cli.stores = new EngineStores();
        Cli.Result result = cli.run("get", "--dir", "/no/such", "--set", "nonesuch=1", "key");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err())
                .isEqualTo("caskwright: unknown option: engine=bitcask, option=nonesuch, known=auto-merge, codec,"
                        + " index, io, key, keys, max-file-bytes, recode-on-merge, startup-io\n");
    }

    @Test
    void whatTheEngineDoesNotOfferIsAMistakeOfTheUser() {
        Cli.Result result = cli.run("merge", "--dir", "d");
        assertThat(result.exitCode()).isZero();
        cli.engine.isMerging = false;
        result = cli.run("merge", "--dir", "d");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err())
                .isEqualTo("caskwright: the store does not hold this facet: facet=Merging, engine=MemoryEngine,"
                        + " offered by=bitcask, moss\n");
        assertThat(cli.engine.merges).isEqualTo(1);
    }

    @Test
    void aStoreErrorIsOneLineAndExitCodeThree() {
        failToOpen(new EngineLockedException("locked: owner=\n process 7"));
        Cli.Result result = cli.run("get", "--dir", "d", "key");
        assertThat(result.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(result.err()).isEqualTo("caskwright: locked: owner=; process 7\n");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void verboseShowsTheStackTrace() {
        failToOpen(new EngineLockedException("locked"));
        assertThat(cli.run("get", "--dir", "d", "key", "--verbose").err())
                .contains("EngineLockedException: locked", "\tat ");
        assertThat(cli.run("--verbose", "get", "--dir", "d", "key").err()).contains("\tat ");
    }

    @Test
    void messagesOfTheSystemAreMadeClear() {
        failToOpen(new NoSuchFileException("d"));
        assertThat(cli.run("stat", "--dir", "d").err()).isEqualTo("caskwright: no such file or directory: d\n");
        failToOpen(new AccessDeniedException("d"));
        assertThat(cli.run("stat", "--dir", "d").err()).isEqualTo("caskwright: permission denied: d\n");
        failToOpen(new IllegalStateException("odd"));
        assertThat(cli.run("stat", "--dir", "d").err()).isEqualTo("caskwright: IllegalStateException: odd\n");
    }

    @Test
    void errorsOfTheJvmAreStoreErrorsToo() {
        failToOpen(new OutOfMemoryError("Java heap space"));
        Cli.Result result = cli.run("stat", "--dir", "d");
        assertThat(result.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(result.errLines()).hasSize(1);
        assertThat(result.err()).contains("out of memory", "CASKWRIGHT_JAVA_OPTS");
    }

    @Test
    void anUnknownOutcomeIsTold() {
        failToOpen(new EngineException(ErrorCode.FAILED, Outcome.UNKNOWN, "force failed", null));
        assertThat(cli.run("put", "--dir", "d", "k", "v").err())
                .contains("it is not known whether the write is stored");
    }

    @Test
    void aClosedPipeEndsQuietly() throws IOException {
        for (int i = 0; i < 10_000; i++) {
            cli.engine.put(("key" + i).getBytes(), new byte[100]);
        }
        for (String command : new String[] {"dump", "scan", "watch", "stat"}) {
            Cli.Result result = runInto(new Failing("Broken pipe"), command, "--dir", "d");
            assertThat(result.exitCode()).isZero();
            assertThat(result.err()).isEmpty();
        }
    }

    @Test
    void outputThatCannotBeWrittenIsAnErrorToldOnce() throws IOException {
        cli.engine.put(new byte[1], new byte[100_000]); // more than is buffered, unlike what stat prints
        for (String command : new String[] {"stat", "dump"}) {
            Cli.Result result = runInto(new Failing("No space left on device"), command, "--dir", "d");
            assertThat(result.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
            assertThat(result.err())
                    .isEqualTo("caskwright: cannot write to standard output: No space left on device\n");
        }
    }

    @Test
    void readingCommandsOpenReadOnly() {
        for (String command : new String[] {"stat", "scan", "dump", "watch"}) {
            cli.run(command, "--dir", "d");
        }
        cli.run("get", "--dir", "d", "key");
        assertThat(cli.accesses).hasSize(5).containsOnly(Access.READ);
    }

    @Test
    void onlyCommandsThatStoreMakeAStore() {
        cli.run("put", "--dir", "d", "k", "v");
        cli.run("load", "--dir", "d", "-");
        cli.run("batch", "--dir", "d", "-");
        assertThat(cli.accesses).containsOnly(Access.CREATE).hasSize(3);
        cli.accesses.clear();
        cli.run("delete", "--dir", "d", "k");
        cli.run("merge", "--dir", "d");
        assertThat(cli.accesses).containsOnly(Access.WRITE).hasSize(2);
    }

    private void failToOpen(Throwable failure) {
        cli.stores = new Stores() {
            @Override
            public StorageEngine open(Path directory, BackendOptions backends, Access access) throws IOException {
                if (failure instanceof IOException e) {
                    throw e;
                }
                if (failure instanceof Error e) {
                    throw e;
                }
                throw (RuntimeException) failure;
            }

            @Override
            public StoreAtRest atRest(Path directory, BackendOptions backends) {
                throw new AssertionError();
            }
        };
    }

    private Cli.Result runInto(OutputStream broken, String... arguments) {
        OutputStream out = new java.io.BufferedOutputStream(new StandardOutput(broken));
        return cli.run(out, new ByteArrayOutputStream(), arguments);
    }

    private static final class Failing extends OutputStream {
        private final String message;

        Failing(String message) {
            this.message = message;
        }

        @Override
        public void write(int b) throws IOException {
            throw new IOException(message);
        }
    }
}
