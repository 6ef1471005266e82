package dev.caskwright.bitcask.replay;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.api.spi.log.RecordLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Puts entries of the log into an index, in any order: of two records of a key, the one that is later in the log wins.
 * Tombstones are put like others, so that they also win over what comes after them, until {@link #removeTombstones}.
 *
 * <p>Entries are put in batches. An index that is a table in memory looks up all candidates of a batch first: so it
 * overlaps its waits for memory, and compares a key that is there with its record once, when it is replaced.
 *
 * <p>For one thread; others may fill the same index if it allows that.
 */
public final class ReplayBatch {
    /** Is told which records count as live or dead by what is put. */
    public interface Counter {
        /** Counts nothing. */
        Counter NONE = new Counter() {
            @Override
            public void live(long locator) {}

            @Override
            public void dead(long locator) {}
        };

        void live(long locator);

        void dead(long locator);

        /** Counts at once. */
        static Counter of(RecordLog log) {
            return new Counter() {
                @Override
                public void live(long locator) {
                    log.markLive(locator);
                }

                @Override
                public void dead(long locator) {
                    log.markDead(locator);
                }
            };
        }
    }

    private static final int BATCH = 64;
    private static final int BATCH_KEY_BYTES = 16 << 10;

    @SuppressWarnings("ArrayRecordComponent") // a holder, never compared
    private record Tombstone(byte[] key, long locator) {}

    private final RecordLog log;
    private final KeyIndex index;
    private final Counter counter;
    private final boolean looksAhead;
    private final List<Tombstone> tombstones = new ArrayList<>();

    private byte[] keys = new byte[BATCH_KEY_BYTES];
    private final int[] offsets = new int[BATCH];
    private final int[] lengths = new int[BATCH];
    private final long[] locators = new long[BATCH];
    /** All absent, unless looked up. */
    private final long[] candidates = new long[BATCH];

    private int batched;
    private int keyBytes;
    private long entries;

    public ReplayBatch(RecordLog log, KeyIndex index, Counter counter) {
        this.log = log;
        this.index = index;
        this.counter = counter;
        // Others, trees and maps of libraries, overlap nothing: they would look for each key twice.
        this.looksAhead = index instanceof PersistentKeyIndex;
    }

    /** Returns how many entries were put. */
    public long entries() {
        return entries;
    }

    public void add(boolean tombstone, long locator, byte[] source, int offset, int length) throws IOException {
        if (batched == BATCH || length > keys.length - keyBytes) {
            flush();
        }
        if (length > keys.length) {
            keys = new byte[length];
        }
        if (tombstone) {
            tombstones.add(new Tombstone(Arrays.copyOfRange(source, offset, offset + length), locator));
        }
        System.arraycopy(source, offset, keys, keyBytes, length);
        offsets[batched] = keyBytes;
        lengths[batched] = length;
        locators[batched] = locator;
        keyBytes += length;
        batched++;
    }

    /** Puts what was added and is not put yet. */
    public void flush() throws IOException {
        if (looksAhead) {
            index.candidates(keys, offsets, lengths, batched, candidates);
        }
        for (int i = 0; i < batched; i++) {
            long candidate = candidates[i];
            // A candidate that is older is most likely the key's own.
            if (candidate != locators[i]
                    && (candidate == KeyIndex.ABSENT
                            || !log.isAfter(locators[i], candidate)
                            || !replace(i, candidate))) {
                put(i);
            }
        }
        entries += batched;
        batched = 0;
        keyBytes = 0;
    }

    /** Removes the tombstones that this added and that still stand. When everybody has put all that there is. */
    public void removeTombstones() throws IOException {
        for (Tombstone tombstone : tombstones) {
            // While it stood in the index it was counted like a put.
            if (index.remove(tombstone.key(), 0, tombstone.key().length, tombstone.locator())) {
                counter.dead(tombstone.locator());
            }
        }
        tombstones.clear();
    }

    private void put(int i) throws IOException {
        while (true) {
            long present = index.putIfAbsent(keys, offsets[i], lengths[i], locators[i]);
            if (present == KeyIndex.ABSENT) {
                counter.live(locators[i]);
                return;
            }
            if (present == locators[i] || !log.isAfter(locators[i], present) || replace(i, present)) {
                return;
            }
        }
    }

    private boolean replace(int i, long expected) throws IOException {
        boolean isReplaced = index.replace(keys, offsets[i], lengths[i], expected, locators[i]);
        if (isReplaced) {
            counter.live(locators[i]);
            counter.dead(expected);
        }
        return isReplaced;
    }
}
