package dev.caskwright.bitcask.log;

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
public final class TombstoneFilter {
    private final SegmentedLog log;
    private final List<DataFile> files;
    private final Set<DataFile> inputs;
    private final Map<DataFile, @Nullable KeyFilter> filters = new HashMap<>();

    /** Makes a filter for a merge of {@code inputs}; {@code files} are all files of the store. */
    public TombstoneFilter(SegmentedLog log, List<DataFile> files, List<DataFile> inputs) {
        this.log = log;
        this.files = files;
        this.inputs = new HashSet<>(inputs);
    }

    /** Returns whether no tombstone of the file is needed, whatever its key. */
    public boolean needsNoTombstones(DataFile input) {
        for (DataFile file : files) {
            if (isOlder(file, input)) {
                return false;
            }
        }
        return true;
    }

    /** Returns whether a file that stays may hold an older version of the scanner's key. */
    public boolean mayHaveOlder(DataFile input, RecordScanner scanner) throws IOException {
        for (DataFile file : files) {
            if (isOlder(file, input)) {
                KeyFilter filter = filter(file);
                if (filter == null || filter.mayContain(scanner.buffer(), scanner.keyOffset(), scanner.keyLength())) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean isOlder(DataFile file, DataFile input) {
        return file.id() < input.id() && !inputs.contains(file);
    }

    private @Nullable KeyFilter filter(DataFile file) throws IOException {
        if (!filters.containsKey(file)) {
            filters.put(file, log.keyFilter(file));
        }
        return filters.get(file);
    }
}
