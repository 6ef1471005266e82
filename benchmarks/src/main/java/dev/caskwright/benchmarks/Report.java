package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Writes what a run found: a page, a text, data, and one picture. */
final class Report {
    /** Name of the page: everything, in one file, without a network. */
    static final String HTML = "report.html";

    static final String MARKDOWN = "report.md";
    static final String JSON = "report.json";
    /** Name of the picture for a README. */
    static final String SUMMARY = "summary.svg";

    /** Works that the picture shows: those that we lose are there too. */
    private static final List<Metric> SUMMARY_METRICS =
            List.of(Metric.GET, Metric.FILL, Metric.MIX50_ZIPF, Metric.SCAN, Metric.SYNC_64, Metric.RANGE);

    private static final int GAP = 32;

    private Report() {}

    /** Writes all four files into a directory that exists. */
    static void write(Results results, Path directory) throws IOException {
        List<Figure> figures = Figures.of(results);
        Files.writeString(directory.resolve(HTML), HtmlReport.render(results, figures));
        Files.writeString(directory.resolve(MARKDOWN), MarkdownReport.render(results, figures));
        Files.writeString(directory.resolve(JSON), JsonReport.render(results, figures));
        Files.writeString(directory.resolve(SUMMARY), summary(results));
    }

    /** Returns the picture: two columns of bar charts, with its own colours for light and dark pages. */
    static String summary(Results results) {
        StringBuilder charts = new StringBuilder();
        int[] bottom = {GAP, GAP};
        for (Metric metric : SUMMARY_METRICS) {
            Optional<BarChart> chart = BarChart.of(results, metric, results.keys(), results.valueSize());
            if (chart.isEmpty()) {
                continue;
            }
            int column = bottom[0] <= bottom[1] ? 0 : 1;
            int x = GAP + column * (BarChart.WIDTH + GAP);
            charts.append("<g transform='translate(" + x + " " + bottom[column] + ")'>")
                    .append(chart.get().svg())
                    .append("</g>\n");
            bottom[column] += chart.get().height() + GAP;
        }
        int width = 2 * BarChart.WIDTH + 3 * GAP;
        int height = Math.max(bottom[0], bottom[1]) + GAP;
        String caption = Text.grouped(results.keys()) + " keys of " + Dataset.KEY_SIZE + " bytes, values of "
                + results.valueSize() + " bytes · "
                + results.machine().getOrDefault("processor", "") + ", "
                + results.machine().getOrDefault("cores", "?") + " cores · "
                + results.machine().getOrDefault("JVM", "") + " · medians, thin lines show the spread over rounds ("
                + results.options().getOrDefault("rounds", "?") + ")";
        return "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " + width + " " + height + "' width='" + width
                + "' height='" + height + "' role='img' aria-label='Benchmark results'>\n<style>"
                + Style.colours(":root") + Style.CHART + "</style>\n"
                + "<rect class='page' width='100%' height='100%' rx='8'/>\n" + charts
                + "<text class='note' x='" + GAP + "' y='" + (height - 20) + "'>" + Text.escape(caption)
                + "</text>\n</svg>\n";
    }
}
