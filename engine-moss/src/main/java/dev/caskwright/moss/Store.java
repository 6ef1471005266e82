package dev.caskwright.moss;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.MemTable;
import dev.caskwright.moss.memory.RangeSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of a store share: its stack, the lock under which the stack is replaced and writes are applied, and
 * how it is. Readers take the stack and no lock.
 */
final class Store {
    final Settings settings;
    final OperatorResolver resolver;
    final KeyHash hash;

    /** Guards writes and the replacement of the stack. */
    final ReentrantLock lock = new ReentrantLock();

    /** Signalled when the merger or the persister may have something to do. */
    final Condition work = lock.newCondition();

    /** Signalled when memory came free, something was written below, or the store failed or was closed. */
    final Condition progress = lock.newCondition();

    final Merger merger = new Merger(this);
    final Persister persister;
    /** Held while what is below changes, from its first change on disk to the change of the stack; before the lock. */
    final ReentrantLock below = new ReentrantLock();

    private @Nullable WriteLog log;

    /** Open snapshots and iterators, which closing the store closes. */
    final Set<Runnable> holders = ConcurrentHashMap.newKeySet();

    private volatile Durables durables;
    private volatile Stack stack;
    private volatile long dirtyBytes;
    private volatile boolean isClosed;
    private volatile @Nullable Throwable failure;
    private long version;

    Store(Settings settings, OperatorResolver resolver, Bottom bottom) {
        this.settings = settings;
        this.resolver = resolver;
        this.hash = new KeyHash(settings.random().getAsLong());
        this.persister = new Persister(this);
        this.version = bottom.version();
        this.stack = Stack.empty(new MemTable(RangeSet.EMPTY, version), bottom);
        this.durables = new Durables(version);
        if (!bottom.isPersistent()) {
            durables.markFailed(new MossException(
                    MossException.Reason.UNSUPPORTED,
                    "a store in memory cannot survive a power loss: open it with a directory"));
        }
    }

    /** Returns what waits for the durability of writes that are made now. */
    Durables durables() {
        return durables;
    }

    /**
     * Lets versions go on from where they are, though what was written before is not what the store has. Under the
     * lock; returns what waits for the durability of writes before.
     */
    Durables forgetWaiting() {
        Durables before = durables;
        durables = new Durables(version);
        return before;
    }

    /** Returns the log, or null if the store has none. */
    @Nullable WriteLog log() {
        return log;
    }

    /** Sets the log, before the store is used. */
    void log(WriteLog writeLog) {
        log = writeLog;
    }

    Stack stack() {
        return stack;
    }

    int hash(byte[] key) {
        return (int) hash.hash(key, 0, key.length);
    }

    /** Replaces the stack. Under the lock. */
    void become(Stack next) {
        stack = next;
        countMemory();
    }

    /** Counts what is not yet rewritten. Under the lock. */
    void countMemory() {
        dirtyBytes = stack.dirtyBytes();
    }

    /** Tells how much the active table has grown by. Under the lock. */
    void grew(long bytes) {
        long before = dirtyBytes;
        dirtyBytes = before + bytes;
    }

    long dirtyBytes() {
        return dirtyBytes;
    }

    /** Returns the version of the last write. Under the lock. */
    long version() {
        return version;
    }

    /** Notes the version of the last write. Under the lock. */
    void version(long last) {
        version = last;
    }

    /** Seals the active table, unless nothing is in it. Under the lock. */
    void seal() {
        MemTable active = stack.active;
        if (!active.isEmpty()) {
            if (log != null) {
                log.beforeSeal();
            }
            become(stack.sealed(new Layer[] {active}, active.next(version)));
            work.signalAll();
        }
    }

    boolean isClosed() {
        return isClosed;
    }

    /** Lets all calls from now on fail, and wakes all that wait. Under the lock; returns whether it was open. */
    boolean markClosed() {
        boolean wasOpen = !isClosed;
        isClosed = true;
        work.signalAll();
        progress.signalAll();
        return wasOpen;
    }

    void ensureOpen() throws EngineClosedException {
        if (isClosed) {
            throw new EngineClosedException("engine is closed");
        }
    }

    void ensureWritable() throws EngineException {
        ensureOpen();
        if (settings.isReadOnly()) {
            throw new EngineException(ErrorCode.READ_ONLY, Outcome.NOT_APPLIED, "the store was opened read-only", null);
        }
        Throwable first = failure;
        if (first != null) {
            throw new EngineFailedException(
                    Outcome.NOT_APPLIED, "an earlier write or force failed; reopen the store: " + first, first);
        }
    }

    /** Refuses writes from now on. */
    void fail(Throwable cause) {
        lock.lock();
        try {
            if (failure == null) {
                failure = cause;
            }
            progress.signalAll();
            work.signalAll();
        } finally {
            lock.unlock();
        }
        Durables failed = durables;
        failed.markFailed(cause);
        if (lock.isHeldByCurrentThread() || below.isHeldByCurrentThread()) {
            // What hangs on the futures is not ours, and must not run under our locks.
            completeElsewhere(failed);
        } else {
            failed.completeAll();
        }
    }

    private static void completeElsewhere(Durables failed) {
        try {
            CompletableFuture<Void> unused = CompletableFuture.runAsync(failed::completeAll);
        } catch (RuntimeException | Error e) {
            failed.completeAll(); // no thread is to be had: late or under a lock is better than never
        }
    }

    @Nullable Throwable failure() {
        return failure;
    }
}
