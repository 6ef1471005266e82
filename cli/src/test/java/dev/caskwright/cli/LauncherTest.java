package dev.caskwright.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the script {@code caskwright} itself, in a checkout of its own with a build and a JVM that are scripts: whatever its
 * surroundings are, it works, or says what is wrong and ends.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class LauncherTest {
    private static final Path SCRIPT = Path.of("../caskwright").toAbsolutePath().normalize();
    private static final String NOBODY = "65534";

    /** Counts builds, reads what input it is given, and makes the jar. */
    private static final String MVNW = """
            #!/bin/sh
            : "${HOME:?}"
            echo x >>builds
            cat >swallowed
            [ ! -e failing ] || { echo "planted failure" >&2; exit 1; }
            mkdir -p cli/target/lib
            : >cli/target/caskwright-cli.jar
            """;

    /** Prints its locale and its arguments, one a line, and then its input. */
    private static final String JAVA = """
            #!/bin/sh
            if [ "$1" = -version ]; then
                echo 'Picked up JAVA_TOOL_OPTIONS: -Dx=" version "9"' | sed 's/ version "9"//' >&2
                echo 'openjdk version "17.0.1" 2021-10-19' >&2
                exit
            fi
            echo "LC_ALL=$LC_ALL"
            printf '%s\\n' "$@"
            cat
            """;

    @TempDir
    private Path temporary;

    private Path root;
    private Path jdk;

    /** What a run left behind. */
    private record Result(int exitCode, String out, String err) {}

    @BeforeEach
    void makeACheckout() throws IOException {
        assumeTrue(isThere("sh"), "LauncherTest skipped: there is no sh to run the launcher with");
        open(temporary);
        jdk = temporary.resolve("a jdk");
        write(jdk.resolve("bin/java"), JAVA);
        Files.writeString(jdk.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.1\"\n");
        root = checkout("a check[out]");
    }

    private Path checkout(String name) throws IOException {
        Path made = temporary.resolve(name);
        Files.createDirectories(made.resolve("cli/src/main/java"));
        Files.writeString(made.resolve("pom.xml"), "");
        Files.writeString(made.resolve("cli/pom.xml"), "");
        write(made.resolve("mvnw"), MVNW);
        write(made.resolve("caskwright"), Files.readString(SCRIPT));
        for (Path each : List.of(made, made.resolve("cli"))) {
            open(each);
        }
        return made;
    }

    private static void open(Path directory) throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    private static void write(Path script, String text) throws IOException {
        Files.createDirectories(script.getParent());
        Files.writeString(script, text);
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static boolean isThere(String program) {
        return Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(place -> Files.isExecutable(Path.of(place, program)));
    }

    private ProcessBuilder process(Path directory, Map<String, String> environment, String... command) {
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("JAVA") || name.startsWith("CASK"));
        builder.environment().put("JAVA_HOME", jdk.toString());
        builder.environment().putAll(environment);
        builder.environment().values().removeIf(String::isEmpty);
        return builder;
    }

    private Result run(ProcessBuilder builder, String input) throws IOException, InterruptedException {
        Path out = Files.createTempFile(temporary, "out", "");
        Path err = Files.createTempFile(temporary, "err", "");
        Process process =
                builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        try (OutputStream in = process.getOutputStream()) {
            in.write(input.getBytes(UTF_8));
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("pipe"); // ended without reading it all
        }
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
            throw new AssertionError("does not end: " + Files.readString(err));
        }
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private Result run(Path directory, String... command) throws IOException, InterruptedException {
        return run(process(directory, Map.of(), command), "");
    }

    private Result run() throws IOException, InterruptedException {
        return run(temporary, "sh", root + "/caskwright", "argument");
    }

    private long builds() throws IOException {
        Path counted = root.resolve("builds");
        return Files.exists(counted) ? Files.size(counted) / 2 : 0;
    }

    private void assertWorks(Result result) {
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out()).endsWith("dev.caskwright.cli.Main\nargument\n");
    }

    private static void assertRefused(Result result, String... words) {
        assertThat(result.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(result.err()).startsWith("caskwright: ").contains(words);
        assertThat(result.out()).isEmpty();
    }

    private Path lock() throws IOException {
        return Files.createDirectories(root.resolve("cli/target")).resolve(".launcher-lock");
    }

    // ---------------------------------------------------------------- where it is started from

    @Test
    void tooFewDescriptorsAreToldAndNoStackTrace() throws Exception {
        String launcher = "'" + root + "/caskwright' argument";
        assertThat(run(temporary, "sh", "-c", "ulimit -S -n 20 && sh " + launcher)
                        .exitCode())
                .isZero();
        Result result = run(temporary, "sh", "-c", "ulimit -n 20 && sh " + launcher);
        assertThat(result.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(result.err()).contains("too few file descriptors").hasLineCount(1);
    }

    @Test
    void whatATerminalObeysIsNotPrintedRaw() throws Exception {
        String hostile = "\u001b[2J\u009b31m\u202e\u2066\u007f\nÀé";
        Result result = run(
                process(temporary, Map.of("JAVA_HOME", "/none" + hostile), "sh", root + "/caskwright", "argument"), "");
        assertThat(result.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(result.err()).endsWith("JAVA_HOME=/none?[2J?31m????Àé\n").hasLineCount(1);
    }

    @Test
    void itBuildsOnceAndThenOnlyWhatIsNewer() throws Exception {
        assertWorks(run());
        assertWorks(run());
        assertThat(builds()).isEqualTo(1);
        Files.delete(root.resolve("cli/target/caskwright-cli.jar"));
        assertWorks(run());
        assertThat(builds()).isEqualTo(2);
    }

    @Test
    void aRelativeLinkThatShStarts() throws Exception {
        Files.createSymbolicLink(root.resolve("link"), Path.of("caskwright"));
        Path elsewhere = Files.createDirectory(temporary.resolve("elsewhere"));
        Files.createSymbolicLink(elsewhere.resolve("second"), Path.of("../" + root.getFileName() + "/link"));
        Files.createSymbolicLink(elsewhere.resolve("first"), Path.of("second"));
        assertWorks(run(root, "sh", "caskwright", "argument"));
        assertWorks(run(root, "sh", "link", "argument"));
        assertWorks(run(root, "./link", "argument"));
        assertWorks(run(elsewhere, "sh", "first", "argument"));
        assertWorks(run(elsewhere, "./second", "argument"));
        Map<String, String> path = Map.of("PATH", root + ":" + System.getenv("PATH"));
        assertWorks(run(process(elsewhere, path, "sh", "-c", "caskwright argument"), ""));
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void cdpathLeadsNowhereElse() throws Exception {
        Path decoy = Files.createDirectories(temporary.resolve("decoy"));
        Files.createDirectory(decoy.resolve(root.getFileName()));
        String path = decoy + ":" + temporary;
        assertWorks(run(
                process(temporary, Map.of("CDPATH", path), "sh", root.getFileName() + "/caskwright", "argument"), ""));
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void aColonInThePathIsNamed() throws Exception {
        root = checkout("with:colon");
        assertRefused(run(), "colon", root.toString());
        Path around = Files.createSymbolicLink(temporary.resolve("around"), root);
        assertWorks(run(temporary, "sh", around + "/caskwright", "argument"));
    }

    // ---------------------------------------------------------------- the lock of the build

    @Test
    void theLockOfAProcessThatIsGone() throws Exception {
        Process gone = new ProcessBuilder("sh", "-c", "exit").start();
        gone.waitFor();
        Files.createSymbolicLink(lock(), Path.of(Long.toString(gone.pid())));
        assertWorks(run());
        assertThat(lock()).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "directory", "link", "-1", "host.1234"})
    void somethingElseInPlaceOfTheLock(String kind) throws Exception {
        switch (kind) {
            case "file" -> Files.writeString(lock(), "mine");
            case "directory" -> Files.createDirectory(lock());
            case "link" -> Files.createSymbolicLink(lock(), temporary);
            default -> Files.createSymbolicLink(lock(), Path.of(kind));
        }
        assertRefused(run(), "in the way", lock().toString());
        assertThat(Files.exists(lock(), LinkOption.NOFOLLOW_LINKS)).isTrue();
        assertThat(builds()).isZero();
    }

    /** Process 1 is everybody's: whoever is not root may not signal it. */
    @Test
    void aBuilderThatIsAliveIsWaitedForWithAWord() throws Exception {
        Path link = Files.createSymbolicLink(lock(), Path.of("1"));
        ProcessBuilder builder = process(temporary, Map.of(), "sh", root + "/caskwright", "argument");
        assertWaitsFor(1, link, builder);
    }

    /** The builder may not be signalled, and is alive all the same. */
    @Test
    void anotherUsersBuilderIsWaitedForWithAWord() throws Exception {
        long other = "root".equals(System.getProperty("user.name"))
                ? ProcessHandle.current().pid()
                : 1;
        Path link = Files.createSymbolicLink(lock(), Path.of(Long.toString(other)));
        open(link.getParent());
        assertWaitsFor(other, link, process(temporary, Map.of(), withoutPermission()));
    }

    /** Starts a launcher that waits for a builder with a word, and builds by itself once the lock has gone. */
    private void assertWaitsFor(long pid, Path link, ProcessBuilder launcher) throws Exception {
        Process process = launcher.redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .start();
        try (BufferedReader err = process.errorReader(UTF_8)) {
            assertThat(err.readLine())
                    .startsWith("caskwright: waiting for process " + pid + ",")
                    .contains(link.toString());
            assertThat(builds()).isZero();
            Files.delete(link);
            assertThat(err.readLine()).startsWith("caskwright: building cli");
            assertThat(process.waitFor()).isZero();
        } finally {
            process.destroyForcibly();
        }
        assertThat(builds()).isEqualTo(1);
    }

    /** In a directory where each may remove only what is their own. */
    @Test
    void theLockOfAnotherUserWhoIsGoneIsNamed() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "skipped: only root can make another user's lock");
        Process gone = new ProcessBuilder("sh", "-c", "exit").start();
        gone.waitFor();
        Files.createSymbolicLink(lock(), Path.of(Long.toString(gone.pid())));
        Result made = run(temporary, "chmod", "1777", lock().getParent().toString());
        assertThat(made.exitCode()).isZero();
        assertRefused(runWithoutPermission(), "is gone, and its lock cannot be removed", lock().toString());
        assertThat(builds()).isZero();
    }

    @Test
    void nobodyIsWaitedForForEver() throws Exception {
        String script = Files.readString(SCRIPT).replace("MAX_WAIT_SECONDS=900", "MAX_WAIT_SECONDS=1");
        assertThat(script).isNotEqualTo(Files.readString(SCRIPT));
        write(root.resolve("caskwright"), script);
        Files.createSymbolicLink(lock(), Path.of("1"));
        assertRefused(run(), "has been building for 1 s", lock().toString());
    }

    /** Others make the lock again and again as it is broken: each time there is one, and its process is gone. */
    @Test
    void manyWhoMeetTheLockOfAProcessThatIsGoneBuildOnce() throws Exception {
        Process gone = new ProcessBuilder("sh", "-c", "exit").start();
        gone.waitFor();
        Files.createSymbolicLink(lock(), Path.of(Long.toString(gone.pid())));
        String all = "for i in 1 2 3 4 5 6; do sh '" + root + "/caskwright' argument </dev/null & done; wait";
        Result result = run(temporary, "sh", "-c", all);
        assertThat(result.out().lines().filter("argument"::equals))
                .as(result.err())
                .hasSize(6);
        assertThat(builds()).isEqualTo(1);
        assertThat(lock()).doesNotExist();
    }

    @Test
    void aBuildThatDidNotEndIsDoneAgain() throws Exception {
        assertWorks(run());
        Files.writeString(root.resolve("cli/target/.launcher-stamp.new"), "");
        assertWorks(run());
        assertThat(builds()).isEqualTo(2);
        Files.writeString(root.resolve("failing"), "");
        Files.delete(root.resolve("cli/target/caskwright-cli.jar"));
        Result failed = run();
        assertThat(failed.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(failed.err()).contains("planted failure", "caskwright: the build failed");
        assertThat(lock()).doesNotExist();
    }

    // ---------------------------------------------------------------- permissions

    private Result runWithoutPermission() throws Exception {
        return run(temporary, withoutPermission());
    }

    private String[] withoutPermission() {
        boolean isRoot = "root".equals(System.getProperty("user.name"));
        assumeTrue(!isRoot || isThere("setpriv"), "skipped: root has every permission, and there is no setpriv");
        return isRoot
                ? new String[] {"setpriv", "--reuid=" + NOBODY, "--clear-groups", "sh", root + "/caskwright", "argument"
                }
                : new String[] {"sh", root + "/caskwright", "argument"};
    }

    private static void close(Path directory) throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("r-xr-xr-x"));
    }

    @Test
    void whoMayNotWriteUsesWhatIsBuilt() throws Exception {
        assertWorks(run());
        close(root.resolve("cli/target"));
        try {
            Result result = runWithoutPermission();
            assertWorks(result);
            assertThat(result.err()).isEmpty();
            Files.writeString(root.resolve("cli/pom.xml"), "newer");
            Files.setLastModifiedTime(
                    root.resolve("cli/target/.launcher-stamp"), java.nio.file.attribute.FileTime.fromMillis(0));
            result = runWithoutPermission();
            assertWorks(result);
            assertThat(result.err())
                    .startsWith("caskwright: older than its sources")
                    .hasLineCount(1);
            assertThat(builds()).isEqualTo(1);
        } finally {
            open(root.resolve("cli/target"));
        }
    }

    @Test
    void whoMayNotWriteIsToldThatNothingIsBuilt() throws Exception {
        close(root.resolve("cli"));
        try {
            assertRefused(runWithoutPermission(), "not built yet", "cli/target");
        } finally {
            open(root.resolve("cli"));
        }
    }

    /** What a build left that did not end is not used. */
    @Test
    void whoMayNotWriteIsToldThatABuildDidNotEnd() throws Exception {
        assertWorks(run());
        Files.writeString(root.resolve("cli/target/.launcher-stamp.new"), "");
        close(root.resolve("cli/target"));
        try {
            assertRefused(runWithoutPermission(), "not built yet", "cli/target");
        } finally {
            open(root.resolve("cli/target"));
        }
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void somethingElseInPlaceOfTheDirectory() throws Exception {
        Files.writeString(root.resolve("cli/target"), "mine");
        assertRefused(run(), "not built yet", "cli/target");
    }

    // ---------------------------------------------------------------- the JVM and the environment

    @Test
    void aJavaThatCannotDo() throws Exception {
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"11.0.2\"\n");
        assertRefused(run(), "Java 17 or newer is needed, found 11");
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"1.8.0_392\"\n");
        assertRefused(run(), "found 8:");
        Files.delete(jdk.resolve("release"));
        assertWorks(run()); // as it answers itself
        write(jdk.resolve("bin/java"), "#!/bin/sh\nexit 1\n");
        assertRefused(run(), "an unknown version");
        Files.delete(jdk.resolve("bin/java"));
        assertRefused(run(), "JAVA_HOME does not lead to a JDK");
        Files.createDirectory(jdk.resolve("bin/java"));
        assertRefused(run(), "JAVA_HOME does not lead to a JDK");
    }

    @Test
    void whatAJavaHomeHoldsIsNotObeyedByATerminal() throws Exception {
        Result result =
                run(process(temporary, Map.of("JAVA_HOME", "/none\u001b[2J\\033[2J"), "sh", root + "/caskwright"), "");
        assertRefused(result, "\\033[2J");
        assertThat(result.err()).doesNotContain("\u001b");
    }

    @Test
    void anEnvironmentThatIsPoor() throws Exception {
        Map<String, String> poor = Map.of("HOME", "", "LANG", "C", "LC_ALL", "", "CASKWRIGHT_JAVA_OPTS", "-Da=* -Db=2");
        Result result = run(process(root, poor, "sh", "caskwright", "argument"), "");
        assertWorks(result);
        assertThat(result.out()).startsWith("LC_ALL=C.UTF-8\n").contains("\n-Da=*\n-Db=2\n");
    }

    @Test
    void theBuildDoesNotReadTheInputOfTheCommand() throws Exception {
        Result result = run(process(temporary, Map.of(), "sh", root + "/caskwright", "argument"), "line 1\nline 2\n");
        assertThat(result.out()).endsWith("argument\nline 1\nline 2\n");
        assertThat(root.resolve("swallowed")).isEmptyFile();
    }

    // ---------------------------------------------------------------- with a real JVM

    /** Puts the program and its libraries where the launcher looks for them. */
    private void useTheProgram() throws IOException {
        jdk = Path.of(System.getProperty("java.home"));
        Path target = Files.createDirectories(root.resolve("cli/target/lib")).getParent();
        Path own = Path.of(URI_OF_PROGRAM);
        jar(own, target.resolve("caskwright-cli.jar"));
        int number = 0;
        for (String entry : System.getProperty("java.class.path").split(":")) {
            Path path = Path.of(entry);
            Path place = target.resolve("lib/" + number++ + ".jar");
            if (Files.isDirectory(path) && !path.equals(own)) {
                jar(path, place);
            } else if (Files.isRegularFile(path)) {
                Files.createSymbolicLink(place, path);
            }
        }
    }

    private static final java.net.URI URI_OF_PROGRAM = place();

    private static java.net.URI place() {
        try {
            return Main.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI();
        } catch (java.net.URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private static void jar(Path directory, Path jar) throws IOException {
        if (Files.isRegularFile(directory)) {
            Files.copy(directory, jar);
            return;
        }
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(new JarEntry(directory.relativize(file).toString()));
                Files.copy(file, out);
            }
        }
    }

    private Result shell(String shell, String line, String input) throws Exception {
        List<String> command = new ArrayList<>(List.of(shell, "-c", line));
        return run(process(root, Map.of("JAVA_TOOL_OPTIONS", "", "LANG", "C"), command.toArray(new String[0])), input);
    }

    @Test
    void inputComesFromPipesAndOutputGoesNowhereElse() throws Exception {
        useTheProgram();
        String line = "{\"key\":\"ключ\",\"value\":\"é\u0000\"}\n".replace("\u0000", "\\u0000");
        assertThat(shell("sh", "./caskwright load --dir store /dev/stdin", line).exitCode())
                .isZero();
        assertThat(shell("sh", "./caskwright get --dir store ключ", "").out()).isEqualTo("é\u0000");
        if (isThere("bash")) {
            String substituted = "./caskwright load --dir store <(printf '%s\\n' '{\"key\":\"b\",\"value\":\"2\"}')";
            Result loaded = shell("bash", substituted, "");
            assertThat(loaded.exitCode()).as(loaded.err()).isZero();
            assertThat(shell("bash", "./caskwright put --dir store c --file <(printf 3)", "")
                            .exitCode())
                    .isZero();
            assertThat(shell("sh", "./caskwright get --dir store b; ./caskwright get --dir store c", "")
                            .out())
                    .isEqualTo("23");
        }
    }

    @Test
    void closedStreamsAreNotTakenForFilesOfTheStore() throws Exception {
        useTheProgram();
        assertThat(shell("sh", "./caskwright put --dir store k v 0<&- 1>&- 2>&-", "")
                        .exitCode())
                .isZero();
        Result noOutput = shell("sh", "./caskwright get --dir store k 1>&-", "");
        assertThat(noOutput.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(noOutput.err())
                .startsWith("caskwright: cannot write to standard output")
                .hasLineCount(1);
        Result nowhere = shell("sh", "./caskwright get --dir store none 0<&- 1>&- 2>&-", "");
        assertThat(nowhere.exitCode()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        Result noInput = shell("sh", "./caskwright load --dir store - 0<&-", "");
        assertThat(noInput.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(noInput.err()).startsWith("caskwright: ").hasLineCount(1);
        Result sound = shell("sh", "./caskwright verify --dir store && ./caskwright get --dir store k", "");
        assertThat(sound.exitCode()).isZero();
        assertThat(sound.out()).endsWith("\nv");
    }
}
