package dev.caskwright.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Measures all contenders side by side and writes the report: {@code ./caskwright bench}. Contenders take turns within the
 * same run, each in a new JVM per round; the report shows medians and the spread over rounds. {@code bench jmh} runs the
 * JMH benchmarks of this module instead.
 */
public final class Bench {
    private static final int LEAST_ROUNDS = 2;
    /** By how much a run may last longer than asked for the sake of its second round. */
    private static final double LENIENCE = 1.5;

    private static final int USAGE_ERROR = 2;
    private static final int FAILURE = 3;

    private final BenchOptions options;
    private final PrintStream log;

    private Bench(BenchOptions options, PrintStream log) {
        this.options = options;
        this.log = log;
    }

    /** Runs the benchmarks; ends the JVM with 0, 2 for a wrong command line, or 3 if the report could not be made. */
    public static void main(String[] arguments) throws InterruptedException, IOException {
        List<String> given = Arrays.asList(arguments);
        if (given.contains("--help") || given.contains("-h")) {
            System.out.print(usage());
            return;
        }
        if (!given.isEmpty() && given.get(0).equals("jmh")) {
            org.openjdk.jmh.Main.main(given.subList(1, given.size()).toArray(new String[0]));
            return;
        }
        BenchOptions options;
        try {
            options = BenchOptions.parse(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.err.print(usage());
            System.exit(USAGE_ERROR);
            return;
        }
        try {
            new Bench(options, System.out).run();
        } catch (IOException e) {
            System.err.println("no report: " + e.getMessage());
            System.exit(FAILURE);
        }
    }

    private static String usage() {
        return String.format(
                BenchOptions.USAGE,
                Arrays.stream(Contender.values()).map(Contender::id).collect(Collectors.joining(", ")),
                Arrays.stream(Work.values()).map(Work::id).collect(Collectors.joining(", ")));
    }

    private void run() throws IOException, InterruptedException {
        Files.createDirectories(options.out());
        Files.createDirectories(options.stores());
        Results results =
                new Results(Machine.describe(options.stores()), describeOptions(), options.keys(), options.valueSize());
        String fileSystem = results.machine().getOrDefault("file system", "");
        if (fileSystem.equals("tmpfs")) {
            log.println("The stores are on tmpfs, where forcing costs nothing: use --dir with a real disk.");
        }
        long start = System.nanoTime();
        int rounds;
        try {
            rounds = options.isScale() ? scale(results) : rounds(results);
        } finally {
            removeIfEmpty(options.stores());
        }
        results.options().put("rounds", String.valueOf(rounds));
        results.options().put("took", Math.round((System.nanoTime() - start) / 1e9) + " s");
        if (results.samples().isEmpty()) {
            throw new IOException("nothing could be measured: " + String.join("; ", results.failures()));
        }
        Report.write(results, options.out());
        results.failures().forEach(log::println);
        log.println("Report: " + options.out().resolve(Report.HTML).toAbsolutePath());
    }

    private int scale(Results results) throws IOException, InterruptedException {
        new ScaleRun(options, log).run(results);
        return 1;
    }

    private static void removeIfEmpty(Path directory) throws IOException {
        try (Stream<Path> left = Files.list(directory)) {
            if (left.findAny().isPresent()) {
                return;
            }
        }
        Files.delete(directory);
    }

    private int rounds(Results results) throws IOException, InterruptedException {
        Plan plan = new Plan(options);
        ChildJvm children = new ChildJvm(options.stores());
        long start = System.nanoTime();
        double longest = 0;
        int round = 0;
        while (wantsMore(round, (System.nanoTime() - start) / 1e9, longest)) {
            long roundStart = System.nanoTime();
            List<ChildJvm.Step> steps = plan.round(round);
            for (int i = 0; i < steps.size(); i++) {
                run(children, steps.get(i), results, round, i, steps.size());
            }
            longest = (System.nanoTime() - roundStart) / 1e9;
            round++;
        }
        return round;
    }

    private boolean wantsMore(int done, double elapsed, double lastRound) {
        if (options.rounds() > 0) {
            return done < options.rounds();
        }
        if (done == 0) {
            return true;
        }
        // Without a second round there is no word on noise, so it may take longer, but not for ever on a busy machine.
        double limit = done < LEAST_ROUNDS ? LENIENCE * options.seconds() : options.seconds();
        return elapsed + lastRound <= limit;
    }

    private void run(ChildJvm children, ChildJvm.Step step, Results results, int round, int number, int count)
            throws IOException, InterruptedException {
        long start = System.nanoTime();
        String outcome = "";
        try {
            children.run(step).forEach(results::add);
        } catch (ChildJvm.ChildFailedException e) {
            results.addFailure(e.description());
            outcome = "  FAILED";
        }
        log.printf(
                Locale.ROOT,
                "round %d, %2d/%d  %-18s %-10s %5.1f s%s%n",
                round + 1,
                number + 1,
                count,
                step.subject(),
                step.task() == ChildMain.Task.OPEN_CLEAN ? "open" : step.durability(),
                (System.nanoTime() - start) / 1e9,
                outcome);
    }

    private Map<String, String> describeOptions() {
        Map<String, String> described = new LinkedHashMap<>();
        described.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        described.put(
                "selection",
                options.isScale()
                        ? "numbers of keys (./caskwright bench --scale)"
                        : options.full() ? "full" : "short (./caskwright bench)");
        List<Long> sizes = options.isScale() ? options.sizes() : List.of(options.keys());
        described.put(
                "keys",
                sizes.stream().map(Text::grouped).collect(Collectors.joining("; ")) + " of " + Dataset.KEY_SIZE
                        + " bytes");
        described.put("values", options.valueSize() + " bytes, random");
        if (options.isScale()) {
            described.put("time allowed", Math.round(options.capSeconds()) + " s for each contender and size");
            described.put("JVM flags", "-XX:+UseG1GC, -Xmx of 2 GiB and 80 bytes a key, and what the libraries need");
            return described;
        }
        described.put("window", String.format(Locale.ROOT, "%.2f s a figure, after a warm-up", options.window()));
        described.put(
                "latency", String.format(Locale.ROOT, "%,d operations/s, timed from intended start", Latency.RATE));
        described.put("JVM flags", ChildJvm.describeFlags());
        return described;
    }
}
