package dev.caskwright.benchmarks;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What no engine over bolt's files gets below: lookups that only descend over mapped pages, check nothing and copy the value, and
 * writes of as many pages as a load writes. The file is this program's own, of 4,096-byte pages and less than 2 GiB.
 */
final class BoltLimits {
    private static final int PAGE = 4096;
    private static final int HEADER = 16;
    private static final int ELEMENT = 16;
    private static final int LEAF = 2;
    private static final int LINE = 64;
    private static final int PIECE = 128 << 10;

    private final MappedByteBuffer pages;
    private final int root;
    private int depth; // of the tree, once known

    @SuppressWarnings("UnusedVariable") // so that the reads are not left out
    private long fetched;

    private BoltLimits(MappedByteBuffer pages, int root) {
        this.pages = pages;
        this.root = root;
    }

    /** Maps a file for lookups from a page on. */
    static BoltLimits of(Path file, long root) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MappedByteBuffer pages = channel.map(MapMode.READ_ONLY, 0, channel.size());
            pages.order(ByteOrder.LITTLE_ENDIAN);
            return new BoltLimits(pages, (int) root);
        }
    }

    /** Looks all keys up, of 16 bytes each; returns something that depends on all values. */
    long getAll(byte[][] keys) {
        long sum = 0;
        for (byte[] key : keys) {
            sum += get(key)[0];
        }
        return sum;
    }

    private byte[] get(byte[] key) {
        ByteBuffer wanted = ByteBuffer.wrap(key);
        long first = wanted.getLong(0);
        long second = wanted.getLong(Long.BYTES);
        int page = root * PAGE;
        int leafDepth = depth - 1;
        for (int level = 0; ; level++) {
            if (level == leafDepth) {
                fetch(page);
            }
            boolean isLeaf = pages.getShort(page + 8) == LEAF;
            int found = search(page, isLeaf, first, second);
            int element = page + HEADER + found * ELEMENT;
            if (isLeaf) {
                depth = level + 1;
                int at = element + pages.getInt(element + 4) + pages.getInt(element + 8);
                byte[] value = new byte[pages.getInt(element + 12)];
                pages.get(at, value);
                return value;
            }
            page = (int) pages.getLong(element + 8) * PAGE;
        }
    }

    private int search(int page, boolean isLeaf, long first, long second) {
        int low = 0;
        int high = (pages.getShort(page + 10) & 0xFFFF) - 1;
        while (low < high) { // the last key that is not greater
            int middle = (low + high + 1) >>> 1;
            int element = page + HEADER + middle * ELEMENT;
            int at = element + pages.getInt(isLeaf ? element + 4 : element);
            long one = Long.reverseBytes(pages.getLong(at));
            int order = one != first
                    ? Long.compareUnsigned(one, first)
                    : Long.compareUnsigned(Long.reverseBytes(pages.getLong(at + Long.BYTES)), second);
            if (order <= 0) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    private void fetch(int page) {
        long sum = 0;
        for (int at = page; at < page + PAGE; at += LINE) {
            sum ^= pages.getLong(at);
        }
        fetched ^= sum;
    }

    /** Writes pages to a new file, which grows to a length and is then written over; returns how long that took. */
    static long writeNanos(Path file, long pages, long length) throws IOException {
        long start = System.nanoTime();
        try (RandomAccessFile target = new RandomAccessFile(file.toFile(), "rw")) {
            byte[] piece = new byte[PIECE];
            long at = 0;
            for (long left = pages * PAGE; left > 0; left -= PIECE) {
                if (at + PIECE > length) {
                    at = 0;
                }
                target.seek(at);
                target.write(piece);
                at += PIECE;
            }
        }
        return System.nanoTime() - start;
    }
}
