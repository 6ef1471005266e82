package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Starts a JVM of the same kind as this one for one measurement, and reads what it reports. */
final class ChildJvm {
    private static final long HEAP_BYTES = 2L << 30;
    /** What a key and value take at most on the heap of the contender that keeps them there, besides their bytes. */
    private static final long HEAP_BYTES_PER_KEY = 200;

    /** What a key takes at most on the heap of a store, which keeps no values there. */
    private static final long SCALE_HEAP_BYTES_PER_KEY = 80;

    private static final long MANY_KEYS = 1_000_000;
    private static final int FIRST_JDK_WITH_UNSAFE_FLAG = 23;
    /** Of the pages of a heap that is all there from the start: large ones, where the JVM knows the flag. */
    private static final List<String> PAGE_FLAGS = System.getProperty("os.name").startsWith("Linux")
            ? List.of("-XX:+AlwaysPreTouch", "-XX:+UseTransparentHugePages")
            : List.of("-XX:+AlwaysPreTouch");

    private static final long POLL_MILLIS = 5;
    private static final long TIMEOUT_MINUTES = 60;

    private final Path workDirectory;

    /**
     * @param workDirectory where stores are made; each child's is deleted when it is done
     */
    ChildJvm(Path workDirectory) {
        this.workDirectory = workDirectory;
    }

    /**
     * What a child is to do.
     *
     * @param subject id of the contender, or anything for the bare limits
     * @param seconds how long each figure is measured
     */
    record Step(
            ChildMain.Task task,
            String subject,
            long keys,
            int valueSize,
            Durability durability,
            Set<Work> works,
            double seconds) {

        Step as(ChildMain.Task other) {
            return new Step(other, subject, keys, valueSize, durability, works, seconds);
        }
    }

    /** Runs one step in a fresh directory, or for OPEN steps the whole sequence of fill, kill and opens. */
    List<Sample> run(Step step) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory(workDirectory, "store-");
        try {
            if (step.task() == ChildMain.Task.OPEN_CLEAN) {
                return open(step, directory);
            }
            return run(step, directory);
        } finally {
            SideFiles.deleteTree(directory);
        }
    }

    /** Lets a child leave a store behind in {@code directory/store}: closed, or killed over, as the step's task says. */
    static void prepare(Step step, Path directory) throws IOException, InterruptedException {
        if (step.task() == ChildMain.Task.FILL_AND_WAIT) {
            fillAndKill(step, directory);
        } else {
            run(step, directory);
        }
    }

    /**
     * Runs one step of a run over sizes on the store in a directory, which stays. A child that fills is killed when it is
     * done.
     *
     * @param deadline the nano time when it must be over
     */
    List<Sample> run(Step step, Path directory, long deadline) throws IOException, InterruptedException {
        Path output = directory.resolve("output");
        Path log = directory.resolve("log");
        Path ready = directory.resolve(ChildMain.READY);
        Process process = start(step, directory, output, log);
        try {
            while (process.isAlive() && !Files.exists(ready)) {
                if (System.nanoTime() > deadline) {
                    throw new OutOfTimeException(step.task());
                }
                process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
            }
            if (!Files.deleteIfExists(ready) && process.waitFor() != 0) {
                throw new ChildFailedException(step, log);
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
        return samples(output);
    }

    private static List<Sample> samples(Path output) throws IOException {
        List<Sample> samples = new ArrayList<>();
        for (String line : Files.readAllLines(output)) {
            samples.add(Sample.ofLine(line));
        }
        return samples;
    }

    private static List<Sample> open(Step step, Path directory) throws IOException, InterruptedException {
        List<Sample> samples = new ArrayList<>();
        fillAndKill(step.as(ChildMain.Task.FILL_AND_WAIT), directory);
        boolean isWhole = false;
        try {
            samples.addAll(run(step.as(ChildMain.Task.OPEN_KILLED), directory));
            isWhole = samples.stream().noneMatch(sample -> sample.metric() == Metric.SURVIVED && sample.value() < 100);
        } catch (ChildFailedException e) {
            // A store that cannot be opened after a kill has lost everything, which is a result.
            samples.add(new Sample(step.subject(), Metric.SURVIVED, "", step.keys(), step.valueSize(), 0));
        }
        if (!isWhole) {
            SideFiles.deleteTree(directory);
            Files.createDirectory(directory);
            run(step.as(ChildMain.Task.FILL_AND_CLOSE), directory);
        }
        samples.addAll(run(step, directory));
        return samples;
    }

    private static void fillAndKill(Step step, Path directory) throws IOException, InterruptedException {
        Path log = directory.resolve("log");
        Process process = start(step, directory, directory.resolve("output"), log);
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(TIMEOUT_MINUTES);
        Path ready = directory.resolve(ChildMain.READY);
        while (!Files.exists(ready)) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                process.destroyForcibly().waitFor();
                throw new ChildFailedException(step, log);
            }
            Thread.sleep(POLL_MILLIS);
        }
        process.destroyForcibly().waitFor();
        Files.delete(ready);
    }

    private static List<Sample> run(Step step, Path directory) throws IOException, InterruptedException {
        Path output = directory.resolve("output");
        Path log = directory.resolve("log");
        Process process = start(step, directory, output, log);
        try {
            if (!process.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES) || process.exitValue() != 0) {
                throw new ChildFailedException(step, log);
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
        return samples(output);
    }

    private static Process start(Step step, Path directory, Path output, Path log) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags(step));
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(ChildMain.class.getName());
        command.add(step.task().name());
        command.add(step.subject());
        command.add(directory.toString());
        command.add(Long.toString(step.keys()));
        command.add(Integer.toString(step.valueSize()));
        command.add(step.durability().name());
        command.add(Double.toString(step.seconds()));
        command.add(step.works().stream().map(Work::id).collect(Collectors.joining(",")));
        command.add(output.toString());
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    /**
     * Returns the flags of a JVM that measures: those the libraries need, and a heap that is all there from the start, so
     * that only other memory can grow. Where opening is measured the heap grows as it does by default.
     */
    private static List<String> flags(Step step) {
        long perKey = isOfScale(step.task()) ? SCALE_HEAP_BYTES_PER_KEY : HEAP_BYTES_PER_KEY + step.valueSize();
        long heap = HEAP_BYTES + (step.keys() <= MANY_KEYS ? 0 : step.keys() * perKey);
        List<String> flags = new ArrayList<>(List.of("-Xmx" + (heap >> 20) + "m", "-XX:+UseG1GC"));
        if (step.task() == ChildMain.Task.STORE || step.task() == ChildMain.Task.RAW) {
            flags.add("-Xms" + (heap >> 20) + "m");
            flags.addAll(PAGE_FLAGS);
        }
        flags.addAll(libraryFlags());
        return flags;
    }

    /** Returns the flags of {@link #flags} for most steps, for people. */
    static String describeFlags() {
        return "-Xms2g -Xmx2g -XX:+UseG1GC " + String.join(" ", PAGE_FLAGS) + ", and what the libraries need";
    }

    private static boolean isOfScale(ChildMain.Task task) {
        return switch (task) {
            case SCALE_FILL, SCALE_OPEN_KILLED, SCALE_OPEN_CLEAN, SCALE_OPEN_WARM, SCALE_READ -> true;
            default -> false;
        };
    }

    /** Returns the flags that the contenders need on this JDK. */
    static List<String> libraryFlags() {
        List<String> flags = new ArrayList<>(List.of(
                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
                "--add-opens=java.base/java.nio=ALL-UNNAMED",
                "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
                "--enable-native-access=ALL-UNNAMED",
                "-Dchronicle.analytics.disable=true",
                "-Dlmdbjava.disable.checks=true"));
        if (Runtime.version().feature() >= FIRST_JDK_WITH_UNSAFE_FLAG) {
            flags.add("--sun-misc-unsafe-memory-access=allow");
        }
        return flags;
    }

    /** A child was stopped because its time was over. */
    static final class OutOfTimeException extends IOException {
        private static final long serialVersionUID = 1L;

        private final ChildMain.Task task;

        OutOfTimeException(ChildMain.Task task) {
            super("out of time while the store was " + task.words());
            this.task = task;
        }

        ChildMain.Task task() {
            return task;
        }
    }

    /** A child that ended badly; the message has the end of what it said. */
    static final class ChildFailedException extends IOException {
        private static final long serialVersionUID = 1L;
        private static final int LINES = 12;

        private final String description;

        ChildFailedException(Step step, Path log) throws IOException {
            this(step.subject() + " " + step.task().name().toLowerCase(Locale.ROOT) + " (" + step.durability() + ", "
                    + step.keys() + " keys of " + step.valueSize() + " B) failed: " + head(log));
        }

        private ChildFailedException(String description) {
            super(description);
            this.description = description;
        }

        String description() {
            return description;
        }

        private static String head(Path log) throws IOException {
            return new String(Files.readAllBytes(log), StandardCharsets.UTF_8)
                    .lines()
                    .limit(LINES)
                    .collect(Collectors.joining(" | "));
        }
    }
}
