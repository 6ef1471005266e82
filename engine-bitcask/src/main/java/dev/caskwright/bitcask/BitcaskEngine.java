package dev.caskwright.bitcask;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ChangeVisitor;
import dev.caskwright.api.ClockStats;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EncryptionStats;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Facet;
import dev.caskwright.api.ImageStats;
import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.MergeStats;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OpeningStats;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Retry;
import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.SpaceStats;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.ValueReader;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.Versions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.WriteStats;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.api.spi.index.KeyIndexProvider;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.log.LogCopy;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLogFactory;
import dev.caskwright.bitcask.background.Background;
import dev.caskwright.bitcask.copy.Copies;
import dev.caskwright.bitcask.copy.Salvage;
import dev.caskwright.bitcask.log.SegmentedLogFactory;
import dev.caskwright.bitcask.merge.MergePolicy;
import dev.caskwright.bitcask.merge.Merger;
import dev.caskwright.bitcask.read.ChangeReader;
import dev.caskwright.bitcask.read.FullScan;
import dev.caskwright.bitcask.read.Ordered;
import dev.caskwright.bitcask.read.Reads;
import dev.caskwright.bitcask.read.SnapshotView;
import dev.caskwright.bitcask.replay.ImageCheck;
import dev.caskwright.bitcask.store.LeakGuard;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Snapshots;
import dev.caskwright.bitcask.store.Store;
import dev.caskwright.bitcask.write.OptimisticTransaction;
import dev.caskwright.bitcask.write.Writes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A storage engine after Bitcask (Sheehy and Smith, 2010): an append-only log of data files, and in memory an index from
 * each key to the place of its latest record. See {@link StorageEngine} for what it promises. It always holds the facets
 * that it implements, and an {@link dev.caskwright.api.OrderedView} if its index has an order; what is done with stores that
 * are not open is held by {@link #atRest}.
 *
 * <p>{@code BitcaskEngine.open(directory)} opens a store with the defaults; {@link #builder} chooses the parts.
 */
public final class BitcaskEngine
        implements StorageEngine, ConditionalWrites, Versions, Transactions, Expiry, ChangeFeed, Merging, Backups {
    private final Opening.Parts parts;
    private final Store store;
    private final Reads reads;
    private final Writes writes;
    private final Merger merger;
    private final ReentrantLock closing = new ReentrantLock();

    BitcaskEngine(Opening.Parts parts) {
        this.parts = parts;
        this.store = parts.store();
        this.reads = parts.reads();
        this.writes = parts.writes();
        this.merger = parts.merger();
    }

    /** Opens the store in a directory with an on-heap hash index and plain file IO; makes it if there is none. */
    public static BitcaskEngine open(Path directory) throws IOException {
        return builder(directory).open();
    }

    /** Starts to configure a store in a directory. */
    public static EngineBuilder builder(Path directory) {
        return new EngineBuilder(directory);
    }

    /**
     * Returns the store in a directory, not opened, which holds {@link dev.caskwright.api.Integrity}, {@link
     * dev.caskwright.api.Salvaging}, {@link Backups} and {@link dev.caskwright.api.Restoring}. Touches nothing.
     */
    public static StoreAtRest atRest(Path directory, IoManagerFactory ioFactory) {
        return new BitcaskFiles(directory, ioFactory, null);
    }

    /** As {@link #atRest(Path, IoManagerFactory)}, for a store that is encrypted, or whose salvage is to be. */
    public static StoreAtRest atRest(Path directory, IoManagerFactory ioFactory, Encryption encryption) {
        return new BitcaskFiles(directory, ioFactory, Objects.requireNonNull(encryption, "encryption"));
    }

    /**
     * Reads every byte of the store in a directory and tells what is damaged. Changes nothing; the store must not be open
     * for writing. An image of the key index is compared with the log if an index that can read it is found among the
     * plug-ins; that takes memory for an index and a part of a second one.
     */
    public static VerifyReport verify(Path directory, IoManagerFactory ioFactory) throws IOException {
        return verify(directory, ioFactory, (Encryption) null);
    }

    static VerifyReport verify(Path directory, IoManagerFactory ioFactory, @Nullable Encryption encryption)
            throws IOException {
        List<KeyIndexProvider> indexes = Backends.all(KeyIndexProvider.class, BitcaskEngine.class);
        return verify(directory, ioFactory, indexes, encryption);
    }

    /** As {@link #verify(Path, IoManagerFactory)}, for a store with an index that is not found among the plug-ins. */
    public static VerifyReport verify(Path directory, IoManagerFactory ioFactory, KeyIndexFactory index)
            throws IOException {
        return verify(directory, ioFactory, List.of(index), null);
    }

    @SuppressWarnings("try") // the lock is only held
    private static VerifyReport verify(
            Path directory,
            IoManagerFactory ioFactory,
            List<? extends KeyIndexFactory> indexes,
            @Nullable Encryption encryption)
            throws IOException {
        List<VerifyReport.Damage> damages = new ArrayList<>();
        long[] counts = new long[2];
        try (IoManager io = ioFactory.open(directory, false);
                IoManager.Lock lock = io.lock(false)) {
            RecordLogFactory.VerifyListener listener = new RecordLogFactory.VerifyListener() {
                @Override
                public void damaged(String file, long offset, String what) {
                    damages.add(new VerifyReport.Damage(file, offset, what));
                }

                @Override
                public void sound(long records, long bytes) {
                    counts[0] += records;
                    counts[1] += bytes;
                }
            };
            new SegmentedLogFactory().verify(io, encryption, listener);
            if (damages.isEmpty()) {
                ImageCheck.run(
                        io, indexes, encryption, (file, what) -> damages.add(new VerifyReport.Damage(file, 0, what)));
            }
        }
        return new VerifyReport(counts[0], counts[1], List.copyOf(damages));
    }

    /**
     * Makes a new store of everything that is sound in a damaged one, and tells what is lost. For each key the newest record
     * that is sound decides. Batches of which a part is damaged are left out; records after a damaged place count, also
     * those that opening would drop with a torn tail. Works without a manifest, and around blocks that cannot be read.
     * Changes nothing in the damaged store, which must not be open for writing. The new one is verified before this
     * returns; if this throws, what is in the new directory is not to be used. Its change feed starts over.
     *
     * @param newDirectory an empty or missing directory that neither lies in the damaged store's nor has it in it
     * @throws dev.caskwright.api.UnsupportedFormatException if there are no files of a store, they are of another format
     *     version, or the new directory is not empty
     * @throws IllegalArgumentException if the directories overlap
     */
    public static SalvageReport salvage(Path directory, Path newDirectory, IoManagerFactory ioFactory)
            throws IOException {
        return Salvage.run(directory, newDirectory, ioFactory, null);
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return reads.get(key, null);
    }

    @Override
    public byte @Nullable [] get(ByteBuffer key) throws IOException {
        return reads.get(key, null);
    }

    @Override
    public <R> @Nullable R read(byte[] key, ValueReader<R> reader) throws IOException {
        return reads.read(key, reader, null);
    }

    @Override
    public byte[] @Nullable [] getAll(byte[]... keys) throws IOException {
        return reads.getAll(keys, null);
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        return reads.get(key, target, null);
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return reads.contains(key, null);
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return reads.entry(key, null);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        FullScan.visit(store, null, visitor);
    }

    @Override
    public Cursor cursor() throws IOException {
        return FullScan.cursor(store, null);
    }

    @Override
    public <F extends Facet> Optional<F> facet(Class<F> kind) {
        return Ordered.facet(kind, store, null).or(() -> StorageEngine.super.facet(kind));
    }

    @Override
    public String describe() {
        return store.describe();
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        writes.put(key, value, options);
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        return writes.delete(key, options);
    }

    @Override
    public boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException {
        return writes.putIfAbsent(key, value, options);
    }

    @Override
    public boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException {
        return writes.replace(key, expected, value, options);
    }

    @Override
    public boolean replaceVersion(byte[] key, long expectedVersion, byte[] value, WriteOptions options)
            throws IOException {
        return writes.replaceVersion(key, expectedVersion, value, options);
    }

    @Override
    public boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException {
        return writes.delete(key, expected, options);
    }

    @Override
    public boolean expire(byte[] key, WriteOptions options) throws IOException {
        return writes.expire(key, options);
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        writes.write(batch, options);
    }

    @Override
    public Transaction transaction() {
        return new OptimisticTransaction(reads, writes);
    }

    @Override
    public Snapshot snapshot() throws IOException {
        LeakGuard.closeDropped(store);
        Snapshots.Handle handle = store.snapshots.open();
        try {
            return new SnapshotView(store, reads, handle);
        } catch (OutOfMemoryError e) {
            store.snapshots.close(handle);
            throw e;
        }
    }

    @Override
    public long changes(long version, ChangeVisitor visitor) throws IOException {
        return ChangeReader.visit(store, version, visitor);
    }

    @Override
    public Moment changes(Moment after, ChangeVisitor visitor) throws IOException {
        return ChangeReader.visit(store, after, visitor);
    }

    @Override
    public Moment moment() throws IOException {
        return ChangeReader.last(store);
    }

    @Override
    public long size() {
        return ofIndex(index -> {
            parts.indexLoading().settle();
            return index.size();
        });
    }

    @Override
    public void sync() throws IOException {
        parts.asyncSync().force();
    }

    @Override
    public CompletableFuture<Long> syncAsync() {
        return parts.asyncSync().request();
    }

    @Override
    public long durableVersion() {
        return parts.asyncSync().durableVersion();
    }

    @Override
    public void merge() throws IOException {
        LeakGuard.closeDropped(store);
        boolean wasEntered = parts.background().enter();
        try {
            merger.mergeAll();
            askForImage(); // the merge has made the image void
        } finally {
            parts.background().exit(wasEntered);
        }
    }

    @Override
    public CopyReport backup(Path target) throws IOException {
        return copyTo(target, LogCopy.Form.BACKUP);
    }

    @Override
    public CopyReport checkpoint(Path target) throws IOException {
        return copyTo(target, LogCopy.Form.CHECKPOINT);
    }

    private CopyReport copyTo(Path target, LogCopy.Form form) throws IOException {
        boolean wasEntered = parts.background().enter();
        try {
            return Copies.copy(store, parts.directory(), target, parts.ioFactory(), form);
        } finally {
            parts.background().exit(wasEntered);
        }
    }

    /**
     * Makes a store of a backup, a checkpoint or a store that is not open for writing: an independent copy of its files, of
     * which every byte is verified. The source is only read. If this throws, the new directory has no files of a store.
     *
     * @param newDirectory an empty or missing directory that neither lies in the source nor has it in it
     * @throws dev.caskwright.api.CorruptRecordException if the source is damaged; {@link #salvage} saves what is sound
     * @throws dev.caskwright.api.UnsupportedFormatException if the source is no store, or a copy that was cut short, or if
     *     the new directory is not empty
     * @throws IllegalArgumentException if the directories overlap
     */
    public static CopyReport restore(Path source, Path newDirectory, IoManagerFactory ioFactory) throws IOException {
        return Copies.copy(source, newDirectory, ioFactory, null, LogCopy.Form.STORE);
    }

    /**
     * Makes a backup of a store that is not open for writing, as {@link #backup(Path)} does of an open one. The store is
     * only read, and may lie on a file system that is mounted read-only.
     */
    public static CopyReport backup(Path directory, Path target, IoManagerFactory ioFactory) throws IOException {
        return Copies.copy(directory, target, ioFactory, null, LogCopy.Form.BACKUP);
    }

    /** Makes a checkpoint of a store that is not open for writing, as {@link #checkpoint(Path)} does of an open one. */
    public static CopyReport checkpoint(Path directory, Path target, IoManagerFactory ioFactory) throws IOException {
        return Copies.copy(directory, target, ioFactory, null, LogCopy.Form.CHECKPOINT);
    }

    @Override
    public EngineStats stats() {
        LeakGuard.closeDropped(store);
        long keys = size(); // first: it makes sure that all records are counted
        long disk = 0;
        long live = 0;
        long dead = 0;
        List<LogSegment> files = store.log.segments();
        for (LogSegment file : files) {
            disk += file.length();
            live += file.liveBytes(); // while a merge switches the index, inputs and outputs share them
            if (store.snapshots.isCurrent(file)) {
                dead += file.deadBytes();
            }
        }
        EngineStats stats = EngineStats.of(keys, store.lastVersion(), store.snapshots.count());
        if (store.cache != null) {
            stats = stats.with(store.cache.stats());
        }
        EncryptionStats encryption = store.log.encryption();
        if (encryption != null) {
            stats = stats.with(encryption);
        }
        return stats.with(new SpaceStats(files.size(), disk, live, dead, store.snapshots.pinnedBytes()))
                .with(new MemoryStats(
                        ofIndex(KeyIndex::memoryBytes),
                        store.snapshots.memoryBytes(),
                        store.bufferBytes(),
                        store.isClosed() ? 0 : store.log.memoryBytes()))
                .with(new WriteStats(store.log.writtenBytes()))
                .with(new OpeningStats(
                        parts.openMillis(), parts.openedFromImage(), parts.replayedRecords(), parts.tornBytesCut()))
                .with(new MergeStats(merger.merges(), merger.mergedBytes()))
                .with(new ImageStats(parts.checkpoints().saved()))
                .with(new ClockStats(store.clock.jumps()));
    }

    /** Returns how many keys the index has by now, without loading any. */
    long indexedKeys() {
        return ofIndex(KeyIndex::size);
    }

    /** Returns whether all records are counted as live or dead, by which files are chosen. */
    private boolean isSettled() {
        return ofIndex(index -> parts.indexLoading().settle() ? 1 : 0) == 1;
    }

    /** Returns a figure of the index, 0 once the engine is closed. The index is not released while it counts. */
    private long ofIndex(ToLongFunction<KeyIndex> figure) {
        Session session;
        try {
            session = store.enter();
        } catch (EngineClosedException e) {
            return 0; // which is the answer, not a failure
        }
        try {
            return figure.applyAsLong(store.index);
        } finally {
            store.exit(session);
        }
    }

    @Override
    public @Nullable Throwable health() {
        return store.failure();
    }

    @Override
    public List<Retry> retries() {
        List<Retry> retries = new ArrayList<>(parts.background().retries());
        Retry doubt = merger.doubt();
        if (doubt != null) {
            retries.add(doubt);
        }
        return retries;
    }

    @Override
    public void close() throws IOException {
        if (parts.background().isInside()) {
            throw new IllegalStateException("close() was called by what a task or a merge of the same store runs");
        }
        closing.lock(); // a second call waits for the first
        try {
            closeOnce();
        } finally {
            closing.unlock();
        }
    }

    private void closeOnce() throws IOException {
        merger.cancel();
        parts.checkpoints().cancel();
        parts.indexLoading().cancel();
        // Before the store is marked closed: a force that is under way would fail by the mark.
        List<CompletableFuture<Long>> syncs = parts.asyncSync().close();
        store.writeLock.lock();
        try {
            if (store.isClosed()) {
                return;
            }
            store.markClosed();
        } finally {
            store.writeLock.unlock();
        }
        boolean isQuiet = false;
        Throwable failure = null;
        try {
            parts.background().close();
            merger.awaitEnd();
            parts.checkpoints().awaitEnd();
            store.endRemovals();
            store.awaitReaders();
            parts.indexLoading().close(); // it reads the log
            isQuiet = true;
            closeLog();
            failure = store.failure();
        } catch (IOException | RuntimeException | Error e) {
            failure = e;
            throw e;
        } finally {
            // Each of these may fail for want of memory, and the last one gives the lock back.
            try {
                parts.asyncSync().closed(syncs, failure);
            } finally {
                try {
                    if (!isQuiet) {
                        store.log.abandon();
                    }
                } finally {
                    try {
                        store.forgetSessions();
                    } finally {
                        parts.release();
                    }
                }
            }
        }
    }

    /** After a failure there is nothing to make durable: what is on disk is for the next opening to find out. */
    private void closeLog() throws IOException {
        boolean isSound = store.failure() == null;
        try {
            if (isSound) {
                store.clock.note();
                parts.checkpoints().saveLast();
            }
        } catch (IOException | RuntimeException | Error e) {
            isSound = false;
            throw e;
        } finally {
            if (isSound) {
                store.log.close();
            } else {
                store.log.abandon();
            }
        }
    }

    /** Asks for an image of the index if it is time. Under any lock. */
    void askForImage() {
        parts.checkpoints().request();
    }

    /** Slows writers down if they are faster than merges, and lets them go if not. */
    void paceWriters() {
        parts.pace().look();
    }

    /** Has an image of the index saved in the background if it is time. */
    void requestCheckpoint() {
        LeakGuard.closeDropped(store);
        askForImage();
        parts.background().handOver();
    }

    /** Merges in the background what the policy chooses. */
    void mergeInBackground(MergePolicy policy) throws IOException {
        mergeInBackground(() -> merger.mergeChosen(policy));
    }

    /** As {@link #mergeInBackground}, if time alone has made that worth it. */
    void mergeExpiredInBackground(MergePolicy policy) throws IOException {
        mergeInBackground(() -> merger.mergeExpired(policy));
    }

    private void mergeInBackground(Background.Body merge) throws IOException {
        try {
            if (!store.isClosed() && store.failure() == null && isSettled()) {
                merge.run();
                askForImage();
            }
        } catch (OutOfSpaceException e) {
            logger().warn(
                            "no space for a background merge, will try again after the next sealed file: {}",
                            e.getMessage());
        } catch (IOException | RuntimeException | Error e) {
            // A merge that cannot be undone has made the store fail by itself; any other has changed nothing.
            if (!store.isClosed()) {
                throw e; // to be tried again, unless the store has failed
            }
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(BitcaskEngine.class);
    }
}
