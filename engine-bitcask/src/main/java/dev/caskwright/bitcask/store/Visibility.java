package dev.caskwright.bitcask.store;

import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLog;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * For which snapshots a file counts, by their numbers. A merge has files of both kinds open at once: its outputs, which
 * the index does not refer to until it is done, and its inputs, which stay afterwards for older snapshots.
 */
final class Visibility {
    private static final long NEVER = Long.MAX_VALUE;

    private final Map<LogSegment, Long> since = new ConcurrentHashMap<>(); // files without an entry: always
    private final Map<LogSegment, Long> until = new ConcurrentHashMap<>(); // files without an entry: for ever

    private final RecordLog log;

    Visibility(RecordLog log) {
        this.log = log;
    }

    void hide(LogSegment output) {
        since.put(output, NEVER);
    }

    /** Makes places for files that may be replaced, so that {@link #replace} needs no memory for them. */
    void expectRetirement(List<LogSegment> inputs) {
        for (LogSegment input : inputs) {
            until.putIfAbsent(input, NEVER);
        }
    }

    /** Has hidden outputs take the place of {@linkplain #expectRetirement expected} inputs: all, or for want of memory none. */
    void replace(List<LogSegment> inputs, List<LogSegment> outputs, long firstSnapshot) {
        Long first = firstSnapshot;
        for (int i = 0; i < outputs.size(); i++) {
            since.put(outputs.get(i), first);
        }
        for (int i = 0; i < inputs.size(); i++) {
            until.put(inputs.get(i), first);
        }
    }

    boolean isVisibleTo(LogSegment file, long snapshot) {
        Long from = since.get(file);
        if (from == null) {
            // The output of a merge may be seen in the moment before it is hidden, but not before it is sealed.
            from = file.isMerged() && !file.isSealed() ? NEVER : 0;
        }
        // Once a file was removed it is forgotten here, though lists made before may still name it: the log is asked
        // last.
        return from <= snapshot && snapshot < until.getOrDefault(file, NEVER) && isInLog(file);
    }

    private boolean isInLog(LogSegment file) {
        @Nullable LogSegment[] slots = log.slots();
        return file.slot() < slots.length && slots[file.slot()] == file;
    }

    boolean isRetired(LogSegment file) {
        return until.getOrDefault(file, NEVER) != NEVER;
    }

    void forget(LogSegment file) {
        since.remove(file);
        until.remove(file);
    }
}
