package dev.caskwright.index.hashmap;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.KeyHash;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.KeyIndexContext;
import dev.caskwright.api.spi.KeyIndexProvider;
import dev.caskwright.api.spi.PersistentKeyIndex;
import java.io.EOFException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A key index in arrays on the heap: the default. It holds the keys, and so never asks the log.
 *
 * <p>The keys are spread over {@value #SEGMENTS} segments by their hash. Each segment is a table of its own that grows by
 * half when it is three quarters full, so that no writer waits for more than the copying of one segment: well under a
 * millisecond with 100 million keys. The segments start at sizes that are spread over one step of growth, so they do not
 * grow all at once, and memory follows the number of keys evenly.
 *
 * <p><b>Cost.</b> {@link #candidate} waits for one cache miss, a slot; {@link #get} for a second one, the key's bytes, and
 * only if the key is there. A key takes about 26 bytes beside its own, at any moment of growth. Nothing is allocated but by
 * growth.
 *
 * <p><b>Threads.</b> Readers take no lock. Writers may run at once: one that changes a segment holds up others of the same
 * segment.
 */
public final class HashKeyIndex implements PersistentKeyIndex {
    private static final int SEGMENT_BITS = 10;
    private static final long MAX_HEAP = Runtime.getRuntime().maxMemory(); // asked once: it is a native call
    private static final int SEGMENTS = 1 << SEGMENT_BITS;
    private static final int SMALLEST_CAPACITY = 8;
    /** How many keys of a batch lookup wait for memory at once; their cache lines fit into the first-level cache. */
    private static final int BATCH = 32;

    private static final long ANY_LOCATOR = -1;
    private static final int SPINS_BEFORE_YIELDING = 100;
    private static final int ARRAY_HEADER = 16;
    private static final int IMAGE_HEADER_BYTES = Long.BYTES + Integer.BYTES;
    private static final int IMAGE_BUFFER_BYTES = 1 << 16;

    private static final VarHandle TABLE = MethodHandles.arrayElementVarHandle(Table[].class);
    private static final VarHandle LOCK = MethodHandles.arrayElementVarHandle(int[].class);

    /** Changed by {@link #load} only, before other threads use the index. */
    private KeyHash hash;

    private final long expectedKeys;
    private final int expectedKeyLength;
    /** One word a segment: 1 while a writer is in it. A lock object each would cost more than the change it guards. */
    private final int[] locks = new int[SEGMENTS];

    private final AtomicLong tableBytes = new AtomicLong();
    private volatile Table @Nullable [] tables;

    /** Makes an empty index. The context's matcher is not used. */
    public HashKeyIndex(KeyIndexContext context) {
        this.hash = new KeyHash(context.seed());
        this.expectedKeys = context.expectedKeys();
        this.expectedKeyLength = context.expectedKeyLength();
        Table[] none = new Table[SEGMENTS];
        Arrays.fill(none, Table.NONE);
        this.tables = none;
    }

    @Override
    public long get(byte[] key, int offset, int length) {
        Table[] open = open();
        long hashed = hash.hash(key, offset, length);
        return table(open, segment(hashed)).get((int) hashed, key, offset, length);
    }

    @Override
    public long candidate(byte[] key, int offset, int length) {
        Table[] open = open();
        long hashed = hash.hash(key, offset, length);
        return table(open, segment(hashed)).candidate((int) hashed);
    }

    @Override
    public void candidates(byte[] source, int[] offsets, int[] lengths, int count, long[] locators) {
        Table[] open = open();
        for (int start = 0; start < count; start += BATCH) {
            int end = Math.min(count, start + BATCH);
            // The target holds the hashes first. Then all slots are touched, by loads that do not wait for each other.
            for (int i = start; i < end; i++) {
                locators[i] = hash.hash(source, offsets[i], lengths[i]);
            }
            long touched = 0;
            for (int i = start; i < end; i++) {
                touched |= table(open, segment(locators[i])).touch((int) locators[i]);
            }
            if (touched == 0) {
                // All homes are empty, so no key is there. Asking makes the loads above count.
                Arrays.fill(locators, start, end, ABSENT);
                continue;
            }
            for (int i = start; i < end; i++) {
                locators[i] = table(open, segment(locators[i])).candidate((int) locators[i]);
            }
        }
    }

    @Override
    public void prefetch(byte[] key, int offset, int length) {
        // Using the result, if only in vain, keeps the loads from being optimised away.
        if (get(key, offset, length) == ANY_LOCATOR) {
            Thread.onSpinWait();
        }
    }

    @Override
    public long put(byte[] key, int offset, int length, long locator) throws IndexMemoryException {
        Table[] open = open();
        long hashed = hash.hash(key, offset, length);
        int segment = segment(hashed);
        lock(segment);
        try {
            Table table = open[segment];
            int position = table.find((int) hashed, key, offset, length);
            if (position == Table.NOT_FOUND) {
                insert(open, segment, (int) hashed, key, offset, length, locator);
                return ABSENT;
            }
            long before = table.locator(position);
            table.setLocator(position, locator);
            return before;
        } finally {
            unlock(segment);
        }
    }

    @Override
    public long putIfAbsent(byte[] key, int offset, int length, long locator) throws IndexMemoryException {
        Table[] open = open();
        long hashed = hash.hash(key, offset, length);
        int segment = segment(hashed);
        lock(segment);
        try {
            Table table = open[segment];
            int position = table.find((int) hashed, key, offset, length);
            if (position == Table.NOT_FOUND) {
                insert(open, segment, (int) hashed, key, offset, length, locator);
                return ABSENT;
            }
            return table.locator(position);
        } finally {
            unlock(segment);
        }
    }

    @Override
    public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
        Table[] open = open();
        long hashed = hash.hash(key, offset, length);
        int segment = segment(hashed);
        lock(segment);
        try {
            Table table = open[segment];
            int position = table.find((int) hashed, key, offset, length);
            if (position == Table.NOT_FOUND || table.locator(position) != expected) {
                return false;
            }
            table.setLocator(position, locator);
            return true;
        } finally {
            unlock(segment);
        }
    }

    @Override
    public boolean remove(byte[] key, int offset, int length, long expected) {
        Table[] open = open();
        long hashed = hash.hash(key, offset, length);
        int segment = segment(hashed);
        lock(segment);
        try {
            Table table = open[segment];
            int position = table.find((int) hashed, key, offset, length);
            if (position == Table.NOT_FOUND || table.locator(position) != expected) {
                return false;
            }
            table.remove(position);
            return true;
        } finally {
            unlock(segment);
        }
    }

    @Override
    public long size() {
        Table[] open = open();
        long size = 0;
        for (int segment = 0; segment < SEGMENTS; segment++) {
            size += table(open, segment).live();
        }
        return size;
    }

    /** Returns the bytes of all arrays and objects, computed from their lengths for compressed references. */
    @Override
    public long memoryBytes() {
        Table[] open = open();
        long bytes = 2L * (ARRAY_HEADER + SEGMENTS * Integer.BYTES);
        for (int segment = 0; segment < SEGMENTS; segment++) {
            bytes += table(open, segment).memoryBytes();
        }
        return bytes;
    }

    @Override
    public boolean allowsConcurrentWriters() {
        return true;
    }

    /**
     * Makes sure that the heap is large enough for the index after so many changes, were nothing else in it. How much of
     * the heap others hold cannot be told without a garbage collection.
     */
    @Override
    public void ensureRoom(int keys) throws IndexMemoryException {
        open();
        long held = tableBytes.get();
        // What the keys need, twice: a segment that grows holds both tables.
        long needed = held + 2L * Math.min(keys, SEGMENTS) * (held / SEGMENTS);
        if (needed > MAX_HEAP) {
            throw new IndexMemoryException(
                    "the heap is too small for the key index: needed=" + needed + ", heap=" + MAX_HEAP
                            + " bytes; raise -Xmx or use a compact index",
                    null);
        }
    }

    @Override
    public String imageFormat() {
        return "hashmap-1";
    }

    @Override
    public void save(ImageSink sink) throws IOException {
        Table[] open = open();
        byte[] buffer = new byte[IMAGE_BUFFER_BYTES];
        bytes(buffer).putLong(hash.seed()).putInt(SEGMENTS);
        sink.write(buffer, 0, IMAGE_HEADER_BYTES);
        for (int segment = 0; segment < SEGMENTS; segment++) {
            Table snapshot;
            lock(segment);
            try {
                snapshot = open[segment].snapshot();
            } finally {
                unlock(segment);
            }
            snapshot.writeTo(sink, buffer);
        }
    }

    @Override
    public boolean load(ImageSource source) throws IOException {
        Table[] open = open();
        Table[] loaded = new Table[SEGMENTS];
        long bytes = 0;
        byte[] buffer = new byte[IMAGE_BUFFER_BYTES];
        KeyHash adopted;
        try {
            source.read(buffer, 0, IMAGE_HEADER_BYTES);
            adopted = new KeyHash(bytes(buffer).getLong());
            if (bytes(buffer).getInt(Long.BYTES) != SEGMENTS) {
                return false;
            }
            for (int segment = 0; segment < SEGMENTS; segment++) {
                Table table = Table.readFrom(source, buffer);
                if (table == null) {
                    return false;
                }
                loaded[segment] = table;
                bytes += table.memoryBytes();
            }
        } catch (EOFException e) {
            // The image is shorter than it says: no image.
            return false;
        } catch (OutOfMemoryError e) {
            throw outOfMemory(e);
        }
        if (source.remaining() != 0) {
            return false;
        }
        hash = adopted;
        tableBytes.set(bytes);
        System.arraycopy(loaded, 0, open, 0, SEGMENTS);
        return true;
    }

    @Override
    public void close() {
        tables = null;
    }

    /** Adds a key that is not there, in a larger table if need be. The caller holds the segment's lock. */
    private void insert(Table[] open, int segment, int tag, byte[] key, int offset, int length, long locator)
            throws IndexMemoryException {
        Table old = open[segment];
        Table table = old;
        long before = old.memoryBytes();
        try {
            if (!table.hasFreeSlot() || table.isWasteful()) {
                table = table.copy(nextCapacity(table, segment), roomForKeyBytes(table, length));
            }
            table.ensureKeyBytes(length);
        } catch (OutOfMemoryError e) {
            throw outOfMemory(e);
        }
        table.insert(tag, key, offset, length, locator);
        if (table != old) {
            TABLE.setRelease(open, segment, table);
        }
        long grown = table.memoryBytes() - before;
        if (grown != 0) {
            tableBytes.addAndGet(grown);
        }
    }

    private IndexMemoryException outOfMemory(OutOfMemoryError cause) {
        return new IndexMemoryException(
                "no memory for the key index to grow: held=" + tableBytes.get() + " bytes, heap="
                        + Runtime.getRuntime().maxMemory() + "; raise -Xmx or use a compact index",
                cause);
    }

    private static ByteBuffer bytes(byte[] buffer) {
        return ByteBuffer.wrap(buffer).order(ByteOrder.LITTLE_ENDIAN);
    }

    private int nextCapacity(Table table, int segment) {
        int capacity = table.capacity();
        if (table == Table.NONE) {
            long expected = expectedKeys / SEGMENTS;
            return expected > SMALLEST_CAPACITY
                    // Some segments get more than their share: by three standard deviations, hardly any.
                    ? Table.capacityFor(expected + 3 * (long) Math.sqrt((double) expected))
                    : SMALLEST_CAPACITY + SMALLEST_CAPACITY * segment / (2 * SEGMENTS);
        }
        int limit = Table.limit(capacity);
        if (table.live() > limit / 3 * 2) {
            return (int) Math.min(Table.MAX_CAPACITY, capacity + (capacity + 1L) / 2);
        }
        // Mostly tombstones or dead bytes: as large as before, or smaller where most keys have gone.
        return table.live() < limit / 4 ? Math.max(SMALLEST_CAPACITY, capacity / 2) : capacity;
    }

    private int roomForKeyBytes(Table table, int length) {
        if (table != Table.NONE) {
            return Table.encodedLength(length);
        }
        long expected = expectedKeys / SEGMENTS * Table.encodedLength(Math.max(0, expectedKeyLength));
        return (int) Math.min(Table.MAX_KEY_BYTES / 2, expected + Table.encodedLength(length));
    }

    private Table[] open() {
        Table[] open = tables;
        if (open == null) {
            throw new IllegalStateException("the key index is closed");
        }
        return open;
    }

    private static Table table(Table[] open, int segment) {
        return (Table) TABLE.getAcquire(open, segment);
    }

    private static int segment(long hashed) {
        return (int) (hashed >>> (Long.SIZE - SEGMENT_BITS));
    }

    // The holder may have lost its processor in the middle of a change; then it must get one.
    @SuppressWarnings("ThreadPriorityCheck")
    private void lock(int segment) {
        int spins = 0;
        while (!LOCK.compareAndSet(locks, segment, 0, 1)) {
            if (++spins % SPINS_BEFORE_YIELDING == 0) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }

    private void unlock(int segment) {
        LOCK.setRelease(locks, segment, 0);
    }

    /** Makes it by its name, {@value #NAME}. */
    public static final class Provider implements KeyIndexProvider {
        /** The name. */
        public static final String NAME = "hashmap";

        /** Called by {@link java.util.ServiceLoader}. */
        public Provider() {}

        @Override
        public String name() {
            return NAME;
        }

        @Override
        public KeyIndex open(KeyIndexContext context) {
            return new HashKeyIndex(context);
        }
    }
}
