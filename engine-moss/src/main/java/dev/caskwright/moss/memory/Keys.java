package dev.caskwright.moss.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Compares keys as unsigned bytes, a prefix before its extensions. */
public final class Keys {
    private static final VarHandle BIG_ENDIAN =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private Keys() {}

    /**
     * Returns the first eight bytes of a key as a number whose unsigned order is that of the keys; zeros if it is
     * shorter.
     */
    public static long head(byte[] key, int offset, int length) {
        if (length >= Long.BYTES) {
            return (long) BIG_ENDIAN.get(key, offset);
        }
        long head = 0;
        for (int i = 0; i < length; i++) {
            head = head << Byte.SIZE | key[offset + i] & 0xFF;
        }
        return length == 0 ? 0 : head << Byte.SIZE * (Long.BYTES - length);
    }

    /** Returns the key right after this one and its extensions: the end of a prefix, or null if no key is greater. */
    public static byte @Nullable [] endOfPrefix(byte[] prefix) {
        int last = prefix.length - 1;
        while (last >= 0 && prefix[last] == (byte) 0xFF) {
            last--;
        }
        if (last < 0) {
            return null;
        }
        byte[] end = Arrays.copyOf(prefix, last + 1);
        end[last]++;
        return end;
    }

    /** Returns the least key that is greater than this one. */
    public static byte[] after(byte[] key) {
        return Arrays.copyOf(key, key.length + 1);
    }
}
