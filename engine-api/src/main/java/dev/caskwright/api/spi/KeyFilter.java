package dev.caskwright.api.spi;

/** Answers whether a key may be among some keys: never no for one that is. Safe for any thread. */
public interface KeyFilter {
    boolean mayContain(byte[] key, int offset, int length);
}
