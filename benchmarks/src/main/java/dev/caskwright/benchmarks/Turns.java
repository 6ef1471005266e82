package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The figures of stores that take turns, each in processes of its own that print a name and a number a line. */
final class Turns {
    /** Of each figure and store, one value a round. */
    private final Map<String, Map<String, List<Double>>> figures = new TreeMap<>();

    /** Runs a process to its end and keeps the figures that it prints. */
    void run(String store, List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
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
    }

    /** Returns the median of each figure, by store. */
    Map<String, Map<String, Double>> medians() {
        Map<String, Map<String, Double>> medians = new TreeMap<>();
        figures.forEach((name, byStore) -> {
            Map<String, Double> ofName = new TreeMap<>();
            byStore.forEach((store, values) -> ofName.put(store, median(values)));
            medians.put(name, ofName);
        });
        return medians;
    }

    private static double median(List<Double> values) {
        return Spread.of(values.stream().mapToDouble(Double::doubleValue).toArray())
                .median();
    }
}
