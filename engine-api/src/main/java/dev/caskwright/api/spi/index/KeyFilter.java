package dev.caskwright.api.spi.index;

/** A set of keys that may report false positives, never false negatives. Safe for any thread. */
public interface KeyFilter {
    boolean mayContain(byte[] key, int offset, int length);
}
