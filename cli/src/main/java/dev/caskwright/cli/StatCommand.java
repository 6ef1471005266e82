package dev.caskwright.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.caskwright.api.ClockStats;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.ImageStats;
import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.OpeningStats;
import dev.caskwright.api.SpaceStats;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.EngineSettings.Access;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints figures about a store. */
@Command(name = "stat", description = "Print figures about a store: keys, files, bytes, memory of the index.")
final class StatCommand implements Callable<Integer> {
    private static final int AMPLIFICATION_DIGITS = 4;

    private final Shell shell;

    @Mixin
    private DirectoryOption directory = new DirectoryOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    StatCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        Map<String, Object> figures;
        try (StorageEngine store = shell.stores().open(directory.path(), backends, Access.READ)) {
            figures = figures(store.stats());
        }
        if (json) {
            printJson(figures);
        } else {
            printTable(figures);
        }
        return ExitCode.OK;
    }

    /** Returns what means something for a store that was opened just now, to be read only, of what its engine gives. */
    private static Map<String, Object> figures(EngineStats stats) {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("keys", stats.keys());
        figures.put("lastVersion", stats.lastVersion());
        stats.group(SpaceStats.class).ifPresent(space -> {
            figures.put("files", space.files());
            figures.put("diskBytes", space.diskBytes());
            figures.put("liveBytes", space.liveBytes());
            figures.put("deadBytes", space.deadBytes());
            figures.put(
                    "spaceAmplification",
                    BigDecimal.valueOf(space.amplification()).setScale(AMPLIFICATION_DIGITS, RoundingMode.HALF_UP));
        });
        stats.group(MemoryStats.class).ifPresent(memory -> {
            figures.put("indexBytes", memory.indexBytes());
            figures.put("memoryBytes", memory.totalBytes());
        });
        stats.group(OpeningStats.class).ifPresent(opening -> {
            figures.put("openMillis", opening.millis());
            figures.put("openedFromImage", opening.fromImage());
            figures.put("replayedRecords", opening.replayedRecords());
            figures.put("tornBytesCut", opening.tornBytesCut());
        });
        stats.group(ImageStats.class).ifPresent(images -> figures.put("savedImages", images.saved()));
        stats.group(ClockStats.class).ifPresent(clock -> figures.put("clockJumps", clock.jumps()));
        return figures;
    }

    private void printJson(Map<String, Object> figures) throws IOException {
        try (JsonGenerator generator = JsonLineWriter.object(shell.out())) {
            generator.writeStartObject();
            for (Map.Entry<String, Object> figure : figures.entrySet()) {
                if (figure.getValue() instanceof Boolean flag) {
                    generator.writeBooleanField(figure.getKey(), flag);
                } else if (figure.getValue() instanceof BigDecimal decimal) {
                    generator.writeNumberField(figure.getKey(), decimal);
                } else {
                    generator.writeNumberField(figure.getKey(), ((Number) figure.getValue()).longValue());
                }
            }
            generator.writeEndObject();
            generator.writeRaw('\n');
        }
    }

    private void printTable(Map<String, Object> figures) throws IOException {
        for (Map.Entry<String, Object> figure : figures.entrySet()) {
            shell.println(String.format(Locale.ROOT, "%-18s %20s", figure.getKey(), text(figure.getValue())));
        }
    }

    private static String text(Object figure) {
        if (figure instanceof Boolean flag) {
            return flag ? "yes" : "no";
        }
        return figure instanceof BigDecimal decimal
                ? decimal.toPlainString()
                : String.format(Locale.ROOT, "%,d", ((Number) figure).longValue());
    }
}
