package dev.caskwright.balance;

/** 64-bit hashes that are the same in every JVM. */
public final class Hashes {
    private static final long SEED = 0x9E3779B97F4A7C15L;
    private static final long MULTIPLIER = 0xD6E8FEB86659FD93L;

    private Hashes() {}

    /** Returns a hash of a text, by its UTF-16 code units. */
    public static long of(CharSequence text) {
        long hash = SEED ^ text.length() * MULTIPLIER;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * MULTIPLIER;
            hash ^= hash >>> 32;
        }
        return mix(hash);
    }

    /** Returns a hash of bytes. */
    public static long of(byte[] bytes) {
        long hash = SEED ^ bytes.length * MULTIPLIER;
        for (byte each : bytes) {
            hash = (hash ^ (each & 0xFF)) * MULTIPLIER;
            hash ^= hash >>> 32;
        }
        return mix(hash);
    }

    /** Returns a hash of a hash and a number, for the places that one endpoint has. */
    public static long of(long hash, long number) {
        return mix(hash + number * SEED);
    }

    /** Spreads a number over all 64 bits: each bit of it changes about half of them. */
    public static long mix(long number) {
        long mixed = (number ^ number >>> 32) * MULTIPLIER;
        mixed = (mixed ^ mixed >>> 32) * MULTIPLIER;
        return mixed ^ mixed >>> 32;
    }
}
