package dev.caskwright.moss;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.moss.file.FileNames;
import dev.caskwright.moss.file.LogFile;
import dev.caskwright.moss.memory.MemTable;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/*
 * Writes at NONE are not logged when they are made. What the log has is nevertheless always a piece of the history
 * without gaps that begins where the files below end: before a durable write is logged, the writes before it that were
 * not are appended, straight from the memory table, and if some are sealed already the writer waits until they are
 * below.
 *
 * An append that fails for want of space or memory is undone, so that nobody finds it after a crash; if that fails too,
 * or anything else, nobody knows what is in the file, and the store refuses writes. After a failed force it does so at
 * once: the system may have marked the lost pages clean.
 */
/**
 * The log before the stack: appended to under the store's lock, forced by one writer for all that wait, cut as layers
 * go below.
 */
final class WriteLog {

    private final Store store;
    private final IoManager io;
    private final long storeId;
    private final long rollLength;

    // Under the store's lock.
    private final ArrayList<LogFile> older = new ArrayList<>(); // that may still be needed, oldest first
    private @Nullable LogFile current;
    private long nextNumber;
    private long logged; // all up to this version are logged or below
    private boolean isUsed;
    private MemTable tailTable;
    private int tailPosition; // what comes after is not logged
    private final Operations tail = new Operations();

    // Under the force lock.
    private final ReentrantLock forceLock = new ReentrantLock();
    private final Condition forceEnded = forceLock.newCondition();
    private boolean isForcing;
    private boolean isNameNew;
    private long forced;

    WriteLog(Store store, IoManager io, long storeId, long nextNumber) {
        this.store = store;
        this.io = io;
        this.storeId = storeId;
        this.nextNumber = nextNumber;
        this.rollLength = Math.max(1 << 16, store.settings.persistBytes() / 2);
        this.tailTable = store.stack().active;
        this.tailPosition = MemTable.firstPosition();
    }

    /**
     * Waits until a durable write can be logged without a gap before it. Under the store's lock, which is given up
     * meanwhile.
     *
     * @param nanos how long to wait
     * @param isPatient whether to wait again as often as something was written below
     * @return how long may still be waited; the same if there was no gap
     */
    long awaitNoGap(long nanos, boolean isPatient) throws IOException {
        isUsed = true;
        long left = nanos;
        while (true) {
            store.ensureWritable();
            Stack stack = store.stack();
            logged = Math.max(logged, stack.bottom.version());
            if (logged >= stack.active.firstVersion() - 1) {
                return left;
            }
            store.persister.want(store.version());
            if (!store.settings.hasThreads()) {
                if (!store.persister.step(false)) {
                    throw new IllegalStateException(
                            "nothing is left to write: logged=" + logged + ", version=" + store.version());
                }
                continue;
            }
            if (left <= 0) {
                throw overloaded(stack);
            }
            try {
                left = Math.min(nanos - 1, store.progress.awaitNanos(left));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new EngineException(
                        ErrorCode.UNAVAILABLE,
                        Outcome.NOT_APPLIED,
                        "interrupted while waiting until the writes before are below",
                        e);
            }
            if (isPatient && store.stack().bottom.version() > stack.bottom.version()) {
                left = nanos;
            }
        }
    }

    private MossException overloaded(Stack stack) {
        return new MossException(
                MossException.Reason.OVERLOADED,
                "writes without durability came before, and are not below in time: below=" + stack.bottom.version()
                        + ", last=" + store.version() + store.persister.explain()
                        + "; try again, or open the store with a longer writeDeadline",
                store.persister.cause());
    }

    /** Logs what the active table has and the log has not. Under the store's lock, after {@link #awaitNoGap}. */
    void logTail() throws IOException {
        MemTable active = store.stack().active;
        if (tailTable != active) {
            tailTable = active;
            tailPosition = MemTable.firstPosition();
        }
        if (tailPosition == active.position()) {
            return;
        }
        tail.clear();
        long[] versions = {0, 0};
        active.visitFrom(tailPosition, (kind, source, keyOffset, keyLength, valueLength, version, isLast) -> {
            if (version > logged) {
                versions[0] = versions[0] == 0 ? version : versions[0];
                versions[1] = version;
                tail.add(
                        kind,
                        version - versions[0],
                        source,
                        keyOffset,
                        keyLength,
                        source,
                        keyOffset + keyLength,
                        valueLength);
                if (isLast) {
                    tail.endBatch();
                }
            }
        });
        if (!tail.isEmpty()) {
            append(tail, versions[0], versions[1]);
        }
        tailPosition = active.position();
        tail.clear();
    }

    /** Logs a batch that is about to be applied. Under the store's lock, after {@link #awaitNoGap}. */
    void log(Operations operations, long firstVersion) throws IOException {
        logTail();
        append(operations, firstVersion, firstVersion + operations.count() - 1);
    }

    /** Notes that the active table has what was just logged. Under the store's lock. */
    void applied() {
        tailTable = store.stack().active;
        tailPosition = tailTable.position();
    }

    /** Logs what is not logged of a table that is about to be sealed, if the log is in use. Under the store's lock. */
    void beforeSeal() {
        if (isUsed && logged >= store.stack().active.firstVersion() - 1) {
            try {
                logTail();
            } catch (IOException e) {
                // The next durable write waits until the table is below; a failure that is final has been noted.
                isUsed = store.failure() == null;
            }
        }
    }

    private void append(Operations operations, long first, long last) throws IOException {
        try {
            LogFile file = file(operations.length());
            try {
                file.append(operations.bytes(), operations.length(), first, last, durable());
            } catch (OutOfSpaceException | OutOfMemoryError e) {
                file.undo();
                throw e;
            }
        } catch (OutOfSpaceException | OutOfMemoryError e) {
            throw e;
        } catch (Throwable e) {
            store.fail(e);
            throw new EngineFailedException(Outcome.UNKNOWN, "the log could not be written; reopen the store: " + e, e);
        }
        logged = last;
    }

    private long durable() {
        forceLock.lock();
        try {
            return Math.max(forced, store.stack().bottom.version());
        } finally {
            forceLock.unlock();
        }
    }

    private LogFile file(int expectedLength) throws IOException {
        LogFile file = current;
        if (file != null && file.length() < rollLength) {
            return file;
        }
        long number = Math.max(nextNumber, store.version() + 1);
        nextNumber = number + 1; // first: a file that could not be made may be there all the same
        older.ensureCapacity(older.size() + 1);
        LogFile next = new LogFile(io, storeId, number, expectedLength);
        if (file != null) {
            older.add(file);
        }
        current = next;
        forceLock.lock();
        try {
            isNameNew = true;
        } finally {
            forceLock.unlock();
        }
        return next;
    }

    /** Returns when everything up to a version survives a power loss. Without the store's lock. */
    void awaitForced(long version) throws IOException {
        while (true) {
            forceLock.lock();
            try {
                while (isForcing && forced < version) {
                    forceEnded.awaitUninterruptibly();
                }
                if (forced >= version || store.stack().bottom.version() >= version) {
                    return;
                }
                Throwable first = store.failure();
                if (first != null) {
                    throw new EngineFailedException(
                            Outcome.UNKNOWN, "the log could not be forced; reopen the store: " + first, first);
                }
                isForcing = true;
            } finally {
                forceLock.unlock();
            }
            forceAll();
        }
    }

    /** Forces all files for everybody who waits. */
    private void forceAll() throws IOException {
        long target = 0;
        boolean isForced = false;
        boolean isNamed = false;
        Durables waiting = store.durables();
        try {
            List<LogFile> files = new ArrayList<>();
            store.lock.lock();
            try {
                files.addAll(older);
                if (current != null) {
                    files.add(current);
                }
                target = logged;
                waiting = store.durables();
            } finally {
                store.lock.unlock();
            }
            forceLock.lock();
            try {
                isNamed = isNameNew;
                isNameNew = false;
            } finally {
                forceLock.unlock();
            }
            force(files, isNamed);
            isForced = true;
        } finally {
            forceLock.lock();
            try {
                isForcing = false;
                if (isForced) {
                    forced = Math.max(forced, target);
                }
                forceEnded.signalAll();
            } finally {
                forceLock.unlock();
            }
            if (isForced) {
                waiting.advance(target);
            }
        }
    }

    private void force(List<LogFile> files, boolean isNamed) throws IOException {
        try {
            for (LogFile file : files) {
                if (file.lastVersion() > forcedVersion()) {
                    file.force();
                }
            }
            if (isNamed) {
                io.syncDirectory();
            }
        } catch (Throwable e) {
            store.fail(e);
            throw new EngineFailedException(Outcome.UNKNOWN, "the log could not be forced; reopen the store: " + e, e);
        }
    }

    private long forcedVersion() {
        forceLock.lock();
        try {
            return forced;
        } finally {
            forceLock.unlock();
        }
    }

    /** Removes files all of whose writes are below. Without the store's lock. */
    void retire(long version) {
        forceLock.lock();
        try {
            while (isForcing) {
                forceEnded.awaitUninterruptibly();
            }
            isForcing = true;
        } finally {
            forceLock.unlock();
        }
        try {
            List<LogFile> gone = new ArrayList<>();
            store.lock.lock();
            try {
                older.removeIf(file -> file.lastVersion() <= version && gone.add(file));
                LogFile last = current;
                if (last != null && last.lastVersion() <= version) {
                    gone.add(last);
                    current = null;
                }
            } finally {
                store.lock.unlock();
            }
            gone.forEach(this::remove);
        } finally {
            forceLock.lock();
            try {
                isForcing = false;
                forceEnded.signalAll();
            } finally {
                forceLock.unlock();
            }
        }
    }

    /** What fails here costs space until the next opening: it passes over writes that are below. */
    private void remove(LogFile file) {
        try {
            file.close();
            io.delete(FileNames.log(file.number()));
        } catch (IOException | RuntimeException e) {
            System.getLogger(WriteLog.class.getName())
                    .log(Level.WARNING, "log could not be removed; the next opening will: number=" + file.number(), e);
        }
    }

    /** Returns how many log files there are. Under the store's lock. */
    int files() {
        return older.size() + (current == null ? 0 : 1);
    }

    /** Returns the bytes of all log files. Under the store's lock. */
    long diskBytes() {
        long bytes = 0;
        for (LogFile file : older) {
            bytes += file.length();
        }
        return bytes + (current == null ? 0 : current.length());
    }

    /** Returns the last version that is in the log or below. Under the store's lock. */
    long logged() {
        return Math.max(logged, store.stack().bottom.version());
    }

    /** Closes all files; what was appended stays. */
    void close() throws IOException {
        IOException failure = null;
        List<LogFile> all = new ArrayList<>(older);
        if (current != null) {
            all.add(current);
        }
        for (LogFile file : all) {
            try {
                file.close();
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
