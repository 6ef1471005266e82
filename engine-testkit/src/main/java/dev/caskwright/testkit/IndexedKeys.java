package dev.caskwright.testkit;

import dev.caskwright.api.spi.index.KeyMatcher;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one test, known by number, and the log that stands behind an index under test: every locator says which
 * key it belongs to, so that a key matcher needs no storage and a reader can tell a wrong locator from a right one.
 *
 * <p>A locator is the number and a version, scrambled so that all 64 bits vary. Safe for any thread.
 */
final class IndexedKeys implements KeyMatcher {
    private static final int NUMBER_BITS = 24;
    private static final long SCRAMBLE = 0x9E3779B97F4A7C15L;
    private static final long UNSCRAMBLE = inverse(SCRAMBLE);

    private final byte[][] keys;
    private volatile @Nullable IOException failure;

    IndexedKeys(byte[]... keys) {
        this.keys = keys;
    }

    int count() {
        return keys.length;
    }

    byte[] key(int number) {
        return keys[number];
    }

    /** Returns the locator of a version (1 or more) of the key with that number. */
    static long locator(int number, long version) {
        return ((version << NUMBER_BITS) | number) * SCRAMBLE;
    }

    static int number(long locator) {
        return (int) (locator * UNSCRAMBLE) & ((1 << NUMBER_BITS) - 1);
    }

    static long version(long locator) {
        return (locator * UNSCRAMBLE) >>> NUMBER_BITS;
    }

    /** Makes every following comparison fail, or none if null. */
    void failWith(@Nullable IOException cause) {
        failure = cause;
    }

    @Override
    public boolean matches(byte[] key, int offset, int length, long locator) throws IOException {
        IOException cause = failure;
        if (cause != null) {
            throw cause;
        }
        int number = number(locator);
        if (version(locator) == 0 || number >= keys.length) {
            throw new AssertionError("the index asks about a locator that nobody gave it: " + locator);
        }
        byte[] stored = keys[number];
        return Arrays.equals(stored, 0, stored.length, key, offset, offset + length);
    }

    /** Returns the number whose product with an odd {@code factor} is 1, by Newton's method. */
    private static long inverse(long factor) {
        long result = factor;
        for (int i = 0; i < 5; i++) {
            result *= 2 - factor * result;
        }
        return result;
    }
}
