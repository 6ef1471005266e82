package dev.caskwright.bolt;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.SpaceStats;
import dev.caskwright.api.Spaces;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.WriteStats;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Cleaner;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A bucket of a bolt file as a store of the toolkit. Its nested buckets are its spaces; the name of one is no key, and cannot be
 * put as one.
 *
 * <p>Every write is a commit, which threads that write at the same time share. Over a database that forces its commits, as they
 * do by default, each is durable as {@link Durability#SYNC} whatever was asked for: in this format a commit that is not forced
 * would endanger those before it. Over one that does not, a write survives the death of the process, {@code SYNC} forces what was
 * written up to then, and a power loss at another time may damage the whole file.
 *
 * <p>Keys of more than 32,768 bytes are read and kept by bbolt, which refuses to put them itself. Values are up to {@link
 * Bucket#MAX_VALUE_LENGTH} bytes long. Entries have no versions and do not expire. Cursors show the moment at which they were
 * made, and keep the pages of that moment from being used again. {@link #size} and {@link #stats} count, once for each state.
 *
 * <p>Safe for any number of threads.
 */
public final class BoltEngine extends BucketView
        implements StorageEngine, OrderedView, ConditionalWrites, Transactions, Spaces, Integrity, Backups {
    private static final Cleaner CLEANER = Cleaner.create();

    private final BoltDatabase database;
    private final Shared shared;
    private final boolean ownsDatabase;
    private final Durability durability; // of writes that do not say, if commits are not forced
    private volatile boolean isClosed;
    private volatile Count count = new Count(-1, 0, 0); // of the state that it was made for

    /** What all handles of one database have in common. */
    private static final class Shared {
        final Set<StatePin> pins = ConcurrentHashMap.newKeySet();
        final WriteMarks marks = new WriteMarks();
    }

    private record Count(long state, long keys, long bytes) {}

    private BoltEngine(
            BoltDatabase database, List<byte[]> path, Shared shared, boolean ownsDatabase, Durability durability) {
        super(path);
        this.database = database;
        this.shared = shared;
        this.ownsDatabase = ownsDatabase;
        this.durability = durability;
    }

    /**
     * Returns the store of a bucket. Closing it closes the database.
     *
     * @param path names of the bucket and those that it is in, the outermost first
     * @param creates whether a missing bucket is made
     * @throws BucketException if there is no such bucket, or a name has a value; the database stays open
     */
    public static BoltEngine over(BoltDatabase database, List<byte[]> path, boolean creates) throws IOException {
        return over(database, path, creates, Durability.WRITE);
    }

    static BoltEngine over(BoltDatabase database, List<byte[]> path, boolean creates, Durability durability)
            throws IOException {
        List<byte[]> names = path.stream().map(byte[]::clone).toList();
        if (names.isEmpty()) {
            throw new IllegalArgumentException("a store is in a bucket: name one");
        }
        BoltEngine engine = new BoltEngine(database, names, new Shared(), true, durability);
        boolean isThere = database.query(transaction -> engine.isThere(transaction));
        if (!isThere) {
            if (!creates) {
                throw new BucketException(
                        BucketException.Reason.NOT_FOUND,
                        "no such bucket: bucket=" + describe(names) + ", file="
                                + database.store().name());
            }
            database.update(transaction -> {
                Bucket bucket = transaction.root();
                for (byte[] name : names) {
                    bucket = bucket.createBucketIfNotExists(name);
                }
            });
        }
        return engine;
    }

    private boolean isThere(BoltTransaction transaction) throws IOException {
        Bucket bucket = transaction.root();
        for (byte[] name : path()) {
            bucket = bucket == null ? null : bucket.bucket(name);
        }
        return bucket != null;
    }

    /** Returns the database that the store is in. */
    public BoltDatabase database() {
        return database;
    }

    @Override
    public String describe() {
        return "engine=BoltEngine, bucket=" + describe(path());
    }

    private void checkOpen() throws EngineClosedException {
        if (isClosed) {
            throw new EngineClosedException("the store is closed: bucket=" + describe(path()));
        }
    }

    // ---------------------------------------------------------------- reading

    @Override
    <T> @Nullable T read(Read<T> read) throws IOException {
        checkOpen();
        BoltTransaction transaction = database.beginUncutRead();
        try {
            return read.of(bucket(transaction));
        } finally {
            transaction.end();
        }
    }

    private StatePin pin() throws IOException {
        checkOpen();
        BoltTransaction transaction = database.beginUncutRead();
        StatePin[] made = new StatePin[1];
        StatePin pin = new StatePin(transaction, () -> shared.pins.remove(made[0]));
        made[0] = pin;
        shared.pins.add(pin);
        if (isClosed || database.isClosed()) { // then whoever closed may not have seen this pin
            pin.close();
            throw new EngineClosedException("the store is closed: bucket=" + describe(path()));
        }
        return pin;
    }

    @Override
    public Snapshot snapshot() throws IOException {
        StatePin pin = pin();
        BoltSnapshot snapshot = new BoltSnapshot(this, pin);
        CLEANER.register(snapshot, pin);
        return snapshot;
    }

    @Override
    public Cursor cursor() throws IOException {
        return range(Range.all());
    }

    @Override
    public Cursor range(Range range) throws IOException {
        StatePin pin = pin();
        BucketEntries cursor = new BucketEntries(this, pin, range, pin::close);
        CLEANER.register(cursor, pin);
        return cursor;
    }

    // ---------------------------------------------------------------- writing

    /** Changes something; returns whether it did. */
    @FunctionalInterface
    private interface Write {
        boolean to(Bucket bucket) throws IOException;
    }

    /** Says whether something is to be written. */
    @FunctionalInterface
    interface Condition {
        boolean isMet(Bucket bucket) throws IOException;
    }

    /** Refuses what this engine does not hold, before anything is touched. */
    void checkOptions(WriteOptions options) {
        if (options.hasExpiry()) {
            throw MissingFacetException.of(Expiry.class, this);
        }
    }

    WriteMarks marks() {
        return shared.marks;
    }

    private boolean write(WriteOptions options, Write write) throws IOException {
        checkOpen();
        boolean[] answer = new boolean[1];
        database.batch(transaction -> answer[0] = write.to(bucket(transaction)));
        if (!database.forcesCommits() && options.durabilityOr(durability) == Durability.SYNC) {
            forceWritten();
        }
        return answer[0];
    }

    /** Forces what was written; what refuses that before it has begun leaves the write as it is. */
    private void forceWritten() throws IOException {
        try {
            database.sync();
        } catch (EngineException e) {
            if (e.outcome() != Outcome.NOT_APPLIED) {
                throw e;
            }
            throw new EngineException(e.code(), Outcome.APPLIED, "written, but not forced: " + e.getMessage(), e);
        }
    }

    private boolean write(byte[] key, WriteOptions options, Write write) throws IOException {
        checkKey(key);
        checkOptions(options);
        boolean isChanged = write(options, bucket -> {
            boolean isWritten = write.to(bucket);
            if (isWritten) {
                shared.marks.mark(key);
            }
            return isWritten;
        });
        if (isChanged) {
            shared.marks.mark(key); // again, for who looked between the first mark and the commit
        }
        return isChanged;
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        write(key, options, bucket -> {
            bucket.put(key, value, MAX_KEY_LENGTH);
            return true;
        });
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        return write(key, options, bucket -> bucket.delete(key));
    }

    @Override
    public boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException {
        return write(key, options, bucket -> {
            boolean isAbsent = !bucket.contains(key);
            if (isAbsent) {
                bucket.put(key, value, MAX_KEY_LENGTH);
            }
            return isAbsent;
        });
    }

    @Override
    public boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException {
        return write(key, options, bucket -> {
            boolean isExpected = isEqual(bucket.get(key), expected);
            if (isExpected) {
                bucket.put(key, value, MAX_KEY_LENGTH);
            }
            return isExpected;
        });
    }

    @Override
    public boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException {
        return write(key, options, bucket -> isEqual(bucket.get(key), expected) && bucket.delete(key));
    }

    private static boolean isEqual(byte @Nullable [] value, byte[] expected) {
        return value != null && Arrays.equals(value, expected);
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        writeIf(bucket -> true, batch, options);
    }

    /** Applies a batch if something holds of the latest state; returns whether it did. */
    boolean writeIf(Condition condition, WriteBatch batch, WriteOptions options) throws IOException {
        checkOptions(options);
        List<WriteBatch.Change> changes = batch.changes();
        for (WriteBatch.Change change : changes) {
            checkKey(change.key());
            checkOptions(change.expiry());
        }
        boolean isWritten = write(options, bucket -> {
            if (!condition.isMet(bucket)) {
                return false;
            }
            for (WriteBatch.Change change : changes) {
                byte[] value = change.value();
                if (value == null) {
                    bucket.delete(change.key());
                } else {
                    bucket.put(change.key(), value, MAX_KEY_LENGTH);
                }
                shared.marks.mark(change.key());
            }
            return true;
        });
        if (isWritten) {
            changes.forEach(change -> shared.marks.mark(change.key()));
        }
        return isWritten;
    }

    @Override
    public Transaction transaction() {
        return new OptimisticTransaction(this);
    }

    // ---------------------------------------------------------------- spaces

    private BoltEngine nested(byte[] name) {
        List<byte[]> names = new ArrayList<>(path());
        names.add(name.clone());
        return new BoltEngine(database, List.copyOf(names), shared, false, durability);
    }

    @Override
    public Optional<StorageEngine> space(byte[] name) throws IOException {
        checkKey(name);
        boolean isThere = is(bucket -> bucket.bucket(name) != null);
        return isThere ? Optional.of(nested(name)) : Optional.empty();
    }

    /** @throws BucketException if the name is that of a key, or longer than {@link Bucket#MAX_KEY_LENGTH} */
    @Override
    public StorageEngine createSpace(byte[] name) throws IOException {
        checkKey(name);
        write(WriteOptions.DEFAULT, bucket -> bucket.createBucketIfNotExists(name) != null);
        return nested(name);
    }

    @Override
    public boolean dropSpace(byte[] name) throws IOException {
        checkKey(name);
        return write(WriteOptions.DEFAULT, bucket -> {
            boolean isThere = bucket.bucket(name) != null;
            if (isThere) {
                bucket.deleteBucket(name);
            }
            return isThere;
        });
    }

    @Override
    public List<byte[]> spaceNames() throws IOException {
        return Objects.requireNonNull(read(bucket -> {
            List<byte[]> names = new ArrayList<>();
            bucket.forEachBucket((name, nothing) -> names.add(name));
            return names;
        }));
    }

    // ---------------------------------------------------------------- the whole store

    private Count count() throws IOException {
        checkOpen();
        BoltTransaction transaction = database.beginUncutRead();
        try {
            Count known = count;
            if (known.state != transaction.id()) {
                known = count(transaction.id(), bucket(transaction).cursor());
                count = known;
            }
            return known;
        } finally {
            transaction.end();
        }
    }

    private static Count count(long state, BoltCursor cursor) throws IOException {
        long keys = 0;
        long bytes = 0;
        for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
            ByteView value = cursor.valueView();
            if (value != null) {
                keys++;
                bytes += cursor.keyView().length() + value.length();
            }
        }
        return new Count(state, keys, bytes);
    }

    private Count countIfOpen() {
        try {
            return count();
        } catch (EngineClosedException e) {
            return new Count(0, 0, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public long size() throws IOException {
        try {
            return count().keys;
        } catch (EngineClosedException e) {
            return 0;
        }
    }

    /**
     * Returns figures of the bucket and of its file.
     *
     * @throws UncheckedIOException if the bucket cannot be read
     */
    @Override
    public EngineStats stats() {
        Count counted = countIfOpen();
        DatabaseStats figures = database.stats();
        long pageSize = database.store().pageSize();
        long dead = (figures.freePages() + figures.pendingPages()) * pageSize;
        return EngineStats.of(counted.keys, database.state(), shared.pins.size())
                .with(new SpaceStats(
                        1, figures.pages() * pageSize, counted.bytes, dead, figures.pendingPages() * pageSize))
                .with(new MemoryStats(database.freelistBytes(), 0, 0, 0))
                .with(new WriteStats(figures.writtenPages() * pageSize));
    }

    @Override
    public @Nullable Throwable health() {
        return database.health();
    }

    @Override
    public void sync() throws IOException {
        checkOpen();
        database.sync();
    }

    /** Checks the whole file, all buckets included. The format has no checksums of pages: a wrong byte of a value is not seen. */
    @Override
    public VerifyReport verify() throws IOException {
        checkOpen();
        return BoltAtRest.report(database);
    }

    /**
     * Copies the whole file, all buckets included, beside commits.
     *
     * @param target a missing file, or an earlier backup of the file at this path that nobody has written to since: that is
     *     replaced, at once, by a whole new copy
     */
    @Override
    public CopyReport backup(Path target) throws IOException {
        checkOpen();
        return FileBackup.write(database, target);
    }

    /** Closes the store; if it is not a space of another one, also the database, with all that was handed out. */
    @Override
    public void close() throws IOException {
        if (isClosed) {
            return;
        }
        isClosed = true;
        if (!ownsDatabase) {
            return;
        }
        try {
            if (!database.forcesCommits() && database.health() == null) {
                database.sync();
            }
        } finally {
            try {
                database.close();
            } finally {
                shared.pins.forEach(StatePin::close);
            }
        }
    }
}
