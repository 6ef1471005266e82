package dev.caskwright.index.compact;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyMatcher;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Keys of eight bytes, known by their numbers, the log that has them, and the memory of an index of them. A locator is a
 * version, 1 or more, and the number.
 */
final class NumberedKeys implements KeyMatcher, BlockMemory.SlabSource {
    static final long SEED = 1;
    private static final KeyHash HASH = new KeyHash(SEED);

    /** How often the log was asked. */
    int questions;
    /** How many slabs there may be. */
    int slabsLeft = 1_000;

    long slabBytes;

    CompactKeyIndex index() {
        return new CompactKeyIndex(new KeyIndexContext(0, 0, SEED, this), this);
    }

    static byte[] key(int number) {
        return ByteBuffer.allocate(8).putLong(number).array();
    }

    static long locator(int number, int version) {
        return (long) version << 32 | number;
    }

    static int tag(int number) {
        return Bucket.tag(HASH.hash(key(number), 0, 8));
    }

    /** Returns the segment that {@link CompactKeyIndex} chooses, by real numbers. */
    static int segment(int number) {
        double u = (HASH.hash(key(number), 0, 8) >>> 36) / (double) (1 << 28);
        return (int) (CompactKeyIndex.SEGMENTS * (u + u * (1 - u) / 3));
    }

    /** Returns the numbers of the first keys of a segment. */
    static List<Integer> ofSegment(int segment, int count) {
        List<Integer> numbers = new ArrayList<>();
        for (int number = 0; numbers.size() < count; number++) {
            if (segment(number) == segment) {
                numbers.add(number);
            }
        }
        return numbers;
    }

    /** Returns how much direct memory the JVM has. */
    static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .findFirst()
                .orElseThrow()
                .getMemoryUsed();
    }

    static long put(KeyIndex index, int number, int version) throws IOException {
        return index.put(key(number), 0, 8, locator(number, version));
    }

    static long get(KeyIndex index, int number) throws IOException {
        return index.get(key(number), 0, 8);
    }

    static boolean remove(KeyIndex index, int number, int version) throws IOException {
        return index.remove(key(number), 0, 8, locator(number, version));
    }

    @Override
    public boolean matches(byte[] key, int offset, int length, long locator) throws IOException {
        questions++;
        return length == 8 && ByteBuffer.wrap(key).getLong(offset) == (int) locator;
    }

    @Override
    public ByteBuffer allocate(int bytes, long held) throws IndexMemoryException {
        if (slabsLeft == 0) {
            throw new IndexMemoryException("planned", null);
        }
        slabsLeft--;
        slabBytes += bytes;
        return DirectMemory.allocate(bytes, held);
    }
}
