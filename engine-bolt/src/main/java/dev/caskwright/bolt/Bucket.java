package dev.caskwright.bolt;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.bolt.BucketException.Reason;
import dev.caskwright.bolt.page.Bytes;
import dev.caskwright.bolt.tree.Tree;
import dev.caskwright.bolt.tree.TreeFigures;
import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A set of keys with values, in the order of their unsigned bytes, and of buckets within it. A name is a key: it has either a
 * value or a bucket.
 *
 * <p>Keys are 1 to {@link #MAX_KEY_LENGTH} bytes long, values up to {@link #MAX_VALUE_LENGTH}. A bucket is good for as long as its
 * transaction is open, and for the thread of the transaction. Arrays that are given are copied.
 */
public final class Bucket {
    /** The greatest length of a key, in bytes. */
    public static final int MAX_KEY_LENGTH = 32_768;

    /** The greatest length of a value, in bytes: so that it fits in a run of pages that this engine reads. */
    public static final int MAX_VALUE_LENGTH = Integer.MAX_VALUE - (1 << 20);

    private final BoltTransaction transaction;
    private final Tree tree;

    Bucket(BoltTransaction transaction, Tree tree) {
        this.transaction = transaction;
        this.tree = tree;
    }

    /** Takes a key with its value; see {@link #forEach}. */
    @FunctionalInterface
    public interface EntryVisitor {
        /** Is called for each key; {@code value} is null for a bucket. */
        void visit(byte[] key, byte @Nullable [] value) throws IOException;
    }

    // ---------------------------------------------------------------- reading

    /** Returns a copy of a key's value, or null if it is absent or has a bucket. */
    public byte @Nullable [] get(byte[] key) throws IOException {
        if (!find(key)) {
            return null;
        }
        try {
            return Bytes.copy(tree.foundBytes(), tree.foundAt(), tree.foundLength());
        } catch (InternalError e) {
            throw transaction.failedRead(e);
        }
    }

    /** Returns a key's value where it lies, or null if the key is absent or has a bucket. */
    public @Nullable ByteView view(byte[] key) throws IOException {
        return find(key) ? new ByteView(transaction, tree.foundBytes(), tree.foundAt(), tree.foundLength()) : null;
    }

    /** Returns whether a key has a value. */
    public boolean contains(byte[] key) throws IOException {
        return find(key);
    }

    private boolean find(byte[] key) throws IOException {
        checkOpen();
        try {
            return tree.find(key, 0, key.length) && !tree.isBucketFound();
        } catch (InternalError | CorruptRecordException e) {
            throw transaction.failedRead(e);
        }
    }

    /** Returns a cursor, which is nowhere yet. */
    public BoltCursor cursor() {
        checkOpen();
        return new BoltCursor(transaction, this, tree);
    }

    /** Visits all keys in order. The visitor may change the bucket: it then sees the key after the one that it had. */
    public void forEach(EntryVisitor visitor) throws IOException {
        BoltCursor cursor = cursor();
        for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
            visitor.visit(cursor.key(), cursor.value());
        }
    }

    /** Visits the names of all buckets in order. */
    public void forEachBucket(EntryVisitor visitor) throws IOException {
        BoltCursor cursor = cursor();
        for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
            if (cursor.isBucket()) {
                visitor.visit(cursor.key(), null);
            }
        }
    }

    // ---------------------------------------------------------------- changing values

    /** Puts a value, in place of one that may be there. */
    public void put(byte[] key, byte[] value) throws IOException {
        put(key, value, MAX_KEY_LENGTH);
    }

    void put(byte[] key, byte[] value, int maxKeyLength) throws IOException {
        checkWritable();
        checkKey(key, maxKeyLength);
        if (value.length > MAX_VALUE_LENGTH) {
            throw new IllegalArgumentException(
                    "value is too long: length=" + value.length + ", allowed=" + MAX_VALUE_LENGTH);
        }
        boolean isPut;
        try {
            isPut = tree.put(key, value);
        } catch (IOException | RuntimeException | Error e) {
            throw transaction.failedChange(e);
        }
        if (!isPut) {
            throw hasBucket(key);
        }
        transaction.willPut();
    }

    /** Removes a key that may be there; returns whether it was. */
    public boolean delete(byte[] key) throws IOException {
        checkWritable();
        if (!tree.find(key, 0, key.length)) {
            return false;
        }
        if (tree.isBucketFound()) {
            throw hasBucket(key);
        }
        try {
            tree.delete(key);
        } catch (IOException | RuntimeException | Error e) {
            throw transaction.failedChange(e);
        }
        return true;
    }

    /** Removes the values of all keys from {@code from} on to before {@code to}; buckets stay. Returns how many it removed. */
    public long deleteRange(byte[] from, byte @Nullable [] to) throws IOException {
        checkWritable();
        long removed = 0;
        BoltCursor cursor = cursor();
        for (boolean isThere = cursor.seek(from);
                isThere && (to == null || Arrays.compareUnsigned(cursor.key(), to) < 0);
                isThere = cursor.next()) {
            if (!cursor.isBucket()) {
                cursor.delete();
                removed++;
            }
        }
        return removed;
    }

    private static BucketException hasBucket(byte[] key) {
        return new BucketException(
                Reason.INCOMPATIBLE_VALUE, "the key has a bucket, not a value: key=" + describe(key));
    }

    private static void checkKey(byte[] key, int maxLength) {
        if (key.length == 0 || key.length > maxLength) {
            throw new IllegalArgumentException("a key has 1 to " + maxLength + " bytes: length=" + key.length);
        }
    }

    // ---------------------------------------------------------------- buckets

    /** Returns the bucket of that name, or null if there is none. */
    public @Nullable Bucket bucket(byte[] name) throws IOException {
        checkOpen();
        Tree nested;
        try {
            nested = tree.bucket(name);
        } catch (InternalError | CorruptRecordException e) {
            throw transaction.failedRead(e);
        }
        return nested == null ? null : new Bucket(transaction, nested);
    }

    /**
     * Makes a bucket.
     *
     * @throws BucketException if the name has a bucket or a value already
     */
    public Bucket createBucket(byte[] name) throws IOException {
        checkWritable();
        checkKey(name, MAX_KEY_LENGTH);
        checkIsAbsent(name);
        transaction.willPut();
        try {
            return new Bucket(transaction, tree.createBucket(name));
        } catch (IOException | RuntimeException | Error e) {
            throw transaction.failedChange(e);
        }
    }

    /**
     * Returns the bucket of that name, which is made if there is none.
     *
     * @throws BucketException if the name has a value
     */
    public Bucket createBucketIfNotExists(byte[] name) throws IOException {
        checkWritable();
        Bucket there = bucket(name);
        return there != null ? there : createBucket(name);
    }

    /**
     * Deletes a bucket with everything in it.
     *
     * @throws BucketException if there is none
     */
    public void deleteBucket(byte[] name) throws IOException {
        checkWritable();
        checkIsBucket(name);
        try {
            tree.deleteBucket(name);
        } catch (IOException | RuntimeException | Error e) {
            throw transaction.failedChange(e);
        }
    }

    /**
     * Moves a bucket with everything in it to another bucket of the same transaction, under the same name.
     *
     * @throws BucketException if there is none, the name is taken there, or the bucket would be within itself
     */
    public void moveBucket(byte[] name, Bucket target) throws IOException {
        checkWritable();
        target.checkWritable();
        if (target.transaction != transaction) {
            throw new IllegalArgumentException("buckets are of different transactions");
        }
        checkIsBucket(name);
        target.checkIsAbsent(name);
        Tree moved = Objects.requireNonNull(tree.bucket(name));
        if (moved.holds(target.tree)) {
            throw new BucketException(
                    Reason.INCOMPATIBLE_VALUE, "a bucket cannot be moved into itself: name=" + describe(name));
        }
        transaction.willPut();
        try {
            tree.moveBucket(name, target.tree);
        } catch (IOException | RuntimeException | Error e) {
            throw transaction.failedChange(e);
        }
    }

    private void checkIsBucket(byte[] name) throws IOException {
        if (!tree.find(name, 0, name.length)) {
            throw new BucketException(Reason.NOT_FOUND, "no such bucket: name=" + describe(name));
        }
        if (!tree.isBucketFound()) {
            throw new BucketException(
                    Reason.INCOMPATIBLE_VALUE, "the key has a value, not a bucket: key=" + describe(name));
        }
    }

    private void checkIsAbsent(byte[] name) throws IOException {
        if (tree.find(name, 0, name.length)) {
            throw tree.isBucketFound()
                    ? new BucketException(Reason.EXISTS, "there is a bucket of that name: name=" + describe(name))
                    : new BucketException(
                            Reason.INCOMPATIBLE_VALUE, "the key has a value, not a bucket: key=" + describe(name));
        }
    }

    /** Returns a key for an error: printable, and not longer than a line. */
    static String describe(byte[] key) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(key.length, 40); i++) {
            text.append(
                    key[i] > ' ' && key[i] < 0x7F ? String.valueOf((char) key[i]) : String.format("\\x%02x", key[i]));
        }
        return key.length > 40 ? text + "… (" + key.length + " bytes)" : text.toString();
    }

    // ---------------------------------------------------------------- properties

    /** Returns the bucket's sequence, 0 at first. */
    public long sequence() {
        checkOpen();
        return tree.sequence();
    }

    /** Sets the bucket's sequence. */
    public void setSequence(long value) throws IOException {
        checkWritable();
        try {
            tree.setSequence(value);
        } catch (IOException | RuntimeException | Error e) {
            throw transaction.failedChange(e);
        }
    }

    /** Adds one to the bucket's sequence and returns it. */
    public long nextSequence() throws IOException {
        setSequence(tree.sequence() + 1);
        return tree.sequence();
    }

    /** Returns how full pages are made when one must be cut. */
    public double fillPercent() {
        return tree.fillPercent();
    }

    /**
     * Sets how full pages are made when one must be cut: 0.5 by default, which suits keys in random order; 0.9 and more suit keys
     * that are put in order. It holds for this transaction.
     *
     * @param percent a part of a page; less than 0.1 counts as 0.1, more than 1 as 1
     */
    public void setFillPercent(double percent) {
        checkWritable();
        tree.setFillPercent(percent);
    }

    /** Returns figures about the bucket as this transaction sees it. Reads all of its pages. */
    public BucketStats stats() throws IOException {
        checkOpen();
        TreeFigures counted;
        try {
            counted = TreeFigures.of(tree);
        } catch (InternalError | CorruptRecordException e) {
            throw transaction.failedRead(e);
        }
        boolean hasPages = counted.depth() > 0;
        long runs = counted.branches() + counted.leaves();
        return new BucketStats(
                counted.keys(),
                counted.buckets(),
                counted.inlineBuckets(),
                counted.depth(),
                counted.branches(),
                hasPages ? counted.leaves() : 0,
                counted.overflow(),
                counted.usedBytes(),
                hasPages ? (runs + counted.overflow()) * transaction.pageSize() : 0);
    }

    /** Returns the root page, 0 if the bucket is stored in its parent's page. */
    public long root() {
        checkOpen();
        return tree.root();
    }

    void checkOpen() {
        transaction.checkReadable();
        if (tree.isDropped()) {
            throw new IllegalStateException("the bucket was deleted");
        }
    }

    private void checkWritable() {
        transaction.checkWritable();
        if (tree.isDropped()) {
            throw new IllegalStateException("the bucket was deleted");
        }
    }
}
