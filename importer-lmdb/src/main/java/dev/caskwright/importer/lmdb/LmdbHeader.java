package dev.caskwright.importer.lmdb;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The two meta pages at the start of a file of LMDB, as 64-bit processes write them, in the order of bytes of this machine:
 *
 * <pre>
 * 0             16      20        24        32        40          44 ...    136         144
 * | page header | magic | version | address | mapsize | page size | ...     | last page | transaction |
 * </pre>
 */
final class LmdbHeader {
    private static final int MAGIC = 0xBEEFC0DE;
    private static final int MAGIC_OFFSET = 16;
    private static final int PAGE_SIZE_OFFSET = 40;
    private static final int LAST_PAGE_OFFSET = 136;
    private static final int TRANSACTION_OFFSET = 144;
    private static final int LENGTH = 152;
    private static final int LEAST_PAGE = 256;
    private static final int LARGEST_PAGE = 1 << 16;

    private LmdbHeader() {}

    /** Checks that the file is LMDB's and has all pages that the newer meta page says it has. */
    static void check(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer first = meta(channel, 0, file);
            int pageSize = first.getInt(PAGE_SIZE_OFFSET);
            if (pageSize < LEAST_PAGE || pageSize > LARGEST_PAGE || Integer.bitCount(pageSize) != 1) {
                throw new IOException(
                        "no file of LMDB, its pages have an odd size: size=" + pageSize + ", file=" + file);
            }
            ByteBuffer second = meta(channel, pageSize, file);
            ByteBuffer newer = first.getLong(TRANSACTION_OFFSET) >= second.getLong(TRANSACTION_OFFSET) ? first : second;
            long lastPage = newer.getLong(LAST_PAGE_OFFSET);
            if (lastPage < 0 || lastPage >= channel.size() / pageSize) {
                throw new IOException("the file was cut short: length=" + channel.size() + ", pages=" + (lastPage + 1)
                        + " of " + pageSize + " bytes, file=" + file);
            }
        }
    }

    private static ByteBuffer meta(FileChannel channel, long offset, Path file) throws IOException {
        ByteBuffer meta = ByteBuffer.allocate(LENGTH).order(ByteOrder.nativeOrder());
        while (meta.hasRemaining()) {
            if (channel.read(meta, offset + meta.position()) < 0) {
                throw new EOFException("no file of LMDB, it ends within its header: " + file);
            }
        }
        if (meta.getInt(MAGIC_OFFSET) != MAGIC) {
            throw new IOException("no file of LMDB as machines of this kind write it: " + file);
        }
        return meta;
    }
}
