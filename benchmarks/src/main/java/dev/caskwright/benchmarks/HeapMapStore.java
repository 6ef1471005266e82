package dev.caskwright.benchmarks;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A plain {@link ConcurrentHashMap} that holds the same data on the heap: no store at all, nothing survives. It shows what
 * the JDK's own map takes when it must own its keys and values, as every store does.
 */
final class HeapMapStore implements KeyValueStore {
    private final ConcurrentHashMap<Key, byte[]> map = new ConcurrentHashMap<>();

    /** A key with the equality of its bytes. */
    private static final class Key {
        private final byte[] bytes;
        private final int hash;

        Key(byte[] bytes) {
            this.bytes = bytes;
            this.hash = Arrays.hashCode(bytes);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key key && Arrays.equals(bytes, key.bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    @Override
    public void put(byte[] key, byte[] value) {
        map.put(new Key(key.clone()), value.clone());
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        byte[] value = map.get(new Key(key));
        return value == null ? null : value.clone();
    }

    @Override
    public int getInto(byte[] key, ByteBuffer target) {
        byte[] value = map.get(new Key(key));
        if (value == null) {
            return ABSENT;
        }
        target.put(value);
        return value.length;
    }

    @Override
    public void delete(byte[] key) {
        map.remove(new Key(key));
    }

    @Override
    public ScanTotals scan() {
        ScanTotals totals = new ScanTotals();
        for (byte[] value : map.values()) {
            totals.add(value);
        }
        return totals;
    }

    @Override
    public void sync() {
        throw new UnsupportedOperationException("nothing is stored");
    }

    @Override
    public void close() {
        map.clear();
    }
}
