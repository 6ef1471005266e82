package dev.caskwright.api.spi.index;

import java.io.Closeable;
import java.io.IOException;

/**
 * Maps keys to locators: the keydir. A key is a slice of a byte array, 1 to 65,535 bytes long; the index neither keeps
 * nor changes the array. A locator is a number other than {@link #ABSENT} that only the record log understands.
 *
 * <p><b>Threads.</b> {@link #get}, {@link #candidate}, {@link #candidates}, {@link #prefetch}, {@link #size} and {@link #memoryBytes} may run in any thread at any
 * time, take no lock that a writer can hold, and allocate nothing that lives on. A reader that runs beside a change sees
 * the key's locator before it or after it, and keys that do not change are always found. Methods that change the index
 * run one at a time, unless {@link #allowsConcurrentWriters()}.
 *
 * <p><b>Failure.</b> A method that throws has changed nothing. An index that needs more memory than it may use throws
 * {@link dev.caskwright.api.IndexMemoryException}. After {@link #close()} every call is an {@link IllegalStateException},
 * except closing again.
 */
public interface KeyIndex extends Closeable {
    /** The locator of no record. */
    long ABSENT = 0;

    /** Returns the locator of the key, or {@link #ABSENT}. */
    long get(byte[] key, int offset, int length) throws IOException;

    /**
     * Returns the locator of the key or, rarely, that of another key; {@link #ABSENT} only if the key is absent. The caller
     * compares the key with the record that it reads anyway, and calls {@link #get} if they differ. For an index where
     * confirming the key costs a cache miss of its own.
     */
    default long candidate(byte[] key, int offset, int length) throws IOException {
        return get(key, offset, length);
    }

    /**
     * Sets {@code locators[i]} to the {@link #candidate} of the key that is {@code lengths[i]} bytes from {@code
     * offsets[i]} in {@code source}, for the first {@code count}. An index whose lookups wait for memory overlaps the
     * waits.
     */
    default void candidates(byte[] source, int[] offsets, int[] lengths, int count, long[] locators)
            throws IOException {
        for (int i = 0; i < count; i++) {
            locators[i] = candidate(source, offsets[i], lengths[i]);
        }
    }

    /**
     * Brings what changes of the keys will touch into the processor's cache, where the index knows how, with waits for
     * memory that overlap. Key {@code i} is {@code lengths[i]} bytes from {@code offsets[i]} in {@code source}, for the
     * first {@code count}.
     */
    default void prefetch(byte[] source, int[] offsets, int[] lengths, int count) {}

    /** Sets the locator of the key, and returns the one before, or {@link #ABSENT}. */
    long put(byte[] key, int offset, int length, long locator) throws IOException;

    /** Sets the locator of the key if it is absent; returns the present one otherwise, or {@link #ABSENT} if it was set. */
    long putIfAbsent(byte[] key, int offset, int length, long locator) throws IOException;

    /** Sets the locator of the key only if it is {@code expected}; returns whether it was. */
    boolean replace(byte[] key, int offset, int length, long expected, long locator) throws IOException;

    /** Removes the key only if its locator is {@code expected}; returns whether it was. */
    boolean remove(byte[] key, int offset, int length, long expected) throws IOException;

    /** Returns the number of keys. */
    long size();

    /** Returns the memory that the index holds, on heap and off, in bytes: measured or computed, not guessed. */
    long memoryBytes();

    /**
     * Returns whether a lookup may read records of the log, since the index does not hold keys. Such an index is asked for a
     * key before the key's record is appended, so that damage is met while nothing has changed.
     */
    default boolean readsRecords() {
        return false;
    }

    /**
     * Makes sure that the next {@code keys} puts cannot fail for want of memory, as far as the index can tell. Called
     * before anything is written to the log. Not called for removals, which work when there is no memory.
     *
     * @throws dev.caskwright.api.IndexMemoryException if they could
     */
    default void ensureRoom(int keys) throws IOException {}

    /** Returns whether several threads may change different keys, or the same key, at once. */
    default boolean allowsConcurrentWriters() {
        return false;
    }

    /** Gives back all memory at once. */
    @Override
    void close() throws IOException;
}
