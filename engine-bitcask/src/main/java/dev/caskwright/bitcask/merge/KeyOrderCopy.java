package dev.caskwright.bitcask.merge;

import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Copies the puts of the inputs that an ordered index refers to, in its order, after the tombstones. None is missed:
 * nothing is appended to the inputs any more, so what the index refers to at the end it did all along.
 */
final class KeyOrderCopy {
    private static final int PIECE = 256;

    private final Store store;
    private final MergeRound round;
    private final OrderedKeyIndex walked;
    private final Map<LogSegment, RecordScanner> scanners = new HashMap<>();
    private final long[] locators = new long[PIECE];
    private final LogSegment[] files = new LogSegment[PIECE];
    private byte @Nullable [] last;
    private int count;
    private boolean atEnd;

    /** @param inputs whose puts are copied */
    KeyOrderCopy(Store store, MergeRound round, OrderedKeyIndex walked, Iterable<LogSegment> inputs) {
        this.store = store;
        this.round = round;
        this.walked = walked;
        for (LogSegment input : inputs) {
            scanners.put(input, store.log.scan(input, input.length()));
        }
    }

    void copyPuts() throws IOException {
        while (!atEnd && !round.isCancelled()) {
            readPiece();
            for (int i = 0; i < count && !round.isCancelled(); i++) {
                RecordScanner scanner = scanners.get(files[i]);
                if (scanner != null) {
                    MergeRound.seek(files[i], scanner, locators[i]);
                    round.copyPut(files[i], scanner);
                }
            }
        }
    }

    /** Takes the next locators from the index, within an epoch: their files could go otherwise, and slots change. */
    private void readPiece() throws IOException {
        count = 0;
        atEnd = true; // unless the visitor stops the scan
        Session session = store.enter();
        try {
            walked.scan(last, false, false, (key, locator) -> {
                last = key;
                locators[count] = locator;
                files[count++] = store.log.segment(locator);
                atEnd = count < PIECE;
                return atEnd;
            });
        } finally {
            store.exit(session);
        }
    }
}
