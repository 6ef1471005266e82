package dev.caskwright.moss.memory;

import java.util.Arrays;

/*
 * The entries lie one after the other in chunks. A long each tells where and of what kind:
 *
 *   kind 4 bits | chunk 28 bits | offset 32 bits
 *
 * An entry: key length and value length (numbers of variable length), version (8 bytes), hash of the key (4 bytes),
 * key, value. A table of ints finds an entry by its hash: the entry's number plus 1 in the low bits, a piece of the
 * hash in the rest, so that most keys that are not there cost one look into the table.
 */
/**
 * A sorted layer that does not change: an arena, a table of places and a hash table; no object an entry. For any
 * thread.
 */
public final class Segment implements Layer {
    private static final int KIND_SHIFT = 60;
    private static final int CHUNK_SHIFT = 32;
    private static final int CHUNK_MASK = (1 << 28) - 1;
    private static final int VERSION_AND_HASH = Long.BYTES + Integer.BYTES;

    private final byte[][] chunks;
    private final long[] places;
    private final int count;
    private final int[] table;
    private final int numberBits;
    private final RangeSet ranges;
    private final long firstVersion;
    private final long lastVersion;
    private final long bytes;
    private final boolean hasOperands;
    private final boolean endsBatch;

    private Segment(Builder builder, RangeSet ranges, long firstVersion, long lastVersion, boolean endsBatch) {
        this.endsBatch = endsBatch;
        this.chunks = builder.arena.all();
        this.places = builder.places;
        this.count = builder.count;
        this.ranges = ranges;
        this.firstVersion = firstVersion;
        this.lastVersion = lastVersion;
        this.hasOperands = builder.hasOperands;
        this.numberBits = Integer.SIZE - Integer.numberOfLeadingZeros(count + 1);
        this.table = table();
        this.bytes = builder.arena.bytes()
                + (long) Long.BYTES * places.length
                + (long) Integer.BYTES * table.length
                + ranges.bytes();
    }

    private int[] table() {
        int[] slots = new int[Integer.highestOneBit(Math.max(1, count)) * 4];
        int mask = slots.length - 1;
        for (int i = 0; i < count; i++) {
            int hash = hashOf(i);
            int slot = hash & mask;
            while (slots[slot] != 0) {
                slot = slot + 1 & mask;
            }
            slots[slot] = i + 1 | tag(hash);
        }
        return slots;
    }

    /** Returns the bits of a hash that a slot has room for; they are not those that choose the slot. */
    private int tag(int hash) {
        return Integer.reverse(hash) << numberBits;
    }

    private int hashOf(int entry) {
        long place = places[entry];
        byte[] chunk = chunk(place);
        int position = skipVar(chunk, skipVar(chunk, (int) place));
        return LittleEndian.getInt(chunk, position + Long.BYTES);
    }

    private byte[] chunk(long place) {
        return chunks[(int) (place >>> CHUNK_SHIFT) & CHUNK_MASK];
    }

    private static int skipVar(byte[] chunk, int offset) {
        int position = offset;
        while (chunk[position] < 0) {
            position++;
        }
        return position + 1;
    }

    private static int var(byte[] chunk, int offset) {
        int first = chunk[offset];
        if (first >= 0) {
            return first;
        }
        int value = first & 0x7F;
        int shift = 7;
        int position = offset + 1;
        while (true) {
            int each = chunk[position++];
            value |= (each & 0x7F) << shift;
            if (each >= 0) {
                return value;
            }
            shift += 7;
        }
    }

    @Override
    public void find(Probe probe, long visible) {
        int hash = probe.hash();
        int mask = table.length - 1;
        int tag = tag(hash);
        int numbers = (1 << numberBits) - 1;
        byte[] key = probe.key();
        for (int slot = hash & mask; table[slot] != 0; slot = slot + 1 & mask) {
            int each = table[slot];
            if ((each & ~numbers) == tag && takeIfKey((each & numbers) - 1, key, probe)) {
                return;
            }
        }
    }

    private boolean takeIfKey(int entry, byte[] key, Probe probe) {
        long place = places[entry];
        byte[] chunk = chunk(place);
        int position = (int) place;
        int keyLength = var(chunk, position);
        if (keyLength != key.length) {
            return false;
        }
        position = skipVar(chunk, position);
        int valueLength = var(chunk, position);
        position = skipVar(chunk, position);
        int from = position + VERSION_AND_HASH;
        if (!Arrays.equals(chunk, from, from + keyLength, key, 0, keyLength)) {
            return false;
        }
        long version = LittleEndian.getLong(chunk, position);
        probe.take((int) (place >>> KIND_SHIFT), chunk, from + keyLength, valueLength, version);
        return true;
    }

    private int compareKey(int entry, byte[] key) {
        long place = places[entry];
        byte[] chunk = chunk(place);
        int position = (int) place;
        int keyLength = var(chunk, position);
        int from = skipVar(chunk, skipVar(chunk, position)) + VERSION_AND_HASH;
        return Arrays.compareUnsigned(chunk, from, from + keyLength, key, 0, key.length);
    }

    /** Returns the number of the first entry whose key is not less. */
    private int ceiling(byte[] key) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = low + high >>> 1;
            if (compareKey(middle, key) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Returns how many entries there are. */
    public int count() {
        return count;
    }

    /** Returns whether an entry is operands without their base. */
    public boolean hasOperands() {
        return hasOperands;
    }

    @Override
    public RangeSet ranges() {
        return ranges;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long firstVersion() {
        return firstVersion;
    }

    @Override
    public long lastVersion() {
        return lastVersion;
    }

    @Override
    public boolean endsBatch() {
        return endsBatch;
    }

    @Override
    public LayerCursor cursor(long visible) {
        return new SegmentCursor();
    }

    private final class SegmentCursor extends LayerCursor {
        private int entry = -1;

        @Override
        public boolean first() {
            return show(0);
        }

        @Override
        public boolean last() {
            return show(count - 1);
        }

        @Override
        public boolean atOrAfter(byte[] key) {
            return show(ceiling(key));
        }

        @Override
        public boolean before(byte[] key) {
            return show(ceiling(key) - 1);
        }

        @Override
        public boolean next() {
            return show(entry + 1);
        }

        @Override
        public boolean previous() {
            return show(entry - 1);
        }

        private boolean show(int number) {
            entry = number;
            if (number < 0 || number >= count) {
                return false;
            }
            long place = places[number];
            byte[] chunk = chunk(place);
            int position = (int) place;
            keyLength = var(chunk, position);
            position = skipVar(chunk, position);
            valueLength = var(chunk, position);
            position = skipVar(chunk, position);
            version = LittleEndian.getLong(chunk, position);
            keySource = chunk;
            keyOffset = position + VERSION_AND_HASH;
            valueSource = chunk;
            valueOffset = keyOffset + keyLength;
            kind = (int) (place >>> KIND_SHIFT);
            takeOperands();
            return true;
        }
    }

    /** Takes entries in the order of their keys and makes a segment of them. For one thread. */
    public static final class Builder {
        private final Arena arena = new Arena();
        private long[] places = new long[64];
        private int count;
        private boolean hasOperands;

        /** Adds an entry whose key is greater than all before. */
        public void add(
                int kind,
                byte[] keySource,
                int keyOffset,
                int keyLength,
                byte[] valueSource,
                int valueOffset,
                int valueLength,
                long version,
                int hash) {
            int header = LittleEndian.varLength(keyLength) + LittleEndian.varLength(valueLength) + VERSION_AND_HASH;
            int length = Math.addExact(header + keyLength, valueLength);
            arena.reserve(length);
            byte[] chunk = arena.chunk();
            int start = arena.offset();
            int position = LittleEndian.putVar(chunk, start, keyLength);
            position = LittleEndian.putVar(chunk, position, valueLength);
            LittleEndian.putLong(chunk, position, version);
            LittleEndian.putInt(chunk, position + Long.BYTES, hash);
            position += VERSION_AND_HASH;
            System.arraycopy(keySource, keyOffset, chunk, position, keyLength);
            System.arraycopy(valueSource, valueOffset, chunk, position + keyLength, valueLength);
            if (count == places.length) {
                places = Arrays.copyOf(places, 2 * count);
            }
            places[count++] = (long) kind << KIND_SHIFT | (long) arena.number() << CHUNK_SHIFT | start;
            hasOperands |= kind == Kind.MERGES;
            arena.advance(length);
        }

        /** Returns how many entries were added. */
        public int count() {
            return count;
        }

        /** Makes the segment. Nothing is added afterwards. */
        public Segment build(RangeSet ranges, long firstVersion, long lastVersion, boolean endsBatch) {
            places = Arrays.copyOf(places, count);
            arena.trim(); // or a merge could take more than what it joins
            return new Segment(this, ranges, firstVersion, lastVersion, endsBatch);
        }
    }
}
