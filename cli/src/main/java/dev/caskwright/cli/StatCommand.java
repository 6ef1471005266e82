package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints figures about a store, once or over time. */
@Command(
        name = "stat",
        description = {
            "Print figures about a store: keys, files, bytes, memory. Of a store that another process has open, that process"
                    + " is asked, and tells of writes, merges, its heap and its health, too.",
            "With --every, a line is printed each time, with rates since the line before."
        })
final class StatCommand implements Callable<Integer> {
    private static final int LINES_PER_HEADER = 20;
    private static final String LINE = "%-8s %13s %10s %11s %11s %10s %6s %7s %10s";

    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Option(names = "--json", description = "As a JSON object; with --every, one a line.")
    private boolean json;

    @Option(
            names = "--every",
            paramLabel = "TIME",
            converter = TimeToLive.class,
            description = "Print again and again, after this time, until killed.")
    private @Nullable Duration every;

    @Option(names = "--count", paramLabel = "N", description = "With --every, end after this many times.")
    private @Nullable Long count;

    StatCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (count != null && (every == null || count < 1)) {
            throw new UsageException("--count must be at least 1, and goes with --every");
        }
        if (every == null) {
            Figures figures = take();
            if (json) {
                Figures.printJson(shell.out(), figures.all());
            } else {
                for (String line : FigureTable.lines(figures, null, 0)) {
                    shell.println(line);
                }
            }
            return ExitCode.OK;
        }
        repeat(every, count == null ? Long.MAX_VALUE : count);
        return ExitCode.OK;
    }

    private void repeat(Duration pause, long times) throws IOException, InterruptedException {
        long start = System.nanoTime();
        long last = start;
        Figures before = null;
        for (long i = 0; i < times; i++) {
            if (i > 0) {
                shell.pause().millis(pause.toMillis());
            }
            Figures now = take();
            long moment = System.nanoTime();
            double seconds = before == null ? 0 : (moment - last) / 1e9;
            if (json) {
                printJsonLine(now, before, seconds);
            } else {
                if (i % LINES_PER_HEADER == 0) {
                    shell.println(String.format(
                            Locale.ROOT,
                            LINE,
                            "time",
                            "keys",
                            "writes/s",
                            "written/s",
                            "merged/s",
                            "disk",
                            "ampl",
                            "merges",
                            "memory"));
                }
                printLine(now, before, Duration.ofNanos(moment - start), seconds);
            }
            shell.out().flush();
            before = now;
            last = moment;
        }
    }

    private Figures take() throws IOException {
        try (StorageEngine store = place.open(shell, Access.READ)) {
            return Figures.of(store);
        }
    }

    private static long writes(Figures now, Figures before) {
        return now.stats().lastVersion() - before.stats().lastVersion();
    }

    /** Of a store that is opened again each time the counts of writers and merges start again, too. */
    private static String bytesPerSecond(long now, long before, double seconds) {
        return Human.bytes(Math.max(0, now - before) / seconds);
    }

    private void printLine(Figures now, @Nullable Figures before, Duration time, double seconds) throws IOException {
        String writes = "-";
        String written = "-";
        String merged = "-";
        if (before != null && seconds > 0) {
            writes = String.format(Locale.ROOT, "%,.0f", writes(now, before) / seconds);
            written = bytesPerSecond(
                    now.stats().writes().writtenBytes(), before.stats().writes().writtenBytes(), seconds);
            merged = bytesPerSecond(
                    now.stats().merging().mergedBytes(),
                    before.stats().merging().mergedBytes(),
                    seconds);
        }
        shell.println(String.format(
                Locale.ROOT,
                LINE,
                Human.time(time),
                Human.count(now.stats().keys()),
                writes,
                written,
                merged,
                Human.bytes(now.stats().space().diskBytes()),
                String.format(Locale.ROOT, "%.2f", now.stats().space().amplification()),
                Human.count(now.stats().merging().merges()),
                Human.bytes(now.stats().memory().totalBytes())));
    }

    private void printJsonLine(Figures now, @Nullable Figures before, double seconds) throws IOException {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("atMillis", System.currentTimeMillis());
        line.putAll(now.all());
        if (before != null && seconds > 0) {
            line.put(
                    "writesPerSecond",
                    BigDecimal.valueOf(writes(now, before) / seconds).setScale(1, RoundingMode.HALF_UP));
        }
        Figures.printJson(shell.out(), line);
    }
}
