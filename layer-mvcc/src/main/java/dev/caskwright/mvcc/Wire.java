package dev.caskwright.mvcc;

import java.util.Arrays;

/**
 * Reads and writes messages of protocol buffers, as far as etcd's stored ones need it: fields of variable-length numbers and of
 * bytes. For one thread.
 */
final class Wire {
    private static final int NUMBER = 0;
    private static final int FIXED_64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED_32 = 5;
    private static final int TYPE_BITS = 3;
    private static final int MAX_NUMBER_LENGTH = 10;

    private byte[] bytes;
    private int at;
    private int end; // of what is read

    private Wire(byte[] bytes) {
        this.bytes = bytes;
        this.end = bytes.length;
    }

    /** A message that cannot be read. */
    static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException(String message) {
            super(message);
        }
    }

    static Wire reading(byte[] bytes) {
        return new Wire(bytes);
    }

    static Wire writing(int expectedLength) {
        return new Wire(new byte[expectedLength]);
    }

    /** Reads another message: the first bytes of an array. */
    void read(byte[] message, int length) {
        bytes = message;
        at = 0;
        end = length;
    }

    boolean hasMore() {
        return at < end;
    }

    /** Returns the tag of the next field: its number and type. */
    int tag() throws MalformedException {
        long tag = number();
        if (tag >>> TYPE_BITS == 0 || tag >>> Integer.SIZE != 0) {
            throw new MalformedException("field has no number that may be: tag=" + tag + ", at=" + at);
        }
        return (int) tag;
    }

    static int numberField(int field) {
        return field << TYPE_BITS | NUMBER;
    }

    static int bytesField(int field) {
        return field << TYPE_BITS | BYTES;
    }

    long number() throws MalformedException {
        long value = 0;
        for (int shift = 0; shift < MAX_NUMBER_LENGTH * 7; shift += 7) {
            if (at >= end) {
                break;
            }
            byte next = bytes[at++];
            value |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new MalformedException("number has no end: at=" + at);
    }

    /** Returns the length of the bytes that follow. */
    int length() throws MalformedException {
        return length(number());
    }

    /** Passes over bytes; returns where they begin. */
    int pass(int length) {
        int start = at;
        at += length;
        return start;
    }

    private int length(long length) throws MalformedException {
        if (length < 0 || length > end - at) {
            throw new MalformedException("field is longer than the message: length=" + length + ", at=" + at);
        }
        return (int) length;
    }

    /** Passes over a field that nobody knows. */
    void skip(int tag) throws MalformedException {
        switch (tag & (1 << TYPE_BITS) - 1) {
            case NUMBER -> number();
            case FIXED_64 -> at += length(Long.BYTES);
            case BYTES -> at += length(number());
            case FIXED_32 -> at += length(Integer.BYTES);
            default -> throw new MalformedException("field is of no type that may be: tag=" + tag + ", at=" + at);
        }
    }

    private void ensure(int length) {
        if (length > bytes.length - at) {
            bytes = Arrays.copyOf(bytes, Math.max(at + length, bytes.length * 2));
        }
    }

    private void put(long value) {
        ensure(MAX_NUMBER_LENGTH);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes[at++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[at++] = (byte) rest;
    }

    /** Writes a number, unless it is 0, which a reader takes for one that is missing. */
    Wire number(int field, long value) {
        if (value != 0) {
            put(numberField(field));
            put(value);
        }
        return this;
    }

    /** Writes bytes, unless there are none. */
    Wire bytes(int field, byte[] value) {
        if (value.length > 0) {
            put(bytesField(field));
            put(value.length);
            ensure(value.length);
            System.arraycopy(value, 0, bytes, at, value.length);
            at += value.length;
        }
        return this;
    }

    byte[] written() {
        return at == bytes.length ? bytes : Arrays.copyOf(bytes, at);
    }
}
