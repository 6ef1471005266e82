package dev.caskwright.bitcask.log.format;

import java.util.Arrays;

/** The checksums of the blocks of a file, in their order. One checksum of them all says what the whole file is. */
public final class BlockSums {
    private int[] sums = new int[8];
    private int count;

    public void add(int checksum) {
        if (count == sums.length) {
            sums = Arrays.copyOf(sums, 2 * count);
        }
        sums[count++] = checksum;
    }

    public int count() {
        return count;
    }

    public int[] toArray() {
        return Arrays.copyOf(sums, count);
    }

    /** Returns them with room for the header of a block before them. */
    public byte[] encode() {
        byte[] block = new byte[Block.HEADER_LENGTH + count * Integer.BYTES];
        for (int i = 0; i < count; i++) {
            RecordFormat.INT.set(block, Block.HEADER_LENGTH + i * Integer.BYTES, sums[i]);
        }
        return block;
    }

    /** Reads what {@link #encode} wrote. */
    public static int[] decode(byte[] block) {
        int[] sums = new int[(block.length - Block.HEADER_LENGTH) / Integer.BYTES];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = (int) RecordFormat.INT.get(block, Block.HEADER_LENGTH + i * Integer.BYTES);
        }
        return sums;
    }

    /**
     * Returns the sum of a derived file by which the manifest knows it.
     *
     * @param header its header
     * @param block the block that has the checksums of all others
     */
    public static long sum(byte[] header, byte[] block) {
        return Block.checksum(block) & 0xFFFFFFFFL | (long) FileHeader.checksum(header) << Integer.SIZE;
    }
}
