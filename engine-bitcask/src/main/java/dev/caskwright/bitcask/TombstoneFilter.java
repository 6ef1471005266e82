package dev.caskwright.bitcask;

import dev.caskwright.api.spi.KeyFilter;
import dev.caskwright.api.spi.LogSegment;
import dev.caskwright.api.spi.RecordLog;
import dev.caskwright.api.spi.RecordScanner;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides during a merge whether a tombstone is still needed: only if a file that stays, and is before it in the log, can
 * hold an older version of its key. The key filters in the hint files answer that.
 */
final class TombstoneFilter {
    private final RecordLog log;
    private final List<LogSegment> files;
    private final Set<LogSegment> inputs;
    private final Map<LogSegment, @Nullable KeyFilter> filters = new HashMap<>();

    /** Makes a filter for a merge of {@code inputs}; {@code files} are all files of the store. */
    TombstoneFilter(RecordLog log, List<LogSegment> files, List<LogSegment> inputs) {
        this.log = log;
        this.files = files;
        this.inputs = new HashSet<>(inputs);
    }

    /** Returns whether no tombstone of the file is needed, whatever its key. */
    boolean needsNoTombstones(LogSegment input) {
        for (LogSegment file : files) {
            if (isOlder(file, input)) {
                return false;
            }
        }
        return true;
    }

    /** Returns whether a file that stays may hold an older version of the scanner's key. */
    boolean mayHaveOlder(LogSegment input, RecordScanner scanner) throws IOException {
        return mayHaveOlder(input, scanner.buffer(), scanner.keyOffset(), scanner.keyLength());
    }

    /** As {@link #mayHaveOlder(LogSegment, RecordScanner)}, of a key that is a slice. */
    boolean mayHaveOlder(LogSegment input, byte[] source, int keyOffset, int keyLength) throws IOException {
        for (LogSegment file : files) {
            if (isOlder(file, input)) {
                KeyFilter filter = filter(file);
                if (filter == null || filter.mayContain(source, keyOffset, keyLength)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean isOlder(LogSegment file, LogSegment input) {
        return file.id() < input.id() && !inputs.contains(file);
    }

    private @Nullable KeyFilter filter(LogSegment file) throws IOException {
        if (!filters.containsKey(file)) {
            filters.put(file, log.keyFilter(file));
        }
        return filters.get(file);
    }
}
