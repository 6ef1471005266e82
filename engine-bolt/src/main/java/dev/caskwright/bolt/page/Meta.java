package dev.caskwright.bolt.page;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * What a meta page says: one committed state of a file. The commit with transaction {@code t} writes page {@code t mod 2}.
 *
 * <pre>
 * in the page   16: magic 4 | 20: version 4 | 24: page size 4 | 28: flags 4 | 32: root page 8 | 40: root sequence 8
 *               48: freelist page 8 | 56: high-water mark 8 | 64: transaction 8 | 72: FNV-1a 64 of bytes 16 to 71
 * </pre>
 *
 * @param pageSize length of each page, in bytes
 * @param flags not used by bolt; carried over
 * @param root root page of the root bucket
 * @param sequence sequence of the root bucket
 * @param freelist page of the freelist, or {@link #NO_FREELIST}
 * @param highWater the first page that was never allocated
 * @param transaction number of the transaction that committed this state
 */
public record Meta(int pageSize, int flags, long root, long sequence, long freelist, long highWater, long transaction) {
    /** Stands in place of the freelist's page where the file has no freelist. */
    public static final long NO_FREELIST = -1;

    /** Length of the header and the meta data of a meta page: all that is read of it. */
    public static final int LENGTH = 80;

    static final int MAGIC = 0xED0CDAED;
    /** The version of the format. */
    public static final int VERSION = 2;

    private static final int MAGIC_OFFSET = 16;
    private static final int VERSION_OFFSET = 20;
    private static final int PAGE_SIZE_OFFSET = 24;
    private static final int META_FLAGS_OFFSET = 28;
    private static final int ROOT_OFFSET = 32;
    private static final int SEQUENCE_OFFSET = 40;
    private static final int FREELIST_OFFSET = 48;
    private static final int HIGH_WATER_OFFSET = 56;
    private static final int TRANSACTION_OFFSET = 64;
    private static final int CHECKSUM_OFFSET = 72;
    private static final long FNV_BASIS = 0xCBF29CE484222325L;
    private static final long FNV_PRIME = 0x100000001B3L;

    /**
     * Reads a meta page, in whatever byte order it was written.
     *
     * @param page at least {@link #LENGTH} bytes from index 0 on
     * @return null if magic, version or checksum are wrong
     */
    public static @Nullable Meta read(ByteBuffer page) {
        ByteOrder order = orderOf(page);
        if (order == null) {
            return null;
        }
        ByteBuffer bytes = page.duplicate().order(order);
        if (bytes.getInt(VERSION_OFFSET) != VERSION || bytes.getLong(CHECKSUM_OFFSET) != checksum(bytes)) {
            return null;
        }
        return new Meta(
                bytes.getInt(PAGE_SIZE_OFFSET),
                bytes.getInt(META_FLAGS_OFFSET),
                bytes.getLong(ROOT_OFFSET),
                bytes.getLong(SEQUENCE_OFFSET),
                bytes.getLong(FREELIST_OFFSET),
                bytes.getLong(HIGH_WATER_OFFSET),
                bytes.getLong(TRANSACTION_OFFSET));
    }

    /** Returns the byte order that the magic number of a meta page was written in, or null if it is no magic number. */
    public static @Nullable ByteOrder orderOf(ByteBuffer page) {
        int magic = page.duplicate().order(ByteOrder.LITTLE_ENDIAN).getInt(MAGIC_OFFSET);
        if (magic == MAGIC) {
            return ByteOrder.LITTLE_ENDIAN;
        }
        return Integer.reverseBytes(magic) == MAGIC ? ByteOrder.BIG_ENDIAN : null;
    }

    /** Returns the version that a meta page is of. */
    public static int versionOf(ByteBuffer page, ByteOrder order) {
        return page.duplicate().order(order).getInt(VERSION_OFFSET);
    }

    /** Returns the same state under another number. */
    public Meta withTransaction(long number) {
        return new Meta(pageSize, flags, root, sequence, freelist, highWater, number);
    }

    /** Returns the same state with free pages that are not listed. */
    public Meta withoutFreelist() {
        return new Meta(pageSize, flags, root, sequence, NO_FREELIST, highWater, transaction);
    }

    /** Returns the page, 0 or 1, that a commit of this state writes. */
    public long page() {
        return transaction & 1;
    }

    /** Writes the meta page into {@code target}, which holds zeros and has the file's byte order. */
    public void write(ByteBuffer target) {
        target.putLong(PageFormat.ID_OFFSET, page());
        target.putShort(PageFormat.FLAGS_OFFSET, (short) PageFormat.META);
        target.putInt(MAGIC_OFFSET, MAGIC);
        target.putInt(VERSION_OFFSET, VERSION);
        target.putInt(PAGE_SIZE_OFFSET, pageSize);
        target.putInt(META_FLAGS_OFFSET, flags);
        target.putLong(ROOT_OFFSET, root);
        target.putLong(SEQUENCE_OFFSET, sequence);
        target.putLong(FREELIST_OFFSET, freelist);
        target.putLong(HIGH_WATER_OFFSET, highWater);
        target.putLong(TRANSACTION_OFFSET, transaction);
        target.putLong(CHECKSUM_OFFSET, checksum(target));
    }

    private static long checksum(ByteBuffer bytes) {
        long hash = FNV_BASIS;
        for (int i = MAGIC_OFFSET; i < CHECKSUM_OFFSET; i++) {
            hash = (hash ^ (bytes.get(i) & 0xFF)) * FNV_PRIME;
        }
        return hash;
    }
}
