package dev.caskwright.bolt;

import dev.caskwright.bolt.page.Bytes;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * Bytes of a database, read where they lie, without a copy. A view can be read while its transaction is open; after that each
 * method throws {@link IllegalStateException}. In a write transaction a view shows what was there when it was made.
 *
 * <p>Where the file is mapped and somebody has cut it, a read is an {@link UncheckedIOException}.
 *
 * <p>For the thread of the transaction.
 */
public final class ByteView {
    private final BoltTransaction transaction;
    private final ByteBuffer bytes;
    private final int start;
    private final int length;

    ByteView(BoltTransaction transaction, ByteBuffer bytes, int start, int length) {
        this.transaction = transaction;
        this.bytes = bytes;
        this.start = start;
        this.length = length;
    }

    /** Returns the number of bytes. */
    public int length() {
        transaction.checkReadable();
        return length;
    }

    /** Returns a byte. */
    public byte get(int index) {
        transaction.checkReadable();
        try {
            return bytes.get(start + Objects.checkIndex(index, length));
        } catch (InternalError e) {
            throw new UncheckedIOException(transaction.failedRead(e));
        }
    }

    /** Returns eight bytes as a number, the first one highest. */
    public long getLong(int index) {
        transaction.checkReadable();
        Objects.checkFromIndexSize(index, Long.BYTES, length);
        try {
            return Bytes.getBigEndianLong(bytes, start + index);
        } catch (InternalError e) {
            throw new UncheckedIOException(transaction.failedRead(e));
        }
    }

    /** Copies bytes to an array. */
    public void copyTo(int index, byte[] target, int targetOffset, int count) {
        transaction.checkReadable();
        Objects.checkFromIndexSize(index, count, length);
        try {
            Bytes.copy(bytes, start + index, target, targetOffset, count);
        } catch (InternalError e) {
            throw new UncheckedIOException(transaction.failedRead(e));
        }
    }

    /** Copies all bytes to where {@code target} stands. */
    public void copyTo(ByteBuffer target) {
        transaction.checkReadable();
        try {
            target.put(target.position(), bytes, start, length);
        } catch (InternalError e) {
            throw new UncheckedIOException(transaction.failedRead(e));
        }
        target.position(target.position() + length);
    }

    /** Returns a copy of all bytes. */
    public byte[] toByteArray() {
        byte[] copy = new byte[length];
        copyTo(0, copy, 0, length);
        return copy;
    }
}
