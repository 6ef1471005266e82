package dev.caskwright.bitcask.log.scan;

import dev.caskwright.api.spi.io.ReadableFile;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The checksum of any part of a file, at the cost of summing at most two blocks of it, and each block before the part's end
 * once in all. It keeps the checksum of the file up to each block: 4 bytes for {@value #BLOCK}. What it has read for the
 * start of one part serves those that start after it, and likewise for ends. For one thread.
 *
 * <p>A CRC of A and B in a row is {@code crc(A) * x^(8 * length of B) + crc(B)}, where bits are the coefficients of
 * polynomials, modulo the one of CRC-32C. So what a CRC owes to the part in front can be taken out again.
 */
final class BlockChecksums {
    private static final int BLOCK = 1 << 10;
    private static final int WINDOW = 16 << 10;
    private static final int POLYNOMIAL = 0x82F63B78; // the lowest power in the highest bit
    private static final int ONE = 1 << 31;
    private static final int[] POWERS = new int[40]; // x to the power of two to the power of the index

    static {
        POWERS[0] = ONE >>> 1;
        for (int i = 1; i < POWERS.length; i++) {
            POWERS[i] = multiply(POWERS[i - 1], POWERS[i - 1]);
        }
    }

    private final ReadableFile file;
    private final long end;
    private final CRC32C crc = new CRC32C();
    private final CRC32C running = new CRC32C();
    private final Window starts;
    private final Window ends;
    private final Window learnt;
    private int[] upTo = new int[16]; // the checksum of the file up to the block with the index
    private int known = 1; // that of nothing, for a start

    BlockChecksums(ReadableFile file, long end) {
        this.file = file;
        this.end = end;
        this.starts = new Window(Math.min(WINDOW, end));
        this.ends = new Window(BLOCK);
        this.learnt = new Window(Math.min(WINDOW, end));
    }

    /** Returns the checksum of a part that ends within the file. */
    int checksum(long from, int length) throws IOException {
        long to = from + length;
        if (length <= 2 * BLOCK) {
            return read(starts, from, to);
        }
        int first = (int) (from / BLOCK) + 1;
        int last = (int) (to / BLOCK);
        learn(last);
        long middle = (long) (last - first) * BLOCK;
        int sum = read(starts, from, (long) first * BLOCK);
        sum = join(sum, upTo[last] ^ shift(upTo[first], middle), middle);
        return join(sum, read(ends, (long) last * BLOCK, to), to % BLOCK);
    }

    private int read(Window window, long from, long to) throws IOException {
        crc.reset();
        window.update(crc, from, to);
        return (int) crc.getValue();
    }

    private void learn(int blocks) throws IOException {
        for (; known <= blocks; known++) {
            if (known == upTo.length) {
                upTo = Arrays.copyOf(upTo, 2 * known);
            }
            learnt.update(running, (long) (known - 1) * BLOCK, (long) known * BLOCK);
            upTo[known] = (int) running.getValue();
        }
    }

    /** Some bytes of the file, kept since the next part is likely to need them, too. */
    private final class Window {
        private final byte[] bytes;
        private long at;
        private int length;

        Window(long size) {
            this.bytes = new byte[(int) size];
        }

        /** Adds a part to a sum, or as much of it as there is: if the file was cut meanwhile, the sum is a wrong one. */
        void update(CRC32C sum, long from, long to) throws IOException {
            if (from < at || Math.min(to, end) > at + length) {
                load(from);
            }
            for (long offset = from; offset < Math.min(to, end); ) {
                if (offset >= at + length) {
                    load(offset);
                }
                int count = (int) Math.min(at + length - offset, to - offset);
                if (count <= 0) {
                    return;
                }
                sum.update(bytes, (int) (offset - at), count);
                offset += count;
            }
        }

        private void load(long from) throws IOException {
            at = from;
            length = 0;
            length = Math.max(0, file.read(from, bytes, 0, (int) Math.max(0, Math.min(bytes.length, end - from))));
        }
    }

    /** Returns the checksum of two parts in a row. */
    private static int join(int first, int second, long secondLength) {
        return shift(first, secondLength) ^ second;
    }

    private static int shift(int sum, long bytes) {
        int factor = ONE;
        int power = 3; // of a byte's bits
        for (long left = bytes; left > 0; left >>>= 1, power++) {
            if ((left & 1) != 0) {
                factor = multiply(factor, POWERS[power]);
            }
        }
        return multiply(factor, sum);
    }

    private static int multiply(int a, int b) {
        int product = 0;
        int shifted = b;
        for (int bit = ONE; bit != 0; bit >>>= 1) {
            if ((a & bit) != 0) {
                product ^= shifted;
            }
            shifted = (shifted >>> 1) ^ (POLYNOMIAL & -(shifted & 1));
        }
        return product;
    }
}
