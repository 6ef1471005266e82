package dev.caskwright.bitcask.merge;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.Arrays;

/** Brings the index from records to their copies, some at a time. */
final class IndexSwitch {
    private final Store store;
    private final RecordLog log;
    private final KeyIndex index;
    private final Session session;
    private final LockSlices lock;
    private final int[] keyOffsets = new int[LockSlices.CHANGES_PER_LOCK];
    private final int[] keyLengths = new int[LockSlices.CHANGES_PER_LOCK];
    private final long[] oldLocators = new long[LockSlices.CHANGES_PER_LOCK];
    private final long[] newLocators = new long[LockSlices.CHANGES_PER_LOCK];
    private byte[] keys = new byte[4 << 10];
    private int keyBytes;
    private int count;

    IndexSwitch(Store store, Session session, LockSlices lock) {
        this.store = store;
        this.log = store.log;
        this.index = store.index;
        this.session = session;
        this.lock = lock;
    }

    void add(byte[] source, int offset, int length, long oldLocator, long newLocator) throws IOException {
        if (count == LockSlices.CHANGES_PER_LOCK) {
            flush();
        }
        if (keyBytes + length > keys.length) {
            keys = Arrays.copyOf(keys, Math.max(2 * keys.length, keyBytes + length));
        }
        System.arraycopy(source, offset, keys, keyBytes, length);
        keyOffsets[count] = keyBytes;
        keyLengths[count] = length;
        oldLocators[count] = oldLocator;
        newLocators[count] = newLocator;
        keyBytes += length;
        count++;
    }

    void flush() throws IOException {
        lock.release();
        store.pin(session);
        try {
            // Before the lock is held, so that no writer is held up by the waits for memory.
            index.prefetch(keys, keyOffsets, keyLengths, count);
        } finally {
            store.unpin(session);
        }
        lock.letWritersIn();
        lock.hold();
        store.pin(session);
        try {
            for (int i = 0; i < count; i++) {
                if (index.replace(keys, keyOffsets[i], keyLengths[i], oldLocators[i], newLocators[i])) {
                    // Record by record, so that the figures are right while a merge goes on.
                    log.markLive(newLocators[i]);
                    log.markDead(oldLocators[i]);
                }
            }
        } finally {
            store.unpin(session);
        }
        count = 0;
        keyBytes = 0;
    }
}
