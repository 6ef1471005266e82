package dev.caskwright.importer.lmdb;

import dev.caskwright.importer.FileReads;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The pages of a file of LMDB, as little-endian 64-bit processes write them. It begins with two meta pages, of which the one with the
 * greater transaction counts:
 *
 * <pre>
 * 0             16      20        24        32        40          44 ...  88          136         144
 * | page header | magic | version | address | mapsize | page size | ...   | unnamed   | last page | transaction |
 * </pre>
 *
 * A database is described by 48 bytes, here and where it is named:
 *
 * <pre>
 * 0                    4       6       8 ...  40     48
 * | length of all keys | flags | depth | ...  | root |
 * </pre>
 *
 * For one thread.
 */
final class LmdbFile implements Closeable {
    static final int HEADER_BYTES = 16;
    static final int TREE_BYTES = 48;

    private static final int MAGIC = 0xBEEFC0DE;
    private static final int MAGIC_OFFSET = 16;
    private static final int VERSION_OFFSET = 20;
    private static final int VERSION = 1;
    private static final int PAGE_SIZE_OFFSET = 40;
    private static final int UNNAMED_OFFSET = 88;
    private static final int LAST_PAGE_OFFSET = 136;
    private static final int TRANSACTION_OFFSET = 144;
    private static final int META_BYTES = 152;
    private static final int LEAST_PAGE = 256;
    private static final int LARGEST_PAGE = 1 << 16;
    private static final int TREE_FLAGS_OFFSET = 4;
    private static final int ROOT_OFFSET = 40;
    private static final int SORTED_VALUES = 4;

    private final Path path;
    private final FileChannel channel;
    private final int pageSize;
    private final int pages;
    private final long transaction;
    private final Tree unnamed;

    /** A database, or the values of a key: the page that it begins at, or -1 if it is empty. */
    record Tree(long root, boolean hasSortedValues) {
        static final long EMPTY = -1;

        static Tree at(ByteBuffer bytes, int offset) {
            return new Tree(
                    bytes.getLong(offset + ROOT_OFFSET),
                    (bytes.getShort(offset + TREE_FLAGS_OFFSET) & SORTED_VALUES) != 0);
        }
    }

    private LmdbFile(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        ByteBuffer first = meta(0);
        pageSize = first.getInt(PAGE_SIZE_OFFSET);
        if (pageSize < LEAST_PAGE || pageSize > LARGEST_PAGE || Integer.bitCount(pageSize) != 1) {
            throw new IOException("no file of LMDB, its pages have an odd size: size=" + pageSize + ", file=" + path);
        }
        ByteBuffer second = meta(pageSize);
        ByteBuffer newer = newer(first, second);
        // LMDB does not write pages that a transaction took and gave back, so a sound file may end before its last
        // page.
        long count = Math.min(newer.getLong(LAST_PAGE_OFFSET), channel.size() / pageSize - 1) + 1;
        if (count > Integer.MAX_VALUE) {
            throw new IOException("the file has more pages than can be read: pages=" + count + ", file=" + path);
        }
        pages = (int) Math.max(count, 0);
        transaction = newer.getLong(TRANSACTION_OFFSET);
        unnamed = Tree.at(newer, UNNAMED_OFFSET);
    }

    private static ByteBuffer newer(ByteBuffer first, ByteBuffer second) {
        return first.getLong(TRANSACTION_OFFSET) >= second.getLong(TRANSACTION_OFFSET) ? first : second;
    }

    /** Opens a file and reads its meta pages. */
    static LmdbFile open(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new LmdbFile(path, channel);
        } catch (IOException | RuntimeException | Error e) {
            channel.close();
            throw e;
        }
    }

    private ByteBuffer meta(long offset) throws IOException {
        if (channel.size() < offset + META_BYTES) {
            throw new EOFException("no file of LMDB, it ends within its header: " + path);
        }
        ByteBuffer meta = ByteBuffer.wrap(read(offset, META_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        if (meta.getInt(MAGIC_OFFSET) != MAGIC) {
            throw new IOException("no file of LMDB as little-endian machines write it: " + path);
        }
        int version = meta.getInt(VERSION_OFFSET);
        if (version != VERSION) {
            throw new IOException("a version of LMDB's files that is not known: version=" + version + ", file=" + path);
        }
        return meta;
    }

    Path path() {
        return path;
    }

    int pageSize() {
        return pageSize;
    }

    /** Returns how many pages there are to read, those that are free included. */
    int pages() {
        return pages;
    }

    /** Throws if a transaction was committed since the file was opened: pages may have been used again since. */
    void checkUnchanged() throws IOException {
        long now = newer(meta(0), meta(pageSize)).getLong(TRANSACTION_OFFSET);
        if (now != transaction) {
            throw new IOException("the environment was changed while it was read: transaction=" + transaction + ", now="
                    + now + ", file=" + path);
        }
    }

    /** Returns the unnamed database. */
    Tree unnamed() {
        return unnamed;
    }

    /** Returns a page, which must be there. */
    ByteBuffer page(long number) throws IOException {
        return ByteBuffer.wrap(read(number * pageSize, pageSize)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Returns bytes, which must be there. */
    byte[] read(long offset, int length) throws IOException {
        return FileReads.read(channel, path, offset, length);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
