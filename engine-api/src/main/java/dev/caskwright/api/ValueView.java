package dev.caskwright.api;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;

/**
 * A value that is read where it lies, without a copy of its own: in memory that the engine uses again as soon as {@link
 * ReadView#read} returns. It was verified. After that every method throws {@link IllegalStateException}. For the thread that
 * was given it.
 */
public final class ValueView {
    private byte[] source;
    private final int offset;
    private final int length;
    private boolean hasEnded;

    /** Makes a view of a part of an array, for engines. */
    public ValueView(byte[] source, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, source.length);
        this.source = source;
        this.offset = offset;
        this.length = length;
    }

    private byte[] source() {
        if (hasEnded) {
            throw new IllegalStateException("the value was read within a call of read() that has ended; copy it there");
        }
        return source;
    }

    /** Ends the view, for engines. */
    public void end() {
        hasEnded = true;
        source = new byte[0];
    }

    /** Returns the length of the value in bytes. */
    public int length() {
        source();
        return length;
    }

    /**
     * Returns the byte at an index.
     *
     * @throws IndexOutOfBoundsException if the index is not from 0 to less than {@link #length()}
     */
    public byte byteAt(int index) {
        return source()[offset + Objects.checkIndex(index, length)];
    }

    /**
     * Returns the eight bytes from an index on as a number, most significant byte first.
     *
     * @throws IndexOutOfBoundsException if the value ends before that
     */
    public long longAt(int index) {
        Objects.checkFromIndexSize(index, Long.BYTES, length);
        return ByteBuffer.wrap(source()).order(ByteOrder.BIG_ENDIAN).getLong(offset + index);
    }

    /**
     * Copies bytes of the value.
     *
     * @throws IndexOutOfBoundsException if the value or the target ends before that
     */
    public void copyTo(int index, byte[] target, int targetOffset, int count) {
        Objects.checkFromIndexSize(index, count, length);
        System.arraycopy(source(), offset + index, target, targetOffset, count);
    }

    /** Copies the value to the position of {@code target}, which has room for it, and advances that. */
    public void copyTo(ByteBuffer target) {
        target.put(source(), offset, length);
    }

    /** Returns a copy of the value. */
    public byte[] toBytes() {
        return Arrays.copyOfRange(source(), offset, offset + length);
    }

    /** Returns whether the value has these bytes. */
    public boolean contentEquals(byte[] bytes) {
        return Arrays.equals(source(), offset, offset + length, bytes, 0, bytes.length);
    }
}
