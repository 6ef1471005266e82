package dev.caskwright.index.compact;

import dev.caskwright.api.IndexMemoryException;
import java.util.Arrays;

/**
 * Copies a segment that does not change meanwhile to new blocks, with as few buckets as its keys need: buckets that came of
 * a split come together again if they are mostly empty, and the directory gets as short as they allow.
 */
final class SegmentMove {
    /** How many keys a bucket may have that is made of several: it can grow before it splits again. */
    private static final int MOST_KEYS_TOGETHER = Bucket.MAX_SLOTS * 3 / 4;

    private final BlockMemory memory;
    private final long[] source;
    private final long[] target;
    private int depth;

    private SegmentMove(BlockMemory memory, long[] source, long[] target) {
        this.memory = memory;
        this.source = source;
        this.target = target;
    }

    /** Returns the directory of the copy. If this throws, what was copied is given back. */
    static long[] copy(BlockMemory memory, long[] source) throws IndexMemoryException {
        if (SegmentImage.keys(memory, source) == 0) {
            return Directory.NONE;
        }
        SegmentMove move = new SegmentMove(memory, source, SegmentImage.allocate(source.length));
        boolean isWhole = false;
        try {
            move.copy(0, source.length);
            isWhole = true;
        } finally {
            if (!isWhole) {
                SegmentImage.free(memory, move.target);
            }
        }
        return move.shortened();
    }

    private void copy(int first, int entries) throws IndexMemoryException {
        int live = live(first, entries);
        if (live <= MOST_KEYS_TOGETHER || Directory.entriesOf(source, source[first]) >= entries) {
            copyTogether(first, entries, live);
            return;
        }
        copy(first, entries / 2);
        copy(first + entries / 2, entries / 2);
    }

    private int live(int first, int entries) {
        int live = 0;
        for (int entry = first; entry < first + entries; entry += Directory.entriesOf(source, source[entry])) {
            long word = source[entry];
            long address = Bucket.address(word);
            live += Bucket.liveSlots(memory.slab(address), BlockMemory.offset(address), Bucket.slots(word));
        }
        return live;
    }

    private void copyTogether(int first, int entries, int live) throws IndexMemoryException {
        int slots = BucketChanges.slotsFor(live);
        int bucketDepth = Directory.depth(source) - Integer.numberOfTrailingZeros(entries);
        long to = memory.allocate(Bucket.lengthInBytes(slots));
        int base = BlockMemory.offset(to);
        int copied = 0;
        for (int entry = first; entry < first + entries; entry += Directory.entriesOf(source, source[entry])) {
            long word = source[entry];
            long from = Bucket.address(word);
            copied = Bucket.append(
                    memory.slab(from),
                    BlockMemory.offset(from),
                    Bucket.slots(word),
                    memory.slab(to),
                    base,
                    slots,
                    copied);
        }
        Bucket.format(memory.slab(to), base, slots, copied);
        Arrays.fill(target, first, first + entries, Bucket.word(to, slots, bucketDepth, Bucket.NO_BUCKET));
        depth = Math.max(depth, bucketDepth);
    }

    private long[] shortened() throws IndexMemoryException {
        int step = target.length >>> depth;
        if (step == 1) {
            return target;
        }
        long[] shorter;
        try {
            shorter = SegmentImage.allocate(1 << depth);
        } catch (IndexMemoryException e) {
            SegmentImage.free(memory, target);
            throw e;
        }
        for (int entry = 0; entry < shorter.length; entry++) {
            shorter[entry] = target[entry * step];
        }
        return shorter;
    }
}
