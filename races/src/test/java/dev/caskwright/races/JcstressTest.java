package dev.caskwright.races;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openjdk.jcstress.Main;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.collectors.DiskReadCollector;
import org.openjdk.jcstress.infra.collectors.InProcessCollector;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.runners.TestList;

/**
 * Runs all jcstress tests of this module in JVMs of their own, and judges what they have seen. In a build, each for a tenth
 * of a second; in the campaign in jcstress's mode {@code -Dcaskwright.jcstress.mode}, with all compilers and orders that
 * the JVM has to offer. What jcstress writes is in {@code target/jcstress}.
 *
 * <p>Each test needs two processors that are its own for the moment, and shows nothing on less: skipped there.
 */
final class JcstressTest {
    private static final String RESULTS = "jcstress-results-*.bin.gz";

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void noTestSeesWhatIsForbidden() throws Exception {
        judge(run(
                "build",
                List.of(
                        "-f",
                        "1",
                        "-fsm",
                        "1",
                        "-iters",
                        "1",
                        "-time",
                        "100",
                        "-sc",
                        "false",
                        "-jvmArgs",
                        "-Xmx512m")));
    }

    @Test
    @Tag("campaign")
    void noTestSeesWhatIsForbiddenForLong() throws Exception {
        judge(run("campaign", List.of("-m", System.getProperty("caskwright.jcstress.mode", "quick"))));
    }

    /** Returns the directory of the results. */
    private static Path run(String name, List<String> options) throws IOException, InterruptedException {
        int processors = Runtime.getRuntime().availableProcessors();
        assumeThat(processors).as("processors").isGreaterThanOrEqualTo(2);
        Path directory = Files.createDirectories(Path.of("target", "jcstress", name));
        for (Path old : results(directory)) {
            Files.delete(old);
        }
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "-r",
                "report"));
        command.addAll(options);
        Path output = directory.resolve("output.txt");
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            // Its exit code says less than its results, which are judged below.
            process.waitFor();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        return directory;
    }

    private static void judge(Path directory) throws IOException, ClassNotFoundException {
        assertThat(results(directory))
                .as("see %s", directory.resolve("output.txt"))
                .hasSize(1);
        InProcessCollector collector = new InProcessCollector();
        DiskReadCollector reader =
                new DiskReadCollector(results(directory).get(0).toString(), collector);
        try {
            reader.dump();
        } finally {
            reader.close();
        }
        Set<String> seen = new TreeSet<>();
        long samples = 0;
        List<String> wrong = new ArrayList<>();
        for (TestResult result : collector.getTestResults()) {
            if (result.status() == Status.NORMAL && result.getTotalCount() > 0) {
                seen.add(result.getName());
                samples += result.getTotalCount();
            }
            if (result.status() != Status.NORMAL || !result.grading().isPassed) {
                wrong.add(describe(result));
            }
        }
        System.out.println("jcstress: tests=" + seen.size() + ", runs="
                + collector.getTestResults().size() + ", samples=" + samples);
        assertThat(wrong).isEmpty();
        assertThat(seen).as("tests that ran").isNotEmpty().containsExactlyInAnyOrderElementsOf(TestList.tests());
    }

    private static String describe(TestResult result) {
        String states = result.grading().gradingResults.values().stream()
                .map(each ->
                        "\n    " + each.id + ": " + each.count + " times, " + each.expect + ": " + each.description)
                .collect(Collectors.joining());
        return result.getName() + " " + result.getConfig().jvmArgs + ": " + result.status() + states + "\n    "
                + String.join("\n    ", result.getMessages()) + String.join("\n    ", result.getVmErr());
    }

    private static List<Path> results(Path directory) throws IOException {
        List<Path> found = new ArrayList<>();
        try (var files = Files.newDirectoryStream(directory, RESULTS)) {
            files.forEach(found::add);
        }
        return found;
    }
}
