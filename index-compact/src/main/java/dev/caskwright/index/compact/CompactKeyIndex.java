package dev.caskwright.index.compact;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyIndexProvider;
import dev.caskwright.api.spi.index.KeyMatcher;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A key index off the heap that holds no keys, for very many of them: about 12 bytes a key, however long the keys are.
 *
 * <p><b>Cost.</b> A key is a locator and 24 bits of its hash. Whether a tag is the key's is asked of the log, through the
 * context's matcher: on a hit of {@link #get}, and on every change of a key that is there. {@link #candidate} does not
 * ask; with 100 million keys it names another key, or an absent key causes a question, about once in 170 lookups, and with
 * a billion once in 17.
 *
 * <p><b>Layout.</b> Extendible hashing. The hash chooses one of {@value #SEGMENTS} segments; a segment is a directory,
 * indexed by the leading bits of the tag, of buckets of up to {@value Bucket#MAX_SLOTS} slots. A bucket grows by
 * {@value Bucket#SLOT_STEP} slots when it is full, so it is always nearly full, and splits in two when it cannot grow: no
 * change ever copies more than one bucket and one segment's directory. A split needs a further bit of each key's hash, and
 * that is in the tag: no record is read for it.
 *
 * <p>Buckets of a size are wanted again and again as long as buckets of all sizes exist at once. Hence segments take shares
 * of the hash that differ by up to a factor of two, evenly spread: their buckets are at all stages between two splits,
 * and what one gives back another takes. With equal shares all buckets would grow together, and leave small blocks behind
 * that nobody wants.
 *
 * <p>(Linear probing would need a low load for short searches, or ordered slots, whose shifting makes readers wait for a
 * writer. Robin-hood and cuckoo tables move slots, too, and cannot find a key's other place without the key.)
 *
 * <p><b>Threads.</b> Readers take no lock: they check after reading that the bucket is still in the directory, and start
 * again if not, which means that a writer got on meanwhile. Blocks that are given back are reused, and memory that readers
 * may look at is freed by the collector only, so a late reader sees stale bytes and never unmapped memory. Writers may run at
 * once; a lock is
 * shared by a part of the segments, and held while the log is asked.
 *
 * <p>The class is long because lookups, changes and images all depend on who may see which word of a directory when.
 */
public final class CompactKeyIndex implements PersistentKeyIndex {
    private static final int SEGMENT_BITS = 10;
    static final int SEGMENTS = 1 << SEGMENT_BITS;
    private static final int SHARE_BITS = 28;
    private static final int LOCKS = 64;
    private static final int BATCH = 32;
    /** What a change takes at most on average: a full bucket copied for every fourth key. */
    private static final long BYTES_PER_CHANGE = Bucket.lengthInBytes(Bucket.MAX_SLOTS) / Bucket.SLOT_STEP;

    private static final long BYTES_FOR_A_SPLIT = 4L * Bucket.lengthInBytes(Bucket.MAX_SLOTS);

    static final int ARRAY_HEADER = 16;
    private static final long HEAP_BYTES_WHEN_EMPTY = ARRAY_HEADER + (long) SEGMENTS * Integer.BYTES;
    static final VarHandle DIRECTORY = MethodHandles.arrayElementVarHandle(long[][].class);

    private final KeyMatcher matcher;
    /** Changed by {@link #load} only, before other threads use the index. */
    private KeyHash hash;

    private final BlockMemory memory;
    private final BucketChanges changes;
    private final ReentrantLock[] locks;
    private final AtomicLongArray sizes = new AtomicLongArray(LOCKS);
    private final AtomicLong heapBytes = new AtomicLong(HEAP_BYTES_WHEN_EMPTY);
    private final BlockMemory.SlabSource slabs;
    private volatile long @Nullable [][] directories;
    /** Null if all is loaded. */
    private volatile @Nullable Loading loading;

    /** Makes an empty index, which asks the context's matcher whether a key is the one of a locator. */
    public CompactKeyIndex(KeyIndexContext context) {
        this(context, DirectMemory::allocate);
    }

    CompactKeyIndex(KeyIndexContext context, BlockMemory.SlabSource slabs) {
        this.slabs = slabs;
        this.memory = new BlockMemory(Bucket.lengthInBytes(Bucket.MAX_SLOTS), slabs);
        this.changes = new BucketChanges(memory, heapBytes);
        this.matcher = context.matcher();
        this.hash = new KeyHash(context.seed());
        this.locks = new ReentrantLock[LOCKS];
        for (int i = 0; i < LOCKS; i++) {
            locks[i] = new ReentrantLock();
        }
        this.directories = emptyDirectories();
    }

    /** Makes an index of a part that nobody else sees yet, in the memory of the one that will adopt it. */
    private CompactKeyIndex(CompactKeyIndex whole) {
        this.slabs = whole.slabs;
        this.memory = whole.memory;
        this.changes = new BucketChanges(memory, heapBytes);
        this.matcher = whole.matcher;
        this.hash = whole.hash;
        this.locks = whole.locks;
        this.directories = emptyDirectories();
    }

    private static long[][] emptyDirectories() {
        long[][] empty = new long[SEGMENTS][];
        Arrays.fill(empty, Directory.NONE);
        return empty;
    }

    @Override
    public long get(byte[] key, int offset, int length) throws IOException {
        return lookup(open(), hash.hash(key, offset, length), key, offset, length, true);
    }

    @Override
    public long candidate(byte[] key, int offset, int length) throws IOException {
        return lookup(open(), hash.hash(key, offset, length), key, offset, length, false);
    }

    @Override
    public void candidates(byte[] source, int[] offsets, int[] lengths, int count, long[] locators) throws IOException {
        long[][] open = open();
        for (int start = 0; start < count; start += BATCH) {
            int end = Math.min(count, start + BATCH);
            // The target holds the hashes first. Then directories and tags are touched, by loads that do not wait for
            // each other.
            for (int i = start; i < end; i++) {
                locators[i] = hash.hash(source, offsets[i], lengths[i]);
            }
            long touched = 0;
            for (int i = start; i < end; i++) {
                touched |= touch(open, locators[i]);
            }
            if (touched == 0 && loading == null) {
                // No bucket has a key. Asking makes the loads above count.
                Arrays.fill(locators, start, end, ABSENT);
                continue;
            }
            for (int i = start; i < end; i++) {
                locators[i] = lookup(open, locators[i], source, offsets[i], lengths[i], false);
            }
        }
    }

    @Override
    public void prefetch(byte[] source, int[] offsets, int[] lengths, int count) {
        long[][] open = open();
        long[] hashes = new long[BATCH];
        long touched = 0;
        for (int start = 0; start < count; start += BATCH) {
            int keys = Math.min(BATCH, count - start);
            // In loops so short that the processor is ahead by many keys: it waits for all of them at once.
            for (int i = 0; i < keys; i++) {
                hashes[i] = hash.hash(source, offsets[start + i], lengths[start + i]);
            }
            for (int i = 0; i < keys; i++) {
                touched |= touch(open, hashes[i]);
            }
        }
        // Using what was read, if only in vain, keeps the loads from being optimised away.
        if (touched == ABSENT) {
            Thread.onSpinWait();
        }
    }

    @Override
    public long put(byte[] key, int offset, int length, long locator) throws IOException {
        long hashed = hash.hash(key, offset, length);
        long[][] open = openWith(segment(hashed));
        ReentrantLock lock = lock(segment(hashed));
        try {
            long word = Directory.word(open[segment(hashed)], Bucket.tag(hashed));
            int slot = find(word, Bucket.tag(hashed), key, offset, length);
            if (slot == Bucket.NO_SLOT) {
                insert(open, segment(hashed), Bucket.tag(hashed), locator);
                return ABSENT;
            }
            ByteBuffer slab = memory.slab(Bucket.address(word));
            int base = BlockMemory.offset(Bucket.address(word));
            long before = Bucket.locator(slab, base, slot);
            Bucket.setLocator(slab, base, slot, locator);
            return before;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long putIfAbsent(byte[] key, int offset, int length, long locator) throws IOException {
        long hashed = hash.hash(key, offset, length);
        long[][] open = openWith(segment(hashed));
        ReentrantLock lock = lock(segment(hashed));
        try {
            long word = Directory.word(open[segment(hashed)], Bucket.tag(hashed));
            int slot = find(word, Bucket.tag(hashed), key, offset, length);
            if (slot == Bucket.NO_SLOT) {
                insert(open, segment(hashed), Bucket.tag(hashed), locator);
                return ABSENT;
            }
            long address = Bucket.address(word);
            return Bucket.locator(memory.slab(address), BlockMemory.offset(address), slot);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean replace(byte[] key, int offset, int length, long expected, long locator) throws IOException {
        long hashed = hash.hash(key, offset, length);
        long[][] open = openWith(segment(hashed));
        ReentrantLock lock = lock(segment(hashed));
        try {
            long word = Directory.word(open[segment(hashed)], Bucket.tag(hashed));
            int slot = find(word, Bucket.tag(hashed), expected, key, offset, length);
            if (slot == Bucket.NO_SLOT) {
                return false;
            }
            long address = Bucket.address(word);
            Bucket.setLocator(memory.slab(address), BlockMemory.offset(address), slot, locator);
            return true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean remove(byte[] key, int offset, int length, long expected) throws IOException {
        long hashed = hash.hash(key, offset, length);
        int segment = segment(hashed);
        long[][] open = openWith(segment);
        ReentrantLock lock = lock(segment);
        try {
            int tag = Bucket.tag(hashed);
            long word = Directory.word(open[segment], tag);
            int slot = find(word, tag, expected, key, offset, length);
            if (slot == Bucket.NO_SLOT) {
                return false;
            }
            long address = Bucket.address(word);
            Bucket.clear(memory.slab(address), BlockMemory.offset(address), Bucket.slots(word), slot);
            sizes.lazySet(segment % LOCKS, sizes.get(segment % LOCKS) - 1);
            changes.shrink(open, segment, word, tag);
        } finally {
            lock.unlock();
        }
        if (loading == null) {
            changes.giveBackMemory(open, this::lock);
        }
        return true;
    }

    @Override
    public long size() {
        open();
        long size = 0;
        for (int i = 0; i < LOCKS; i++) {
            size += sizes.get(i);
        }
        return size;
    }

    /** Returns the bytes of all slabs, whether used or not, and of the directories. */
    @Override
    public long memoryBytes() {
        open();
        return memory.bytes() + heapBytes.get();
    }

    @Override
    public boolean allowsConcurrentWriters() {
        return true;
    }

    @Override
    public boolean readsRecords() {
        return true;
    }

    @Override
    public void ensureRoom(int keys) throws IOException {
        open();
        loadAll();
        memory.reserve(keys * BYTES_PER_CHANGE + BYTES_FOR_A_SPLIT);
    }

    /** Frees all memory at once. No call may be under way. */
    @Override
    public void close() throws IOException {
        directories = null;
        Loading unread = loading;
        loading = null;
        memory.clear();
        if (unread != null) {
            unread.close();
        }
    }

    @Override
    public String imageFormat() {
        return "compact-2";
    }

    @Override
    public void save(ImageSink sink) throws IOException {
        long[][] open = open();
        loadAll();
        int[] lengths = new int[SEGMENTS];
        int[] keys = new int[SEGMENTS];
        for (int segment = 0; segment < SEGMENTS; segment++) {
            byte[] copy;
            ReentrantLock lock = lock(segment);
            try {
                copy = SegmentImage.of(memory, open[segment]);
                keys[segment] = keys(open[segment]);
            } finally {
                lock.unlock();
            }
            lengths[segment] = copy.length;
            sink.write(copy, 0, copy.length);
        }
        byte[] table = Loading.table(lengths, keys, hash.seed());
        sink.write(table, 0, table.length);
    }

    @Override
    public boolean load(Image image, Refill refill) throws IOException {
        Loading begun = null;
        try {
            long[][] open = open();
            begun = Loading.begin(image, refill);
            if (begun == null) {
                return false;
            }
            hash = new KeyHash(begun.seed());
            Arrays.fill(open, Directory.UNREAD);
            for (int segment = 0; segment < SEGMENTS; segment++) {
                sizes.addAndGet(segment % LOCKS, begun.keys(segment));
            }
            loading = begun;
            return true;
        } finally {
            if (begun == null) {
                image.close();
            }
        }
    }

    @Override
    public boolean loadMore() throws IOException {
        open();
        Loading unread = loading;
        return unread != null && unread.loadNext(this);
    }

    @Override
    public int partsLeft() {
        Loading unread = loading;
        return unread == null ? 0 : unread.parts();
    }

    @Override
    public int partOf(byte[] key, int offset, int length) {
        Loading unread = loading;
        return unread == null ? 0 : unread.partOf(segment(hash.hash(key, offset, length)));
    }

    @Override
    public void completeParts(Completion completion) {
        Loading unread = loading;
        if (unread == null) {
            throw new IllegalStateException("no part is left");
        }
        unread.completeWith(completion);
    }

    private void loadAll() throws IOException {
        while (loadMore()) {
            // Other threads may load parts at the same time; the last call waits for them.
        }
    }

    /** Returns the directories, of which that of the segment is loaded. */
    private long[][] openWith(int segment) throws IOException {
        long[][] open = open();
        if (DIRECTORY.getAcquire(open, segment) == Directory.UNREAD) {
            loadSegment(segment);
        }
        return open;
    }

    private void loadSegment(int segment) throws IOException {
        Loading unread = loading;
        if (unread != null) {
            unread.load(this, segment);
        } else {
            open(); // loaded meanwhile, or closed
        }
    }

    /** Reads a segment of so many bytes and keys from an image; returns null if it is none. */
    long @Nullable [] readSegment(ImageSource source, long bytes, int keys) throws IOException {
        return SegmentImage.read(source, memory, bytes, keys);
    }

    private int keys(long[] directory) {
        return SegmentImage.keys(memory, directory);
    }

    /** Gives back segments that were read. */
    void discard(List<long[]> read) {
        for (long[] directory : read) {
            SegmentImage.free(memory, directory);
        }
    }

    /**
     * Lets lookups see segments that were read, once they are completed. Their keys count already. If this throws, they are
     * given back.
     */
    void adopt(int first, List<long[]> read, int part, @Nullable Completion completion) throws IOException {
        if (completion == null) {
            adopt(first, read);
            return;
        }
        CompactKeyIndex staged = new CompactKeyIndex(this);
        long[][] directories = staged.open();
        for (int i = 0; i < read.size(); i++) {
            directories[first + i] = read.get(i);
        }
        List<long[]> completed = Arrays.asList(directories).subList(first, first + read.size());
        boolean isComplete = false;
        try {
            completion.complete(part, staged);
            isComplete = true;
        } finally {
            if (!isComplete) {
                discard(completed);
            }
        }
        for (int i = 0; i < LOCKS; i++) {
            sizes.addAndGet(i, staged.sizes.get(i));
        }
        adopt(first, completed);
    }

    private void adopt(int first, List<long[]> completed) {
        long[][] open = open();
        int segment = first;
        for (long[] directory : completed) {
            if (directory != Directory.NONE) {
                heapBytes.addAndGet(ARRAY_HEADER + (long) Long.BYTES * directory.length);
            }
            DIRECTORY.setRelease(open, segment++, directory);
        }
    }

    /** Returns an index of its own with the keys of some segments, which are not to be had from the image. */
    CompactKeyIndex refill(Refill refill, BitSet damaged, IOException cause) throws IOException {
        CompactKeyIndex fresh = new CompactKeyIndex(new KeyIndexContext(0, 0, hash.seed(), matcher), slabs);
        boolean isFilled = false;
        try {
            refill.into(fresh, (key, offset, length) -> damaged.get(segment(hash.hash(key, offset, length))), cause);
            isFilled = true;
            return fresh;
        } finally {
            if (!isFilled) {
                fresh.close();
            }
        }
    }

    /** Adopts some segments of an index of its own. They had so many keys in the image. */
    void adoptCopies(CompactKeyIndex fresh, int from, int to, int[] keys, int part, @Nullable Completion completion)
            throws IOException {
        long[][] filled = fresh.open();
        List<long[]> copies = new ArrayList<>();
        boolean isWhole = false;
        try {
            for (int segment = from; segment < to; segment++) {
                copies.add(SegmentImage.copy(fresh.memory, filled[segment], memory));
            }
            isWhole = true;
        } finally {
            if (!isWhole) {
                discard(copies);
            }
        }
        int[] difference = new int[copies.size()];
        for (int i = 0; i < difference.length; i++) {
            difference[i] = keys(copies.get(i)) - keys[from + i];
        }
        adopt(from, copies, part, completion);
        for (int i = 0; i < difference.length; i++) {
            sizes.addAndGet((from + i) % LOCKS, difference[i]);
        }
    }

    /** Says that all segments are loaded. */
    void endLoading() {
        loading = null;
    }

    /** Returns the locator of the first slot with the key's tag; if {@code confirmed}, of the first that is the key's. */
    private long lookup(long[][] open, long hashed, byte[] key, int offset, int length, boolean confirmed)
            throws IOException {
        int segment = segment(hashed);
        int tag = Bucket.tag(hashed);
        long pattern = Bucket.pattern(tag);
        while (true) {
            long[] directory = (long[]) DIRECTORY.getAcquire(open, segment);
            int entry = Directory.entry(directory, tag);
            long word = Directory.wordAt(directory, entry);
            if (word == Bucket.NO_BUCKET) {
                if (directory != Directory.UNREAD) {
                    return ABSENT;
                }
                loadSegment(segment);
                continue;
            }
            ByteBuffer slab = memory.slab(Bucket.address(word));
            int base = BlockMemory.offset(Bucket.address(word));
            int slots = Bucket.slots(word);
            boolean isCurrent = true;
            try {
                for (int slot = 0; slot < slots && isCurrent; slot += Bucket.SLOT_STEP) {
                    long lanes = Bucket.lanes(slab, base, slots, slot) ^ pattern;
                    for (long tops = Bucket.zeroLanes(lanes); tops != 0 && isCurrent; tops &= tops - 1) {
                        int lane = Bucket.firstLane(tops);
                        if (!Bucket.isZeroLane(lanes, lane)) {
                            continue;
                        }
                        VarHandle.acquireFence();
                        long locator = Bucket.locator(slab, base, slot + lane);
                        // Only now is it known that the block was still this bucket when tag and locator were read.
                        isCurrent = isCurrent(open, segment, directory, entry, word);
                        if (isCurrent && (!confirmed || matcher.matches(key, offset, length, locator))) {
                            return locator;
                        }
                    }
                }
            } catch (IndexOutOfBoundsException e) {
                // The bucket was moved, and another slab, or none, has the number of its own.
                if (isCurrent(open, segment, directory, entry, word)) {
                    throw e;
                }
                continue;
            }
            if (isCurrent && isCurrent(open, segment, directory, entry, word)) {
                return ABSENT;
            }
        }
    }

    private static boolean isCurrent(long[][] open, int segment, long[] directory, int entry, long word) {
        VarHandle.acquireFence();
        return DIRECTORY.getAcquire(open, segment) == directory && Directory.wordAt(directory, entry) == word;
    }

    private long touch(long[][] open, long hashed) {
        long word = Directory.word((long[]) DIRECTORY.getAcquire(open, segment(hashed)), Bucket.tag(hashed));
        if (word == Bucket.NO_BUCKET) {
            return 0;
        }
        ByteBuffer slab = memory.slab(Bucket.address(word));
        int base = BlockMemory.offset(Bucket.address(word));
        int slots = Bucket.slots(word);
        if (base + Bucket.lengthInBytes(slots) > slab.capacity()) {
            return 1; // moved meanwhile
        }
        // The low tags lie in two or three cache lines.
        return Bucket.lanes(slab, base, slots, 0) | Bucket.lanes(slab, base, slots, slots - Bucket.SLOT_STEP) | 1;
    }

    /** Returns the slot of the key, or {@link Bucket#NO_SLOT}. The caller holds the lock. */
    private int find(long word, int tag, byte[] key, int offset, int length) throws IOException {
        return find(word, tag, ABSENT, key, offset, length);
    }

    /** As above, but unless {@code expected} is {@link #ABSENT}, looks for a slot with this locator only. */
    private int find(long word, int tag, long expected, byte[] key, int offset, int length) throws IOException {
        if (word == Bucket.NO_BUCKET) {
            return Bucket.NO_SLOT;
        }
        ByteBuffer slab = memory.slab(Bucket.address(word));
        int base = BlockMemory.offset(Bucket.address(word));
        int slots = Bucket.slots(word);
        long pattern = Bucket.pattern(tag);
        for (int slot = 0; slot < slots; slot += Bucket.SLOT_STEP) {
            long lanes = Bucket.lanes(slab, base, slots, slot) ^ pattern;
            for (long tops = Bucket.zeroLanes(lanes); tops != 0; tops &= tops - 1) {
                int found = slot + Bucket.firstLane(tops);
                if (Bucket.isZeroLane(lanes, found - slot)
                        && Bucket.tagOf(slab, base, slots, found) == tag
                        && matches(Bucket.locator(slab, base, found), expected, key, offset, length)) {
                    return found;
                }
            }
        }
        return Bucket.NO_SLOT;
    }

    private boolean matches(long locator, long expected, byte[] key, int offset, int length) throws IOException {
        return (expected == ABSENT || expected == locator) && matcher.matches(key, offset, length, locator);
    }

    /** Adds a key that is not there. The caller holds the lock. Makes all room before the change. */
    private void insert(long[][] open, int segment, int tag, long locator) throws IndexMemoryException {
        while (true) {
            long[] directory = open[segment];
            long word = Directory.word(directory, tag);
            if (word != Bucket.NO_BUCKET) {
                ByteBuffer slab = memory.slab(Bucket.address(word));
                int base = BlockMemory.offset(Bucket.address(word));
                int slots = Bucket.slots(word);
                int slot = Bucket.freeSlot(slab, base, slots);
                if (slot != Bucket.NO_SLOT) {
                    Bucket.fill(slab, base, slots, slot, tag, locator);
                    sizes.lazySet(segment % LOCKS, sizes.get(segment % LOCKS) + 1);
                    return;
                }
            }
            changes.makeRoom(open, segment, directory, word, tag);
        }
    }

    static IndexMemoryException noHeap(int length, OutOfMemoryError cause) {
        return new IndexMemoryException(
                "no heap for a directory of the key index: needed=" + (long) length * Long.BYTES + " bytes; raise -Xmx",
                cause);
    }

    /**
     * Chooses the segment by the upper bits of the hash, u in [0, 1): the segment is u + u(1-u)/3 of all. The slope goes
     * from 4/3 to 2/3, and so do the shares of the segments differ by a factor of two.
     */
    private static int segment(long hashed) {
        long u = hashed >>> (Long.SIZE - SHARE_BITS);
        long bent = u + ((u * ((1L << SHARE_BITS) - u)) >>> SHARE_BITS) / 3;
        return (int) (bent >>> (SHARE_BITS - SEGMENT_BITS));
    }

    private ReentrantLock lock(int segment) {
        ReentrantLock lock = locks[segment % LOCKS];
        lock.lock();
        return lock;
    }

    private long[][] open() {
        long[][] open = directories;
        if (open == null) {
            throw new IllegalStateException("the key index is closed");
        }
        return open;
    }

    /** Makes it by its name, {@value #NAME}. */
    public static final class Provider implements KeyIndexProvider {
        /** The name. */
        public static final String NAME = "compact";

        /** Called by {@link java.util.ServiceLoader}. */
        public Provider() {}

        @Override
        public String name() {
            return NAME;
        }

        @Override
        public KeyIndex open(KeyIndexContext context) {
            return new CompactKeyIndex(context);
        }
    }
}
