package dev.caskwright.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

final class ReportTest {
    private static final long KEYS = 1_000_000;
    private static final int VALUE_SIZE = 100;

    private final Results results = new Results(
            Map.of("processor", "Test <CPU> & co", "cores", "2", "JVM", "Test VM 17"),
            Map.of("rounds", "3"),
            KEYS,
            VALUE_SIZE);

    @TempDir
    Path directory;

    @BeforeEach
    void measure() {
        add("hashmap-mmap", Metric.GET, 2_900_000, 3_000_000, 3_500_000);
        add("hashmap-standard", Metric.GET, 1_200_000);
        add("lmdb", Metric.GET, 1_000_000, 1_100_000);
        add("rocksdb", Metric.GET, 400_000);
        add("raw-read", Metric.GET, 1_500_000);
        add("hashmap-mmap", Metric.SYNC_1, 900);
        add("rocksdb", Metric.SYNC_1, 1_000);
        add("raw-append-force", Metric.SYNC_1, 950);
        add("hashmap-mmap", Metric.ALLOCATED_PUT, 0);
        for (String percentile : List.of("p50", "p90", "p99", "p99.9", "p99.99", "max")) {
            results.add(new Sample("hashmap-mmap", Metric.LATENCY_GET, percentile, KEYS, VALUE_SIZE, 2));
            results.add(new Sample("hashmap-mmap", Metric.LATENCY_GET_MERGE, percentile, KEYS, VALUE_SIZE, 12));
        }
        results.addFailure("xodus store failed: <reason>");
    }

    @Test
    void aRunOverSizesIsDrawnAsLinesAndListsOnlyWhatItMeasured() {
        assertThat(HtmlReport.render(results, Figures.of(results))).doesNotContain("By number of keys");
        for (long keys : new long[] {KEYS, 10 * KEYS, 100 * KEYS}) {
            results.add(new Sample("compact-mmap", Metric.FILL, "", keys, VALUE_SIZE, 800_000));
            results.add(new Sample("compact-mmap", Metric.OPEN_WARM, "", keys, VALUE_SIZE, 15));
        }
        results.add(new Sample("rocksdb", Metric.FILL, "", KEYS, VALUE_SIZE, 300_000));
        List<Figure> figures = Figures.of(results);
        String page = HtmlReport.render(results, figures);
        assertThat(page).contains("By number of keys", "ms, by number of keys", ">100 M<");
        assertThat(figures).allMatch(figure -> figure.value().isPresent());
        assertThat(figure(figures, Metric.OPEN_WARM.title() + ", 100 M keys", "under 100 ms")
                        .verdict())
                .isEqualTo(Figure.Verdict.REACHED);
    }

    @Test
    void figuresAreRatiosOfMedians() {
        List<Figure> figures = Figures.of(results);
        Figure lmdb = figure(figures, "Random get", "at least 3 × LMDB");
        assertThat(lmdb.value()).hasValue(3_000_000.0 / 1_050_000);
        assertThat(lmdb.verdict()).isEqualTo(Figure.Verdict.NOT_REACHED);
        assertThat(figure(figures, "Random get", "at least 1.25 × Chronicle Map")
                        .verdict())
                .isEqualTo(Figure.Verdict.NOT_MEASURED);
        Figure bare = figure(figures, "Random get", "at least 0.85 × bare positional read");
        assertThat(bare.value()).hasValue(0.8);
        assertThat(bare.ours()).isEqualTo("hashmap + standard");
        assertThat(figure(figures, "Durable puts, 1 thread", "at least 0.9 × bare append + force")
                        .verdict())
                .isEqualTo(Figure.Verdict.REACHED);
        assertThat(figure(figures, "Durable puts, 1 thread", "at least as fast as RocksDB")
                        .verdict())
                .isEqualTo(Figure.Verdict.NOT_REACHED);
        assertThat(figure(figures, "Get latency p99.9 while a merge runs", "at most 5 × the idle p99.9")
                        .value())
                .hasValue(6);
        assertThat(figure(figures, "Allocation of a put", "at most 0 bytes").verdict())
                .isEqualTo(Figure.Verdict.REACHED);
    }

    @Test
    void writesAllFiles() throws IOException {
        Report.write(results, directory);
        assertThat(directory.toFile().list())
                .containsExactlyInAnyOrder(Report.HTML, Report.MARKDOWN, Report.JSON, Report.SUMMARY);
    }

    @Test
    void pageNeedsNoNetworkAndEscapesWhatItShows() {
        String page = HtmlReport.render(results, Figures.of(results));
        assertThat(page)
                .doesNotContain("http://", "https://", "<script", "src=", "url(")
                .contains("Test &lt;CPU&gt; &amp; co", "xodus store failed: &lt;reason&gt;");
    }

    @Test
    void everyChartSaysWhatIsBetterAndWhatAPutSurvives() {
        String page = HtmlReport.render(results, Figures.of(results));
        Matcher charts = Pattern.compile("<svg.*?</svg>", Pattern.DOTALL).matcher(page);
        int count = 0;
        while (charts.find()) {
            count++;
            assertThat(charts.group()).containsPattern("is better").containsPattern("durability (NONE or WRITE|SYNC)");
        }
        assertThat(count).isGreaterThanOrEqualTo(5);
    }

    @Test
    void oursAreMarkedAndTheBestIsFirst() {
        BarChart chart = BarChart.of(results, Metric.GET, KEYS, VALUE_SIZE).orElseThrow();
        String svg = chart.svg();
        assertThat(svg).contains("<rect class='ours'", "<rect class='peer'", "<rect class='limit'");
        assertThat(svg.indexOf("hashmap + mmap")).isLessThan(svg.indexOf("LMDB"));
        assertThat(svg.indexOf("LMDB")).isLessThan(svg.indexOf("RocksDB"));
        assertThat(svg).doesNotContain("log scale");
    }

    @Test
    void logarithmicScaleIsSaid() {
        add("mapdb-hash", Metric.GET, 100);
        BarChart chart = BarChart.of(results, Metric.GET, KEYS, VALUE_SIZE).orElseThrow();
        assertThat(chart.svg()).contains("log scale");
    }

    @Test
    void summaryIsWellFormed() throws Exception {
        String svg = Report.summary(results);
        var document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
        assertThat(document.getDocumentElement().getTagName()).isEqualTo("svg");
        assertThat(svg).contains("Random get", "hashmap + mmap", "prefers-color-scheme");
    }

    @Test
    void markdownHasATableForEachMetric() {
        assertThat(MarkdownReport.render(results, Figures.of(results)))
                .contains("| **Caskwright hashmap + mmap** | WRITE |  | 3 M | 2.90 M | 3.50 M |")
                .contains("| Random get | hashmap + mmap | at least 3 × LMDB | 2.86 × | not reached |")
                .contains("gets/s, 1 thread; higher is better; durability NONE or WRITE")
                .contains("| RocksDB | SYNC |  | 1,000 |");
    }

    @Test
    void jsonHasEverySample() throws IOException {
        Report.write(results, directory);
        String json = Files.readString(directory.resolve(Report.JSON));
        assertThat(json).contains("\"processor\": \"Test <CPU> & co\"");
        assertThat(json.split("\"metric\": ", -1)).hasSize(results.samples().size() + 1);
    }

    @Test
    void sampleLinesRoundTrip() {
        Sample sample = new Sample("lmdb", Metric.LATENCY_GET, "p99.9", 10, 100, 1.5e-7);
        assertThat(Sample.ofLine(sample.toLine())).isEqualTo(sample);
    }

    private static Figure figure(List<Figure> figures, String work, String target) {
        return figures.stream()
                .filter(figure -> figure.work().equals(work) && figure.target().equals(target))
                .findFirst()
                .orElseThrow();
    }

    private void add(String subject, Metric metric, double... values) {
        for (double value : values) {
            results.add(new Sample(subject, metric, "", KEYS, VALUE_SIZE, value));
        }
    }
}
