package dev.caskwright.moss;

import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.MergeStats;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.Retry;
import dev.caskwright.api.SpaceStats;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.Versions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.WriteStats;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.MemTable;
import dev.caskwright.moss.memory.Probe;
import dev.caskwright.moss.memory.RangeSet;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/**
 * An ordered collection of keys and values, with child collections, as a stack of sorted layers in memory over what
 * lies below: nothing yet, so that it lives as long as the engine.
 *
 * <p>Every method may be called by any number of threads. Reads take no lock. Writes are applied one after another,
 * each all or none, and are seen by all reads that start after they returned.
 */
public final class MossEngine
        implements StorageEngine,
                MossCollection,
                ConditionalWrites,
                Versions,
                Transactions,
                OrderedView,
                Merging,
                Integrity {
    private static final byte[] ROOT = KeySpace.prefix(0);

    private final Store store;
    private final Pressure pressure;
    private final Writes writes;
    private final CollectionView root;
    private final List<Thread> threads = new ArrayList<>();

    private final @Nullable Resources resources;
    private final @Nullable Compactor compactor;
    private final Conditions conditions;
    private final EntryReads.Search search;

    MossEngine(Store store, @Nullable Resources resources) {
        this.store = store;
        this.resources = resources;
        FileStore files = resources == null ? null : resources.files();
        this.compactor = files == null ? null : new Compactor(store, files);
        this.pressure = new Pressure(store);
        this.writes = new Writes(store, pressure);
        this.root = new CollectionView(() -> View.held(store));
        this.conditions = new Conditions(store, writes, this::durability);
        this.search = key -> View.searchNow(store, key);
    }

    /** Returns a builder of an engine that keeps everything in memory and nothing else. */
    public static MossBuilder inMemory() {
        return new MossBuilder();
    }

    /** Returns a builder of an engine that keeps its own files in a directory. */
    public static MossBuilder builder(Path directory) {
        return new MossBuilder(directory);
    }

    /** Starts the threads. If one cannot be had, those before it have ended when this throws. */
    void start() {
        ThreadFactory factory = store.settings.threads();
        if (factory == null || store.settings.isReadOnly()) {
            return;
        }
        try {
            start(factory, "merger", store.merger::run);
            if (store.stack().bottom.isPersistent()) {
                start(factory, "persister", store.persister::run);
            }
            if (compactor != null) {
                start(factory, "compactor", compactor::run);
            }
        } catch (Throwable e) {
            markClosed();
            join();
            throw e;
        }
    }

    private boolean markClosed() {
        store.lock.lock();
        try {
            return store.markClosed();
        } finally {
            store.lock.unlock();
        }
    }

    Writes writes() {
        return writes;
    }

    @Nullable Compactor compactor() {
        return compactor;
    }

    private void start(ThreadFactory factory, String name, Runnable task) {
        Thread thread = factory.newThread(task);
        thread.setName("caskwright-moss-" + name);
        thread.setDaemon(true);
        thread.start();
        threads.add(thread);
    }

    Store store() {
        return store;
    }

    private Durability durability(WriteOptions options) {
        Expiries.refuse(options);
        return options.durabilityOr(store.settings.durability());
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        Writes.checkKey(key);
        return View.searchNow(store, KeySpace.key(ROOT, key)).value();
    }

    @Override
    public MossIterator iterator(Range range) throws IOException {
        return root.iterator(range);
    }

    @Override
    public MossCollection child(String name) {
        return new WritableCollection(root, name, this::write, batch -> batch);
    }

    @Override
    public boolean exists() throws IOException {
        return root.exists();
    }

    @Override
    public List<String> childNames() throws IOException {
        return root.childNames();
    }

    @Override
    public void put(byte[] key, byte[] value) throws IOException {
        put(key, value, WriteOptions.DEFAULT);
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        writes.single(Kind.PUT, ROOT, key, value, durability(options));
    }

    @Override
    public void remove(byte[] key, WriteOptions options) throws IOException {
        writes.single(Kind.DELETE, ROOT, key, new byte[0], durability(options));
    }

    @Override
    public void merge(byte[] key, byte[] operand, WriteOptions options) throws IOException {
        writes.single(Kind.MERGE, ROOT, key, operand, durability(options));
    }

    @Override
    public void deleteRange(byte[] from, byte[] to, WriteOptions options) throws IOException {
        write(new MossBatch().deleteRange(from, to), options);
    }

    /** Applies all changes of a batch or none: after any crash all of them are there, or none. */
    public void write(MossBatch batch, WriteOptions options) throws IOException {
        writes.batch(batch, durability(options));
    }

    /** Applies a batch as {@link #write} does, and returns what tells when it survives a power loss. */
    public CommitToken commit(MossBatch batch, WriteOptions options) throws IOException {
        return writes.batch(batch, durability(options));
    }

    @Override
    public void sync() throws IOException {
        writes.sync();
    }

    /** Writes every layer in memory below, and returns when that survives a power loss. */
    public void flush() throws IOException {
        if (store.stack().bottom.isPersistent()) {
            store.persister.flush();
        } else {
            writes.sync();
        }
    }

    /** Opens a snapshot of this moment. It takes a pointer, and the same time whatever the store has. */
    @Override
    public MossSnapshot snapshot() throws IOException {
        return new MossSnapshot(store, View.held(store));
    }

    /**
     * Gives back what deleted and overwritten entries take: joins all layers in memory to one, or, if something is below,
     * writes them there, and joins the files if they are the store's own. Reads and writes go on.
     */
    public void compact() throws IOException {
        if (compactor != null) {
            store.persister.flush();
            try {
                compactor.step(true);
            } catch (CancellationException e) {
                throw new EngineClosedException("engine is closed");
            }
            return;
        }
        if (store.stack().bottom.isPersistent()) {
            store.persister.flush(); // joined to one, they could be more than the engine below takes at once
            return;
        }
        compactMemory();
    }

    private void compactMemory() throws IOException {
        Throwable failure;
        store.lock.lock();
        try {
            store.ensureOpen();
            long ticket = store.merger.wantAll();
            while (store.merger.done() < ticket) {
                store.ensureOpen();
                if (store.settings.hasThreads()) {
                    store.progress.await();
                } else {
                    store.merger.step();
                }
            }
            failure = store.merger.failure();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException(
                    ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "interrupted while waiting for a merge", e);
        } finally {
            store.lock.unlock();
        }
        if (failure != null) {
            throw new EngineException(
                    ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "the merge failed: " + failure, failure);
        }
    }

    private MossStats figures() {
        FileStore files = resources == null ? null : resources.files();
        store.lock.lock();
        try {
            Stack stack = store.stack();
            return new MossStats(
                    store.version(),
                    stack.active.bytes(),
                    stack.base,
                    stack.bytes(0, stack.base),
                    stack.clean - stack.base,
                    stack.bytes(stack.base, stack.clean),
                    stack.layers.length - stack.clean,
                    stack.bytes(stack.clean, stack.layers.length),
                    store.holders.size(),
                    store.merger.merges(),
                    store.persister.persists(),
                    pressure.slowed(),
                    pressure.stopped(),
                    (files == null ? 0 : files.files())
                            + (store.log() == null ? 0 : store.log().files()),
                    files == null ? 0 : files.diskBytes(),
                    (files == null ? 0 : files.memoryBytes())
                            + (stack.bottom instanceof EngineBottom bottom ? bottom.heldKeyBytes() : 0),
                    store.log() == null ? 0 : store.log().diskBytes(),
                    compactor == null ? 0 : compactor.compactions(),
                    writes.writtenBytes());
        } finally {
            store.lock.unlock();
        }
    }

    @Override
    public @Nullable Throwable health() {
        return store.failure();
    }

    @Override
    public List<Retry> retries() {
        List<Retry> retries = new ArrayList<>(store.persister.retries());
        Retry merging = store.merger.trouble();
        if (merging != null) {
            retries.add(merging);
        }
        if (compactor != null) {
            retries.addAll(compactor.retries());
        }
        return retries;
    }

    FileStore files() throws EngineException {
        store.ensureOpen();
        FileStore files = resources == null ? null : resources.files();
        if (files == null) {
            throw new MossException(
                    MossException.Reason.UNSUPPORTED,
                    "checkpoints need files: open the store with a directory and nothing below");
        }
        return files;
    }

    /**
     * Makes a state of some moment during the call one to go back to, in place of one of that name. It takes the space
     * of what is deleted or overwritten later. If there are more than {@link MossBuilder#keptCheckpoints}, the oldest
     * goes, and so do those that are older than {@link MossBuilder#checkpointAge}.
     */
    public void checkpoint(String name) throws IOException {
        FileStore files = files();
        KeySpace.name(name);
        store.persister.flush();
        changeFiles(() -> files.addCheckpoint(name));
    }

    /** Returns the checkpoints, oldest first. */
    public List<Checkpoint> checkpoints() throws IOException {
        List<Checkpoint> checkpoints = new ArrayList<>();
        files().manifest()
                .checkpoints()
                .forEach(each -> checkpoints.add(
                        new Checkpoint(each.name(), Instant.ofEpochMilli(each.millis()), each.version())));
        return checkpoints;
    }

    /** Forgets a checkpoint. */
    public void dropCheckpoint(String name) throws IOException {
        FileStore files = files();
        store.ensureWritable();
        changeFiles(() -> files.dropCheckpoint(name));
    }

    /** Opens a snapshot of the state at a checkpoint. */
    public MossSnapshot snapshot(String checkpoint) throws IOException {
        return new MossSnapshot(store, View.over(store, files().bottomOf(checkpoint)));
    }

    /**
     * Goes back to a checkpoint: every write since then is gone, in memory and below, once this returns, and stays so.
     * Snapshots and iterators go on showing what they did. Tokens of writes that were not yet durable fail.
     *
     * @throws MossException if there is no such checkpoint, or if it needs another merge operator than the engine has
     */
    public void revert(String checkpoint) throws IOException {
        FileStore files = files();
        Durables[] gone = new Durables[1];
        changeFiles(() -> {
            store.lock.lock();
            try {
                store.ensureWritable();
                checkOperator(files, checkpoint);
                gone[0] = revert(files, checkpoint);
            } finally {
                store.lock.unlock();
            }
        });
        gone[0].fail(new MossException(
                MossException.Reason.DROPPED,
                "the store went back to a checkpoint before the write was durable: name=" + checkpoint));
    }

    private void checkOperator(FileStore files, String checkpoint) throws IOException {
        Bottom bottom = files.bottomOf(checkpoint);
        try {
            store.resolver.check(
                    View.over(store, bottom).search(KeySpace.OPERATOR).value());
        } finally {
            bottom.release();
        }
    }

    /** Goes back, and returns what waits for the durability of writes before. Under both locks. */
    private Durables revert(FileStore files, String checkpoint) throws IOException {
        long version = store.version();
        MemTable active = new MemTable(RangeSet.EMPTY, version);
        Bottom before = store.stack().bottom;
        files.revert(checkpoint, version);
        try {
            store.become(Stack.empty(active, files.bottom()));
            writes.forgetContent();
            before.release();
            return store.forgetWaiting();
        } catch (Throwable e) {
            store.fail(e); // the files went back, and the layers above them perhaps not
            throw e;
        }
    }

    private interface FilesChange {
        void run() throws IOException;
    }

    private void changeFiles(FilesChange change) throws IOException {
        store.below.lock();
        try {
            store.ensureWritable();
            store.persister.settle();
            change.run();
        } catch (EngineFailedException e) {
            store.fail(e);
            throw e;
        } finally {
            store.below.unlock();
        }
    }

    /**
     * Reads every byte of every file and returns what is damaged; over another engine, only the log is this engine's.
     */
    @Override
    public VerifyReport verify() throws IOException {
        store.ensureOpen();
        if (resources == null) {
            return new VerifyReport(0, 0, List.of());
        }
        FileStore files = resources.files();
        if (files == null) {
            return new VerifyReport(0, 0, List.of());
        }
        return files.verify();
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        return EntryReads.get(search, key, target);
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return EntryReads.contains(search, key);
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return EntryReads.entry(search, key);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        EntryReads.visit(root, visitor);
    }

    @Override
    public Cursor cursor() throws IOException {
        return range(Range.all());
    }

    /** Returns a cursor over the keys within the range as of now: what is written later does not show. */
    @Override
    public Cursor range(Range range) throws IOException {
        return EntryReads.cursor(iterator(range));
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        return conditions.write(key, null, Probe::isPresent, options);
    }

    @Override
    public boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException {
        return conditions.write(key, value, present -> !present.isPresent(), options);
    }

    @Override
    public boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException {
        return conditions.write(key, value, Conditions.hasValue(expected), options);
    }

    @Override
    public boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException {
        return conditions.write(key, null, Conditions.hasValue(expected), options);
    }

    @Override
    public boolean replaceVersion(byte[] key, long expectedVersion, byte[] value, WriteOptions options)
            throws IOException {
        return conditions.write(
                key, value, present -> present.isPresent() && present.version() == expectedVersion, options);
    }

    @Override
    public Transaction transaction() {
        return conditions.transaction();
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        MossBatch copy = new MossBatch();
        batch.visit((source, keyOffset, keyLength, valueLength, expiry) -> {
            Expiries.refuse(expiry);
            boolean isDelete = valueLength == WriteBatch.Visitor.DELETE;
            copy.add(
                    isDelete ? Kind.DELETE : Kind.PUT,
                    source,
                    keyOffset,
                    keyLength,
                    source,
                    keyOffset + keyLength,
                    isDelete ? 0 : valueLength);
        });
        write(copy, options);
    }

    /**
     * Counts the keys of the root collection, which takes as long as walking over them. After {@link #close} it is 0.
     */
    @Override
    public long size() throws IOException {
        return store.isClosed() ? 0 : EntryReads.count(root, Range.all()).keys();
    }

    /** Compacts: see {@link #compact}. */
    @Override
    public void merge() throws IOException {
        compact();
    }

    /**
     * Returns figures about the store; {@link MossStats} is a group of them. Keys and their bytes are counted by a walk
     * over them, as {@link #size} does, for there is no index that would know.
     */
    @Override
    public EngineStats stats() {
        MossStats figures = figures();
        EntryReads.Count count = EntryReads.Count.NONE;
        try {
            count = store.isClosed() ? count : EntryReads.count(root, Range.all());
        } catch (EngineClosedException e) {
            count = EntryReads.Count.NONE; // closed meanwhile
        } catch (IOException e) {
            throw new UncheckedIOException("keys could not be counted", e);
        }
        long disk = figures.fileBytes() + figures.logBytes();
        return EngineStats.of(count.keys(), figures.version(), figures.holders())
                .with(figures)
                .with(new WriteStats(figures.writtenBytes()))
                .with(new MergeStats(figures.merges() + figures.compactions(), 0))
                .with(new MemoryStats(store.isClosed() ? 0 : figures.memoryBytes() + figures.indexBytes(), 0, 0, 0))
                .with(new SpaceStats(figures.files(), disk, count.bytes(), Math.max(0, disk - count.bytes()), 0));
    }

    /**
     * Closes the engine: everything in memory is written below first. If that fails, what the log has stays and comes
     * back with the next opening. Closing twice is fine.
     *
     * @throws MossException with {@link MossException.Reason#DROPPED} if writes are gone; the engine is closed all the
     *     same
     */
    @Override
    public void close() throws IOException {
        close(true);
    }

    /**
     * Closes the engine without writing what is in memory: what the log has comes back with the next opening, and the
     * rest is gone.
     *
     * @return how many writes are gone
     */
    public long closeNow() throws IOException {
        return close(false);
    }

    private long close(boolean isDraining) throws IOException {
        if (!markClosed()) {
            return 0;
        }
        join();
        if (compactor != null) {
            compactor.awaitEnd();
        }
        Throwable cause = store.failure();
        boolean isPersistent = store.stack().bottom.isPersistent() && !store.settings.isReadOnly();
        try {
            if (isDraining && isPersistent && cause == null) {
                cause = drain();
            }
            long kept = isPersistent ? kept() : store.version();
            long dropped = store.version() - kept;
            MossException gone = new MossException(
                    MossException.Reason.DROPPED,
                    "closed without " + dropped + " writes: versions=" + (kept + 1) + ".." + store.version()
                            + ", because " + (cause == null ? "the engine was told to close now" : cause),
                    cause);
            if (dropped > 0) {
                store.durables().fail(gone);
                if (isDraining) {
                    throw gone;
                }
            }
            return dropped;
        } finally {
            try {
                releaseAll();
            } finally {
                // Nothing is left but after a failure: no token outlives its engine undecided.
                store.durables().fail(cause == null ? new EngineClosedException("engine is closed") : cause);
            }
        }
    }

    private @Nullable Throwable drain() {
        try {
            store.persister.drain();
            return null;
        } catch (Throwable e) {
            return e; // close() tells of it, if writes are gone
        }
    }

    /** Returns the last version that is in the log, forced, or below. */
    private long kept() throws IOException {
        WriteLog log = store.log();
        long below = store.persister.below();
        if (log == null) {
            return below;
        }
        long logged = log.logged();
        if (logged > below && store.failure() == null) {
            log.awaitForced(logged);
        }
        return Math.max(logged, below);
    }

    private void releaseAll() throws IOException {
        store.below.lock(); // a call that persists or changes files, and began before the close, ends first
        try {
            releaseAllBelow();
        } finally {
            store.below.unlock();
        }
    }

    /** Gives back everything, the readers first; a failure keeps nothing of it from being given back. */
    @SuppressWarnings("try") // they are there to be closed
    private void releaseAllBelow() throws IOException {
        WriteLog log = store.log();
        Closeable nothing = () -> {};
        try (Closeable last = resources == null ? nothing : resources;
                Closeable written = log == null ? nothing : log::close;
                Closeable below = store.stack().bottom::release;
                Closeable readers = () -> store.holders.forEach(Runnable::run)) {
            nothing.close();
        }
    }

    private void join() {
        boolean isInterrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive() && thread != Thread.currentThread()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    isInterrupted = true;
                }
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
