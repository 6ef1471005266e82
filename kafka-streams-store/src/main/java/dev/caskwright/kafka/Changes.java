package dev.caskwright.kafka;

import dev.caskwright.api.WriteBatch;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** The changes since the last commit, by key. One thread changes it; any number of threads read meanwhile. */
final class Changes {
    /** Stands for a deleted key; compared by identity. */
    static final byte[] DELETED = new byte[0];

    /** What an entry takes beside its arrays: a node, its share of the index above, two array headers. */
    private static final int ENTRY_BYTES = 96;

    private final ConcurrentSkipListMap<byte[], byte[]> map = new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
    private volatile long bytes;

    boolean isEmpty() {
        return map.isEmpty();
    }

    int size() {
        return map.size();
    }

    /** Returns how many bytes the changes take, to within some tens for each. */
    long bytes() {
        return bytes;
    }

    /** Returns the new value, {@link #DELETED}, or null if the key was not changed. */
    byte @Nullable [] get(byte[] key) {
        return map.get(key);
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    void put(byte[] key, byte[] value) {
        byte[] previous = map.put(key, value);
        bytes += previous == null ? key.length + value.length + ENTRY_BYTES : (long) value.length - previous.length;
    }

    /** Forgets the changes before a key. */
    void removeBefore(byte[] key) {
        map.headMap(key, false).clear();
    }

    void addTo(WriteBatch batch) {
        for (Map.Entry<byte[], byte[]> each : map.entrySet()) {
            if (each.getValue() == DELETED) {
                batch.delete(each.getKey());
            } else {
                batch.put(each.getKey(), each.getValue());
            }
        }
    }

    Iterator<Map.Entry<byte[], byte[]>> range(byte[] from, byte[] to, boolean toInclusive, boolean descending) {
        if (Arrays.compareUnsigned(from, to) > 0) {
            return Collections.emptyIterator();
        }
        ConcurrentNavigableMap<byte[], byte[]> part = map.subMap(from, true, to, toInclusive);
        return (descending ? part.descendingMap() : part).entrySet().iterator();
    }
}
