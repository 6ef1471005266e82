package dev.caskwright.benchmarks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** The report as one HTML page that needs nothing else. */
final class HtmlReport {
    private static final List<Metric> SIZE_METRICS = List.of(
            Metric.FILL,
            Metric.GET,
            Metric.INDEX,
            Metric.OPEN_WARM,
            Metric.OPEN_CLEAN,
            Metric.FIRST_GET,
            Metric.FIRST_PUT,
            Metric.OPEN_KILLED,
            Metric.FULL_MERGE);

    private final Results results;
    private final List<Figure> figures;
    private final StringBuilder page = new StringBuilder(1 << 16);

    private HtmlReport(Results results, List<Figure> figures) {
        this.results = results;
        this.figures = figures;
    }

    static String render(Results results, List<Figure> figures) {
        return new HtmlReport(results, figures).page();
    }

    private String page() {
        page.append("<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>")
                .append("<meta name='viewport' content='width=device-width, initial-scale=1'>")
                .append("<title>Caskwright benchmarks</title><style>")
                .append(Style.colours(":root"))
                .append(Style.CHART)
                .append(Style.PAGE)
                .append("</style></head><body><main>\n");
        head();
        section(
                "Reads",
                "Values are copied out to the caller by every store; ours verify a checksum each time.",
                bars(
                        Metric.GET,
                        Metric.GET_ZIPF,
                        Metric.GET_2,
                        Metric.GET_INTO,
                        Metric.MISS,
                        Metric.SCAN,
                        Metric.RANGE));
        section(
                "Writes",
                "One put a call, no batches. What a put survives stands beside each name.",
                bars(Metric.FILL, Metric.OVERWRITE));
        section(
                "Reads and writes together",
                "",
                bars(Metric.MIX95_ZIPF, Metric.MIX50_ZIPF, Metric.MIX95_UNIFORM, Metric.MIX50_UNIFORM));
        durable();
        latency();
        section(
                "Opening",
                "Each in a JVM of its own unless it says warmed; the data is in the page cache.",
                bars(Metric.OPEN_CLEAN, Metric.OPEN_WARM, Metric.FIRST_GET, Metric.OPEN_KILLED, Metric.SURVIVED));
        section(
                "Memory and disk",
                "Off-heap memory is private memory of the process outside the heap, native caches and compiled code"
                        + " included; pages of mapped files belong to the system and do not count.",
                bars(
                        Metric.HEAP,
                        Metric.OFF_HEAP,
                        Metric.INDEX,
                        Metric.ALLOCATED_GET,
                        Metric.ALLOCATED_GET_INTO,
                        Metric.ALLOCATED_PUT,
                        Metric.DISK,
                        Metric.DISK_OVERWRITTEN,
                        Metric.WRITE_AMPLIFICATION,
                        Metric.SPACE_OVERWRITTEN,
                        Metric.SPACE_MERGED));
        bySize();
        figureTable();
        method();
        allFigures();
        return page.append("</main></body></html>\n").toString();
    }

    private void head() {
        page.append("<h1>Caskwright benchmarks</h1><p class='soft'>")
                .append(Text.grouped(results.keys()))
                .append(" keys of ")
                .append(Dataset.KEY_SIZE)
                .append(" bytes, values of ")
                .append(results.valueSize())
                .append(" bytes · ")
                .append(escape(results.machine().getOrDefault("processor", "")))
                .append(", ")
                .append(escape(results.machine().getOrDefault("cores", "?")))
                .append(" cores · ")
                .append(escape(results.options().getOrDefault("date", "")))
                .append("</p>\n<div class='tiles'>");
        tile(Metric.GET, Contender.HASHMAP_MMAP, Contender.LMDB, Contender.ROCKSDB);
        tile(Metric.FILL, Contender.HASHMAP_MMAP, Contender.LMDB, Contender.ROCKSDB);
        tile(Metric.MIX50_ZIPF, Contender.HASHMAP_MMAP, Contender.LMDB, Contender.ROCKSDB);
        tile(Metric.SYNC_64, Contender.HASHMAP_MMAP, Contender.LMDB, Contender.ROCKSDB);
        page.append("</div>\n<div class='legend'><span><i class='i-ours'></i>Caskwright</span>")
                .append("<span><i class='i-peer'></i>other stores</span>")
                .append("<span><i class='i-limit'></i>no store: bare system calls, a map on the heap</span>")
                .append("<span>thin line: spread over rounds</span></div>\n");
    }

    private void tile(Metric metric, Contender ours, Contender... others) {
        OptionalDouble value = results.median(ours.id(), metric);
        if (value.isEmpty()) {
            return;
        }
        page.append("<div class='tile'><span class='soft'>")
                .append(escape(metric.title()))
                .append("</span><b>")
                .append(Text.compact(value.getAsDouble()))
                .append("/s</b><small>");
        List<String> ratios = new ArrayList<>();
        for (Contender other : others) {
            results.median(other.id(), metric)
                    .ifPresent(
                            theirs -> ratios.add(Text.compact(value.getAsDouble() / theirs) + " × " + other.label()));
        }
        page.append(escape(String.join(", ", ratios)))
                .append(metric.promise() == Metric.Promise.SYNC ? " · SYNC" : " · WRITE")
                .append("</small></div>");
    }

    private List<String> bars(Metric... metrics) {
        List<String> charts = new ArrayList<>();
        for (Metric metric : metrics) {
            BarChart.of(results, metric, results.keys(), results.valueSize())
                    .ifPresent(chart -> charts.add(svg(chart.svg(), chart.height())));
        }
        return charts;
    }

    private static String svg(String content, int height) {
        return "<svg viewBox='0 0 " + BarChart.WIDTH + " " + height + "' role='img'>" + content + "</svg>";
    }

    private void section(String title, String words, List<String> charts) {
        if (charts.isEmpty()) {
            return;
        }
        page.append("<h2>").append(escape(title)).append("</h2>");
        if (!words.isEmpty()) {
            page.append("<p class='soft'>").append(escape(words)).append("</p>");
        }
        page.append("<div class='charts panelled'>");
        for (String chart : charts) {
            page.append("<div class='chart'>").append(chart).append("</div>\n");
        }
        page.append("</div>\n");
    }

    private void durable() {
        List<String> charts = new ArrayList<>();
        LineChart.durablePuts(results).ifPresent(chart -> charts.add(svg(chart.svg(), LineChart.HEIGHT)));
        charts.addAll(bars(Metric.SYNC_1, Metric.SYNC_16, Metric.SYNC_64));
        section(
                "Durable writes",
                "Every put is on the disk, forced, before it returns. Stores that cannot promise that are not here.",
                charts);
    }

    private void latency() {
        List<String> charts = new ArrayList<>();
        for (Metric metric : Metric.values()) {
            if (metric.isLatency()) {
                LineChart.latency(results, metric).ifPresent(chart -> charts.add(svg(chart.svg(), LineChart.HEIGHT)));
            }
        }
        section(
                "Latency",
                "An operation that starts late because the one before it was slow counts its waiting. The dotted line"
                        + " does nothing at the same rate: what the machine itself adds.",
                charts);
    }

    /** Shows lines over the numbers of keys of a run over sizes, or bars for the sizes besides the main one. */
    private void bySize() {
        if (!results.isBySize()) {
            section("Other sizes", "", otherSizes());
            return;
        }
        List<String> charts = new ArrayList<>();
        for (Metric metric : SIZE_METRICS) {
            LineChart.bySize(results, metric).ifPresent(chart -> charts.add(svg(chart.svg(), LineChart.HEIGHT)));
        }
        section(
                "By number of keys",
                "One store a contender and size: filled, killed, opened, closed, opened, read, merged. Where a line ends"
                        + " early, the store did not get through the next size in its time.",
                charts);
    }

    private List<String> otherSizes() {
        List<String> charts = new ArrayList<>();
        results.samples().stream()
                .filter(sample -> sample.keys() != results.keys() || sample.valueSize() != results.valueSize())
                .map(sample -> List.of(sample.keys(), (long) sample.valueSize()))
                .distinct()
                .sorted(Comparator.comparing((List<Long> size) -> size.get(1)).thenComparing(size -> size.get(0)))
                .forEach(size -> {
                    for (Metric metric : Metric.values()) {
                        BarChart.of(results, metric, size.get(0), size.get(1).intValue())
                                .filter(chart -> metric.unit().contains("/s")
                                        || metric.name().startsWith("OPEN")
                                        || metric == Metric.INDEX)
                                .ifPresent(chart -> charts.add(svg(chart.svg(), chart.height())));
                    }
                });
        return charts;
    }

    private void figureTable() {
        long reached = figures.stream()
                .filter(figure -> figure.verdict() == Figure.Verdict.REACHED)
                .count();
        long measured = figures.stream()
                .filter(figure -> figure.verdict() != Figure.Verdict.NOT_MEASURED)
                .count();
        page.append("<h2>Figures we hold ourselves to</h2><p class='soft'>")
                .append(reached)
                .append(" of ")
                .append(measured)
                .append(" measured figures reached in this run.</p><div class='scroll'><table>")
                .append(
                        "<tr><th>work</th><th>ours</th><th>wanted</th><th class='number'>this run</th><th></th></tr>\n");
        for (Figure figure : figures) {
            Figure.Verdict verdict = figure.verdict();
            page.append("<tr><td>")
                    .append(escape(figure.work()))
                    .append("</td><td>")
                    .append(escape(figure.ours()))
                    .append("</td><td>")
                    .append(escape(figure.target()))
                    .append("</td><td class='number'>")
                    .append(escape(MarkdownReport.value(figure)))
                    .append("</td><td><span class='verdict ")
                    .append(verdict.name().toLowerCase(Locale.ROOT))
                    .append("'>")
                    .append(verdict.words())
                    .append("</span></td></tr>\n");
        }
        page.append("</table></div>\n");
    }

    private void method() {
        page.append(
                        "<h2>How it was measured</h2><p>Contenders take turns within a round, each in a new JVM that fills the")
                .append(
                        " store, warms the code up and measures; the next round starts with another one. Bars are medians")
                .append(" over rounds. Keys are made from their number, so no table of keys competes for the cache.")
                .append(" Values do not compress. ");
        page.append("<b>Noise:</b> ").append(escape(results.noise())).append("</p><dl>");
        results.machine().forEach(this::fact);
        results.options().forEach(this::fact);
        page.append(
                        "</dl><div class='scroll'><table><tr><th>contender</th><th>version</th><th>not forced, a put is</th>")
                .append("<th>settings</th></tr>\n");
        for (String id : results.subjects()) {
            Subject subject = Subject.of(id);
            page.append("<tr><td>")
                    .append(escape(subject.fullLabel()))
                    .append("</td><td>")
                    .append(escape(subject.version()))
                    .append("</td><td>")
                    .append(subject.tag())
                    .append("</td><td>")
                    .append(escape(subject.note()))
                    .append("</td></tr>\n");
        }
        page.append(
                        "</table></div><p class='soft'>WRITE: an acknowledged put survives kill -9 of the process, not a power")
                .append(" loss. NONE: it may be lost with the process.</p>\n");
        if (!results.failures().isEmpty()) {
            page.append("<h2>What did not work</h2><ul>");
            results.failures()
                    .forEach(failure ->
                            page.append("<li>").append(escape(failure)).append("</li>"));
            page.append("</ul>");
        }
    }

    private void fact(String name, String value) {
        page.append("<dt>")
                .append(escape(name))
                .append("</dt><dd>")
                .append(escape(value))
                .append("</dd>");
    }

    private void allFigures() {
        page.append(
                        "<details><summary>All figures</summary><div class='scroll'><table><tr><th>figure</th><th>contender</th>")
                .append("<th class='number'>min</th><th class='number'>median</th><th class='number'>max</th>")
                .append("<th class='number'>rounds</th></tr>\n");
        for (Map.Entry<Sample, Spread> entry : MarkdownReport.distinct(results).entrySet()) {
            Sample sample = entry.getKey();
            Spread spread = entry.getValue();
            page.append("<tr><td>")
                    .append(escape(MarkdownReport.name(results, sample)))
                    .append("</td><td>")
                    .append(escape(Subject.of(sample.subject()).fullLabel()))
                    .append("</td>");
            number(Text.compact(spread.min()));
            number(Text.compact(spread.median()));
            number(Text.compact(spread.max()));
            number(String.valueOf(spread.runs()));
            page.append("</tr>\n");
        }
        page.append("</table></div></details>\n");
    }

    private void number(String text) {
        page.append("<td class='number'>").append(text).append("</td>");
    }

    private static String escape(String text) {
        return Text.escape(text);
    }
}
