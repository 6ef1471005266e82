package dev.caskwright.index.offheap;

import dev.caskwright.api.spi.index.KeyIndex;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The few keys that are too long for a map sized for short ones, on the heap. */
final class LongKeys {
    /** A node and a slot of the hash table, a buffer, a locator and the header of the array. */
    private static final int ENTRY_BYTES = 144;

    private final ConcurrentHashMap<ByteBuffer, Long> locators = new ConcurrentHashMap<>();
    private final LongAdder bytes = new LongAdder();

    long get(byte[] key, int offset, int length) {
        return locator(locators.get(ByteBuffer.wrap(key, offset, length)));
    }

    long put(byte[] key, int offset, int length, long locator) {
        return added(locators.put(copy(key, offset, length), locator), length);
    }

    long putIfAbsent(byte[] key, int offset, int length, long locator) {
        return added(locators.putIfAbsent(copy(key, offset, length), locator), length);
    }

    boolean replace(byte[] key, int offset, int length, long expected, long locator) {
        return locators.replace(ByteBuffer.wrap(key, offset, length), expected, locator);
    }

    boolean remove(byte[] key, int offset, int length, long expected) {
        boolean removed = locators.remove(ByteBuffer.wrap(key, offset, length), (Long) expected);
        if (removed) {
            bytes.add(-(length + ENTRY_BYTES));
        }
        return removed;
    }

    long size() {
        return locators.mappingCount();
    }

    long memoryBytes() {
        return bytes.sum();
    }

    void clear() {
        locators.clear();
        bytes.reset();
    }

    private long added(@Nullable Long previous, int length) {
        if (previous == null) {
            bytes.add(length + ENTRY_BYTES);
        }
        return locator(previous);
    }

    private static long locator(@Nullable Long found) {
        return found == null ? KeyIndex.ABSENT : found;
    }

    private static ByteBuffer copy(byte[] key, int offset, int length) {
        return ByteBuffer.wrap(Arrays.copyOfRange(key, offset, offset + length));
    }
}
