package dev.caskwright.bitcask.store;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.cache.ValueCache;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.api.spi.log.BatchDraft;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordReader;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * The log and the index of an open store, and what keeps them in step: the write lock, the version of the last write, the
 * health, and the open snapshots. The parts of the engine (reads, writes, merges) share it.
 */
public final class Store {
    /** The name of the engine. */
    public static final String ENGINE = "bitcask";

    /** Drafts of batches that a store keeps, of up to a MiB each. */
    private static final int KEPT_BATCHES = 4;

    /** Held while the log is appended to and the index changed, so that both have the same order. */
    public final WriteLock writeLock;

    /**
     * Held while a merge is committed and the index goes over to its outputs, and while an image of the index is saved.
     * Taken before the write lock, or only tried.
     */
    public final ReentrantLock committing = new ReentrantLock();

    /** The directory, as errors and events call it. */
    public final String name;

    public final RecordLog log;
    public final KeyIndex index;
    public final Snapshots snapshots;
    public final StoreClock clock;
    public final KeyHash keyHash;

    /** The greatest id of a segment that was there when the store was opened: the index knows of those by caches. */
    public final long lastFoundId;

    /** Whether the index was filled from an image, of which any number may be wrong. */
    public final boolean isIndexFromImage;

    public final @Nullable ValueCache cache;
    private final ReadEpochs epochs;
    private final boolean readOnly;
    private final AtomicReference<@Nullable Throwable> failure;
    private final Sessions sessions;
    private final Pool<BatchDraft> batches;
    private final AtomicLong lastVersion = new AtomicLong(); // grows under writeLock
    private volatile boolean closed;
    private final Object removing = new Object();

    @GuardedBy("removing") private boolean removalsEnded;

    public Store(
            String name,
            RecordLog log,
            ReadEpochs epochs,
            KeyIndex index,
            StoreClock clock,
            @Nullable ValueCache cache,
            int maxSnapshots,
            long seed,
            boolean readOnly,
            boolean isIndexFromImage,
            AtomicReference<@Nullable Throwable> failure) {
        this.name = name;
        this.writeLock = new WriteLock(name);
        this.log = log;
        this.epochs = epochs;
        this.index = index;
        this.clock = clock;
        this.cache = cache;
        this.readOnly = readOnly;
        this.isIndexFromImage = isIndexFromImage;
        this.failure = failure;
        this.snapshots = new Snapshots(this, maxSnapshots, seed);
        this.keyHash = new KeyHash(seed);
        this.lastFoundId =
                log.segments().stream().mapToLong(LogSegment::id).max().orElse(0);
        this.lastVersion.set(log.lastVersion());
        clock.followVersions(lastVersion::getAcquire);
        this.sessions = new Sessions(log, epochs);
        this.batches = new Pool<>(KEPT_BATCHES, log::newBatchDraft);
    }

    /** Takes a session that no other thread uses until it is given back with {@link #giveBack}. */
    public Session take() {
        return sessions.take();
    }

    public void giveBack(Session session) {
        sessions.giveBack(session);
    }

    /** Takes a draft for a batch, which is given back cleared. */
    public BatchDraft takeBatch() {
        return batches.take();
    }

    public void giveBackBatch(BatchDraft draft) {
        draft.clear();
        batches.giveBack(draft);
    }

    /** Takes a session and enters a read epoch; files of locators found within it stay until {@link #exit}. */
    public Session enter() throws EngineClosedException {
        Session session = sessions.take();
        pin(session);
        if (closed) {
            exit(session);
            throw closedException();
        }
        return session;
    }

    /** Leaves the read epoch and gives the session back. */
    public void exit(Session session) {
        unpin(session);
        sessions.giveBack(session);
    }

    /**
     * Enters a read epoch until {@link #unpin}, without a check whether the store is open. For merges and holders of the write
     * lock only, since closing waits for both. The lock alone does not keep the files of locators, and an index without keys reads records. Nothing may
     * be appended within the epoch: that may seal files, which waits for readers.
     */
    public void pin(Session session) {
        session.pin = epochs.enter(session.stripe);
    }

    public void unpin(Session session) {
        epochs.exit(session.pin);
    }

    /** Returns the memory of the buffers that lie idle, in bytes. */
    public long bufferBytes() {
        return sessions.memoryBytes() + batches.sum(BatchDraft::memoryBytes);
    }

    /** Forgets the sessions, with all that they hold. After the last reader has left. */
    public void forgetSessions() {
        sessions.clear();
        batches.clear();
        if (cache != null) {
            tolerate(cache::close);
        }
    }

    /** Calls a cache, whose faults are no one else's. */
    public static void tolerate(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException | OutOfMemoryError e) {
            LoggerFactory.getLogger(Store.class).warn("the cache of values threw; the store goes on", e);
        }
    }

    /** Says which engine and which index this is. */
    public String describe() {
        return "engine=" + ENGINE + ", index=" + index.getClass().getSimpleName();
    }

    static EngineClosedException closedException() {
        return new EngineClosedException("the engine is closed");
    }

    public void checkOpen() throws EngineClosedException {
        if (closed) {
            throw closedException();
        }
    }

    public boolean isClosed() {
        return closed;
    }

    public boolean isReadOnly() {
        return readOnly;
    }

    /** Loads what the index has not loaded from its image yet. Before the log is changed. */
    public void loadIndex() throws IOException {
        if (index instanceof PersistentKeyIndex loaded) {
            while (loaded.loadMore()) {
                // Each call loads a part.
            }
        }
    }

    /** Returns when every reader that entered before has left. */
    public void awaitReaders() {
        epochs.awaitReaders();
    }

    /** Lets no new reader or writer in. Under the write lock. */
    public void markClosed() {
        assert isWriteLocked();
        closed = true;
    }

    /** Checks that a write may start. Under the write lock. */
    public void checkWritable() throws EngineException {
        assert isWriteLocked();
        checkOpen();
        if (readOnly) {
            throw new EngineException(ErrorCode.READ_ONLY, Outcome.NOT_APPLIED, "the store was opened read-only", null);
        }
        Throwable first = failure.get();
        if (first != null) {
            throw refused(first);
        }
    }

    /** For assertions: whether this thread holds the write lock. */
    boolean isWriteLocked() {
        return writeLock.isHeldByCurrentThread();
    }

    public static EngineFailedException refused(Throwable first) {
        return new EngineFailedException(
                Outcome.NOT_APPLIED, "writes are refused after a failure, reopen the store: " + first, first);
    }

    void fail(Throwable cause) {
        failure.compareAndSet(null, cause);
    }

    public @Nullable Throwable failure() {
        return failure.get();
    }

    public long lastVersion() {
        return lastVersion.getPlain();
    }

    public void advanceVersion(int count) {
        assert isWriteLocked();
        // Before the index shows the record: who finds a record in it finds its version here.
        lastVersion.setRelease(lastVersion.getPlain() + count);
    }

    /**
     * Turns an error of an append into what the writer gets. One that the log describes as an {@link EngineException} is the
     * writer's alone: a full disk, a want of descriptors or memory. Anything else leaves the log in doubt.
     */
    public IOException failedAppend(Throwable e) {
        if (e instanceof EngineException own) {
            return own;
        }
        fail(e);
        return new EngineFailedException(Outcome.UNKNOWN, "a write to the log failed, reopen the store: " + e, e);
    }

    /** As {@link #failedAppend}, for an error of the index after the append: the write is in the log. */
    public IOException failedIndexing(Throwable e) {
        fail(e);
        return new EngineFailedException(
                Outcome.UNKNOWN, "the index failed after the log was written, reopen the store: " + e, e);
    }

    /** Makes the log durable up to a position on behalf of a writer. */
    public void sync(long position) throws IOException {
        Throwable first = failure.get();
        if (first != null) {
            throw new EngineFailedException(Outcome.UNKNOWN, "not synced after a failure: " + first, first);
        }
        try {
            log.sync(position);
        } catch (IOException | RuntimeException | Error e) {
            if (e instanceof EngineException own && own.outcome() == Outcome.APPLIED) {
                throw own; // nothing was forced, and so nothing is in doubt
            }
            fail(e);
            throw new EngineFailedException(
                    Outcome.UNKNOWN, "a force failed, so what is durable is not known; reopen the store: " + e, e);
        }
    }

    /** Counts a record that the index no longer refers to. */
    public void markDead(long locator) {
        log.markDead(locator);
    }

    /** Returns whether the record of the key, at a locator from the index, has expired. Within an epoch. */
    public boolean hasExpired(RecordReader reader, long locator) throws IOException {
        if (!log.expires(locator)) {
            return false;
        }
        reader.read(locator);
        return clock.hasPassed(reader.expiresAt(), reader.version());
    }

    /** As {@link #failedAppend}, for the manifest: whether the merge took place is decided by the next opening. */
    public IOException failedCommit(Throwable e) {
        fail(e);
        return new EngineFailedException(Outcome.NOT_APPLIED, "a merge could not be committed: " + e, e);
    }

    /** Returns the files that the log consists of, without those that stay for snapshots only, in the log's order. */
    public List<LogSegment> listedFiles() {
        List<LogSegment> files = log.segments();
        files.removeIf(file -> !snapshots.isCurrent(file));
        return files;
    }

    /** Closes and deletes files that nothing needs any more; what is left when the store closes goes at the next opening. */
    public void removeFiles(Iterable<LogSegment> files) throws IOException {
        synchronized (removing) {
            if (removalsEnded) {
                return; // the directory may be another engine's by now
            }
            for (LogSegment file : files) {
                log.remove(file);
                if (cache != null) {
                    tolerate(() ->
                            cache.forget(file)); // for the room alone: what is cached of it is not believed any more
                }
                snapshots.forget(file);
            }
        }
    }

    /** Waits until no file is being removed, and lets none be from here on. While closing, before the lock is given up. */
    public void endRemovals() {
        synchronized (removing) {
            removalsEnded = true;
        }
    }
}
