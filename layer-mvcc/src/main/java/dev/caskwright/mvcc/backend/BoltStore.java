package dev.caskwright.mvcc.backend;

import dev.caskwright.bolt.BoltCursor;
import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.BoltTransaction;
import dev.caskwright.bolt.ByteView;
import dev.caskwright.bolt.DatabaseStats;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A database of bolt as a store: each bucket is one of its buckets. It closes the database. Safe for any number of threads.
 */
public final class BoltStore implements OrderedStore {
    private static final double APPENDED_FILL_PERCENT = 0.9;
    private static final int DEFRAGMENT_PAGES = 256; // a commit

    private final BoltDatabase database;

    /** Takes a database that is open; it is closed with the store. */
    public BoltStore(BoltDatabase database) {
        this.database = database;
    }

    @Override
    public View openView() throws IOException {
        return new BoltView(database.beginRead());
    }

    @Override
    public void commit(Changes changes) throws IOException {
        database.update(transaction -> changes.visit(new Changes.Visitor() {
            private dev.caskwright.bolt.@Nullable Bucket target;

            @Override
            public void bucket(Bucket bucket) throws IOException {
                dev.caskwright.bolt.Bucket next = transaction.createBucketIfNotExists(bucket.name());
                if (bucket.isAppended()) {
                    next.setFillPercent(APPENDED_FILL_PERCENT);
                }
                target = next;
            }

            @Override
            public void change(byte[] key, byte @Nullable [] value) throws IOException {
                dev.caskwright.bolt.Bucket into = target;
                if (into == null) {
                    throw new IllegalStateException("no bucket was named");
                }
                if (value == null) {
                    into.delete(key);
                } else {
                    into.put(key, value);
                }
            }
        }));
    }

    @Override
    public long size() throws IOException {
        try (BoltTransaction reader = database.beginRead()) {
            return reader.size();
        }
    }

    @Override
    public long sizeInUse() throws IOException {
        try (BoltTransaction reader = database.beginRead()) {
            DatabaseStats stats = database.stats();
            long pageSize = reader.size() / Math.max(1, stats.pages());
            return Math.max(0, reader.size() - (stats.freePages() + stats.pendingPages()) * pageSize);
        }
    }

    @Override
    public void defragment() throws IOException {
        database.compact(DEFRAGMENT_PAGES);
    }

    @Override
    public void copyTo(OutputStream target) throws IOException {
        database.copyTo(target);
    }

    @Override
    public @Nullable Throwable health() {
        return database.health();
    }

    @Override
    public void close() throws IOException {
        database.close();
    }

    /** A read transaction. */
    private static final class BoltView implements View {
        private final BoltTransaction transaction;
        private @Nullable Bucket known; // the bucket that was looked into last
        private dev.caskwright.bolt.@Nullable Bucket opened;

        BoltView(BoltTransaction transaction) {
            this.transaction = transaction;
        }

        private dev.caskwright.bolt.@Nullable Bucket open(Bucket bucket) throws IOException {
            if (!bucket.equals(known)) {
                opened = transaction.bucket(bucket.name());
                known = bucket;
            }
            return opened;
        }

        @Override
        public byte @Nullable [] get(Bucket bucket, byte[] key) throws IOException {
            dev.caskwright.bolt.Bucket from = open(bucket);
            return from == null ? null : from.get(key);
        }

        @Override
        public Cursor range(Bucket bucket, byte @Nullable [] from, byte @Nullable [] to, boolean descending)
                throws IOException {
            dev.caskwright.bolt.Bucket source = open(bucket);
            return source == null ? new NoCursor() : new BucketCursor(source.cursor(), from, to, descending);
        }

        @Override
        public void close() {
            transaction.close();
        }
    }

    /** A walk over a bucket that is not there. */
    private static final class NoCursor implements Cursor {
        @Override
        public boolean next() {
            return false;
        }

        @Override
        public byte[] key() {
            throw new IllegalStateException("the cursor is at no key");
        }

        @Override
        public byte[] value() {
            throw new IllegalStateException("the cursor is at no key");
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    /** A walk over a bucket. */
    private static final class BucketCursor implements Cursor {
        private final BoltCursor cursor;
        private final byte @Nullable [] from;
        private final byte @Nullable [] to;
        private final boolean isDescending;
        private boolean isStarted;
        private boolean isThere;
        private byte @Nullable [] key; // once it was asked for

        BucketCursor(BoltCursor cursor, byte @Nullable [] from, byte @Nullable [] to, boolean isDescending) {
            this.cursor = cursor;
            this.from = from;
            this.to = to;
            this.isDescending = isDescending;
        }

        @Override
        public boolean next() throws IOException {
            key = null;
            do {
                isThere = isStarted ? (isDescending ? cursor.previous() : cursor.next()) : start();
                isStarted = true;
            } while (isThere && cursor.isBucket()); // somebody else's
            isThere = isThere && isWithin();
            return isThere;
        }

        private boolean start() throws IOException {
            byte[] first = from;
            byte[] end = to;
            if (!isDescending) {
                return first == null ? cursor.first() : cursor.seek(first);
            }
            return end == null || !cursor.seek(end) ? cursor.last() : cursor.previous();
        }

        private boolean isWithin() {
            byte[] bound = isDescending ? from : to;
            if (bound == null) {
                return true;
            }
            int order = Arrays.compareUnsigned(key(), bound);
            return isDescending ? order >= 0 : order < 0;
        }

        private void checkIsThere() {
            if (!isThere) {
                throw new IllegalStateException("the cursor is at no key");
            }
        }

        @Override
        public byte[] key() {
            checkIsThere();
            byte[] at = key;
            if (at == null) {
                at = cursor.key();
                key = at;
            }
            return at;
        }

        @Override
        public byte[] value() throws IOException {
            checkIsThere();
            return Objects.requireNonNull(cursor.value(), "a reader's cursor is where its bucket is");
        }

        @Override
        public int copyKey(byte[] target) {
            checkIsThere();
            return copy(cursor.keyView(), target);
        }

        @Override
        public int copyValue(byte[] target) throws IOException {
            checkIsThere();
            try {
                return copy(
                        Objects.requireNonNull(cursor.valueView(), "a reader's cursor is where its bucket is"), target);
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
        }

        private static int copy(ByteView bytes, byte[] target) {
            int length = bytes.length();
            bytes.copyTo(0, target, 0, Math.min(length, target.length));
            return length;
        }

        @Override
        public void close() {
            // It ends with its view.
        }
    }
}
