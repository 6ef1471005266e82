package dev.caskwright.bitcask.log;

import dev.caskwright.api.spi.ReadableFile;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The checksum of any part of a file, at the cost of reading at most two blocks of it, and each block before the part's end
 * once in all. It keeps the checksum of the file up to each block: 4 bytes for {@value #BLOCK}. For one thread.
 *
 * <p>A CRC of A and B in a row is {@code crc(A) * x^(8 * length of B) + crc(B)}, where bits are the coefficients of
 * polynomials, modulo the one of CRC-32C. So what a CRC owes to the part in front can be taken out again.
 */
final class BlockChecksums {
    private static final int BLOCK = 4 << 10;
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
    private final byte[] block = new byte[BLOCK];
    private int[] upTo = new int[16]; // the checksum of the file up to the block with the index
    private int known = 1; // that of nothing, for a start

    BlockChecksums(ReadableFile file, long end) {
        this.file = file;
        this.end = end;
    }

    /** Returns the checksum of a part that ends within the file. */
    int checksum(long from, int length) throws IOException {
        long to = from + length;
        if (length <= 2 * BLOCK) {
            return read(from, to);
        }
        int first = (int) (from / BLOCK) + 1;
        int last = (int) (to / BLOCK);
        learn(last);
        long middle = (long) (last - first) * BLOCK;
        int sum = read(from, (long) first * BLOCK);
        sum = join(sum, upTo[last] ^ shift(upTo[first], middle), middle);
        return join(sum, read((long) last * BLOCK, to), to % BLOCK);
    }

    private int read(long from, long to) throws IOException {
        crc.reset();
        update(crc, from, to);
        return (int) crc.getValue();
    }

    private void learn(int blocks) throws IOException {
        for (; known <= blocks; known++) {
            if (known == upTo.length) {
                upTo = Arrays.copyOf(upTo, 2 * known);
            }
            update(running, (long) (known - 1) * BLOCK, (long) known * BLOCK);
            upTo[known] = (int) running.getValue();
        }
    }

    private void update(CRC32C sum, long from, long to) throws IOException {
        for (long offset = from; offset < Math.min(to, end); ) {
            int count = file.read(offset, block, 0, (int) Math.min(BLOCK, to - offset));
            if (count <= 0) {
                return; // the file was cut meanwhile: the checksum is not that of the record then
            }
            sum.update(block, 0, count);
            offset += count;
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
