package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Compares our bolt engine with the real bbolt and with other trees, one process a store, in rounds in which the stores take
 * turns. Prints a Markdown table of medians, each with its ratio to bbolt's.
 *
 * <pre>
 * cd benchmarks/src/main/go/bbolt-work
 * GO111MODULE=off GOPATH=/usr/share/gocode go build -o /tmp/bbolt-work .
 * java -cp 'benchmarks/target/classes:benchmarks/target/lib/*' dev.caskwright.benchmarks.BoltRun /tmp/bbolt-work 3 1000000 200000
 * </pre>
 *
 * <p>Arguments: the program, rounds, keys, keys of the smaller parts, and optionally a directory for the stores, and which of them,
 * with commas between.
 */
public final class BoltRun {
    private static final List<String> STORES = List.of("bbolt", "bolt", "lmdb", "mvstore", "xodus");
    private static final String ALL_WORKS = "load-in-order,get,scan,commit,forced,overwrite";
    private static final String WORKS_OF_OTHERS = "load-in-order,get,scan";

    private final String program;
    private final String keys;
    private final String small;
    private final Path parent;
    private final List<String> stores;

    /** Of each figure and store, one value a round. */
    private final Map<String, Map<String, List<Double>>> figures = new TreeMap<>();

    private BoltRun(String program, String keys, String small, Path parent, List<String> stores) {
        this.program = program;
        this.keys = keys;
        this.small = small;
        this.parent = parent;
        this.stores = stores;
    }

    /** Runs the comparison. */
    public static void main(String[] arguments) throws Exception {
        Path parent = Path.of(arguments.length > 4 ? arguments[4] : System.getProperty("java.io.tmpdir"));
        List<String> stores = arguments.length > 5 ? List.of(arguments[5].split(",", -1)) : STORES;
        BoltRun run = new BoltRun(arguments[0], arguments[2], arguments[3], parent, stores);
        for (int round = 0; round < Integer.parseInt(arguments[1]); round++) {
            for (String store : stores) {
                run.measure(store);
            }
        }
        System.out.print(run.table());
    }

    private void measure(String store) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory(parent, "bolt-run-");
        try {
            Process process = new ProcessBuilder(command(store, directory))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IOException("a store failed: store=" + store + ", output=" + output);
            }
            output.lines().forEach(line -> {
                int space = line.indexOf(' ');
                figures.computeIfAbsent(line.substring(0, space), name -> new TreeMap<>())
                        .computeIfAbsent(store, name -> new ArrayList<>())
                        .add(Double.parseDouble(line.substring(space + 1)));
            });
        } finally {
            Directories.deleteTree(directory);
        }
    }

    private List<String> command(String store, Path directory) {
        List<String> command = new ArrayList<>();
        if (store.equals("bbolt")) {
            command.add(program);
        } else {
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(List.of("-Xms2g", "-Xmx2g", "-XX:+UseG1GC"));
            command.addAll(ChildJvm.libraryFlags());
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), BoltWork.class.getName(), store));
        }
        boolean isBolt = store.equals("bbolt") || store.equals("bolt");
        command.addAll(List.of(directory.toString(), keys, small, isBolt ? ALL_WORKS : WORKS_OF_OTHERS));
        return command;
    }

    private String table() {
        StringBuilder text = new StringBuilder("| figure |");
        stores.forEach(store -> text.append(' ').append(store).append(" |"));
        text.append("\n| --- |").append(" --- |".repeat(stores.size())).append('\n');
        figures.forEach((name, byStore) -> {
            if (name.equals(BoltWork.SINK)) {
                return;
            }
            text.append("| ").append(name).append(" |");
            List<Double> reference = byStore.get("bbolt");
            for (String store : stores) {
                List<Double> values = byStore.get(store);
                text.append(values == null ? " " : cell(median(values), reference == null ? 0 : median(reference)))
                        .append(" |");
            }
            text.append('\n');
        });
        return text.toString();
    }

    private static String cell(double value, double reference) {
        return reference == 0
                ? String.format(Locale.ROOT, " %,.0f", value)
                : String.format(Locale.ROOT, " %,.0f (%.2f ×)", value, value / reference);
    }

    private static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
