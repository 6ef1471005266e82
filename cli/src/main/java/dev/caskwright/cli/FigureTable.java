package dev.caskwright.cli;

import dev.caskwright.api.CacheStats;
import dev.caskwright.api.ClockStats;
import dev.caskwright.api.EncryptionStats;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.ImageStats;
import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.OpeningStats;
import dev.caskwright.api.SpaceStats;
import dev.caskwright.owner.OwnerReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Figures as a table for people: a name, a number, and what it says. */
final class FigureTable {
    private final List<String> lines = new ArrayList<>();

    private FigureTable() {}

    /** Returns the lines of the table. With the figures of some time before, it tells rates. */
    static List<String> lines(Figures figures, @Nullable Figures before, double seconds) {
        FigureTable table = new FigureTable();
        EngineStats stats = figures.stats();
        OwnerReport owner = figures.owner();
        if (owner != null) {
            table.addOwner(owner);
        }
        table.add("keys", Human.count(stats.keys()), "");
        String durable = owner == null || owner.durableVersion() == 0
                ? ""
                : "durable up to " + Human.count(owner.durableVersion());
        table.add("last version", Human.count(stats.lastVersion()), durable);
        if (before != null && seconds > 0) {
            table.addRates(stats, before.stats(), seconds);
        }
        stats.group(SpaceStats.class).ifPresent(table::addSpace);
        stats.encryption().ifPresent(table::addEncryption);
        stats.group(MemoryStats.class).ifPresent(table::addMemory);
        if (owner != null) {
            table.add(
                    "heap of the owner",
                    Human.bytes(owner.heapUsedBytes()),
                    "of " + Human.bytes(owner.heapMaxBytes()) + ", garbage included");
            table.add(
                    "merges",
                    Human.count(stats.merging().merges()),
                    Human.bytes(stats.merging().mergedBytes()) + " written by them; "
                            + Human.bytes(stats.writes().writtenBytes()) + " by writers");
            table.add("snapshots", Human.count(stats.snapshots()), "");
        }
        stats.group(CacheStats.class).ifPresent(table::addCache);
        stats.group(OpeningStats.class)
                .ifPresent(opening ->
                        table.addOpening(opening, stats.group(ImageStats.class).orElse(null)));
        stats.group(ClockStats.class)
                .ifPresent(clock -> table.add(
                        "clock jumps",
                        Human.count(clock.jumps()),
                        clock.jumps() == 0 ? "" : "of more than a minute: look at the machine's clock"));
        return table.lines;
    }

    private void add(String name, String number, String remark) {
        lines.add(String.format(Locale.ROOT, "%-18s %16s  %s", name, number, remark)
                .stripTrailing());
    }

    private void addOwner(OwnerReport owner) {
        add(
                "open in process",
                Long.toString(owner.pid()),
                "for " + Human.time(Duration.ofMillis(owner.nowMillis() - owner.startedAtMillis())) + ", "
                        + owner.engine());
        if (!owner.failure().isEmpty()) {
            add("health", "FAILED", "refuses writes until it is reopened: " + owner.failure());
        }
        for (String retry : owner.retries()) {
            add("tried again", "", retry);
        }
    }

    private void addRates(EngineStats now, EngineStats before, double seconds) {
        add("writes", rate(now.lastVersion() - before.lastVersion(), seconds), "");
        add(
                "written",
                Human.bytes((now.writes().writtenBytes() - before.writes().writtenBytes()) / seconds) + "/s",
                "merged "
                        + Human.bytes(
                                (now.merging().mergedBytes() - before.merging().mergedBytes()) / seconds)
                        + "/s");
    }

    static String rate(long count, double seconds) {
        return String.format(Locale.ROOT, "%,.0f/s", count / seconds);
    }

    private void addSpace(SpaceStats space) {
        add("disk", Human.bytes(space.diskBytes()), "in " + Human.count(space.files()) + " files");
        add(
                "  live",
                Human.bytes(space.liveBytes()),
                String.format(Locale.ROOT, "disk is %.2f times as much", space.amplification()));
        add("  dead", Human.bytes(space.deadBytes()), space.deadBytes() == 0 ? "" : "a merge gives it back");
        if (space.pinnedBytes() > 0) {
            add("  pinned", Human.bytes(space.pinnedBytes()), "stays as long as a snapshot or a walk may read it");
        }
    }

    private void addEncryption(EncryptionStats encryption) {
        add(
                "  encrypted",
                Human.bytes(encryption.keyBytes()),
                encryption.keyId().isEmpty() ? "by the key of writes: there is none" : "by key " + encryption.keyId());
        if (encryption.otherBytes() > 0) {
            add(
                    "",
                    Human.bytes(encryption.otherBytes()),
                    "by other keys: " + encryption.otherKeys() + "; a merge encrypts them again");
        }
        if (encryption.plainBytes() > 0) {
            add("  not encrypted", Human.bytes(encryption.plainBytes()), "");
        }
    }

    private void addMemory(MemoryStats memory) {
        add(
                "memory",
                Human.bytes(memory.totalBytes()),
                "of which the index " + Human.bytes(memory.indexBytes()) + ", snapshots "
                        + Human.bytes(memory.snapshotBytes()) + ", the log " + Human.bytes(memory.logBytes()));
    }

    private void addCache(CacheStats cache) {
        long asked = cache.hits() + cache.misses();
        add(
                "cache",
                Human.bytes(cache.bytes()),
                asked == 0
                        ? "not asked yet"
                        : String.format(
                                Locale.ROOT, "%.1f %% of %,d reads were hits", 100.0 * cache.hits() / asked, asked));
    }

    private void addOpening(OpeningStats opening, @Nullable ImageStats images) {
        add(
                "opened in",
                Human.count(opening.millis()) + " ms",
                (opening.fromImage() ? "from an image of the index, " : "without an image of the index, ")
                        + Human.count(opening.replayedRecords()) + " records replayed"
                        + (images == null ? "" : ", " + Human.count(images.saved()) + " images saved since"));
        if (opening.tornBytesCut() > 0) {
            add("torn tail", Human.bytes(opening.tornBytesCut()), "cut when the store was opened, after a crash");
        }
    }
}
