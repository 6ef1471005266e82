package dev.caskwright.moss;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * How keys of all collections share one order. The first byte tells what follows:
 *
 * <pre>
 * 00                        what the engine itself keeps
 * 00 | 'c' | parent | name  the number of a child collection (4 bytes)
 * 00 | 'n'                  the number that the next child collection gets
 * 00 | 'o'                  the name of the merge operator
 * 00 | 'p'                  over a lower level: how far it has got
 * 01 | key                  a key of the root collection
 * 02 | number | key         a key of a child collection
 * </pre>
 *
 * Numbers of collections are 4 bytes, most significant first, and are never used again; the root is number 0.
 */
final class KeySpace {
    /** The bytes in front of a root collection's key. */
    static final int ROOT_PREFIX = 1;

    /** The bytes in front of a child collection's key. */
    static final int CHILD_PREFIX = 1 + Integer.BYTES;

    /** The greatest length of a child's name, in bytes of UTF-8. */
    static final int MAX_NAME_LENGTH = 255;

    static final byte OWN = 0;
    static final byte ROOT = 1;
    static final byte CHILD = 2;
    static final byte[] NEXT_NUMBER = {OWN, 'n'};
    static final byte[] OPERATOR = {OWN, 'o'};
    static final byte[] PROGRESS = {OWN, 'p'};

    private KeySpace() {}

    /** Returns what stands in front of the keys of a collection. */
    static byte[] prefix(int number) {
        if (number == 0) {
            return new byte[] {ROOT};
        }
        byte[] prefix = new byte[CHILD_PREFIX];
        putChildPrefix(prefix, 0, number);
        return prefix;
    }

    static void putChildPrefix(byte[] target, int offset, int number) {
        target[offset] = CHILD;
        putNumber(target, offset + 1, number);
    }

    /** Returns a key as the layers have it. */
    static byte[] key(byte[] prefix, byte[] key) {
        byte[] whole = Arrays.copyOf(prefix, prefix.length + key.length);
        System.arraycopy(key, 0, whole, prefix.length, key.length);
        return whole;
    }

    /** Returns the key under which the number of a child is kept. */
    static byte[] childEntry(int parent, byte[] name) {
        byte[] key = new byte[2 + Integer.BYTES + name.length];
        key[0] = OWN;
        key[1] = 'c';
        putNumber(key, 2, parent);
        System.arraycopy(name, 0, key, 2 + Integer.BYTES, name.length);
        return key;
    }

    static byte[] name(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0 || bytes.length > MAX_NAME_LENGTH) {
            throw new IllegalArgumentException("name of a collection must have 1 to " + MAX_NAME_LENGTH
                    + " bytes of UTF-8: length=" + bytes.length);
        }
        return bytes;
    }

    static String childName(byte[] entry) {
        return new String(entry, 2 + Integer.BYTES, entry.length - 2 - Integer.BYTES, StandardCharsets.UTF_8);
    }

    static byte[] number(int number) {
        byte[] bytes = new byte[Integer.BYTES];
        putNumber(bytes, 0, number);
        return bytes;
    }

    private static void putNumber(byte[] target, int offset, int number) {
        target[offset] = (byte) (number >>> 24);
        target[offset + 1] = (byte) (number >>> 16);
        target[offset + 2] = (byte) (number >>> 8);
        target[offset + 3] = (byte) number;
    }

    static int number(byte[] source) {
        return (source[0] & 0xFF) << 24 | (source[1] & 0xFF) << 16 | (source[2] & 0xFF) << 8 | source[3] & 0xFF;
    }
}
