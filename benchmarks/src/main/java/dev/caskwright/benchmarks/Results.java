package dev.caskwright.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * All samples of a run, with what it ran on. Figures are asked for at the run's main number of keys and value size unless
 * a method says otherwise. Belongs to one thread.
 */
final class Results {
    private static final int LEAST_SIZES = 3;

    private final Map<String, String> machine;
    private final Map<String, String> options;
    private final long keys;
    private final int valueSize;
    private final List<Sample> samples = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();

    /**
     * @param machine facts about machine and JVM, in the order in which to show them
     * @param options the run's options, likewise
     */
    Results(Map<String, String> machine, Map<String, String> options, long keys, int valueSize) {
        this.machine = new LinkedHashMap<>(machine);
        this.options = new LinkedHashMap<>(options);
        this.keys = keys;
        this.valueSize = valueSize;
    }

    void add(Sample sample) {
        samples.add(sample);
    }

    void addFailure(String failure) {
        failures.add(failure);
    }

    Map<String, String> machine() {
        return machine;
    }

    Map<String, String> options() {
        return options;
    }

    long keys() {
        return keys;
    }

    int valueSize() {
        return valueSize;
    }

    List<Sample> samples() {
        return samples;
    }

    /** Returns what did not work, a line each. */
    List<String> failures() {
        return failures;
    }

    /** Returns the values of a figure over all rounds. */
    Optional<Spread> spread(String subject, Metric metric, String detail, long keys, int valueSize) {
        double[] values = samples.stream()
                .filter(sample -> sample.subject().equals(subject)
                        && sample.metric() == metric
                        && sample.detail().equals(detail)
                        && sample.keys() == keys
                        && sample.valueSize() == valueSize)
                .mapToDouble(Sample::value)
                .toArray();
        return values.length == 0 ? Optional.empty() : Optional.of(Spread.of(values));
    }

    Optional<Spread> spread(String subject, Metric metric) {
        return spread(subject, metric, "", keys, valueSize);
    }

    OptionalDouble median(String subject, Metric metric) {
        return median(subject, metric, "");
    }

    OptionalDouble median(String subject, Metric metric, String detail) {
        Optional<Spread> spread = spread(subject, metric, detail, keys, valueSize);
        return spread.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(spread.get().median());
    }

    /** Returns the subjects that have a figure, in order of first appearance. */
    List<String> subjects(Metric metric, long keys, int valueSize) {
        return samples.stream()
                .filter(sample -> sample.metric() == metric && sample.keys() == keys && sample.valueSize() == valueSize)
                .map(Sample::subject)
                .distinct()
                .toList();
    }

    /** Returns whether there are so many numbers of keys that a line over them says more than bars. */
    boolean isBySize() {
        return sizes(Metric.FILL).size() >= LEAST_SIZES;
    }

    /** Returns the numbers of keys at which a metric was measured with the main value size, ascending. */
    List<Long> sizes(Metric metric) {
        return samples.stream()
                .filter(sample -> sample.metric() == metric && sample.valueSize() == valueSize)
                .map(Sample::keys)
                .distinct()
                .sorted()
                .toList();
    }

    /** Returns the subjects that have any figure. */
    List<String> subjects() {
        return samples.stream().map(Sample::subject).distinct().toList();
    }

    /** Returns a sentence on how far the rounds lie apart. */
    String noise() {
        double spread = typicalSpread();
        return Double.isNaN(spread)
                ? "not known, since there was one round only."
                : "between rounds, the middle throughput figure varies by " + Math.round(spread * 100)
                        + " % of its median from least to greatest.";
    }

    /** Returns how far the rounds of the median throughput figure lie apart, as a share: (max - min) / median. */
    private double typicalSpread() {
        double[] spreads = samples.stream()
                .filter(sample -> sample.metric().unit().contains("/s"))
                .map(sample ->
                        spread(sample.subject(), sample.metric(), sample.detail(), sample.keys(), sample.valueSize()))
                .flatMap(Optional::stream)
                .filter(spread -> spread.runs() > 1)
                .mapToDouble(spread -> (spread.max() - spread.min()) / spread.median())
                .toArray();
        return spreads.length == 0 ? Double.NaN : Spread.of(spreads).median();
    }
}
