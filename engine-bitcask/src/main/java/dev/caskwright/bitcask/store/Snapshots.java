package dev.caskwright.bitcask.store;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.bitcask.undo.Undo;
import dev.caskwright.bitcask.undo.UndoMap;
import java.io.IOException;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The open snapshots, oldest first.
 *
 * <p>Before a key changes in the index, its locator is saved in the undo map of the newest snapshot, once. A snapshot
 * finds the locator of a key in the first undo map from its own on that has the key, and otherwise in the index, which it
 * asks first: a change that it sees there was saved before. When a snapshot closes, what its map has is moved to the
 * next older one, so that memory grows only with the keys that changed since the oldest snapshot. Most of that is done
 * beside the writers, so that none waits for it.
 *
 * <p>A file that a merge has replaced stays until every snapshot that was open then has closed.
 */
public final class Snapshots {
    /** An open snapshot. */
    public static final class Handle {
        final long serial;
        final boolean isForCall;
        public final long version;
        private final StoreClock clock;
        private final long nowMillis;
        private final ToldExpiries told;
        public final @Nullable LogSegment[] files;
        final @Nullable LogSegment active;
        final long activeLength;
        public final Undo undo;
        final List<LogSegment> pinned = new ArrayList<>(); // guarded by Snapshots
        public volatile boolean closed;
        volatile boolean isLeft; // it could not be closed

        /** Keeps the reference that tells of a dropped view or cursor from being collected itself. */
        @Nullable LeakGuard leakGuard;

        Handle(
                long serial,
                boolean isForCall,
                long version,
                StoreClock clock,
                @Nullable LogSegment[] files,
                @Nullable LogSegment active,
                Undo undo) {
            this.serial = serial;
            this.isForCall = isForCall;
            this.version = version;
            this.clock = clock;
            this.told = clock.told(); // before the time: what is told in between is judged by that
            this.nowMillis = clock.nowMillis();
            this.files = files;
            this.active = active;
            this.activeLength = active == null ? 0 : active.length();
            this.undo = undo;
        }

        /** Returns the locator that a key had when the snapshot was taken. Within an epoch. */
        public long locate(KeyIndex index, byte[] key, int offset, int length) throws IOException {
            long current = index.get(key, offset, length);
            long saved = undo.find(key, offset, length);
            checkOpen(); // after both: changes since it was closed have not been saved
            return saved == UndoMap.UNCHANGED ? current : saved;
        }

        public void checkOpen() throws EngineClosedException {
            if (closed) {
                throw new EngineClosedException("the snapshot is closed: version=" + version);
            }
        }

        /** Returns whether an entry had expired then. */
        public boolean hadExpired(long expiresAt, long version) {
            return clock.hadPassed(expiresAt, version, nowMillis, told);
        }

        /** Returns whether records in this file, and not copies of them elsewhere, were current then. */
        public boolean covers(LogSegment file) {
            int slot = file.slot();
            return slot < files.length && files[slot] == file;
        }

        /** Returns up to where a file was written then. */
        public long end(LogSegment file) {
            return file == active ? activeLength : file.length();
        }
    }

    /** Gets the guards of views and cursors that were dropped without being closed. */
    final ReferenceQueue<Object> dropped = new ReferenceQueue<>();

    private final Store store;
    private final int limit;
    private final KeyHash hash;
    private final Object closing = new Object(); // one snapshot closes at a time; taken before the write lock

    @GuardedBy("this") private final List<Handle> open = new ArrayList<>();

    @GuardedBy("this") private final Map<LogSegment, Integer> pins = new HashMap<>();

    private final Visibility visibility;

    @GuardedBy("this") private int users; // of the open ones, those not opened for scans

    private long serial;
    private volatile @Nullable Undo newest;

    /** Set while a snapshot is left that could not be closed for want of memory. */
    private volatile boolean isAnyLeft;

    Snapshots(Store store, int limit, long seed) {
        this.store = store;
        this.hash = new KeyHash(seed);
        this.limit = limit;
        this.visibility = new Visibility(store.log);
    }

    /** Opens a snapshot of now for a user, who may forget to close it. */
    public Handle open() throws IOException {
        return open(false);
    }

    /** Opens a snapshot of now for a call that closes it before it returns: the limit is not for those. */
    public Handle openForCall() throws IOException {
        return open(true);
    }

    private Handle open(boolean isForCall) throws IOException {
        closeLeft();
        store.writeLock.lock();
        try {
            store.checkOpen();
            synchronized (this) {
                if (!isForCall && users >= limit) {
                    throw new EngineException(
                            ErrorCode.TOO_MANY_SNAPSHOTS,
                            Outcome.NOT_APPLIED,
                            "too many snapshots are open: limit=" + limit
                                    + "; close some, or raise maxSnapshots of the builder",
                            null);
                }
                // Nothing can fail from where others see it.
                Undo undo = new Undo(hash);
                Handle handle = new Handle(
                        serial + 1,
                        isForCall,
                        store.lastVersion(),
                        store.clock,
                        visibleFiles(serial + 1),
                        store.log.active(),
                        undo);
                open.add(handle);
                Undo last = newest;
                if (last != null) {
                    last.next = undo;
                }
                newest = undo;
                serial++;
                users += isForCall ? 0 : 1;
                return handle;
            }
        } finally {
            store.writeLock.unlock();
        }
    }

    /** Returns the files that the newest snapshot sees. Those merged before are not: they go when older ones close. */
    private @Nullable LogSegment[] visibleFiles(long serial) {
        @Nullable LogSegment[] files = store.log.slots().clone();
        for (int slot = 0; slot < files.length; slot++) {
            LogSegment file = files[slot];
            if (file != null && !visibility.isVisibleTo(file, serial)) {
                files[slot] = null;
            }
        }
        return files;
    }

    /** Saves the locator of a key that is about to change. Under the write lock, before the index changes. */
    public void beforeChange(byte[] key, int offset, int length, long locator) throws IOException {
        assert store.isWriteLocked();
        Undo undo = newest;
        if (undo != null && !isNewerThan(undo, locator)) {
            undo.map.save(key, offset, length, locator);
        }
    }

    /** Returns whether it is seen from the locator alone that a record was written after a snapshot was taken. */
    public boolean isNewerThan(Handle snapshot, long locator) throws IOException {
        return isNewerThan(snapshot.undo, locator);
    }

    /**
     * Returns whether it is seen from the locator that a key has changed since the snapshot, so that it was saved then: its
     * record lies after the first one since. That of a merge may lie there, too, and be older.
     */
    private boolean isNewerThan(Undo undo, long locator) throws IOException {
        return undo.first != KeyIndex.ABSENT
                && locator != KeyIndex.ABSENT
                && !store.log.isAfter(undo.first, locator)
                && !store.log.segment(locator).isMerged();
    }

    /**
     * Returns the locators that keys had when a snapshot was taken and had lost when a later one was, both still open. Takes
     * 8 bytes for each such key. The caller does not hold the write lock.
     */
    public long[] lostBetween(Handle earlier, Handle later) {
        return lostBetween(earlier, later.undo);
    }

    /** As {@link #lostBetween}, up to now. */
    public long[] lostSince(Handle earlier) {
        return lostBetween(earlier, (Undo) null);
    }

    private long[] lostBetween(Handle earlier, @Nullable Undo later) {
        Locators lost = new Locators();
        synchronized (closing) { // so that nothing is passed on meanwhile
            for (Undo each = earlier.undo; each != null && each != later; each = each.next) {
                Undo end = each;
                each.map.visit((source, offset, length, locator) -> {
                    if (locator != KeyIndex.ABSENT
                            && earlier.undo.find(end, source, offset, length) == UndoMap.UNCHANGED) {
                        lost.add(locator);
                    }
                });
            }
        }
        return lost.toArray();
    }

    /** Locators one after another. */
    private static final class Locators {
        private long[] all = new long[64];
        private int count;

        void add(long locator) {
            if (count == all.length) {
                all = Arrays.copyOf(all, 2 * count);
            }
            all[count++] = locator;
        }

        long[] toArray() {
            return Arrays.copyOf(all, count);
        }
    }

    /** Notes a record that was appended. Under the write lock, after {@link #beforeChange} for its key. */
    public void appended(long locator) {
        assert store.isWriteLocked();
        Undo undo = newest;
        if (undo != null && undo.first == KeyIndex.ABSENT) {
            // Its file stays while the snapshot is open: it is the active one now, and pinned if a merge replaces it.
            undo.first = locator;
        }
    }

    /** Returns whether changes must be announced with {@link #beforeChange}. Under the write lock. */
    public boolean isAnyOpen() {
        assert store.isWriteLocked();
        return newest != null;
    }

    /**
     * Closes a snapshot and gives back what only it needed. The caller does not hold the write lock. If memory is short, it
     * stays open, and is closed when the next one is opened or closed.
     */
    public void close(Handle handle) throws IOException {
        closeOne(handle);
        closeLeft();
    }

    private void closeOne(Handle handle) throws IOException {
        List<LogSegment> unpinned;
        synchronized (closing) {
            if (handle.closed) {
                return;
            }
            handle.closed = true;
            boolean isClosed = false;
            try {
                Handle older = older(handle);
                long copied = older == null ? 0 : older.undo.copyMostOf(handle.undo);
                store.writeLock.lock();
                try {
                    unpinned = takeOut(handle, older, copied);
                } finally {
                    store.writeLock.unlock();
                }
                isClosed = true;
            } finally {
                if (!isClosed) {
                    handle.isLeft = true;
                    isAnyLeft = true;
                    handle.closed = false; // what changes is still saved for it
                }
            }
        }
        store.removeFiles(unpinned);
    }

    /** Returns the files that nothing needs any more. Under the write lock. */
    private synchronized List<LogSegment> takeOut(Handle handle, @Nullable Handle older, long copied) {
        assert store.isWriteLocked();
        List<LogSegment> unpinned = new ArrayList<>(handle.pinned.size());
        if (older != null) {
            older.undo.takeOver(handle.undo, copied); // takes memory, and changes nothing for readers if there is none
        }
        open.remove(handle);
        users -= handle.isForCall ? 0 : 1;
        if (open.isEmpty()) {
            newest = null;
        } else if (older != null && newest == handle.undo) {
            newest = older.undo;
        }
        for (LogSegment file : handle.pinned) {
            if (pins.merge(file, -1, Integer::sum) == 0) {
                pins.remove(file);
                unpinned.add(file);
            }
        }
        return unpinned;
    }

    /** Closes the snapshots that could not be closed before. */
    private void closeLeft() throws IOException {
        if (!isAnyLeft || store.writeLock.isHeldByCurrentThread()) {
            return;
        }
        isAnyLeft = false;
        for (Handle handle : left()) {
            closeOne(handle);
        }
    }

    private synchronized List<Handle> left() {
        List<Handle> left = new ArrayList<>(open);
        left.removeIf(handle -> !handle.isLeft);
        return left;
    }

    private synchronized @Nullable Handle older(Handle handle) {
        int at = open.indexOf(handle);
        return at > 0 ? open.get(at - 1) : null;
    }

    /** Says that the index does not refer to a file yet: the output of a merge. */
    public void hide(LogSegment output) {
        visibility.hide(output);
    }

    /** Makes places for files that a merge may replace, so that {@link #replace} needs no memory for them. */
    public void expectRetirement(List<LogSegment> inputs) {
        visibility.expectRetirement(inputs);
    }

    /** Says that for snapshots from now on the outputs of a merge count, and not the inputs. Under the write lock. */
    public synchronized void replace(List<LogSegment> inputs, List<LogSegment> outputs) {
        assert store.isWriteLocked();
        visibility.replace(inputs, outputs, serial + 1);
    }

    /** Returns whether a file is part of the store, and not the output of a merge under way or replaced by one. */
    public boolean isCurrent(LogSegment file) {
        return visibility.isVisibleTo(file, Long.MAX_VALUE - 1);
    }

    public boolean isRetired(LogSegment file) {
        return visibility.isRetired(file);
    }

    /** Forgets a file that was removed. */
    public void forget(LogSegment file) {
        visibility.forget(file);
    }

    /** Takes a file that a merge has replaced: returns true if it can go at once, false if it goes when snapshots close. */
    public synchronized boolean retire(LogSegment file) {
        if (open.isEmpty()) {
            return true;
        }
        for (Handle handle : open) {
            handle.pinned.add(file);
        }
        pins.put(file, open.size());
        return false;
    }

    public synchronized int count() {
        return open.size();
    }

    /** Returns the memory of what was saved for open snapshots, in bytes. */
    public synchronized long memoryBytes() {
        long bytes = 0;
        for (Handle handle : open) {
            bytes += handle.undo.map.memoryBytes();
        }
        return bytes;
    }

    public synchronized long pinnedBytes() {
        long bytes = 0;
        for (LogSegment file : pins.keySet()) {
            bytes += file.length();
        }
        return bytes;
    }
}
