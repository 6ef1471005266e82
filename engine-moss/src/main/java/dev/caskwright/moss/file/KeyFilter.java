package dev.caskwright.moss.file;

import dev.caskwright.api.spi.index.KeyHash;

/**
 * A Bloom filter of a file's keys: ten bits a key and six probes, about 1 % false hits (Kirsch and Mitzenmacher 2006).
 */
final class KeyFilter {
    private static final int BITS_PER_KEY = 10;
    private static final int PROBES = 6;
    private static final int LARGEST = 64 << 20;
    private static final KeyHash HASH = new KeyHash(0x6D6F7373);

    private final byte[] bits;

    KeyFilter(byte[] bits) {
        this.bits = bits;
    }

    static KeyFilter forKeys(long count) {
        return new KeyFilter(new byte[(int) Math.min(LARGEST, Math.max(8, count * BITS_PER_KEY / Byte.SIZE + 1))]);
    }

    static long hash(byte[] key, int offset, int length) {
        return HASH.hash(key, offset, length);
    }

    void add(long hash) {
        for (int probe = 0; probe < PROBES; probe++) {
            long bit = bit(hash, probe);
            bits[(int) (bit >>> 3)] |= (byte) (1 << (bit & 7));
        }
    }

    boolean mayContain(long hash) {
        for (int probe = 0; probe < PROBES; probe++) {
            long bit = bit(hash, probe);
            if ((bits[(int) (bit >>> 3)] & 1 << (bit & 7)) == 0) {
                return false;
            }
        }
        return true;
    }

    private long bit(long hash, int probe) {
        long mixed = (hash >>> 32) + probe * ((hash & 0xFFFFFFFFL) | 1);
        return ((mixed & 0xFFFFFFFFL) * (bits.length * 8L)) >>> 32;
    }

    byte[] bits() {
        return bits;
    }
}
