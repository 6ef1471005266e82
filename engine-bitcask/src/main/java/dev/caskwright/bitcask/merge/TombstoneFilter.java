package dev.caskwright.bitcask.merge;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.store.Store;
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
 *
 * <p>A filter from before this opening is a cache that may be wrong: it is compared with its file, once, before a tombstone is
 * dropped by its word. So that merges stay in proportion, the files that one merge reads for that add up to no more than its
 * inputs, or {@value #LEAST_COMPARED} bytes; what they do not suffice for keeps the tombstone. For one merge and thread.
 */
final class TombstoneFilter {
    private static final long LEAST_COMPARED = 64 << 20;

    private final RecordLog log;
    private final List<LogSegment> files;
    private final Set<LogSegment> inputs;
    private final Map<LogSegment, @Nullable KeyFilter> filters = new HashMap<>();
    private final Set<LogSegment> compared;
    private final Set<LogSegment> doubtful = new HashSet<>();
    private final long lastFoundId;
    private long comparable;

    /**
     * Makes a filter for a merge of {@code inputs}.
     *
     * @param compared the files whose filters earlier merges of this opening have compared; more are added
     */
    TombstoneFilter(Store store, List<LogSegment> inputs, Set<LogSegment> compared) {
        this.log = store.log;
        this.files = store.listedFiles();
        this.inputs = new HashSet<>(inputs);
        this.compared = compared;
        compared.retainAll(files);
        this.lastFoundId = store.lastFoundId;
        long bytes = 0;
        for (LogSegment input : inputs) {
            bytes += input.length();
        }
        this.comparable = Math.max(LEAST_COMPARED, bytes);
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

    /**
     * Returns whether a file that stays may hold an older version of the scanner's key.
     *
     * @throws UnprovedException if a filter lacks a key that its file has
     */
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
        for (LogSegment file : files) {
            if (isOlder(file, input) && !isTrue(file)) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether the filter of a file is known to lack no key. */
    private boolean isTrue(LogSegment file) throws IOException {
        if (file.id() > lastFoundId || compared.contains(file)) {
            return true;
        }
        KeyFilter filter = filter(file);
        if (filter == null || comparable < file.length() || doubtful.contains(file)) {
            return false;
        }
        comparable -= file.length();
        try {
            compare(file, filter);
        } catch (CorruptRecordException e) {
            doubtful.add(file);
            return false; // a key may be in what is damaged
        }
        compared.add(file);
        return true;
    }

    private void compare(LogSegment file, KeyFilter filter) throws IOException {
        RecordScanner scanner = log.scan(file, file.length());
        while (scanner.next()) {
            boolean hasKey = scanner.isPut() || scanner.isTombstone();
            if (hasKey && !filter.mayContain(scanner.buffer(), scanner.keyOffset(), scanner.keyLength())) {
                throw UnprovedException.of(file, "the key filter lacks a key of the file");
            }
        }
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
