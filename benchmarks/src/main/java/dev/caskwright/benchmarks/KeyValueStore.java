package dev.caskwright.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What all contenders can do. Any number of threads may call it at once, {@link #close()} excepted. Stores neither keep
 * nor change the arrays that they are given.
 */
interface KeyValueStore extends Closeable {
    /** The length returned for a key that is not there. */
    int ABSENT = -1;

    /** Stores a value; when it returns, the write has the durability that the store was opened with. */
    void put(byte[] key, byte[] value) throws IOException;

    /** Returns a copy of the value that is the caller's own, or null. */
    byte @Nullable [] get(byte[] key) throws IOException;

    /** Copies the value into the target and returns its length, or {@link #ABSENT}; without garbage if the store can. */
    default int getInto(byte[] key, ByteBuffer target) throws IOException {
        byte[] value = get(key);
        if (value == null) {
            return ABSENT;
        }
        target.put(value);
        return value.length;
    }

    /** Removes a key, which need not be there. */
    void delete(byte[] key) throws IOException;

    /** Reads all entries, every byte of their values included. */
    ScanTotals scan() throws IOException;

    /** Reads up to {@code limit} entries from {@code from} on, in the order of their keys. */
    default ScanTotals range(byte[] from, int limit) throws IOException {
        throw new UnsupportedOperationException("this store has no order");
    }

    /** Returns whether {@link #range} works. */
    default boolean isOrdered() {
        return false;
    }

    /** Makes all writes so far survive a power loss, if the store can. */
    void sync() throws IOException;

    /** Lets the store finish in the foreground what it does in the background after many writes. */
    default void settle() throws IOException {}

    /** Reclaims the space of overwritten values. */
    default void merge() throws IOException {
        throw new UnsupportedOperationException("this store has no merge");
    }

    /** Returns whether {@link #merge} works. */
    default boolean canMerge() {
        return false;
    }

    /** Returns disk bytes per live byte by the store's own accounting, record headers counted as live; NaN if it has none. */
    default double spaceAmplification() {
        return Double.NaN;
    }

    /** Returns the memory of the key index in bytes by the store's own accounting, or -1 if it has none. */
    default long indexBytes() {
        return -1;
    }
}
