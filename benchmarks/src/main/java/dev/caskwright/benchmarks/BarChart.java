package dev.caskwright.benchmarks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Horizontal bars of one metric, best first, as a part of an SVG picture. Ours stand out, limits are outlined, a thin line
 * shows the spread over rounds. The scale starts at 0 unless the values differ by so much that only a logarithmic one shows
 * them all, and then the subtitle says so. A limit far beyond all stores is cut, with a mark.
 */
final class BarChart {
    static final int WIDTH = 560;

    private static final int LABEL_WIDTH = 190;
    private static final int VALUE_WIDTH = 78;
    private static final int BAR_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
    private static final int HEADER_HEIGHT = 62;
    private static final int ROW_HEIGHT = 25;
    private static final int BAR_HEIGHT = 15;
    private static final double LOGARITHMIC_FROM = 150;
    /** How far a limit's bar may go beyond the longest bar of a store before it is cut. */
    private static final double LIMIT_ROOM = 1.25;

    /** A spread of fewer pixels is not drawn. */
    private static final double LEAST_SPREAD = 3;

    private final Metric metric;
    private final String heading;
    private final List<Row> rows;
    private final double axisEnd;
    private final double axisStart;
    private final boolean logarithmic;

    private record Row(Subject subject, Spread spread) {}

    private BarChart(Metric metric, String heading, List<Row> rows) {
        this.metric = metric;
        this.heading = heading;
        this.rows = rows;
        double longest = 0;
        double shortest = Double.MAX_VALUE;
        for (Row row : rows) {
            if (row.subject().kind() != Subject.Kind.LIMIT) {
                longest = Math.max(longest, row.spread().max());
                shortest = Math.min(shortest, row.spread().median());
            }
        }
        double end = longest;
        for (Row row : rows) {
            if (row.subject().kind() == Subject.Kind.LIMIT) {
                end = Math.max(end, Math.min(longest * LIMIT_ROOM, row.spread().max()));
            }
        }
        this.logarithmic =
                metric.better() == Metric.Better.HIGHER && shortest > 0 && longest / shortest > LOGARITHMIC_FROM;
        this.axisEnd = end > 0 ? end : 1;
        this.axisStart = logarithmic ? shortest / 2 : 0;
    }

    /** Makes the chart of a metric at the given size, or returns empty if no store has the figure. */
    static Optional<BarChart> of(Results results, Metric metric, long keys, int valueSize) {
        List<Row> rows = new ArrayList<>();
        for (String id : results.subjects(metric, keys, valueSize)) {
            results.spread(id, metric, "", keys, valueSize)
                    .ifPresent(spread -> rows.add(new Row(Subject.of(id), spread)));
        }
        if (rows.stream().noneMatch(row -> row.subject().kind() != Subject.Kind.LIMIT)) {
            return Optional.empty();
        }
        Comparator<Row> byMedian =
                Comparator.comparingDouble(row -> row.spread().median());
        rows.sort(metric.better() == Metric.Better.HIGHER ? byMedian.reversed() : byMedian);
        String size = keys == results.keys() && valueSize == results.valueSize()
                ? ""
                : ", " + Text.size(valueSize) + " × " + Text.grouped(keys) + " keys";
        return Optional.of(new BarChart(metric, metric.title() + size, rows));
    }

    String title() {
        return heading;
    }

    int height() {
        return HEADER_HEIGHT + rows.size() * ROW_HEIGHT + 6;
    }

    /** Returns the chart as a group of SVG elements, {@link #WIDTH} by {@link #height()}. */
    String svg() {
        StringBuilder svg = new StringBuilder(4096);
        svg.append("<text class='title' x='0' y='18'>")
                .append(Text.escape(heading))
                .append("</text>");
        String scale = logarithmic ? " · log scale" : "";
        svg.append("<text class='note' x='0' y='34'>")
                .append(Text.escape(metric.unit() + " · " + metric.better().words() + scale))
                .append("</text>");
        svg.append("<text class='note' x='0' y='48'>")
                .append(Text.escape(metric.promise().words()))
                .append("</text>");
        for (int i = 0; i < rows.size(); i++) {
            append(svg, rows.get(i), HEADER_HEIGHT + i * ROW_HEIGHT);
        }
        return svg.toString();
    }

    private void append(StringBuilder svg, Row row, int top) {
        Subject subject = row.subject();
        Spread spread = row.spread();
        String style = subject.kind().name().toLowerCase(Locale.ROOT);
        int middle = top + BAR_HEIGHT / 2;
        double end = x(spread.median());
        String tag = metric.promise() == Metric.Promise.SYNC ? "" : subject.tag();
        svg.append(format(
                "<g><title>%s: %s %s (%s to %s over %d rounds)</title>",
                Text.escape(subject.fullLabel()),
                Text.compact(spread.median()),
                Text.escape(metric.unit()),
                Text.compact(spread.min()),
                Text.compact(spread.max()),
                spread.runs()));
        svg.append(format(
                "<text class='label %s' x='%d' y='%d' text-anchor='end'>%s",
                style, LABEL_WIDTH - 8, middle + 4, Text.escape(subject.label())));
        if (!tag.isEmpty()) {
            svg.append(format("<tspan class='tag' dx='5'>%s</tspan>", tag));
        }
        svg.append("</text>");
        svg.append(format(
                "<rect class='%s' x='%d' y='%d' width='%.1f' height='%d' rx='2'/>",
                style, LABEL_WIDTH, top, Math.max(1.0, end - LABEL_WIDTH), BAR_HEIGHT));
        if (spread.median() > axisEnd) {
            double cut = end - 22;
            svg.append(format(
                    "<path class='cut' d='M%.1f %d l6 %d M%.1f %d l6 %d'/>",
                    cut, top + BAR_HEIGHT + 2, -BAR_HEIGHT - 4, cut + 5, top + BAR_HEIGHT + 2, -BAR_HEIGHT - 4));
        } else if (x(spread.max()) - x(spread.min()) >= LEAST_SPREAD) {
            svg.append(format(
                    "<path class='spread' d='M%.1f %d H%.1f M%.1f %d v6 M%.1f %d v6'/>",
                    x(spread.min()),
                    middle,
                    x(spread.max()),
                    x(spread.min()),
                    middle - 3,
                    x(spread.max()),
                    middle - 3));
        }
        double valueX = Math.max(end, Math.min(x(spread.max()), (double) LABEL_WIDTH + BAR_WIDTH)) + 6;
        svg.append(format(
                "<text class='value %s' x='%.1f' y='%d'>%s</text></g>",
                style,
                valueX,
                middle + 4,
                Text.compact(spread.median()) + (spread.median() > axisEnd ? " (cut)" : "")));
    }

    private double x(double value) {
        double part = logarithmic
                ? Math.log(Math.max(value, axisStart) / axisStart) / Math.log(axisEnd / axisStart)
                : value / axisEnd;
        return LABEL_WIDTH + BAR_WIDTH * Math.min(1, Math.max(0, part));
    }

    private static String format(String pattern, Object... arguments) {
        return String.format(Locale.ROOT, pattern, arguments);
    }
}
