package dev.caskwright.bitcask.log.format;

import dev.caskwright.api.spi.index.KeyFilter;
import java.util.Arrays;

/**
 * A Bloom filter of the keys in one data file: 10 bits a key and 6 probes, about 1 % false hits. It answers whether a
 * file can hold an older version of a key, so that a merge knows which tombstones are still needed. The probes are
 * drawn from one 64-bit hash (Kirsch and Mitzenmacher).
 */
public final class BloomFilter implements KeyFilter {
    private static final int BITS_PER_KEY = 10;
    private static final int PROBES = 6;
    private static final int MAX_SIZE = 64 << 20;

    private final byte[] bits;

    private BloomFilter(byte[] bits) {
        this.bits = bits;
    }

    public static BloomFilter forKeys(long count) {
        return new BloomFilter(new byte[size(count)]);
    }

    /** Returns how many bytes a filter for so many keys has. */
    public static int size(long count) {
        return (int) Math.min(MAX_SIZE, Math.max(8, count * BITS_PER_KEY / Byte.SIZE + 1));
    }

    public static BloomFilter ofBits(byte[] source, int offset, int length) {
        return new BloomFilter(Arrays.copyOfRange(source, offset, offset + length));
    }

    public void add(byte[] key, int offset, int length) {
        long hash = hash(key, offset, length);
        for (int probe = 0; probe < PROBES; probe++) {
            int bit = bit(hash, probe);
            bits[bit >>> 3] |= (byte) (1 << (bit & 7));
        }
    }

    @Override
    public boolean mayContain(byte[] key, int offset, int length) {
        long hash = hash(key, offset, length);
        for (int probe = 0; probe < PROBES; probe++) {
            int bit = bit(hash, probe);
            if ((bits[bit >>> 3] & 1 << (bit & 7)) == 0) {
                return false;
            }
        }
        return true;
    }

    public int size() {
        return bits.length;
    }

    public byte[] bits() {
        return bits;
    }

    private int bit(long hash, int probe) {
        long mixed = (hash >>> 32) + probe * ((hash & 0xFFFFFFFFL) | 1);
        return (int) (((mixed & 0xFFFFFFFFL) * (bits.length * 8L)) >>> 32);
    }

    private static long hash(byte[] key, int offset, int length) {
        long hash = 0x9E3779B97F4A7C15L * (length + 1);
        int at = offset;
        int end = offset + length;
        for (; at + Long.BYTES <= end; at += Long.BYTES) {
            hash = mix(hash ^ (long) RecordFormat.LONG.get(key, at));
        }
        for (; at < end; at++) {
            hash = mix(hash ^ key[at]);
        }
        return mix(hash);
    }

    private static long mix(long value) {
        long mixed = (value ^ value >>> 32) * 0xD6E8FEB86659FD93L;
        mixed = (mixed ^ mixed >>> 32) * 0xD6E8FEB86659FD93L;
        return mixed ^ mixed >>> 32;
    }
}
