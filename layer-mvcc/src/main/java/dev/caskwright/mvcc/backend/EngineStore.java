package dev.caskwright.mvcc.backend;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.BoltTransaction;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Any {@link StorageEngine} with an order as a store: Bitcask over {@code btree}, for one. The keys of a bucket start with the length
 * of its name, in one byte, and its name. It closes the engine. Safe for any number of threads.
 */
public final class EngineStore implements OrderedStore {
    private static final int COPIED_KEYS = 10_000; // a commit

    private final StorageEngine engine;
    private final List<Bucket> buckets;
    private final CopyTarget copyTarget;
    private volatile @Nullable Snapshot lastDurable; // of before the commit that failed; closed with the engine
    private volatile @Nullable Throwable failure; // of a commit of which it is not known whether it was applied

    /** Makes an empty database of bolt for a copy, in a place that may be written to. */
    @FunctionalInterface
    public interface CopyTarget {
        /** Returns a path at which there is no file. The file that is made there is closed, not removed, after the copy. */
        Path next() throws IOException;
    }

    /**
     * Takes an engine that is open; it is closed with the store.
     *
     * @param buckets the buckets that {@link #copyTo} copies
     * @param copyTarget where {@link #copyTo} puts a database together before it writes it to the stream
     * @throws IllegalArgumentException if the engine has no order
     */
    public EngineStore(StorageEngine engine, List<Bucket> buckets, CopyTarget copyTarget) {
        if (engine.facet(OrderedView.class).isEmpty()) {
            throw new IllegalArgumentException("the engine has no order: open it with an ordered index, such as btree");
        }
        this.engine = engine;
        this.buckets = List.copyOf(buckets);
        this.copyTarget = copyTarget;
    }

    private static byte[] prefix(Bucket bucket) {
        byte[] name = bucket.name();
        byte[] prefix = new byte[name.length + 1];
        prefix[0] = (byte) name.length;
        System.arraycopy(name, 0, prefix, 1, name.length);
        return prefix;
    }

    private static byte[] prefixed(byte[] prefix, byte[] key) {
        byte[] whole = Arrays.copyOf(prefix, prefix.length + key.length);
        System.arraycopy(key, 0, whole, prefix.length, key.length);
        return whole;
    }

    @Override
    public View openView() throws IOException {
        Snapshot kept = lastDurable;
        return kept != null ? new EngineView(kept, false) : new EngineView(engine.snapshot(), true);
    }

    @Override
    public void commit(Changes changes) throws IOException {
        WriteBatch batch = new WriteBatch();
        changes.visit(new Changes.Visitor() {
            private byte[] prefix = new byte[0];

            @Override
            public void bucket(Bucket bucket) {
                prefix = prefix(bucket);
            }

            @Override
            public void change(byte[] key, byte @Nullable [] value) {
                byte[] whole = prefixed(prefix, key);
                if (value == null) {
                    batch.delete(whole);
                } else {
                    batch.put(whole, value);
                }
            }
        });
        Throwable earlier = failure;
        if (earlier != null) {
            throw new EngineFailedException(
                    Outcome.NOT_APPLIED,
                    "an earlier commit may have been applied; reopen the store: " + earlier,
                    earlier);
        }
        Snapshot before = engine.snapshot();
        boolean isKept = false;
        try {
            engine.write(batch, WriteOptions.SYNC);
        } catch (IOException | RuntimeException | Error e) {
            if (e instanceof EngineException known && known.outcome() == Outcome.NOT_APPLIED) {
                throw e;
            }
            Outcome found = settle(before, batch, e);
            if (found == Outcome.APPLIED) {
                return; // it failed after that, for want of memory to wait for the force, say
            }
            if (found == Outcome.NOT_APPLIED) {
                throw new EngineException(ErrorCode.UNAVAILABLE, found, "nothing was written, try again: " + e, e);
            }
            // The engine may show what it could not make durable; whoever is told of a failure is not to see that, nor
            // what
            // would be written on top of it.
            lastDurable = before;
            failure = e;
            isKept = true;
            throw e;
        } finally {
            if (!isKept) {
                before.close();
            }
        }
    }

    /** Looks what an engine that is well has made of a batch whose write failed, and forces it if it is there. */
    private Outcome settle(Snapshot before, WriteBatch batch, Throwable failure) {
        try (Snapshot now = engine.snapshot()) {
            if (engine.health() == null) {
                if (!isChanged(before, now, batch)) {
                    return Outcome.NOT_APPLIED;
                }
                engine.sync();
                return Outcome.APPLIED;
            }
        } catch (IOException | RuntimeException | Error e) { // so it is not known
            Causes.add(failure, e);
        }
        return Outcome.UNKNOWN;
    }

    private static boolean isChanged(Snapshot before, Snapshot now, WriteBatch batch) throws IOException {
        for (WriteBatch.Change change : batch.changes()) {
            if (!Arrays.equals(before.get(change.key()), now.get(change.key()))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long size() {
        return engine.stats().space().diskBytes();
    }

    @Override
    public long sizeInUse() {
        return engine.stats().space().diskBytes() - engine.stats().space().deadBytes();
    }

    @Override
    public void defragment() throws IOException {
        engine.require(Merging.class).merge();
    }

    @Override
    public void copyTo(OutputStream target) throws IOException {
        try (BoltDatabase copy = BoltDatabase.open(copyTarget.next());
                View view = openView()) {
            for (Bucket bucket : buckets) {
                try (Cursor cursor = view.range(bucket, null, null, false)) {
                    boolean isThere = cursor.next();
                    while (isThere) {
                        isThere = copySome(copy, bucket, cursor);
                    }
                }
            }
            copy.copyTo(target);
        }
    }

    /** Copies the key that the cursor is at and some after it; returns whether there are more. */
    private static boolean copySome(BoltDatabase copy, Bucket bucket, Cursor cursor) throws IOException {
        try (BoltTransaction transaction = copy.beginWrite()) {
            dev.caskwright.bolt.Bucket into = transaction.createBucketIfNotExists(bucket.name());
            boolean isThere = true;
            for (int i = 0; isThere && i < COPIED_KEYS; i++) {
                into.put(cursor.key(), cursor.value());
                isThere = cursor.next();
            }
            transaction.commit();
            return isThere;
        }
    }

    @Override
    public @Nullable Throwable health() {
        Throwable own = failure;
        return own != null ? own : engine.health();
    }

    @Override
    public void close() throws IOException {
        engine.close();
    }

    /** A snapshot. */
    private static final class EngineView implements View {
        private final Snapshot snapshot;
        private final boolean isOwn;

        EngineView(Snapshot snapshot, boolean isOwn) {
            this.snapshot = snapshot;
            this.isOwn = isOwn;
        }

        @Override
        public byte @Nullable [] get(Bucket bucket, byte[] key) throws IOException {
            return snapshot.get(prefixed(prefix(bucket), key));
        }

        @Override
        public Cursor range(Bucket bucket, byte @Nullable [] from, byte @Nullable [] to, boolean descending)
                throws IOException {
            byte[] prefix = prefix(bucket);
            Range range = Range.prefix(prefix).descending(descending);
            if (from != null) {
                range = range.from(prefixed(prefix, from), true);
            }
            if (to != null) {
                range = range.to(prefixed(prefix, to), false);
            }
            OrderedView ordered = snapshot.ordered();
            return new EngineCursor(ordered.range(range), prefix.length);
        }

        @Override
        public void close() {
            if (isOwn) {
                snapshot.close();
            }
        }
    }

    /** A walk over the keys of a bucket. */
    private static final class EngineCursor implements Cursor {
        private final dev.caskwright.api.Cursor cursor;
        private final int prefixLength;
        private @Nullable Entry entry;

        EngineCursor(dev.caskwright.api.Cursor cursor, int prefixLength) {
            this.cursor = cursor;
            this.prefixLength = prefixLength;
        }

        @Override
        public boolean next() throws IOException {
            entry = cursor.next();
            return entry != null;
        }

        private Entry entry() {
            Entry at = entry;
            if (at == null) {
                throw new IllegalStateException("the cursor is at no key");
            }
            return at;
        }

        @Override
        public byte[] key() {
            byte[] whole = entry().key();
            return Arrays.copyOfRange(whole, prefixLength, whole.length);
        }

        @Override
        public byte[] value() {
            return entry().value();
        }

        @Override
        public void close() {
            cursor.close();
        }
    }
}
