package dev.caskwright.index.hashmap;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyIndexProvider;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import java.io.EOFException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A key index in arrays on the heap: the default. It holds the keys, and so never asks the log.
 *
 * <p>The keys are spread over {@value #SEGMENTS} segments by their hash. A segment is one table, and when that has {@value
 * #SPLIT_CAPACITY} slots, {@value #PARTS}. A table grows by half when it is three quarters full, so that no writer waits for
 * more than the copying of one table: well under a millisecond with 100 million keys. Tables start at sizes that are spread
 * over one step of growth, so they do not grow all at once, and memory follows the number of keys evenly. There are few at
 * first because each is an object and two array headers that a lookup goes through: those of some hundred tables stay in the
 * processor's cache and its address translation, those of a thousand do not. A table that most keys have left gives way to a
 * smaller one.
 *
 * <p><b>Cost.</b> {@link #candidate} waits for one cache miss, a slot; {@link #get} for a second one, the key's bytes, and
 * only if the key is there. A key takes about 26 bytes beside its own, at any moment of growth. Nothing is allocated but by
 * growth.
 *
 * <p><b>Threads.</b> Readers take no lock. Writers may run at once: one that changes a segment holds up others of the same
 * segment.
 */
public final class HashKeyIndex implements PersistentKeyIndex {
    private static final int SEGMENT_BITS = 8;
    private static final int PART_BITS = 2;
    private static final long MAX_HEAP = Runtime.getRuntime().maxMemory(); // asked once: it is a native call
    /**
     * What the index may keep for long. The collectors that divide the heap by age keep no more than two thirds of it for
     * what stays, and others need heap, too.
     */
    private static final long MAX_HELD = MAX_HEAP / 8 * 5;

    private static final int SEGMENTS = 1 << SEGMENT_BITS;
    private static final int ALL_PARTS = SEGMENTS << PART_BITS;
    private static final int PARTS = 1 << PART_BITS;
    private static final int SPLIT_CAPACITY = 16 << 10;
    private static final int SMALLEST_CAPACITY = 8;
    /** How many keys of a batch lookup wait for memory at once; their cache lines fit into the first-level cache. */
    private static final int BATCH = 32;

    private static final int SPINS_BEFORE_YIELDING = 100;
    private static final int ARRAY_HEADER = 16;
    private static final int IMAGE_HEADER_BYTES = Long.BYTES + Integer.BYTES;
    private static final int IMAGE_BUFFER_BYTES = 1 << 16;

    private static final VarHandle TABLE = MethodHandles.arrayElementVarHandle(Table[].class);
    private static final VarHandle LOCK = MethodHandles.arrayElementVarHandle(int[].class);
    private static final VarHandle SIZE = LOCK;

    /** Changed by {@link #load} only, before other threads use the index. */
    private KeyHash hash;

    private final long maxHeld;
    private final long expectedKeys;
    private final int expectedKeyLength;
    /** One word a segment: 1 while a writer is in it. A lock object each would cost more than the change it guards. */
    private final int[] locks = new int[SEGMENTS];

    /** The keys of each segment. Not counted in the tables: there may be two of a segment for a moment, when one grows. */
    private final int[] sizes = new int[SEGMENTS];

    private final AtomicLong tableBytes = new AtomicLong();
    /** By the upper bits of a hash; the parts of a segment that is not split are one table. */
    private volatile Table @Nullable [] tables;

    private final int splitCapacity;

    /** Makes an empty index. The context's matcher is not used. */
    public HashKeyIndex(KeyIndexContext context) {
        this(context, SPLIT_CAPACITY, MAX_HELD);
    }

    /** Makes an empty index whose segments are split when they have that many slots. */
    HashKeyIndex(KeyIndexContext context, int splitCapacity) {
        this(context, splitCapacity, MAX_HELD);
    }

    /** Makes an empty index that may hold so many bytes. */
    HashKeyIndex(KeyIndexContext context, int splitCapacity, long maxHeld) {
        this.maxHeld = maxHeld;
        this.splitCapacity = splitCapacity;
        this.hash = new KeyHash(context.seed());
        this.expectedKeys = context.expectedKeys();
        this.expectedKeyLength = context.expectedKeyLength();
        Table[] none = new Table[ALL_PARTS];
        Arrays.fill(none, Table.NONE);
        this.tables = none;
    }

    @Override
    public long get(byte[] key, int offset, int length) {
        Table[] open = open();
        long hashed = hash.hash(key, offset, length);
        return table(open, part(hashed)).get((int) hashed, key, offset, length);
    }

    @Override
    public long candidate(byte[] key, int offset, int length) {
        Table[] open = open();
        long hashed = hash.hash(key, offset, length);
        return table(open, part(hashed)).candidate((int) hashed);
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
                touched |= table(open, part(locators[i])).touch((int) locators[i]);
            }
            if (touched == 0) {
                // All homes are empty, so no key is there. Asking makes the loads above count.
                Arrays.fill(locators, start, end, ABSENT);
                continue;
            }
            for (int i = start; i < end; i++) {
                locators[i] = table(open, part(locators[i])).candidate((int) locators[i]);
            }
        }
    }

    @Override
    public void prefetch(byte[] source, int[] offsets, int[] lengths, int count) {
        Table[] open = open();
        long[] hashes = new long[BATCH];
        long touched = 0;
        for (int start = 0; start < count; start += BATCH) {
            int keys = Math.min(BATCH, count - start);
            // In loops so short that the processor is ahead by many keys: it waits for all of them at once.
            for (int i = 0; i < keys; i++) {
                hashes[i] = hash.hash(source, offsets[start + i], lengths[start + i]);
            }
            for (int i = 0; i < keys; i++) {
                touched |= table(open, part(hashes[i])).touch((int) hashes[i]);
            }
            for (int i = 0; i < keys; i++) {
                touched |= table(open, part(hashes[i])).touchKey((int) hashes[i]);
            }
        }
        // Using what was read, if only in vain, keeps the loads from being optimised away.
        if (touched == ABSENT) {
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
            Table table = open[part(hashed)];
            int position = table.find((int) hashed, key, offset, length);
            if (position == Table.NOT_FOUND) {
                insert(open, hashed, key, offset, length, locator);
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
            Table table = open[part(hashed)];
            int position = table.find((int) hashed, key, offset, length);
            if (position == Table.NOT_FOUND) {
                insert(open, hashed, key, offset, length, locator);
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
            Table table = open[part(hashed)];
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
            Table table = open[part(hashed)];
            int position = table.find((int) hashed, key, offset, length);
            if (position == Table.NOT_FOUND || table.locator(position) != expected) {
                return false;
            }
            table.remove(position);
            SIZE.setOpaque(sizes, segment, sizes[segment] - 1);
            if (table.isSparse()) {
                shrink(open, part(hashed), table);
            }
            return true;
        } finally {
            unlock(segment);
        }
    }

    @Override
    public long size() {
        open();
        long size = 0;
        for (int segment = 0; segment < SEGMENTS; segment++) {
            size += (int) SIZE.getOpaque(sizes, segment);
        }
        return size;
    }

    /** Returns the bytes of all arrays and objects, computed from their lengths for compressed references. */
    @Override
    public long memoryBytes() {
        open();
        return 3L * ARRAY_HEADER + (2L * SEGMENTS + ALL_PARTS) * Integer.BYTES + tableBytes.get();
    }

    @Override
    public boolean allowsConcurrentWriters() {
        return true;
    }

    /**
     * Makes sure that the heap is large enough for the index after so many changes, were nothing else in it, and that the
     * index does not take more than five eighths of it for long. How much of the heap others hold cannot be told without a
     * garbage collection.
     */
    @Override
    public void ensureRoom(int keys) throws IndexMemoryException {
        open();
        long held = tableBytes.get();
        // What the keys need, twice: a segment that grows holds both tables.
        long needed = held + 2L * Math.min(keys, SEGMENTS) * (held / SEGMENTS);
        if (held > maxHeld || needed > MAX_HEAP) {
            throw new IndexMemoryException(
                    "the heap is too small for the key index: needed=" + needed + ", held=" + held + ", heap="
                            + MAX_HEAP + " bytes, of which the index may hold " + maxHeld
                            + "; raise -Xmx or use a compact index",
                    null);
        }
    }

    @Override
    public String imageFormat() {
        return "hashmap-2";
    }

    @Override
    public void save(ImageSink sink) throws IOException {
        Table[] open = open();
        byte[] buffer = new byte[IMAGE_BUFFER_BYTES];
        bytes(buffer).putLong(hash.seed()).putInt(SEGMENTS);
        sink.write(buffer, 0, IMAGE_HEADER_BYTES);
        for (int segment = 0; segment < SEGMENTS; segment++) {
            List<Table> snapshots = new ArrayList<>();
            lock(segment);
            try {
                int first = segment << PART_BITS;
                for (int part = first; part < first + (isSplit(open, first) ? PARTS : 1); part++) {
                    snapshots.add(open[part].snapshot());
                }
            } finally {
                unlock(segment);
            }
            bytes(buffer).putInt(snapshots.size());
            sink.write(buffer, 0, Integer.BYTES);
            for (Table snapshot : snapshots) {
                snapshot.writeTo(sink, buffer);
            }
        }
    }

    @Override
    public boolean load(Image image, Refill refill) throws IOException {
        try (image;
                ImageSource source = image.source(0, image.length())) {
            return load(source);
        }
    }

    private boolean load(ImageSource source) throws IOException {
        Table[] open = open();
        Table[] loaded = new Table[ALL_PARTS];
        int[] loadedSizes = new int[SEGMENTS];
        long bytes = 0;
        byte[] buffer = new byte[IMAGE_BUFFER_BYTES];
        KeyHash adopted;
        try {
            source.read(buffer, 0, IMAGE_HEADER_BYTES);
            adopted = new KeyHash(bytes(buffer).getLong());
            if (bytes(buffer).getInt(Long.BYTES) != SEGMENTS) {
                return false;
            }
            for (int first = 0; first < ALL_PARTS; first += PARTS) {
                source.read(buffer, 0, Integer.BYTES);
                int parts = bytes(buffer).getInt();
                if (parts != 1 && parts != PARTS) {
                    return false;
                }
                for (int part = first; part < first + parts; part++) {
                    Table table = Table.readFrom(source, buffer);
                    if (table == null) {
                        return false;
                    }
                    Arrays.fill(loaded, part, first + PARTS, table);
                    loadedSizes[first >>> PART_BITS] += table.live();
                    bytes += table.memoryBytes();
                }
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
        System.arraycopy(loadedSizes, 0, sizes, 0, SEGMENTS);
        System.arraycopy(loaded, 0, open, 0, ALL_PARTS);
        return true;
    }

    @Override
    public void close() {
        tables = null;
    }

    /** Adds a key that is not there, in a larger table if need be. The caller holds the segment's lock. */
    private void insert(Table[] open, long hashed, byte[] key, int offset, int length, long locator)
            throws IndexMemoryException {
        int part = part(hashed);
        try {
            if (isToBeSplit(open, part)) {
                split(open, part & -PARTS);
            }
            Table old = open[part];
            long before = old.memoryBytes();
            Table table = withRoom(old, part, length, isSplit(open, part));
            table.insert((int) hashed, key, offset, length, locator);
            if (table != old) {
                publish(open, part, table);
            }
            SIZE.setOpaque(sizes, segment(hashed), sizes[segment(hashed)] + 1);
            count(table.memoryBytes() - before);
        } catch (OutOfMemoryError e) {
            throw outOfMemory(e);
        }
    }

    /** Returns the table, or a copy, with room for one more key. */
    private Table withRoom(Table old, int part, int keyLength, boolean isSplit) {
        Table table = old;
        if (!table.hasFreeSlot() || table.isWasteful()) {
            table = table.copy(nextCapacity(table, part, isSplit), roomForKeyBytes(table, keyLength, isSplit));
        }
        table.ensureKeyBytes(keyLength);
        return table;
    }

    /** Gives back memory of a table that most keys have left. Readers of the old one find there what is in it. */
    private void shrink(Table[] open, int part, Table old) {
        Table smaller;
        try {
            // Half full; a table of its own also for no keys, by which it is seen that the segment is split.
            int capacity = Table.capacityFor(old.live() + old.live() / 2);
            smaller = old.copy(Math.max(SMALLEST_CAPACITY, capacity), 0);
        } catch (OutOfMemoryError e) {
            // The removal is done. The table stays as large as it is until there is memory to make it smaller.
            return;
        }
        publish(open, part, smaller);
        count(smaller.memoryBytes() - old.memoryBytes());
    }

    private void publish(Table[] open, int part, Table table) {
        if (isSplit(open, part)) {
            TABLE.setRelease(open, part, table);
            return;
        }
        int first = part & -PARTS;
        for (int each = first; each < first + PARTS; each++) {
            TABLE.setRelease(open, each, table);
        }
    }

    private static boolean isSplit(Table[] open, int part) {
        int first = part & -PARTS;
        return open[first] != open[first + 1];
    }

    private boolean isToBeSplit(Table[] open, int part) {
        Table table = open[part];
        return !table.hasFreeSlot() && !isSplit(open, part) && nextCapacity(table, part, false) > splitCapacity;
    }

    /** Spreads the keys of a segment over tables for its parts, by further bits of their hashes. */
    private void split(Table[] open, int first) {
        Table whole = open[first];
        Table[] parts = new Table[PARTS];
        for (int i = 0; i < PARTS; i++) {
            long keys = Math.max(expectedIn(1), whole.live() / PARTS);
            // Some parts get more than their share; and they are not to grow all at once.
            long spread = keys / 16 + keys * (first + i) / (2 * ALL_PARTS);
            int room = Math.max(roomForKeyBytes(Table.NONE, 0, true), whole.keyBytesUsed() / PARTS / 16 * 17);
            parts[i] = Table.NONE.copy(Table.capacityFor(keys + spread), room);
        }
        whole.visit((tag, bytes, offset, length, locator) -> {
            int i = part(hash.hash(bytes, offset, length)) - first;
            if (i < 0 || i >= PARTS) {
                // No put brings a key of another segment here. An image might, and no lookup finds it.
                return;
            }
            parts[i] = withRoom(parts[i], first + i, length, true);
            parts[i].insert(tag, bytes, offset, length, locator);
        });
        long grown = -whole.memoryBytes();
        int keys = 0;
        for (int i = 0; i < PARTS; i++) {
            TABLE.setRelease(open, first + i, parts[i]);
            grown += parts[i].memoryBytes();
            keys += parts[i].live();
        }
        SIZE.setOpaque(sizes, first >>> PART_BITS, keys);
        count(grown);
    }

    private void count(long grown) {
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

    private int nextCapacity(Table table, int part, boolean isSplit) {
        int capacity = table.capacity();
        if (table == Table.NONE) {
            long expected = expectedIn(isSplit ? 1 : PARTS);
            return expected > SMALLEST_CAPACITY
                    // Some tables get more than their share: by three standard deviations, hardly any.
                    ? Table.capacityFor(expected + 3 * (long) Math.sqrt((double) expected))
                    : SMALLEST_CAPACITY + SMALLEST_CAPACITY * part / (2 * ALL_PARTS);
        }
        int limit = Table.limit(capacity);
        if (table.live() > limit / 3 * 2) {
            return (int) Math.min(Table.MAX_CAPACITY, capacity + (capacity + 1L) / 2);
        }
        // Mostly tombstones or dead bytes: as large as before, or smaller where most keys have gone.
        return table.live() < limit / 4 ? Math.max(SMALLEST_CAPACITY, capacity / 2) : capacity;
    }

    private int roomForKeyBytes(Table table, int length, boolean isSplit) {
        if (table != Table.NONE) {
            return Table.encodedLength(length);
        }
        long expected = expectedIn(isSplit ? 1 : PARTS) * Table.encodedLength(Math.max(0, expectedKeyLength));
        return (int) Math.min(Table.MAX_KEY_BYTES / 2, expected + Table.encodedLength(length));
    }

    /** Returns how many keys were announced for so many parts. */
    private long expectedIn(int parts) {
        return expectedKeys / ALL_PARTS * parts;
    }

    private Table[] open() {
        Table[] open = tables;
        if (open == null) {
            throw new IllegalStateException("the key index is closed");
        }
        return open;
    }

    private static Table table(Table[] open, int part) {
        return (Table) TABLE.getAcquire(open, part);
    }

    private static int part(long hashed) {
        return (int) (hashed >>> (Long.SIZE - SEGMENT_BITS - PART_BITS));
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
