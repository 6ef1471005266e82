package dev.caskwright.benchmarks;

import static java.util.Map.entry;

import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures what the engine is to reach beside other stores beyond single gets and puts: ranges, scans, restarts, bytes on disk,
 * latency and space beside merges, and the core workloads of YCSB. One process a store and kind of work, in rounds in which the
 * stores take turns. Prints a Markdown table of the medians and one of the goals. Of one round with a second for each figure it
 * takes seven minutes on two processors.
 *
 * <pre>
 * java -cp 'benchmarks/target/classes:benchmarks/target/lib/*' dev.caskwright.benchmarks.SpeedRun
 * </pre>
 *
 * <p>Arguments, all optional: rounds (3), keys (1000000), seconds for each figure (1), which stores, and which works, each with
 * commas between. Stores are made in the directory for temporary files.
 */
public final class SpeedRun {
    private static final String ORDERED = "base,open_dead,ycsb";
    private static final List<Map.Entry<String, String>> STORES = List.of(
            entry("hashmap-mmap", "base,multi,mix,growth,paced,writers,long,open_dead,ycsb,large"),
            entry("hashmap-standard", "base,growth,paced,forced,long"),
            entry("sorted-mmap", ORDERED),
            entry("compact-mmap", "base,open_dead"),
            entry("btree-mmap", "base,open_dead"),
            entry("lmdb", ORDERED + ",long"),
            entry("rocksdb", ORDERED + ",paced,writers"),
            entry("mvstore", "base"),
            entry("chronicle", "base,mix"));

    /** The share of the keys with which a store dies. */
    private static final double DEAD = 0.8;

    private final Path parent;
    private final int rounds;
    private final int keys;
    private final String seconds;
    private final List<String> stores;
    private final List<String> works;
    private final Turns turns = new Turns();

    private SpeedRun(String[] arguments, Path parent) {
        this.parent = parent;
        this.rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 3;
        this.keys = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 1_000_000;
        this.seconds = arguments.length > 2 ? arguments[2] : "1";
        this.stores = arguments.length > 3 ? List.of(arguments[3].split(",", -1)) : List.of();
        this.works = arguments.length > 4 ? List.of(arguments[4].split(",", -1)) : List.of();
    }

    /** Runs the comparison. */
    public static void main(String[] arguments) throws Exception {
        Path parent = Files.createTempDirectory("speed-run-");
        try {
            SpeedRun run = new SpeedRun(arguments, parent);
            Machine.describe(parent).forEach((name, fact) -> System.out.println("- " + name + ": " + fact));
            run.measure();
            System.out.println(run.table());
            System.out.print(SpeedGoals.table(run.turns.medians()));
        } finally {
            SideFiles.deleteTree(parent);
        }
    }

    private void measure() throws IOException, InterruptedException {
        for (int round = 0; round < rounds; round++) {
            if (works.isEmpty() || works.contains("forced")) {
                measure("bare", "hashmap-standard", SpeedWork.Task.BARE.id());
            }
            for (Map.Entry<String, String> store : STORES) {
                if (stores.isEmpty() || stores.contains(store.getKey())) {
                    for (String work : store.getValue().split(",", -1)) {
                        if ((works.isEmpty() || works.contains(work)) && (round == 0 || !work.equals("large"))) {
                            System.err.printf("round %d of %d: %s %s%n", round + 1, rounds, store.getKey(), work);
                            measure(store.getKey(), store.getKey(), work);
                        }
                    }
                }
            }
        }
    }

    private void measure(String name, String contender, String work) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory(parent, "store");
        try {
            if (work.equals(SpeedWork.Task.OPEN_DEAD.id())) {
                turns.run(name, command(contender, directory, SpeedWork.Task.DIE.id(), (int) (keys * DEAD)));
                turns.run(name, command(contender, directory, work, (int) (keys * DEAD)));
            } else {
                turns.run(name, command(contender, directory, work, keys));
            }
        } finally {
            SideFiles.deleteTree(directory);
        }
    }

    private List<String> command(String contender, Path directory, String work, int count) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                List.of(work.equals(SpeedWork.Task.LARGE.id()) ? "-Xms64m" : "-Xms2g", "-Xmx2g", "-XX:+UseG1GC"));
        command.addAll(ChildJvm.libraryFlags());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), SpeedWork.class.getName()));
        command.addAll(List.of(contender, directory.toString(), Integer.toString(count), seconds, work));
        return command;
    }

    private String table() {
        List<String> columns = new ArrayList<>();
        STORES.forEach(store -> columns.add(store.getKey()));
        columns.add("bare");
        Map<String, Map<String, Double>> medians = turns.medians();
        columns.removeIf(column -> medians.values().stream().noneMatch(byStore -> byStore.containsKey(column)));
        StringBuilder text = new StringBuilder("\n| figure |");
        columns.forEach(column -> text.append(' ').append(column).append(" |"));
        text.append("\n| --- |").append(" --- |".repeat(columns.size())).append('\n');
        medians.forEach((name, byStore) -> {
            text.append("| ").append(name).append(" |");
            columns.forEach(column -> {
                Double value = byStore.get(column);
                text.append(
                        value == null ? " |" : String.format(Locale.ROOT, value < 100 ? " %.2f |" : " %,.0f |", value));
            });
            text.append('\n');
        });
        return text.toString();
    }
}
