package dev.caskwright.moss.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.moss.memory.Keys;
import java.util.Arrays;

/*
 * A search looks at one array of longs: of each first key the eight bytes after those that all of them share. Only where
 * these are equal the keys themselves are compared. They stay where they are in the section that was read.
 */
/** The first key of each block of a file, and where the blocks are. Immutable. */
final class BlockIndex {
    private final byte[] section;
    private final int[] keyOffsets;
    private final int[] keyLengths;
    private final long[] heads; // with the sign bit turned, so that they order as unsigned ones
    private final int shared; // so many bytes have all first keys in common
    private final long[] blockOffsets; // and where the last block ends

    /**
     * Takes a section apart.
     *
     * @param section its bytes, checked before, which are this index's from now on
     * @param place where in the file it begins, which is where the last block ends
     */
    BlockIndex(String file, long place, byte[] section, int blocks) throws CorruptRecordException {
        this.section = section;
        this.keyOffsets = new int[blocks];
        this.keyLengths = new int[blocks];
        this.heads = new long[blocks];
        this.blockOffsets = new long[blocks + 1];
        Fields fields = new Fields(file, place, section, 0, section.length - SortedFormat.CHECKSUM_LENGTH);
        long offset = 0;
        for (int i = 0; i < blocks; i++) {
            blockOffsets[i] = offset;
            offset += fields.var();
            keyLengths[i] = fields.skipSlice();
            keyOffsets[i] = fields.position() - keyLengths[i];
        }
        blockOffsets[blocks] = offset;
        if (offset != place || fields.hasMore()) {
            throw new CorruptRecordException("index does not match the blocks", file, place, "end=" + offset);
        }
        this.shared = blocks == 0 ? 0 : sharedLength(0, blocks - 1);
        for (int i = 0; i < blocks; i++) {
            if (keyLengths[i] < shared) {
                throw new CorruptRecordException("first keys are out of order", file, place, "block=" + i);
            }
            heads[i] = head(section, keyOffsets[i] + shared, keyLengths[i] - shared);
        }
    }

    private int sharedLength(int one, int other) {
        int mismatch = Arrays.mismatch(
                section,
                keyOffsets[one],
                keyOffsets[one] + keyLengths[one],
                section,
                keyOffsets[other],
                keyOffsets[other] + keyLengths[other]);
        return mismatch < 0 ? keyLengths[one] : mismatch;
    }

    private static long head(byte[] key, int offset, int length) {
        return Keys.head(key, offset, length) ^ Long.MIN_VALUE;
    }

    int blocks() {
        return heads.length;
    }

    /** Returns where a block begins, or, of the number after the last, where that one ends. */
    long offset(int block) {
        return blockOffsets[block];
    }

    /** Returns the bytes of memory that the index takes, about. */
    long memoryBytes() {
        return section.length + (2L * Integer.BYTES + 2L * Long.BYTES) * heads.length;
    }

    /** Returns the number of the last block whose first key is not greater, or -1. */
    int floor(byte[] key) {
        int last = heads.length - 1;
        if (last < 0) {
            return -1;
        }
        if (shared > 0) {
            int common = Math.min(shared, key.length);
            int order = Arrays.compareUnsigned(section, keyOffsets[0], keyOffsets[0] + common, key, 0, common);
            if (order > 0 || order == 0 && key.length < shared) {
                return -1;
            }
            if (order < 0) {
                return last;
            }
        }
        long head = head(key, shared, key.length - shared);
        int low = 0;
        int high = last;
        while (low <= high) {
            int middle = low + high >>> 1;
            long other = heads[middle];
            if (other < head || other == head && isNotGreater(middle, key)) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    private boolean isNotGreater(int block, byte[] key) {
        int offset = keyOffsets[block];
        return Arrays.compareUnsigned(section, offset, offset + keyLengths[block], key, 0, key.length) <= 0;
    }
}
