package dev.caskwright.mvcc.backend;

import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * What the layer needs of an engine: buckets of ordered keys, views of one moment, and changes that are committed all or none.
 *
 * <p>Views may be opened by any number of threads; each belongs to one. Commits come one after another.
 */
public interface OrderedStore extends AutoCloseable {
    /** Opens a view of what was committed last. The caller closes it. */
    View openView() throws IOException;

    /**
     * Makes changes the current state, all of them or none, so that they survive a power loss.
     *
     * @throws dev.caskwright.api.EngineException its outcome says whether the changes may be there after a reopening
     */
    void commit(Changes changes) throws IOException;

    /** Returns the length of what is stored and of what is free within it, in bytes. A file may be longer, to grow ahead. */
    long size() throws IOException;

    /** Returns how much of {@link #size} is in use, in bytes: the rest is used again before more is taken. */
    long sizeInUse() throws IOException;

    /** Gives back what is not in use, in slices, beside readers and writers. */
    void defragment() throws IOException;

    /** Writes what was committed last to a stream, as a database file of bolt, beside commits. The stream is not closed. */
    void copyTo(OutputStream target) throws IOException;

    /** Returns the first failure that keeps the store from committing until it is opened again, or null. */
    @Nullable Throwable health();

    @Override
    void close() throws IOException;

    /** The store at one moment. For one thread. */
    interface View extends AutoCloseable {
        /** Returns a copy of a key's value, or null if there is none. */
        byte @Nullable [] get(Bucket bucket, byte[] key) throws IOException;

        /**
         * Returns a cursor over the keys from {@code from} on to before {@code to}; it is before the first one.
         *
         * @param from null for the first key of the bucket
         * @param to null for the end of the bucket
         * @param descending whether to walk from the last key to the first
         */
        Cursor range(Bucket bucket, byte @Nullable [] from, byte @Nullable [] to, boolean descending)
                throws IOException;

        @Override
        void close();
    }

    /** A walk over keys in order. For the thread of its view, and good for as long as that is open. */
    interface Cursor extends AutoCloseable {
        /** Moves to the next key; returns false if there is none. */
        boolean next() throws IOException;

        /** Returns the key that the cursor is at. */
        byte[] key();

        /** Returns the value of the key that the cursor is at. */
        byte[] value() throws IOException;

        /** Copies the key to the start of an array, as much of it as has room there; returns its whole length. */
        default int copyKey(byte[] target) {
            byte[] key = key();
            System.arraycopy(key, 0, target, 0, Math.min(key.length, target.length));
            return key.length;
        }

        /** Copies the value to the start of an array, as much of it as has room there; returns its whole length. */
        default int copyValue(byte[] target) throws IOException {
            byte[] value = value();
            System.arraycopy(value, 0, target, 0, Math.min(value.length, target.length));
            return value.length;
        }

        @Override
        void close();
    }

    /** Takes changes, in the order of the keys of each bucket. */
    interface Changes {
        /** Shows the changes to each bucket. */
        void visit(Visitor visitor) throws IOException;

        /** Takes one change. */
        interface Visitor {
            /** Is called before the changes of a bucket. */
            void bucket(Bucket bucket) throws IOException;

            /** Takes a new value of a key, or null if it is removed. The arrays are neither changed nor kept. */
            void change(byte[] key, byte @Nullable [] value) throws IOException;
        }
    }
}
