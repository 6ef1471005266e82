package dev.caskwright.benchmarks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Lines over a few steps, one for each subject, as a part of an SVG picture: latency by percentile (logarithmic), or
 * durable puts by threads (linear from 0). Labels stand at the end of their lines.
 */
final class LineChart {
    static final int WIDTH = BarChart.WIDTH;
    static final int HEIGHT = 320;

    private static final int LEFT = 52;
    private static final int RIGHT = WIDTH - 184;
    private static final int TOP = 66;
    private static final int BOTTOM = HEIGHT - 28;
    private static final int LABEL_HEIGHT = 15;
    private static final int PEER_STYLES = 6;
    /** Less than this is not told apart on a logarithmic scale: a tenth of a microsecond. */
    private static final double LEAST_SHOWN = 0.1;

    private final String heading;
    private final String note;
    private final String promise;
    private final List<String> steps;
    private final List<Line> lines;
    private final boolean logarithmic;
    private final double low;
    private final double high;

    private record Line(Subject subject, Map<Integer, Double> values, int style) {
        double last() {
            return values.values().stream().reduce((before, after) -> after).orElseThrow();
        }
    }

    private LineChart(
            String heading, String note, String promise, List<String> steps, List<Line> lines, boolean logarithmic) {
        this.heading = heading;
        this.note = note;
        this.promise = promise;
        this.steps = steps;
        this.lines = lines;
        this.logarithmic = logarithmic;
        double least = Double.MAX_VALUE;
        double most = 0;
        for (Line line : lines) {
            for (double value : line.values().values()) {
                least = Math.min(least, value);
                most = Math.max(most, value);
            }
        }
        this.low = logarithmic ? Math.pow(10, Math.floor(Math.log10(Math.max(least, LEAST_SHOWN)))) : 0;
        this.high = logarithmic ? Math.pow(10, Math.ceil(Math.log10(Math.max(most, low * 10)))) : niceEnd(most);
    }

    /** Makes the chart of a latency, or returns empty if nobody has it. */
    static Optional<LineChart> latency(Results results, Metric metric) {
        List<String> steps = new ArrayList<>();
        for (double percentile : Latency.PERCENTILES) {
            steps.add(Latency.name(percentile));
        }
        steps.add(Latency.MAXIMUM);
        List<Line> lines = new ArrayList<>();
        int peers = 0;
        for (String id : results.subjects(metric, results.keys(), results.valueSize())) {
            TreeMap<Integer, Double> values = new TreeMap<>();
            for (int i = 0; i < steps.size(); i++) {
                int step = i;
                results.median(id, metric, steps.get(i)).ifPresent(value -> values.put(step, value));
            }
            peers = add(lines, id, values, peers);
        }
        String note = "µs, timed from the intended start at " + Text.grouped(Latency.RATE)
                + "/s · lower is better · log scale";
        return chart(metric.title(), note, metric.promise(), steps, lines, true);
    }

    /** Makes the chart of durable puts by threads, or returns empty if nobody has it. */
    static Optional<LineChart> durablePuts(Results results) {
        List<String> steps = List.of("1", "4", "16", "64");
        List<Line> lines = new ArrayList<>();
        int peers = 0;
        for (String id : results.subjects(Metric.SYNC_1, results.keys(), results.valueSize())) {
            TreeMap<Integer, Double> values = new TreeMap<>();
            for (int i = 0; i < steps.size(); i++) {
                int step = i;
                results.median(id, Metric.syncPuts(Integer.parseInt(steps.get(i))))
                        .ifPresent(value -> values.put(step, value));
            }
            if (values.size() > 1) {
                peers = add(lines, id, values, peers);
            }
        }
        String note = "puts/s by number of threads · higher is better";
        return chart("Durable puts, by threads", note, Metric.Promise.SYNC, steps, lines, false);
    }

    /** Makes the chart of a metric by number of keys, or returns empty if nobody has it at two numbers. */
    static Optional<LineChart> bySize(Results results, Metric metric) {
        List<Long> sizes = results.sizes(metric);
        List<Line> lines = new ArrayList<>();
        int peers = 0;
        for (String id : results.subjects()) {
            TreeMap<Integer, Double> values = new TreeMap<>();
            for (int i = 0; i < sizes.size(); i++) {
                int step = i;
                results.spread(id, metric, "", sizes.get(i), results.valueSize())
                        .ifPresent(spread -> values.put(step, spread.median()));
            }
            peers = add(lines, id, values, peers);
        }
        boolean isLower = metric.better() == Metric.Better.LOWER;
        String note = metric.unit() + ", by number of keys · " + (isLower ? "lower" : "higher") + " is better"
                + (isLower ? " · log scale" : "");
        List<String> steps = sizes.stream().map(Text::compact).toList();
        return sizes.size() < 2
                ? Optional.empty()
                : chart(metric.title(), note, metric.promise(), steps, lines, isLower);
    }

    private static int add(List<Line> lines, String id, Map<Integer, Double> values, int peers) {
        if (values.isEmpty()) {
            return peers;
        }
        Subject subject = Subject.of(id);
        lines.add(new Line(subject, values, peers % PEER_STYLES));
        return subject.kind() == Subject.Kind.PEER ? peers + 1 : peers;
    }

    private static Optional<LineChart> chart(
            String heading,
            String note,
            Metric.Promise promise,
            List<String> steps,
            List<Line> lines,
            boolean logarithmic) {
        if (lines.isEmpty()) {
            return Optional.empty();
        }
        // Ours last, on top of the others.
        lines.sort(Comparator.comparing(line -> line.subject().kind() == Subject.Kind.OURS));
        return Optional.of(new LineChart(heading, note, promise.words(), steps, lines, logarithmic));
    }

    /** Returns the chart as a group of SVG elements, {@link #WIDTH} by {@link #HEIGHT}. */
    String svg() {
        StringBuilder svg = new StringBuilder(4096);
        svg.append("<text class='title' x='0' y='18'>")
                .append(Text.escape(heading))
                .append("</text>");
        svg.append("<text class='note' x='0' y='34'>").append(Text.escape(note)).append("</text>");
        svg.append("<text class='note' x='0' y='48'>")
                .append(Text.escape(promise))
                .append("</text>");
        appendGrid(svg);
        for (Line line : lines) {
            append(svg, line);
        }
        appendLabels(svg);
        return svg.toString();
    }

    private void appendGrid(StringBuilder svg) {
        List<Double> marks = new ArrayList<>();
        if (logarithmic) {
            for (double mark = low; mark <= high * 1.001; mark *= 10) {
                marks.add(mark);
            }
        } else {
            for (int i = 0; i <= 4; i++) {
                marks.add(high * i / 4);
            }
        }
        for (double mark : marks) {
            svg.append(format("<path class='grid' d='M%d %.1f H%d'/>", LEFT, y(mark), RIGHT));
            svg.append(format(
                    "<text class='axis' x='%d' y='%.1f' text-anchor='end'>%s</text>",
                    LEFT - 6, y(mark) + 4, Text.compact(mark)));
        }
        for (int i = 0; i < steps.size(); i++) {
            svg.append(format(
                    "<text class='axis' x='%.1f' y='%d' text-anchor='middle'>%s</text>",
                    x(i), BOTTOM + 18, Text.escape(steps.get(i))));
        }
    }

    private void append(StringBuilder svg, Line line) {
        StringBuilder path = new StringBuilder();
        line.values()
                .forEach((step, value) ->
                        path.append(format("%s%.1f %.1f", path.isEmpty() ? "M" : " L", x(step), y(value))));
        svg.append(format(
                "<g><title>%s</title><path class='line %s' d='%s'/>",
                Text.escape(line.subject().fullLabel()), style(line), path));
        line.values()
                .forEach((step, value) -> svg.append(format(
                        "<circle class='dot %s' cx='%.1f' cy='%.1f' r='3'><title>%s, %s: %s</title></circle>",
                        style(line),
                        x(step),
                        y(value),
                        Text.escape(line.subject().fullLabel()),
                        Text.escape(steps.get(step)),
                        Text.compact(value))));
        svg.append("</g>");
    }

    /** Writes each label beside the end of its line, or as near to it as the other labels allow. */
    private void appendLabels(StringBuilder svg) {
        List<Line> byHeight = new ArrayList<>(lines);
        byHeight.sort(Comparator.comparingDouble((Line line) -> y(line.last())));
        double[] places = new double[byHeight.size()];
        double previous = TOP - LABEL_HEIGHT;
        for (int i = 0; i < places.length; i++) {
            places[i] = Math.max(y(byHeight.get(i).last()), previous + LABEL_HEIGHT);
            previous = places[i];
        }
        double next = BOTTOM + LABEL_HEIGHT;
        for (int i = places.length - 1; i >= 0; i--) {
            places[i] = Math.min(places[i], next - LABEL_HEIGHT);
            next = places[i];
        }
        for (int i = 0; i < places.length; i++) {
            Line line = byHeight.get(i);
            svg.append(format(
                    "<path class='leader' d='M%d %.1f L%d %.1f'/>", RIGHT + 3, y(line.last()), RIGHT + 13, places[i]));
            svg.append(format(
                    "<text class='label %s' x='%d' y='%.1f'>%s%s</text>",
                    style(line),
                    RIGHT + 16,
                    places[i] + 4,
                    Text.escape(shortLabel(line.subject())),
                    // Where every put is forced, the chart says so once.
                    logarithmic ? "<tspan class='tag' dx='4'>" + line.subject().tag() + "</tspan>" : ""));
        }
    }

    private static String shortLabel(Subject subject) {
        return subject.id().equals(RawLimit.NO_OPERATION.id()) ? "no operation" : subject.label();
    }

    private static String style(Line line) {
        return switch (line.subject().kind()) {
            case OURS -> "ours";
            case PEER -> "peer p" + line.style();
            case LIMIT -> "limit";
        };
    }

    private double x(int step) {
        return LEFT + 10 + (RIGHT - LEFT - 10.0) * step / (steps.size() - 1);
    }

    private double y(double value) {
        double part = logarithmic ? Math.log10(Math.max(value, low) / low) / Math.log10(high / low) : value / high;
        return BOTTOM - (BOTTOM - TOP) * part;
    }

    private static double niceEnd(double most) {
        double unit = Math.pow(10, Math.floor(Math.log10(Math.max(most, 1))));
        for (double factor : new double[] {1, 2, 4, 5, 8, 10}) {
            if (unit * factor >= most) {
                return unit * factor;
            }
        }
        return unit * 10;
    }

    private static String format(String pattern, Object... arguments) {
        return String.format(Locale.ROOT, pattern, arguments);
    }
}
