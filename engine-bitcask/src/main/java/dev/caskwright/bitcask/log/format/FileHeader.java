package dev.caskwright.bitcask.log.format;

/**
 * What the first {@value #LENGTH} bytes of data files, hint files, images and manifests have in common. What a kind of file
 * adds lies between.
 *
 * <pre>
 * 0      8               12    16               32    60         64
 * | magic | formatVersion | ... | storeId: 2 x 8 | ... | checksum |
 * </pre>
 *
 * <p>The checksum covers the header before it.
 */
public final class FileHeader {
    public static final int LENGTH = 64;
    /** Up to where a header must be there for {@link #store}. */
    public static final int STORE_END = 32;

    private static final int VERSION_OFFSET = 8;
    private static final int STORE_OFFSET = 16;
    private static final int CHECKSUM_OFFSET = 60;

    private FileHeader() {}

    /** Returns a header that still lacks what the kind of file adds, and its {@link #seal}. */
    public static byte[] begin(long magic, int formatVersion, StoreId store) {
        byte[] header = new byte[LENGTH];
        RecordFormat.LONG.set(header, 0, magic);
        RecordFormat.INT.set(header, VERSION_OFFSET, formatVersion);
        RecordFormat.LONG.set(header, STORE_OFFSET, store.high());
        RecordFormat.LONG.set(header, STORE_OFFSET + Long.BYTES, store.low());
        return header;
    }

    /** Sets the checksum; returns the header. */
    public static byte[] seal(byte[] header) {
        RecordFormat.INT.set(header, CHECKSUM_OFFSET, RecordFormat.checksum(header, 0, CHECKSUM_OFFSET, 0));
        return header;
    }

    /** Returns whether a header of which {@code length} bytes could be read is whole and sound, of whatever kind. */
    public static boolean isSound(byte[] header, int length) {
        return length >= LENGTH
                && (int) RecordFormat.INT.get(header, CHECKSUM_OFFSET)
                        == RecordFormat.checksum(header, 0, CHECKSUM_OFFSET, 0);
    }

    /** As {@link #isSound(byte[], int)}, of one kind. */
    public static boolean isSound(byte[] header, int length, long magic) {
        return isSound(header, length) && hasMagic(header, magic);
    }

    public static int checksum(byte[] header) {
        return (int) RecordFormat.INT.get(header, CHECKSUM_OFFSET);
    }

    public static boolean hasMagic(byte[] header, long magic) {
        return (long) RecordFormat.LONG.get(header, 0) == magic;
    }

    public static int formatVersion(byte[] header) {
        return (int) RecordFormat.INT.get(header, VERSION_OFFSET);
    }

    public static StoreId store(byte[] header) {
        return new StoreId((long) RecordFormat.LONG.get(header, STORE_OFFSET), (long)
                RecordFormat.LONG.get(header, STORE_OFFSET + Long.BYTES));
    }
}
