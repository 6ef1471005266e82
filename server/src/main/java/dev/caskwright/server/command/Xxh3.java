package dev.caskwright.server.command;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.HexFormat;

/** The hash XXH3 of 64 bits, with seed 0, which {@code DIGEST} shows: fast, and no defence against who looks for equal hashes. */
final class Xxh3 {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final long PRIME32_1 = 0x9E3779B1L;
    private static final long PRIME32_2 = 0x85EBCA77L;
    private static final long PRIME32_3 = 0xC2B2AE3DL;
    private static final long PRIME64_1 = 0x9E3779B185EBCA87L;
    private static final long PRIME64_2 = 0xC2B2AE3D27D4EB4FL;
    private static final long PRIME64_3 = 0x165667B19E3779F9L;
    private static final long PRIME64_4 = 0x85EBCA77C2B2AE63L;
    private static final long PRIME64_5 = 0x27D4EB2F165667C5L;
    private static final long PRIME_MX1 = 0x165667919E3779F9L;
    private static final long PRIME_MX2 = 0x9FB21C651E98DF25L;
    private static final long UNSIGNED_INT = 0xFFFF_FFFFL;

    private static final byte[] SECRET = HexFormat.of()
            .parseHex("b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
                    + "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8"
                    + "fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb17"
                    + "0ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e");

    private static final int STRIPE = 64;
    private static final int LANES = 8;
    private static final int SECRET_PER_STRIPE = 8;
    private static final int STRIPES_OF_BLOCK = (SECRET.length - STRIPE) / SECRET_PER_STRIPE;
    private static final int BLOCK = STRIPE * STRIPES_OF_BLOCK;
    private static final int SMALL = 16;
    private static final int MEDIUM = 128;
    private static final int LARGE = 240;

    private Xxh3() {}

    /** Returns the hash of a part of an array. */
    static long hash(byte[] data, int from, int length) {
        if (length <= SMALL) {
            return ofSmall(data, from, length);
        }
        if (length <= MEDIUM) {
            return ofMedium(data, from, length);
        }
        return length <= LARGE ? ofLarge(data, from, length) : ofBlocks(data, from, length);
    }

    private static long ofSmall(byte[] data, int from, int length) {
        if (length > 8) {
            long low = longAt(data, from) ^ secret(24) ^ secret(32);
            long high = longAt(data, from + length - 8) ^ secret(40) ^ secret(48);
            return avalanche(length + Long.reverseBytes(low) + high + foldedProduct(low, high));
        }
        if (length >= 4) {
            long both = (intAt(data, from + length - 4) + (intAt(data, from) << 32)) ^ secret(8) ^ secret(16);
            long mixed = both ^ Long.rotateLeft(both, 49) ^ Long.rotateLeft(both, 24);
            mixed *= PRIME_MX2;
            mixed ^= (mixed >>> 35) + length;
            mixed *= PRIME_MX2;
            return mixed ^ mixed >>> 28;
        }
        if (length > 0) {
            long first = data[from] & 0xFF;
            long middle = data[from + (length >> 1)] & 0xFF;
            long last = data[from + length - 1] & 0xFF;
            long combined = first << 16 | middle << 24 | last | (long) length << 8;
            return avalanche64(combined ^ (secretInt(0) ^ secretInt(4)));
        }
        return avalanche64(secret(56) ^ secret(64));
    }

    private static long ofMedium(byte[] data, int from, int length) {
        long sum = length * PRIME64_1;
        for (int i = (length - 1) / 32; i >= 0; i--) {
            sum += mix16(data, from + 16 * i, 32 * i);
            sum += mix16(data, from + length - 16 * (i + 1), 32 * i + 16);
        }
        return avalanche(sum);
    }

    private static long ofLarge(byte[] data, int from, int length) {
        long sum = length * PRIME64_1;
        int rounds = length / 16;
        for (int i = 0; i < 8; i++) {
            sum += mix16(data, from + 16 * i, 16 * i);
        }
        sum = avalanche(sum);
        for (int i = 8; i < rounds; i++) {
            sum += mix16(data, from + 16 * i, 16 * (i - 8) + 3);
        }
        return avalanche(sum + mix16(data, from + length - 16, 136 - 17));
    }

    private static long ofBlocks(byte[] data, int from, int length) {
        long[] lanes = {
            PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1,
        };
        int blocks = (length - 1) / BLOCK;
        for (int block = 0; block < blocks; block++) {
            for (int i = 0; i < STRIPES_OF_BLOCK; i++) {
                accumulate(lanes, data, from + block * BLOCK + i * STRIPE, i * SECRET_PER_STRIPE);
            }
            for (int lane = 0; lane < LANES; lane++) {
                long value = lanes[lane];
                value ^= value >>> 47;
                value ^= secret(SECRET.length - STRIPE + 8 * lane);
                lanes[lane] = value * PRIME32_1;
            }
        }
        int stripes = (length - 1 - BLOCK * blocks) / STRIPE;
        for (int i = 0; i < stripes; i++) {
            accumulate(lanes, data, from + blocks * BLOCK + i * STRIPE, i * SECRET_PER_STRIPE);
        }
        accumulate(lanes, data, from + length - STRIPE, SECRET.length - STRIPE - 7);
        long sum = length * PRIME64_1;
        for (int i = 0; i < LANES / 2; i++) {
            sum += foldedProduct(lanes[2 * i] ^ secret(11 + 16 * i), lanes[2 * i + 1] ^ secret(11 + 16 * i + 8));
        }
        return avalanche(sum);
    }

    private static void accumulate(long[] lanes, byte[] data, int from, int secretFrom) {
        for (int lane = 0; lane < LANES; lane++) {
            long value = longAt(data, from + 8 * lane);
            long keyed = value ^ secret(secretFrom + 8 * lane);
            lanes[lane ^ 1] += value;
            lanes[lane] += (keyed & UNSIGNED_INT) * (keyed >>> 32);
        }
    }

    private static long mix16(byte[] data, int from, int secretFrom) {
        return foldedProduct(longAt(data, from) ^ secret(secretFrom), longAt(data, from + 8) ^ secret(secretFrom + 8));
    }

    /** Returns both halves of the product of two numbers without sign, xored. */
    private static long foldedProduct(long a, long b) {
        long high = Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
        return a * b ^ high;
    }

    private static long avalanche(long hash) {
        long mixed = hash ^ hash >>> 37;
        mixed *= PRIME_MX1;
        return mixed ^ mixed >>> 32;
    }

    private static long avalanche64(long hash) {
        long mixed = hash ^ hash >>> 33;
        mixed *= PRIME64_2;
        mixed ^= mixed >>> 29;
        mixed *= PRIME64_3;
        return mixed ^ mixed >>> 32;
    }

    private static long longAt(byte[] data, int at) {
        return (long) LONGS.get(data, at);
    }

    private static long intAt(byte[] data, int at) {
        return (int) INTS.get(data, at) & UNSIGNED_INT;
    }

    private static long secret(int at) {
        return longAt(SECRET, at);
    }

    private static long secretInt(int at) {
        return intAt(SECRET, at);
    }
}
