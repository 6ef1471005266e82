package dev.caskwright.bitcask.log.format;

/**
 * A part of a file under a checksum of its own: a block of a hint file or an image, an edit of a manifest.
 *
 * <pre>
 * 0          4        8
 * | checksum | length | content ...
 * </pre>
 *
 * <p>The checksum covers the length and the content, combined with a mask that no other place has.
 */
public final class Block {
    public static final int HEADER_LENGTH = 8;

    private static final int LENGTH_OFFSET = 4;

    private Block() {}

    /** Fills in the header of a block at the start of an array, whose content of {@code length} bytes is in place. */
    public static void seal(byte[] block, int length, int mask) {
        RecordFormat.INT.set(block, LENGTH_OFFSET, length);
        RecordFormat.INT.set(block, 0, checksum(block, 0, length, mask));
    }

    /** Returns the checksum of the block at the start of an array, which nothing vouches for yet. */
    public static int checksum(byte[] block) {
        return (int) RecordFormat.INT.get(block, 0);
    }

    /** Returns the length that a block says its content has, which nothing vouches for yet. */
    public static int length(byte[] source, int at) {
        return (int) RecordFormat.INT.get(source, at + LENGTH_OFFSET);
    }

    /** Returns whether a block with content of {@code length} bytes is sound; so much must be there. */
    public static boolean isSound(byte[] source, int at, int length, int mask) {
        return length(source, at) == length
                && (int) RecordFormat.INT.get(source, at) == checksum(source, at, length, mask);
    }

    private static int checksum(byte[] source, int at, int length, int mask) {
        return RecordFormat.checksum(source, at + LENGTH_OFFSET, HEADER_LENGTH - LENGTH_OFFSET + length, mask);
    }
}
