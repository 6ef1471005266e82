package dev.caskwright.index.compact;

import dev.caskwright.api.spi.index.KeyIndex;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The layout of a bucket: the keys whose tags begin with the same bits, in no order.
 *
 * <pre>
 * | locators, 8 bytes each | low tags, 2 bytes each | high tags, 1 byte each | padding to 8 bytes |
 * </pre>
 *
 * <p>A tag is 24 bits of the key's hash. A low tag of 0 is a free slot. Lookups compare low tags only, four at a time; the
 * high tags serve for splitting, which they decide first, so that a lookup in a bucket that came of up to eight splits
 * loses nothing by it.
 *
 * <p>A bucket is named by a word of its directory: where it is, how many slots it has, how many leading bits of the tags
 * are the same in it (its depth), and a stamp that changes with each new word, so that a reader can tell whether a bucket
 * was still there when it had read it. When the stamps of a word have been used up, the directory is replaced by a copy, by
 * which a reader can tell as well.
 */
final class Bucket {
    static final int TAG_BITS = 24;
    static final int LOW_TAG_BITS = 16;
    /** The last bit of a tag is spoilt: it keeps the low tag from being 0. */
    static final int MAX_DEPTH = TAG_BITS - 1;

    static final int SLOT_STEP = 4;
    static final int MAX_SLOTS = 64;
    static final int NO_SLOT = -1;
    static final int NOT_OF = -1;
    static final long NO_BUCKET = 0;

    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int SLOT_BYTES = 11;
    private static final int LOW_TAGS = 8;
    private static final int HIGH_TAGS = 10;

    private static final int SLOTS_SHIFT = BlockMemory.ADDRESS_BITS;
    private static final int SLOTS_BITS = 6;
    private static final int DEPTH_SHIFT = SLOTS_SHIFT + SLOTS_BITS;
    private static final int DEPTH_BITS = 5;
    private static final int STAMP_SHIFT = DEPTH_SHIFT + DEPTH_BITS;

    private static final long EACH_LANE = 0x0001_0001_0001_0001L;
    private static final long LANE_TOPS = 0x8000_8000_8000_8000L;
    private static final long LANE = 0xFFFF;

    private Bucket() {}

    static int tag(long hashed) {
        int tag = (int) hashed & ((1 << TAG_BITS) - 1);
        return (tag & LANE) == 0 ? tag | 1 : tag;
    }

    static int lengthInBytes(int slots) {
        return (slots * SLOT_BYTES + 7) & ~7;
    }

    /** Names a bucket, with another stamp than the word that it takes the place of. */
    static long word(long address, int slots, int depth, long replaced) {
        return address
                | ((long) (slots / SLOT_STEP) << SLOTS_SHIFT)
                | ((long) depth << DEPTH_SHIFT)
                | (((replaced >>> STAMP_SHIFT) + 1) << STAMP_SHIFT);
    }

    /**
     * Returns whether a word has the first of all stamps: they are used up. Then the directory is replaced as well, so that
     * a reader, however long it was stalled, never takes a later bucket for the one that it saw.
     */
    static boolean isFirstStamp(long word) {
        return word >>> STAMP_SHIFT == 0;
    }

    static long address(long word) {
        return word & ((1L << BlockMemory.ADDRESS_BITS) - 1);
    }

    static int slots(long word) {
        return ((int) (word >>> SLOTS_SHIFT) & ((1 << SLOTS_BITS) - 1)) * SLOT_STEP;
    }

    static int depth(long word) {
        return (int) (word >>> DEPTH_SHIFT) & ((1 << DEPTH_BITS) - 1);
    }

    /** Returns the low tags of four slots, from the given one on. The caller places the fences. */
    static long lanes(ByteBuffer slab, int base, int slots, int slot) {
        return slab.getLong(base + slots * LOW_TAGS + slot * Short.BYTES);
    }

    /** Returns the low tag of the tag, in all four lanes. */
    static long pattern(int tag) {
        return (tag & LANE) * EACH_LANE;
    }

    /** Returns the top bit of each lane that is zero, and maybe of some after the first. */
    static long zeroLanes(long lanes) {
        return (lanes - EACH_LANE) & ~lanes & LANE_TOPS;
    }

    /** Returns which lane the lowest of these top bits is of. */
    static int firstLane(long tops) {
        return Long.numberOfTrailingZeros(tops) / LOW_TAG_BITS;
    }

    static boolean isZeroLane(long lanes, int lane) {
        return ((lanes >>> (lane * LOW_TAG_BITS)) & LANE) == 0;
    }

    static long locator(ByteBuffer slab, int base, int slot) {
        return slab.getLong(base + slot * Long.BYTES);
    }

    static void setLocator(ByteBuffer slab, int base, int slot, long locator) {
        LONG.setRelease(slab, base + slot * Long.BYTES, locator);
    }

    /** Returns a slot that no key uses, or {@link #NO_SLOT}. */
    static int freeSlot(ByteBuffer slab, int base, int slots) {
        for (int slot = 0; slot < slots; slot += SLOT_STEP) {
            long zeros = zeroLanes(lanes(slab, base, slots, slot));
            if (zeros != 0) {
                return slot + firstLane(zeros);
            }
        }
        return NO_SLOT;
    }

    static int tagOf(ByteBuffer slab, int base, int slots, int slot) {
        int low = slab.getShort(base + slots * LOW_TAGS + slot * Short.BYTES) & 0xFFFF;
        int high = slab.get(base + slots * HIGH_TAGS + slot) & 0xFF;
        return (high << LOW_TAG_BITS) | low;
    }

    static boolean isFree(ByteBuffer slab, int base, int slots, int slot) {
        return slab.getShort(base + slots * LOW_TAGS + slot * Short.BYTES) == 0;
    }

    static int liveSlots(ByteBuffer slab, int base, int slots) {
        int free = 0;
        for (int slot = 0; slot < slots; slot += SLOT_STEP) {
            long lanes = lanes(slab, base, slots, slot);
            // Unlike zeroLanes, this carries nothing from lane to lane.
            free += Long.bitCount(~(((lanes & ~LANE_TOPS) + ~LANE_TOPS) | lanes | ~LANE_TOPS));
        }
        return slots - free;
    }

    /** Fills a free slot of a bucket that may have readers: the low tag, which makes it visible, comes last. */
    static void fill(ByteBuffer slab, int base, int slots, int slot, int tag, long locator) {
        setLocator(slab, base, slot, locator);
        slab.put(base + slots * HIGH_TAGS + slot, (byte) (tag >>> LOW_TAG_BITS));
        setLowTag(slab, base, slots, slot, tag & LANE);
    }

    static void clear(ByteBuffer slab, int base, int slots, int slot) {
        setLowTag(slab, base, slots, slot, 0);
    }

    /** Returns whether there can be a bucket of so many slots and that depth. */
    static boolean isPossible(int slots, int depth) {
        return slots > 0 && slots <= MAX_SLOTS && slots % SLOT_STEP == 0 && depth >= 0 && depth <= MAX_DEPTH;
    }

    /**
     * Returns the number of keys, or {@link #NOT_OF} unless the tags of all keys begin with these bits, and all have
     * locators.
     */
    static int keysOf(ByteBuffer slab, int base, int slots, int depth, int prefix) {
        int keys = 0;
        for (int slot = 0; slot < slots; slot++) {
            int tag = tagOf(slab, base, slots, slot);
            if ((tag & LANE) != 0) {
                if (tag >>> (TAG_BITS - depth) != prefix || locator(slab, base, slot) == KeyIndex.ABSENT) {
                    return NOT_OF;
                }
                keys++;
            }
        }
        return keys;
    }

    /** Copies all keys to a block that nobody sees yet, and which has slots for them. */
    static void copy(ByteBuffer source, int from, int fromSlots, ByteBuffer target, int to, int slots) {
        if (slots > fromSlots) {
            target.put(to, source, from, fromSlots * LOW_TAGS);
            target.put(to + slots * LOW_TAGS, source, from + fromSlots * LOW_TAGS, fromSlots * Short.BYTES);
            target.put(to + slots * HIGH_TAGS, source, from + fromSlots * HIGH_TAGS, fromSlots);
            format(target, to, slots, fromSlots);
            return;
        }
        format(target, to, slots, append(source, from, fromSlots, target, to, slots, 0));
    }

    /** Adds all keys to a block that nobody sees yet, after those that it has, and returns how many it has then. */
    static int append(ByteBuffer source, int from, int fromSlots, ByteBuffer target, int to, int slots, int first) {
        int next = first;
        for (int slot = 0; slot < fromSlots; slot++) {
            if (!isFree(source, from, fromSlots, slot)) {
                copySlot(source, from, fromSlots, slot, target, to, slots, next++);
            }
        }
        return next;
    }

    /** Returns which slots of a full bucket of {@link #MAX_SLOTS} have that bit of the tag set. */
    static long slotsWith(ByteBuffer slab, int base, int tagBit) {
        long slots = 0;
        for (int slot = 0; slot < MAX_SLOTS; slot++) {
            slots |= (tagOf(slab, base, MAX_SLOTS, slot) & tagBit) != 0 ? 1L << slot : 0;
        }
        return slots;
    }

    /** Copies some slots of a full bucket of {@link #MAX_SLOTS} to a block that nobody sees yet, and which has room. */
    static void take(ByteBuffer source, int from, long taken, ByteBuffer target, int to, int slots) {
        int next = 0;
        for (long left = taken; left != 0; left &= left - 1) {
            copySlot(source, from, MAX_SLOTS, Long.numberOfTrailingZeros(left), target, to, slots, next++);
        }
        format(target, to, slots, next);
    }

    private static void copySlot(
            ByteBuffer source, int from, int fromSlots, int slot, ByteBuffer target, int to, int slots, int next) {
        target.putLong(to + next * Long.BYTES, locator(source, from, slot));
        target.putShort(
                to + slots * LOW_TAGS + next * Short.BYTES,
                source.getShort(from + fromSlots * LOW_TAGS + slot * Short.BYTES));
        target.put(to + slots * HIGH_TAGS + next, source.get(from + fromSlots * HIGH_TAGS + slot));
    }

    /** Frees the slots from the given one on, in a block that nobody sees yet. */
    static void format(ByteBuffer slab, int base, int slots, int first) {
        int slot = first;
        for (; slot % SLOT_STEP != 0; slot++) {
            slab.putShort(base + slots * LOW_TAGS + slot * Short.BYTES, (short) 0);
        }
        for (; slot < slots; slot += SLOT_STEP) {
            slab.putLong(base + slots * LOW_TAGS + slot * Short.BYTES, 0);
        }
    }

    // Writes four tags at once, since readers read them so.
    private static void setLowTag(ByteBuffer slab, int base, int slots, int slot, long low) {
        int first = slot & -SLOT_STEP;
        int shift = (slot - first) * LOW_TAG_BITS;
        long lanes = lanes(slab, base, slots, first);
        long changed = (lanes & ~(LANE << shift)) | (low << shift);
        LONG.setRelease(slab, base + slots * LOW_TAGS + first * Short.BYTES, changed);
    }
}
