package dev.caskwright.server.resp;

import dev.caskwright.server.cluster.HashSlot;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A request: the name of a command and its arguments, as slices of the bytes that came. Valid until the next request is
 * parsed into it; {@link #copy} makes one that lasts. For one thread.
 */
public final class Request {
    private static final int USUAL_ARGUMENTS = 16;
    private static final int MOST_KEPT_ARGUMENTS = 1024;
    private static final byte[] NO_BYTES = {};

    private byte[] data = NO_BYTES;
    private int base;
    private int count;
    private int[] offsets = new int[USUAL_ARGUMENTS];
    private int[] lengths = new int[USUAL_ARGUMENTS];

    /** Makes a request of these arguments, the name first. */
    public static Request of(byte[]... arguments) {
        Request request = new Request();
        int total = 0;
        for (byte[] argument : arguments) {
            total += argument.length;
        }
        byte[] all = new byte[total];
        int offset = 0;
        for (byte[] argument : arguments) {
            System.arraycopy(argument, 0, all, offset, argument.length);
            request.add(offset, argument.length);
            offset += argument.length;
        }
        request.complete(all, 0);
        return request;
    }

    void clear() {
        count = 0;
        data = NO_BYTES;
        if (offsets.length > MOST_KEPT_ARGUMENTS) {
            offsets = new int[USUAL_ARGUMENTS];
            lengths = new int[USUAL_ARGUMENTS];
        }
    }

    void add(int offset, int length) {
        if (count == offsets.length) {
            offsets = Arrays.copyOf(offsets, count * 2);
            lengths = Arrays.copyOf(lengths, count * 2);
        }
        offsets[count] = offset;
        lengths[count++] = length;
    }

    void complete(byte[] bytes, int from) {
        data = bytes;
        base = from;
    }

    /** Returns a request with the same arguments and bytes of its own. */
    public Request copy() {
        byte[][] arguments = new byte[count][];
        for (int i = 0; i < count; i++) {
            arguments[i] = bytes(i);
        }
        return of(arguments);
    }

    /** Returns how many arguments there are, the name included; 0 for an empty request, which is not answered. */
    public int count() {
        return count;
    }

    /** Returns the length of an argument in bytes. */
    public int length(int i) {
        return lengths[i];
    }

    /** Returns the bytes of all arguments. */
    public long totalBytes() {
        long total = 0;
        for (int i = 0; i < count; i++) {
            total += lengths[i];
        }
        return total;
    }

    /** Returns one byte of an argument. */
    public byte at(int i, int position) {
        return data[base + offsets[i] + position];
    }

    /** Returns a copy of an argument. */
    public byte[] bytes(int i) {
        int from = base + offsets[i];
        return Arrays.copyOfRange(data, from, from + lengths[i]);
    }

    /** Returns a copy of an argument with one byte put before it. */
    public byte[] prefixed(byte prefix, int i) {
        byte[] bytes = new byte[1 + lengths[i]];
        bytes[0] = prefix;
        System.arraycopy(data, base + offsets[i], bytes, 1, lengths[i]);
        return bytes;
    }

    /** Returns whether some bytes are those of an argument with one byte put before it. */
    public boolean isPrefixed(byte[] bytes, byte prefix, int i) {
        int from = base + offsets[i];
        return bytes[0] == prefix && Arrays.equals(bytes, 1, bytes.length, data, from, from + lengths[i]);
    }

    /** Copies an argument. */
    public void copyTo(int i, byte[] target, int offset) {
        System.arraycopy(data, base + offsets[i], target, offset, lengths[i]);
    }

    /** Returns the slot of an argument that is a key. */
    public int hashSlot(int i) {
        int from = base + offsets[i];
        return HashSlot.of(data, from, from + lengths[i]);
    }

    /** Returns an argument as text. */
    public String text(int i) {
        return new String(data, base + offsets[i], lengths[i], StandardCharsets.UTF_8);
    }

    /** Returns an argument for people: at most 128 bytes of it, with nothing that a terminal or a protocol would obey. */
    public String printable(int i) {
        return Printable.of(data, base + offsets[i], lengths[i]);
    }

    /** Returns whether an argument is this word of upper-case ASCII letters, in any case. */
    public boolean is(int i, String word) {
        if (lengths[i] != word.length()) {
            return false;
        }
        int from = base + offsets[i];
        for (int p = 0; p < word.length(); p++) {
            if (upper(data[from + p]) != word.charAt(p)) {
                return false;
            }
        }
        return true;
    }

    /** Returns a hash of an argument that is the same for upper and lower case. */
    public int caselessHash(int i) {
        int from = base + offsets[i];
        int hash = 0;
        for (int p = 0; p < lengths[i]; p++) {
            hash = 31 * hash + upper(data[from + p]);
        }
        return hash;
    }

    /** Returns the same hash of a word of upper-case ASCII letters. */
    public static int hashOf(String word) {
        int hash = 0;
        for (int p = 0; p < word.length(); p++) {
            hash = 31 * hash + word.charAt(p);
        }
        return hash;
    }

    private static int upper(byte b) {
        return b >= 'a' && b <= 'z' ? b - ('a' - 'A') : b;
    }

    /** Returns whether an argument is a whole number that 64 bits hold, in its shortest form. */
    public boolean isInteger(int i) {
        int from = base + offsets[i];
        return Numbers.isInteger(data, from, from + lengths[i]);
    }

    /** Returns an argument as a whole number; {@link #isInteger} must be true. */
    public long integer(int i) {
        int from = base + offsets[i];
        return Numbers.integer(data, from, from + lengths[i]);
    }
}
