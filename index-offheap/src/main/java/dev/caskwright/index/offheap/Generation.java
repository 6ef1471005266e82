package dev.caskwright.index.offheap;

import dev.caskwright.api.IndexMemoryException;
import java.io.Closeable;
import net.openhft.chronicle.algo.hashing.LongHashFunction;
import net.openhft.chronicle.map.ChronicleMap;
import net.openhft.chronicle.map.ChronicleMapBuilder;

/**
 * One map of Chronicle, and what it was made for. It is not used beyond that, though it could be: the library lets a map
 * grow to several times its size by chaining memory, and then fails.
 */
final class Generation implements Closeable {
    /** The fewest keys a map is made for; smaller ones take as much memory. */
    static final long MIN_KEYS = 512;

    /** How far a map may chain memory to segments that got more than their share, as a multiple of its size. */
    private static final double MAX_BLOAT = 10;
    /** A map is used up to this much more than what it was made for, so that a right hint is enough. */
    private static final double MARGIN = 1.1;
    /** What an entry takes beside its key: a locator, a length, half a chunk lost. */
    private static final int ENTRY_BYTES = Long.BYTES + 4;

    private final ChronicleMap<KeySlice, Long> map;
    private final long maxKeys;
    private final long maxBytes;

    private Generation(ChronicleMap<KeySlice, Long> map, long keys, double keyLength) {
        this.map = map;
        maxKeys = (long) (keys * MARGIN);
        maxBytes = (long) (keys * (keyLength + ENTRY_BYTES) * MARGIN);
    }

    /** Makes a map for a number of keys of some average length. */
    static Generation create(long keys, double keyLength, LongHashFunction hashFunction) throws IndexMemoryException {
        long entries = Math.max(MIN_KEYS, keys);
        try {
            ChronicleMap<KeySlice, Long> map = ChronicleMapBuilder.of(KeySlice.class, Long.class)
                    .keyReaderAndDataAccess(new KeyReader(hashFunction), new KeyAccess())
                    .averageKeySize(keyLength)
                    .entries(entries)
                    .maxBloatFactor(MAX_BLOAT)
                    .skipCloseOnExitHook(true)
                    .create();
            return new Generation(map, entries, keyLength);
        } catch (OutOfMemoryError | IllegalArgumentException e) {
            throw new IndexMemoryException(
                    "no memory for a map: keys=" + entries + ", averageKeyLength=" + keyLength, e);
        }
    }

    ChronicleMap<KeySlice, Long> map() {
        return map;
    }

    /** Returns whether so many keys with so many bytes are what the map was made for. */
    boolean holds(long keys, long keyBytes) {
        return keys <= maxKeys && keyBytes + keys * ENTRY_BYTES <= maxBytes;
    }

    /** Returns whether the map is eight times too large, and not the smallest anyway. */
    boolean isSparse(long keys) {
        return maxKeys > 2 * MIN_KEYS && keys < maxKeys / 8;
    }

    long memoryBytes() {
        return map.offHeapMemoryUsed();
    }

    @Override
    public void close() {
        map.close();
    }
}
