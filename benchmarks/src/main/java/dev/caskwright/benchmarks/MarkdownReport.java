package dev.caskwright.benchmarks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The report as Markdown: facts, figures wanted, and a table for each metric. */
final class MarkdownReport {
    private MarkdownReport() {}

    static String render(Results results, List<Figure> figures) {
        StringBuilder text = new StringBuilder(1 << 14);
        text.append("# Caskwright benchmarks\n\n");
        results.machine()
                .forEach((name, value) -> text.append("- ")
                        .append(name)
                        .append(": ")
                        .append(value)
                        .append('\n'));
        results.options()
                .forEach((name, value) -> text.append("- ")
                        .append(name)
                        .append(": ")
                        .append(value)
                        .append('\n'));
        text.append("- noise: ").append(results.noise()).append('\n');
        text.append(
                        "\nMedians over rounds, with least and greatest. WRITE: a put survives kill -9 of the process; NONE: it")
                .append(" may be lost with it; SYNC: it is forced to the disk.\n");
        figures(text, figures);
        for (Metric metric : Metric.values()) {
            metric(text, results, metric);
        }
        text.append("\n## Contenders\n\n| contender | version | level | settings |\n| --- | --- | --- | --- |\n");
        for (String id : results.subjects()) {
            Subject subject = Subject.of(id);
            row(text, subject.fullLabel(), subject.version(), subject.tag(), subject.note());
        }
        if (!results.failures().isEmpty()) {
            text.append("\n## What did not work\n\n");
            results.failures()
                    .forEach(failure -> text.append("- ").append(failure).append('\n'));
        }
        return text.toString();
    }

    private static void figures(StringBuilder text, List<Figure> figures) {
        text.append("\n## Figures we hold ourselves to\n\n| work | ours | wanted | this run | |\n")
                .append("| --- | --- | --- | ---: | --- |\n");
        for (Figure figure : figures) {
            row(
                    text,
                    figure.work(),
                    figure.ours(),
                    figure.target(),
                    value(figure),
                    figure.verdict().words());
        }
    }

    private static void metric(StringBuilder text, Results results, Metric metric) {
        List<Map.Entry<Sample, Spread>> rows = new ArrayList<>(distinct(results).entrySet());
        rows.removeIf(entry -> entry.getKey().metric() != metric);
        if (rows.isEmpty()) {
            return;
        }
        text.append("\n## ")
                .append(metric.title())
                .append("\n\n")
                .append(metric.unit())
                .append("; ")
                .append(metric.better() == Metric.Better.HIGHER ? "higher" : "lower")
                .append(" is better; ")
                .append(metric.promise().words())
                .append(
                        ".\n\n| contender | level | | median | min | max |\n| --- | --- | --- | ---: | ---: | ---: |\n");
        if (!metric.isLatency()) {
            Comparator<Map.Entry<Sample, Spread>> byMedian =
                    Comparator.comparingDouble(entry -> entry.getValue().median());
            rows.sort(metric.better() == Metric.Better.HIGHER ? byMedian.reversed() : byMedian);
        }
        for (Map.Entry<Sample, Spread> entry : rows) {
            Sample sample = entry.getKey();
            Subject subject = Subject.of(sample.subject());
            Spread spread = entry.getValue();
            String level = metric.promise() == Metric.Promise.SYNC ? "SYNC" : subject.tag();
            String label = subject.kind() == Subject.Kind.OURS ? "**" + subject.fullLabel() + "**" : subject.label();
            row(
                    text,
                    label,
                    level,
                    details(results, sample),
                    Text.compact(spread.median()),
                    Text.compact(spread.min()),
                    Text.compact(spread.max()));
        }
    }

    private static void row(StringBuilder text, String... cells) {
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    /** Returns what a figure came to, with its unit, or a dash. */
    static String value(Figure figure) {
        return figure.value().isEmpty() ? "–" : Text.compact(figure.value().getAsDouble()) + " " + figure.unit();
    }

    /** Returns each figure once, by its first sample, with the spread over rounds. */
    static Map<Sample, Spread> distinct(Results results) {
        Map<List<Object>, Sample> first = new LinkedHashMap<>();
        for (Sample sample : results.samples()) {
            first.putIfAbsent(
                    List.of(sample.subject(), sample.metric(), sample.detail(), sample.keys(), sample.valueSize()),
                    sample);
        }
        Map<Sample, Spread> spreads = new LinkedHashMap<>();
        first.values().stream().sorted(Comparator.comparing(Sample::metric)).forEach(sample -> {
            Optional<Spread> spread = results.spread(
                    sample.subject(), sample.metric(), sample.detail(), sample.keys(), sample.valueSize());
            spread.ifPresent(found -> spreads.put(sample, found));
        });
        return spreads;
    }

    /** Returns the name of a sample's figure, with its unit and whatever sets it apart from the main run. */
    static String name(Results results, Sample sample) {
        String details = details(results, sample);
        return sample.metric().title() + (details.isEmpty() ? "" : " " + details) + ", "
                + sample.metric().unit();
    }

    private static String details(Results results, Sample sample) {
        boolean main = sample.keys() == results.keys() && sample.valueSize() == results.valueSize();
        String size = main ? "" : Text.size(sample.valueSize()) + " × " + Text.grouped(sample.keys());
        return (sample.detail() + " " + size).strip();
    }
}
