package dev.caskwright.mvcc;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One key, or the keys from one on to before another, in the order of their unsigned bytes. Immutable. */
public final class KeyRange {
    private final byte[] from;
    private final byte @Nullable [] to;
    private final boolean isSingle;

    private KeyRange(byte[] from, byte @Nullable [] to, boolean isSingle) {
        this.from = from;
        this.to = to;
        this.isSingle = isSingle;
    }

    /** Returns the range of one key. */
    public static KeyRange of(byte[] key) {
        return new KeyRange(key.clone(), Arrays.copyOf(key, key.length + 1), true);
    }

    /** Returns the range from a key on to before another one; it is empty if that is not after the first. */
    public static KeyRange between(byte[] from, byte[] to) {
        return new KeyRange(from.clone(), to.clone(), false);
    }

    /** Returns the range of a key and all after it. */
    public static KeyRange from(byte[] from) {
        return new KeyRange(from.clone(), null, false);
    }

    /** Returns the range of all keys. */
    public static KeyRange all() {
        return from(new byte[0]);
    }

    /** Returns the range of the keys that start with a prefix. */
    public static KeyRange prefix(byte[] prefix) {
        int last = prefix.length - 1;
        while (last >= 0 && prefix[last] == (byte) 0xFF) {
            last--;
        }
        if (last < 0) {
            return from(prefix);
        }
        byte[] end = Arrays.copyOf(prefix, last + 1);
        end[last]++;
        return new KeyRange(prefix.clone(), end, false);
    }

    /** Returns whether this was made of one key. */
    public boolean isSingle() {
        return isSingle;
    }

    /** Returns whether a key is in the range. */
    public boolean contains(byte[] key) {
        byte[] end = to;
        return Arrays.compareUnsigned(key, from) >= 0 && (end == null || Arrays.compareUnsigned(key, end) < 0);
    }

    /** Returns the first key; not to be changed. */
    byte[] from() {
        return from;
    }

    /** Returns the first key after the range, or null if it has no end; not to be changed. */
    byte @Nullable [] to() {
        return to;
    }
}
