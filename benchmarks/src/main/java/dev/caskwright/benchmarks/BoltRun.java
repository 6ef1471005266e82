package dev.caskwright.benchmarks;

import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Compares our bolt engine with the real bbolt and with other trees, one process a store, in rounds in which the stores take
 * turns; MVStore, Xodus and MapDB, which take long, run in the first round only. Builds the program for bbolt, which needs Debian's
 * {@code golang-go} and {@code golang-github-coreos-bbolt-dev}. Prints a Markdown table of medians, each with its ratio to bbolt's,
 * and one of the goals, each with what limits it if it is missed. Of three rounds it takes ten minutes on two quiet processors.
 *
 * <pre>
 * java -cp 'benchmarks/target/classes:benchmarks/target/lib/*' dev.caskwright.benchmarks.BoltRun benchmarks/src/main/go/bbolt-work
 * </pre>
 *
 * <p>Arguments: the directory of that program's source, and optionally rounds (3), keys (1000000), keys of the smaller parts
 * (100000), and which stores, with commas between. Stores are made in the directory for temporary files.
 */
public final class BoltRun {
    private static final List<String> STORES = List.of("bbolt", "bolt", "lmdb", "mvstore", "xodus", "mapdb");
    private static final Set<String> ONCE = Set.of("mvstore", "xodus", "mapdb");
    private static final String ALL_WORKS = "load-in-order,get,scan,commit,forced,overwrite,reader,limits";
    private static final String WORKS_OF_OTHERS = "load-in-order,get,scan";

    private final Path parent;
    private final int rounds;
    private final int keys;
    private final int small;
    private final List<String> stores;
    private final Path program;

    private final Turns turns = new Turns();

    private BoltRun(String[] arguments, Path parent) {
        this.parent = parent;
        this.rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 3;
        this.keys = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 1_000_000;
        this.small = arguments.length > 3 ? Integer.parseInt(arguments[3]) : 100_000;
        this.stores = arguments.length > 4 ? List.of(arguments[4].split(",", -1)) : STORES;
        this.program = parent.resolve("bbolt-work");
    }

    /** Runs the comparison. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 0) {
            throw new IllegalArgumentException("the first argument is the directory of the program for bbolt");
        }
        Path parent = Files.createTempDirectory("bolt-run-");
        try {
            BoltRun run = new BoltRun(arguments, parent);
            run.build(Path.of(arguments[0]));
            run.measure();
            System.out.println(run.table());
            System.out.print(BoltGoals.table(run.medians(), run.small));
        } finally {
            SideFiles.deleteTree(parent);
        }
    }

    private void build(Path source) throws IOException, InterruptedException {
        ProcessBuilder go = new ProcessBuilder("go", "build", "-o", program.toString(), ".");
        go.environment().put("GO111MODULE", "off");
        go.environment().put("GOPATH", "/usr/share/gocode");
        if (go.directory(source.toFile()).inheritIO().start().waitFor() != 0) {
            throw new IOException("the program for bbolt could not be built: source=" + source);
        }
    }

    private void measure() throws IOException, InterruptedException {
        for (int round = 0; round < rounds; round++) {
            for (String store : stores) {
                if (round == 0 || !ONCE.contains(store)) {
                    System.err.println("round " + (round + 1) + " of " + rounds + ": " + store);
                    measure(store);
                }
            }
        }
    }

    private void measure(String store) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory(parent, store);
        try {
            turns.run(store, command(store, directory));
        } finally {
            SideFiles.deleteTree(directory);
        }
    }

    private List<String> command(String store, Path directory) {
        List<String> command = new ArrayList<>();
        if (store.equals("bbolt")) {
            command.add(program.toString());
        } else {
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(List.of("-Xms2g", "-Xmx2g", "-XX:+UseG1GC"));
            command.addAll(ChildJvm.libraryFlags());
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), BoltWork.class.getName(), store));
        }
        command.addAll(List.of(
                directory.toString(),
                Integer.toString(keys),
                Integer.toString(small),
                ONCE.contains(store) ? WORKS_OF_OTHERS : ALL_WORKS));
        return command;
    }

    private String table() {
        StringBuilder text = new StringBuilder("| figure |");
        stores.forEach(store -> text.append(' ').append(store).append(" |"));
        text.append("\n| --- |").append(" --- |".repeat(stores.size())).append('\n');
        medians().forEach((name, byStore) -> {
            text.append("| ").append(name).append(" |");
            double reference = byStore.getOrDefault("bbolt", 0.0);
            for (String store : stores) {
                Double value = byStore.get(store);
                text.append(value == null ? " " : cell(value, reference)).append(" |");
            }
            text.append('\n');
        });
        return text.toString();
    }

    private Map<String, Map<String, Double>> medians() {
        Map<String, Map<String, Double>> medians = turns.medians();
        medians.remove(BoltWork.SINK);
        return medians;
    }

    private static String cell(double value, double reference) {
        return reference == 0
                ? String.format(Locale.ROOT, " %,.0f", value)
                : String.format(Locale.ROOT, " %,.0f (%.2f ×)", value, value / reference);
    }
}
