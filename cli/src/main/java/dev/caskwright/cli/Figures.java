package dev.caskwright.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.caskwright.api.CacheStats;
import dev.caskwright.api.ClockStats;
import dev.caskwright.api.EncryptionStats;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.ImageStats;
import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.MergeStats;
import dev.caskwright.api.OpeningStats;
import dev.caskwright.api.SpaceStats;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteStats;
import dev.caskwright.owner.AskedStore;
import dev.caskwright.owner.OwnerReport;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The figures of a store at one moment.
 *
 * @param stats what the engine gives
 * @param owner what its owner says, if it has one
 */
record Figures(EngineStats stats, @Nullable OwnerReport owner) {
    private static final int AMPLIFICATION_DIGITS = 4;

    /** The groups that have fields of their own below; others are shown as they are. */
    private static final Set<Class<?>> KNOWN = Set.of(
            SpaceStats.class,
            MemoryStats.class,
            OpeningStats.class,
            ImageStats.class,
            ClockStats.class,
            WriteStats.class,
            MergeStats.class,
            CacheStats.class,
            EncryptionStats.class);

    /** Takes the figures of a store that is open here or elsewhere. */
    static Figures of(StorageEngine store) throws IOException {
        if (store instanceof AskedStore asked) {
            OwnerReport report = asked.report();
            return new Figures(report.stats(), report);
        }
        return new Figures(store.stats(), null);
    }

    /** Returns all figures by name: what means something for a store that was opened just now, and more of one that runs. */
    Map<String, Object> all() {
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
        stats.encryption().ifPresent(encryption -> {
            figures.put("encryptionKey", encryption.keyId());
            figures.put("encryptedBytes", encryption.keyBytes());
            figures.put("encryptedByOthersBytes", encryption.otherBytes());
            figures.put("otherEncryptionKeys", encryption.otherKeys());
            figures.put("notEncryptedBytes", encryption.plainBytes());
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
        if (owner != null) {
            addOfRunning(figures, owner);
        }
        return figures;
    }

    private void addOfRunning(Map<String, Object> figures, OwnerReport report) {
        figures.put("snapshots", stats.snapshots());
        figures.put("pinnedBytes", stats.space().pinnedBytes());
        figures.put("writtenBytes", stats.writes().writtenBytes());
        figures.put("merges", stats.merging().merges());
        figures.put("mergedBytes", stats.merging().mergedBytes());
        stats.group(CacheStats.class).ifPresent(cache -> {
            figures.put("cacheHits", cache.hits());
            figures.put("cacheMisses", cache.misses());
            figures.put("cacheBytes", cache.bytes());
        });
        for (Record group : stats.groups()) {
            if (!KNOWN.contains(group.getClass())) {
                addGroup(figures, group);
            }
        }
        figures.put("ownerPid", report.pid());
        figures.put("ownerSeconds", Math.max(0, report.nowMillis() - report.startedAtMillis()) / 1_000);
        figures.put("durableVersion", report.durableVersion());
        figures.put("heapUsedBytes", report.heapUsedBytes());
        figures.put("heapMaxBytes", report.heapMaxBytes());
        figures.put("isHealthy", report.failure().isEmpty());
        figures.put("retries", report.retries().size());
    }

    /** A group that an engine has of its own: each number and flag under the names of the group and the part. */
    private static void addGroup(Map<String, Object> figures, Record group) {
        String name = group.getClass().getSimpleName().replaceAll("Stats$", "");
        for (RecordComponent part : group.getClass().getRecordComponents()) {
            Object value;
            try {
                value = part.getAccessor().invoke(group);
            } catch (ReflectiveOperationException e) {
                continue; // not for others to see
            }
            String field = Character.toLowerCase(name.charAt(0))
                    + name.substring(1)
                    + Character.toUpperCase(part.getName().charAt(0))
                    + part.getName().substring(1);
            if (value instanceof Long || value instanceof Integer || value instanceof Boolean) {
                figures.put(field, value);
            } else if (value instanceof Double number && !number.isNaN() && !number.isInfinite()) {
                figures.put(field, BigDecimal.valueOf(number).setScale(AMPLIFICATION_DIGITS, RoundingMode.HALF_UP));
            }
        }
    }

    /** Prints figures as one line of JSON. */
    static void printJson(OutputStream out, Map<String, ?> figures) throws IOException {
        try (JsonGenerator generator = JsonLineWriter.object(out)) {
            generator.writeStartObject();
            for (Map.Entry<String, ?> figure : figures.entrySet()) {
                Object value = figure.getValue();
                if (value instanceof Boolean flag) {
                    generator.writeBooleanField(figure.getKey(), flag);
                } else if (value instanceof BigDecimal decimal) {
                    generator.writeNumberField(figure.getKey(), decimal);
                } else if (value instanceof Number number) {
                    generator.writeNumberField(figure.getKey(), number.longValue());
                } else {
                    generator.writeStringField(figure.getKey(), String.valueOf(value));
                }
            }
            generator.writeEndObject();
            generator.writeRaw('\n');
        }
    }
}
