package dev.caskwright.index.compact;

import dev.caskwright.api.IndexMemoryException;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntFunction;

/**
 * Replaces the buckets of segments by larger, smaller, split and moved ones, and their directories. The caller holds the
 * lock of the segment, and readers may look on: see {@link CompactKeyIndex}.
 */
final class BucketChanges {
    /**
     * How many slots a bucket has after the smallest. All segments are small at the same time and never again: the blocks
     * of sizes between, which they left behind, would be wanted by nobody, a third of a byte for each of a million keys.
     */
    private static final int SECOND_SLOTS = Bucket.MAX_SLOTS / 2;

    /** A bucket is made smaller when so many slots are free; more than growth leaves, or they would take turns. */
    private static final int FREE_SLOTS_TO_SHRINK = 3 * Bucket.SLOT_STEP;

    private static final int NOT_MOVING = -1;

    /** How often it is asked whether memory should be given back. */
    private static final int REMOVALS_PER_LOOK = 256;

    private final BlockMemory memory;
    private final AtomicLong heapBytes;

    /** Held by the removal that gives back memory. */
    private final ReentrantLock moving = new ReentrantLock();

    private int nextToMove = NOT_MOVING; // guarded by moving
    private int removals; // guarded by moving

    BucketChanges(BlockMemory memory, AtomicLong heapBytes) {
        this.memory = memory;
        this.heapBytes = heapBytes;
    }

    /** Makes the bucket larger, or splits it, or makes the directory larger so that it can be split. */
    void makeRoom(long[][] open, int segment, long[] directory, long word, int tag) throws IndexMemoryException {
        if (word == Bucket.NO_BUCKET) {
            long first = newBucket(Bucket.SLOT_STEP, 0, word);
            long address = Bucket.address(first);
            Bucket.format(memory.slab(address), BlockMemory.offset(address), Bucket.SLOT_STEP, 0);
            long[] smallest = {first};
            heapBytes.addAndGet(CompactKeyIndex.ARRAY_HEADER + Long.BYTES);
            CompactKeyIndex.DIRECTORY.setRelease(open, segment, smallest);
        } else if (Bucket.slots(word) < Bucket.MAX_SLOTS) {
            resize(open, segment, word, tag, Math.max(SECOND_SLOTS, Bucket.slots(word) + Bucket.SLOT_STEP));
        } else if (Bucket.depth(word) < Directory.depth(directory)) {
            split(open, segment, word, tag);
        } else {
            if (Directory.depth(directory) == Bucket.MAX_DEPTH) {
                throw new IndexMemoryException("a segment of the key index is full: bytes=" + memory.bytes(), null);
            }
            long[] larger = newDirectory(directory.length * 2);
            for (int i = 0; i < larger.length; i++) {
                larger[i] = directory[i / 2];
            }
            CompactKeyIndex.DIRECTORY.setRelease(open, segment, larger);
        }
    }

    /** Copies a bucket to one of another size. The caller holds the lock. */
    private void resize(long[][] open, int segment, long word, int tag, int slots) throws IndexMemoryException {
        long resized = newBucket(slots, Bucket.depth(word), word);
        long[] directory = writable(open, segment, resized, resized);
        long from = Bucket.address(word);
        long to = Bucket.address(resized);
        Bucket.copy(
                memory.slab(from),
                BlockMemory.offset(from),
                Bucket.slots(word),
                memory.slab(to),
                BlockMemory.offset(to),
                slots);
        Directory.publish(directory, Directory.entry(directory, tag), resized);
        CompactKeyIndex.DIRECTORY.setRelease(open, segment, directory);
        retire(word);
    }

    /**
     * Returns the directory for a new word, or two of the same stamp: a copy of the one in place if their stamp has come
     * round. Gives back their buckets if it throws.
     */
    private long[] writable(long[][] open, int segment, long one, long other) throws IndexMemoryException {
        if (!Bucket.isFirstStamp(one)) {
            return open[segment];
        }
        try {
            return open[segment].clone();
        } catch (OutOfMemoryError e) {
            retire(one);
            if (other != one) {
                retire(other);
            }
            throw CompactKeyIndex.noHeap(open[segment].length, e);
        }
    }

    private void split(long[][] open, int segment, long word, int tag) throws IndexMemoryException {
        int depth = Bucket.depth(word) + 1;
        int bit = 1 << (Bucket.TAG_BITS - depth);
        ByteBuffer slab = memory.slab(Bucket.address(word));
        int base = BlockMemory.offset(Bucket.address(word));
        long isOne = Bucket.slotsWith(slab, base, bit);
        int ones = Long.bitCount(isOne);
        long zero = newBucket(slotsFor(Bucket.MAX_SLOTS - ones), depth, word);
        long one;
        try {
            one = newBucket(slotsFor(ones), depth, word);
        } catch (IndexMemoryException e) {
            retire(zero);
            throw e;
        }
        long[] directory = writable(open, segment, zero, one);
        take(slab, base, ~isOne, zero);
        take(slab, base, isOne, one);
        Directory.publish(directory, Directory.entry(directory, (tag & -bit) & ~bit), zero);
        Directory.publish(directory, Directory.entry(directory, (tag & -bit) | bit), one);
        CompactKeyIndex.DIRECTORY.setRelease(open, segment, directory);
        retire(word);
    }

    /** Gives slots back when many are free. */
    void shrink(long[][] open, int segment, long word, int tag) {
        int slots = Bucket.slots(word);
        long address = Bucket.address(word);
        int live = Bucket.liveSlots(memory.slab(address), BlockMemory.offset(address), slots);
        if (slots - live >= FREE_SLOTS_TO_SHRINK) {
            try {
                resize(open, segment, word, tag, slotsFor(live));
            } catch (IndexMemoryException e) {
                // The removal is done. The bucket stays as large as it is until there is memory to make it smaller.
                return;
            }
        }
    }

    static int slotsFor(int keys) {
        return Math.min(Bucket.MAX_SLOTS, (keys / Bucket.SLOT_STEP + 1) * Bucket.SLOT_STEP);
    }

    /** Makes a bucket whose content is undefined. */
    private long newBucket(int slots, int depth, long replaced) throws IndexMemoryException {
        return Bucket.word(memory.allocate(Bucket.lengthInBytes(slots)), slots, depth, replaced);
    }

    private void retire(long word) {
        // What is written to the block from now on must not be seen before the words that no longer name it.
        VarHandle.storeStoreFence();
        memory.free(Bucket.address(word), Bucket.lengthInBytes(Bucket.slots(word)));
    }

    /** Copies these slots of a full bucket to one that nobody sees yet. */
    private void take(ByteBuffer full, int base, long slots, long to) {
        long address = Bucket.address(to);
        Bucket.take(full, base, slots, memory.slab(address), BlockMemory.offset(address), Bucket.slots(to));
    }

    private long[] newDirectory(int length) throws IndexMemoryException {
        try {
            long[] directory = new long[length];
            heapBytes.addAndGet((long) Long.BYTES * length / 2);
            return directory;
        } catch (OutOfMemoryError e) {
            throw CompactKeyIndex.noHeap(length, e);
        }
    }

    /**
     * Moves the keys of one segment to new memory if most of what there is lies idle; after the last segment the old memory
     * is given back. A removal moves one segment at most, a thousandth of the keys.
     */
    void giveBackMemory(long[][] open, IntFunction<ReentrantLock> locker) {
        if (!moving.tryLock()) {
            return;
        }
        try {
            if (nextToMove == NOT_MOVING) {
                if (++removals % REMOVALS_PER_LOOK != 0 || !memory.beginMoveIfSparse()) {
                    return;
                }
                nextToMove = 0;
            }
            ReentrantLock lock = locker.apply(nextToMove);
            try {
                move(open, nextToMove);
            } finally {
                lock.unlock();
            }
            if (++nextToMove == CompactKeyIndex.SEGMENTS) {
                memory.endMove();
                nextToMove = NOT_MOVING;
            }
        } catch (IndexMemoryException e) {
            // The removal is done. The segment is moved by a later one, when there is memory for it.
            return;
        } finally {
            moving.unlock();
        }
    }

    private void move(long[][] open, int segment) throws IndexMemoryException {
        long[] before = open[segment];
        if (before == Directory.NONE) {
            return;
        }
        long[] moved = SegmentMove.copy(memory, before);
        heapBytes.addAndGet(
                moved == Directory.NONE
                        ? -CompactKeyIndex.ARRAY_HEADER - (long) Long.BYTES * before.length
                        : (long) Long.BYTES * (moved.length - before.length));
        CompactKeyIndex.DIRECTORY.setRelease(open, segment, moved);
        VarHandle.storeStoreFence(); // as in retire
        SegmentImage.free(memory, before);
    }
}
