package dev.caskwright.bolt;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.bolt.page.Bytes;
import dev.caskwright.bolt.tree.Tree;
import dev.caskwright.bolt.tree.TreeCursor;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * A place in a bucket that moves in the order of the keys. A move past either end returns false and leaves the cursor where it
 * is. The bucket may be changed meanwhile, also through the cursor: a move then goes to the key after, or before, the one that
 * the cursor was at, and none is left out.
 *
 * <p>For the thread of the transaction.
 */
public final class BoltCursor {
    private final BoltTransaction transaction;
    private final Bucket bucket;
    private final Tree tree;
    private final TreeCursor cursor;

    BoltCursor(BoltTransaction transaction, Bucket bucket, Tree tree) {
        this.transaction = transaction;
        this.bucket = bucket;
        this.tree = tree;
        this.cursor = new TreeCursor(tree);
    }

    /** Moves to the first key; returns false if there is none. */
    public boolean first() throws IOException {
        bucket.checkOpen();
        try {
            return cursor.first();
        } catch (InternalError | CorruptRecordException e) {
            throw transaction.failedRead(e);
        }
    }

    /** Moves to the last key; returns false if there is none. */
    public boolean last() throws IOException {
        bucket.checkOpen();
        try {
            return cursor.last();
        } catch (InternalError | CorruptRecordException e) {
            throw transaction.failedRead(e);
        }
    }

    /** Moves to the first key at or after {@code key}; returns false if there is none. */
    public boolean seek(byte[] key) throws IOException {
        bucket.checkOpen();
        try {
            return cursor.seek(key);
        } catch (InternalError | CorruptRecordException e) {
            throw transaction.failedRead(e);
        }
    }

    /** Moves to the next key; returns false, and stays, if there is none. */
    public boolean next() throws IOException {
        bucket.checkOpen();
        try {
            return cursor.next();
        } catch (InternalError | CorruptRecordException e) {
            throw transaction.failedRead(e);
        }
    }

    /** Moves to the previous key; returns false, and stays, if there is none. */
    public boolean previous() throws IOException {
        bucket.checkOpen();
        try {
            return cursor.previous();
        } catch (InternalError | CorruptRecordException e) {
            throw transaction.failedRead(e);
        }
    }

    /** Returns a copy of the key that the cursor is at. */
    public byte[] key() {
        checkIsAtKey();
        try {
            return cursor.key();
        } catch (InternalError e) {
            throw new UncheckedIOException(transaction.failedRead(e));
        }
    }

    /** Returns whether the cursor is at a key. */
    boolean isAt(byte[] key) {
        checkIsAtKey();
        return Bytes.compare(cursor.keyBytes(), cursor.keyAt(), cursor.keyLength(), key, 0, key.length) == 0;
    }

    /** Returns the key that the cursor is at, where it lies. */
    public ByteView keyView() {
        checkIsAtKey();
        return new ByteView(transaction, cursor.keyBytes(), cursor.keyAt(), cursor.keyLength());
    }

    /** Returns whether the key has a bucket. */
    public boolean isBucket() throws IOException {
        checkIsAtKey();
        return isCurrent() && cursor.isBucket();
    }

    /** Returns a copy of the value, or null if the key has a bucket or was removed meanwhile. */
    public byte @Nullable [] value() throws IOException {
        checkIsAtKey();
        try {
            return hasValue() ? Bytes.copy(cursor.valueBytes(), cursor.valueAt(), cursor.valueLength()) : null;
        } catch (InternalError e) {
            throw transaction.failedRead(e);
        }
    }

    /** Returns the value where it lies, or null if the key has a bucket or was removed meanwhile. */
    public @Nullable ByteView valueView() throws IOException {
        checkIsAtKey();
        return hasValue()
                ? new ByteView(transaction, cursor.valueBytes(), cursor.valueAt(), cursor.valueLength())
                : null;
    }

    private boolean hasValue() throws IOException {
        return isCurrent() && !cursor.isBucket();
    }

    private boolean isCurrent() throws IOException {
        try {
            return cursor.isCurrent();
        } catch (InternalError | CorruptRecordException e) {
            throw transaction.failedRead(e);
        }
    }

    /**
     * Removes the key that the cursor is at; a following {@link #next} goes to the key after it.
     *
     * @throws BucketException if the key has a bucket
     */
    public void delete() throws IOException {
        checkIsAtKey();
        transaction.checkWritable();
        if (isCurrent() && cursor.isBucket()) {
            throw new BucketException(
                    BucketException.Reason.INCOMPATIBLE_VALUE, "the cursor is at a bucket; use deleteBucket");
        }
        try {
            tree.delete(cursor.key());
        } catch (IOException | RuntimeException | Error e) {
            throw transaction.failedChange(e);
        }
    }

    private void checkIsAtKey() {
        bucket.checkOpen();
        if (!cursor.isAtElement()) {
            throw new IllegalStateException("the cursor is at no key: move it first");
        }
    }
}
