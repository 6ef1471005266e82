package dev.caskwright.api.spi.index;

import java.io.IOException;

/** Compares keys with stored records. Safe for any thread, within calls of the index only. */
@FunctionalInterface
public interface KeyMatcher {
    /** Returns whether the record at {@code locator} has this key. */
    boolean matches(byte[] key, int offset, int length, long locator) throws IOException;
}
