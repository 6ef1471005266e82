package dev.caskwright.examples.skiplist;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyIndexProvider;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * An ordered key index on the JDK's {@link ConcurrentSkipListMap}. It shows how little a plug-in needs: the map does all
 * that the contract asks of threads and conditional changes, and this class copies keys and counts memory.
 *
 * <p><b>Threads.</b> Any number of threads may read, change and scan at once.
 *
 * <p><b>Memory.</b> About 76 bytes a key beside the key's own, which is more than the indexes that come with Caskwright:
 * see {@link #memoryBytes}. Each lookup makes a copy of the key, which is garbage at once.
 */
public final class SkipListKeyIndex implements OrderedKeyIndex {
    /**
     * What an entry takes beside its key's bytes on HotSpot with compressed references: a node (24), a boxed locator
     * (24), half an index node, which the map makes for every second entry on average (12), and the header of the key's
     * array (16).
     */
    private static final int BYTES_PER_ENTRY = 24 + 24 + 12 + 16;

    private static final int OBJECT_ALIGNMENT = 8;

    private final LongAdder keyBytes = new LongAdder();
    private volatile @Nullable ConcurrentSkipListMap<byte[], Long> locators =
            new ConcurrentSkipListMap<>(Arrays::compareUnsigned);

    /** Makes an empty index. */
    public SkipListKeyIndex() {}

    /** Finds this index by the name {@code skiplist}. */
    public static final class Provider implements KeyIndexProvider {
        /** For the service loader. */
        public Provider() {}

        @Override
        public String name() {
            return "skiplist";
        }

        @Override
        public boolean isOrdered() {
            return true;
        }

        @Override
        public KeyIndex open(KeyIndexContext context) {
            return new SkipListKeyIndex();
        }
    }

    @Override
    public long get(byte[] key, int offset, int length) {
        return orAbsent(open().get(slice(key, offset, length)));
    }

    @Override
    public long put(byte[] key, int offset, int length, long locator) {
        Long before = open().put(slice(key, offset, length), locator);
        if (before == null) {
            keyBytes.add(aligned(length));
        }
        return orAbsent(before);
    }

    @Override
    public long putIfAbsent(byte[] key, int offset, int length, long locator) {
        Long present = open().putIfAbsent(slice(key, offset, length), locator);
        if (present == null) {
            keyBytes.add(aligned(length));
        }
        return orAbsent(present);
    }

    @Override
    public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
        return open().replace(slice(key, offset, length), expected, locator);
    }

    @Override
    public boolean remove(byte[] key, int offset, int length, long expected) {
        boolean removed = open().remove(slice(key, offset, length), expected);
        if (removed) {
            keyBytes.add(-aligned(length));
        }
        return removed;
    }

    @Override
    public long size() {
        return open().size();
    }

    @Override
    public long memoryBytes() {
        return (long) BYTES_PER_ENTRY * open().size() + keyBytes.sum();
    }

    @Override
    public void ensureRoom(int keys) {
        open();
    }

    @Override
    public boolean allowsConcurrentWriters() {
        return true;
    }

    @Override
    public void scan(byte @Nullable [] from, boolean inclusive, boolean descending, Visitor visitor)
            throws IOException {
        NavigableMap<byte[], Long> walk = descending ? open().descendingMap() : open();
        if (from != null) {
            walk = walk.tailMap(from, inclusive);
        }
        for (Map.Entry<byte[], Long> entry : walk.entrySet()) {
            // A copy: the visitor may keep it, and the array in the map must never change.
            if (!visitor.visit(entry.getKey().clone(), entry.getValue())) {
                return;
            }
        }
    }

    @Override
    public void close() {
        locators = null;
    }

    private ConcurrentSkipListMap<byte[], Long> open() {
        ConcurrentSkipListMap<byte[], Long> open = locators;
        if (open == null) {
            throw new IllegalStateException("the index is closed");
        }
        return open;
    }

    private static byte[] slice(byte[] key, int offset, int length) {
        return Arrays.copyOfRange(key, offset, offset + length);
    }

    private static long aligned(int length) {
        return (long) length + OBJECT_ALIGNMENT - 1 & -OBJECT_ALIGNMENT;
    }

    private static long orAbsent(@Nullable Long locator) {
        return locator == null ? ABSENT : locator;
    }
}
