package dev.caskwright.api.spi.index;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A seeded 64-bit hash of keys, for tables and filters. Every bit of the result depends on every bit of the key and on its
 * length. Without knowing the seed nobody can choose keys that collide; it is no cryptographic hash, and never identity.
 *
 * <p>The same seed gives the same hash on every machine. Immutable, and safe for any thread.
 *
 * <p>Sixteen bytes are folded at a time: both halves are mixed with a secret and multiplied to 128 bits, whose halves are
 * xor-ed (the construction of wyhash). All secrets come from the seed. With a constant in their place, keys that contain
 * the constant would multiply by zero, and so collide whatever the seed.
 */
public final class KeyHash {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int BLOCK = 2 * Long.BYTES;

    private final long seed;
    private final long secret0;
    private final long secret1;
    private final long secret2;

    /** Makes the hash function of that seed, which may be any number. */
    public KeyHash(long seed) {
        this.seed = seed;
        this.secret0 = scatter(seed + 1);
        this.secret1 = scatter(secret0 + 2);
        this.secret2 = scatter(secret1 + 3);
    }

    /** Returns the seed. */
    public long seed() {
        return seed;
    }

    /** Returns the hash of {@code length} bytes (0 or more) from {@code offset}. */
    public long hash(byte[] key, int offset, int length) {
        long state = secret0;
        int position = offset;
        int remaining = length;
        while (remaining > BLOCK) {
            state = fold(longAt(key, position) ^ secret1, longAt(key, position + Long.BYTES) ^ state);
            position += BLOCK;
            remaining -= BLOCK;
        }
        // The last 1 to 16 bytes, read as two words that overlap. Keys that read alike differ in length, mixed in
        // below.
        long first;
        long second = 0;
        if (remaining >= Long.BYTES) {
            first = longAt(key, position);
            second = longAt(key, position + remaining - Long.BYTES);
        } else if (remaining >= Integer.BYTES) {
            first = intAt(key, position) | (intAt(key, position + remaining - Integer.BYTES) << Integer.SIZE);
        } else if (remaining > 0) {
            first = ((key[position] & 0xFFL) << 16)
                    | ((key[position + (remaining >> 1)] & 0xFFL) << 8)
                    | (key[position + remaining - 1] & 0xFFL);
        } else {
            first = 0;
        }
        return fold(fold(first ^ secret1, second ^ state) ^ secret2, secret0 ^ length);
    }

    private static long longAt(byte[] bytes, int position) {
        return (long) LONG.get(bytes, position);
    }

    private static long intAt(byte[] bytes, int position) {
        return (int) INT.get(bytes, position) & 0xFFFFFFFFL;
    }

    /** Multiplies as unsigned numbers, and folds the two halves of the product. */
    private static long fold(long a, long b) {
        long unsignedHigh = Math.multiplyHigh(a, b) + ((a >> 63) & b) + ((b >> 63) & a);
        return unsignedHigh ^ (a * b);
    }

    /** Makes a random-looking number of any number (the finalizer of SplitMix64). */
    private static long scatter(long number) {
        long z = number + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
