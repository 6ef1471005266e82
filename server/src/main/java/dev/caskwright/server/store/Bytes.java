package dev.caskwright.server.store;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes as a key of a map. Comparable, so that a hash map of hostile keys stays fast. The array must not be changed. */
public final class Bytes implements Comparable<Bytes> {
    private final byte[] array;
    private final int hash;

    /** Wraps an array without copying it. */
    public Bytes(byte[] array) {
        this.array = array;
        hash = Arrays.hashCode(array);
    }

    /** Wraps the UTF-8 form of a text. */
    public static Bytes of(String text) {
        return new Bytes(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the wrapped array. */
    public byte[] array() {
        return array;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes bytes && hash == bytes.hash && Arrays.equals(array, bytes.array);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public int compareTo(Bytes other) {
        return Arrays.compareUnsigned(array, other.array);
    }
}
