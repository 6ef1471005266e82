package dev.caskwright.fuzz;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process that fuzzes one target. Two that share a directory of inputs take over what the other one finds. For one
 * thread.
 */
final class JazzerRun implements AutoCloseable {
    /** What libFuzzer prints begins with the number of executions so far, now and then and when it is stopped. */
    private static final Pattern EXECUTIONS =
            Pattern.compile("^(?:#|stat::number_of_executed_units: )(\\d+)\\s", Pattern.MULTILINE);

    private final Path output;
    private final Process process;

    private JazzerRun(Path output, Process process) {
        this.output = output;
        this.process = process;
    }

    /**
     * Calls the readers alone, as fast as can be: only which branches are taken is watched. To watch each comparison, too,
     * would make it four times slower.
     */
    static JazzerRun ofReaders(Target target, Path directory, Duration duration) throws IOException {
        return start(
                "readers",
                target,
                directory,
                duration,
                List.of("-Dcaskwright.fuzz.readersOnly=true"),
                List.of("--trace=cov"));
    }

    /** Opens a store for each input, uses one of 64 in every way, and watches comparisons, to guess what is compared with. */
    static JazzerRun ofStores(Target target, Path directory, Duration duration) throws IOException {
        return start("stores", target, directory, duration, List.of("-Dcaskwright.fuzz.thoroughOneIn=64"), List.of());
    }

    private static JazzerRun start(
            String name,
            Target target,
            Path directory,
            Duration duration,
            List<String> jvmOptions,
            List<String> jazzerOptions)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-XX:+UseSerialGC",
                "-XX:+EnableDynamicAgentLoading",
                "-cp",
                System.getProperty("java.class.path")));
        command.addAll(jvmOptions);
        command.addAll(List.of(
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + target.type().getName(),
                "--instrumentation_includes=dev.caskwright.**",
                "--instrumentation_excludes=dev.caskwright.testkit.**",
                // Jazzer's own detectors look for what there is none of here (SQL, LDAP, ...) and cost a quarter.
                "--custom_hook_includes=none.**",
                "--mutator_framework=false", // libFuzzer's own is faster, and as good for plain bytes
                "--reproducer_path=" + directory,
                "-max_total_time=" + duration.toSeconds(),
                "-max_len=2048",
                "-timeout=300", // seconds; a machine that is busy with other work must not look like a hang
                "-print_final_stats=1",
                "-artifact_prefix=" + directory + "/"));
        command.addAll(jazzerOptions);
        // New inputs go into the first directory; the corpus that is kept is only read.
        command.add(Files.createDirectories(directory.resolve("inputs")).toString());
        command.add(FuzzTest.CORPUS.resolve(target.toString()).toString());
        Path output = directory.resolve(name + ".log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        return new JazzerRun(output, process);
    }

    /** Waits; returns whether the process has ended. */
    boolean await(Duration duration) throws InterruptedException {
        return process.waitFor(duration.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Returns whether the process has ended, and not because its time was over. */
    boolean hasFailed() {
        return !process.isAlive() && process.exitValue() != 0;
    }

    /** Returns how many inputs were executed, or while the process runs, how many at least. */
    long executions() throws IOException {
        long last = 0;
        Matcher matcher = EXECUTIONS.matcher(output());
        while (matcher.find()) {
            last = Long.parseLong(matcher.group(1));
        }
        return last;
    }

    /** Returns what the process has printed so far. */
    String output() throws IOException {
        return new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
    }

    /** Stops the process, which prints how far it got. */
    void stop() throws InterruptedException {
        process.destroy();
        await(Duration.ofSeconds(10));
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
