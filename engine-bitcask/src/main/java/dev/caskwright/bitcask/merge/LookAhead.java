package dev.caskwright.bitcask.merge;

import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;

/**
 * Looks up the keys of a file's records some way ahead of a merge that goes through them one by one, many at once, so that
 * the index overlaps its waits for memory. The records are read twice for that, the second time from the processor's cache.
 */
final class LookAhead {
    private static final int BATCH = 256;

    private final Store store;
    private final RecordScanner scanner;
    private final boolean isForPuts;
    private final int[] keyOffsets = new int[BATCH];
    private final int[] keyLengths = new int[BATCH];
    private final long[] candidates = new long[BATCH];
    private int count;
    private int at;

    /** Looks up the keys of all tombstones of a file, and of all puts or none. */
    LookAhead(Store store, LogSegment file, boolean isForPuts) {
        this.store = store;
        this.scanner = store.log.scan(file, file.length());
        this.isForPuts = isForPuts;
    }

    /**
     * Returns the candidate for the key of the next record of these, as the index had it a moment ago. There must be one
     * more.
     */
    long next() throws IOException {
        while (at == count) {
            lookUpNext();
        }
        return candidates[at++];
    }

    private void lookUpNext() throws IOException {
        at = 0;
        count = 0;
        if (!scanner.next()) {
            throw new IllegalStateException("a merge looks for more records than there are");
        }
        do {
            if (scanner.isTombstone() || (isForPuts && scanner.isPut())) {
                keyOffsets[count] = scanner.keyOffset();
                keyLengths[count] = scanner.keyLength();
                count++;
            }
        } while (count < BATCH && scanner.nextInBuffer());
        Session session = store.enter();
        try {
            store.index.candidates(scanner.buffer(), keyOffsets, keyLengths, count, candidates);
        } finally {
            store.exit(session);
        }
    }
}
