package dev.caskwright.benchmarks;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Random;

/**
 * Keys and values by number: key {@code i} is 16 bytes that look random, and is the same in every process. Keys from
 * {@link #keys()} on are absent. Nothing is stored, so that a benchmark measures the store and not the misses of a table
 * of keys. Filling from 0 upwards is filling in random order.
 *
 * <p>Values are slices of a block of random bytes: they do not compress. Safe for any number of threads.
 */
final class Dataset {
    /** Bytes of a key. */
    static final int KEY_SIZE = 16;

    private static final long SEED = 0x5DEECE66DL;
    private static final int BLOCK_SIZE = 1 << 20;
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final long keys;
    private final int valueSize;
    private final byte[] block;

    Dataset(long keys, int valueSize) {
        this.keys = keys;
        this.valueSize = valueSize;
        this.block = new byte[BLOCK_SIZE + valueSize];
        new Random(SEED).nextBytes(block);
    }

    long keys() {
        return keys;
    }

    int valueSize() {
        return valueSize;
    }

    /** Writes key {@code number} into {@code target}. */
    void key(long number, byte[] target) {
        long first = mix(SEED + 2 * number);
        LONGS.set(target, 0, first);
        LONGS.set(target, Long.BYTES, mix(first ^ (2 * number + 1)));
    }

    /** Returns a new array with key {@code number}. */
    byte[] key(long number) {
        byte[] key = new byte[KEY_SIZE];
        key(number, key);
        return key;
    }

    /** Writes the value of a key, as of its {@code version}-th write, into {@code target}. */
    void value(long number, int version, byte[] target) {
        int from = (int) (mix(number * 31 + version) & (BLOCK_SIZE - 1));
        System.arraycopy(block, from, target, 0, valueSize);
    }

    /** Returns a new array with a value. */
    byte[] value(long number, int version) {
        byte[] value = new byte[valueSize];
        value(number, version, value);
        return value;
    }

    /** The finalizer of SplitMix64: a bijection whose output looks random. */
    private static long mix(long seed) {
        long z = seed * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
