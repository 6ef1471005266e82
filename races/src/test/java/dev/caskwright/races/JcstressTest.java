package dev.caskwright.races;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openjdk.jcstress.Main;
import org.openjdk.jcstress.Options;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.TestInfo;
import org.openjdk.jcstress.infra.collectors.DiskReadCollector;
import org.openjdk.jcstress.infra.collectors.InProcessCollector;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.runners.ForkedTestConfig;
import org.openjdk.jcstress.infra.runners.Runner;
import org.openjdk.jcstress.infra.runners.TestConfig;
import org.openjdk.jcstress.infra.runners.TestList;
import org.openjdk.jcstress.os.AffinityMode;
import org.openjdk.jcstress.os.NodeType;
import org.openjdk.jcstress.os.SchedulingClass;
import org.openjdk.jcstress.vm.CompileMode;

/**
 * Runs all jcstress tests of this module, and judges what they have seen. In a build, each for {@value #MILLIS} milliseconds
 * in this JVM: a JVM for each, as jcstress makes them, takes ten times as long to start as the test. In the campaign by
 * jcstress itself, in its mode {@code -Dcaskwright.jcstress.mode}, with each compiler for each side of a race; what it writes
 * is in {@code target/jcstress}.
 *
 * <p>Each test needs two processors, and shows nothing on one: skipped there.
 */
final class JcstressTest {
    private static final int MILLIS = 250;
    private static final String RESULTS = "jcstress-results-*.bin.gz";

    @BeforeAll
    static void needsTwoProcessors() {
        assumeThat(Runtime.getRuntime().availableProcessors()).as("processors").isGreaterThanOrEqualTo(2);
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void noTestSeesWhatIsForbidden() throws Exception {
        Options options = new Options(new String[] {
            "-c", "2", "-iters", "1", "-time", Integer.toString(MILLIS), "-strideSize", "32", "-strideCount", "4"
        });
        assertThat(options.parse()).isTrue();
        List<TestResult> results = new ArrayList<>();
        for (String name : TestList.tests()) {
            results.add(run(TestList.getInfo(name), options));
        }
        judge(results);
    }

    /** Does what a JVM that jcstress makes for a test would do. */
    private static TestResult run(TestInfo test, Options options) throws ReflectiveOperationException {
        SchedulingClass anywhere = new SchedulingClass(AffinityMode.NONE, test.threads(), NodeType.PACKAGE);
        TestConfig config = new TestConfig(options, test, 1, List.of(), CompileMode.UNIFIED, anywhere);
        Object runner = Class.forName(test.generatedRunner())
                .getConstructor(ForkedTestConfig.class)
                .newInstance(new ForkedTestConfig(config));
        TestResult result = ((Runner<?>) runner).run();
        result.setConfig(config);
        return result;
    }

    @Test
    @Tag("campaign")
    void noTestSeesWhatIsForbiddenForLong() throws Exception {
        judge(runByItself(List.of("-m", System.getProperty("caskwright.jcstress.mode", "quick"))));
    }

    private static Collection<TestResult> runByItself(List<String> options) throws Exception {
        Path directory = Files.createDirectories(Path.of("target", "jcstress"));
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
            process.waitFor(); // the exit code says less than the results
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        assertThat(results(directory)).as("see %s", output).hasSize(1);
        InProcessCollector collector = new InProcessCollector();
        DiskReadCollector reader =
                new DiskReadCollector(results(directory).get(0).toString(), collector);
        try {
            reader.dump();
        } finally {
            reader.close();
        }
        return collector.getTestResults();
    }

    private static void judge(Collection<TestResult> results) {
        Set<String> seen = new TreeSet<>();
        long samples = 0;
        List<String> wrong = new ArrayList<>();
        for (TestResult result : results) {
            if (result.status() == Status.NORMAL && result.getTotalCount() > 0) {
                seen.add(result.getName());
                samples += result.getTotalCount();
            }
            if (result.status() != Status.NORMAL || !result.grading().isPassed) {
                wrong.add(describe(result));
            }
        }
        System.out.println("jcstress: tests=" + seen.size() + ", runs=" + results.size() + ", samples=" + samples);
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
