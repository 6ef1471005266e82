package dev.caskwright.bitcask;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.LogSegment;
import java.io.IOException;
import java.util.ArrayList;
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
 * next older one, so that memory grows only with the keys that changed since the oldest snapshot.
 *
 * <p>A file that a merge has replaced stays until every snapshot that was open then has closed.
 */
final class Snapshots {
    /** One snapshot's undo map, and those of the snapshots after it. */
    static final class Undo {
        final UndoMap map = new UndoMap();
        volatile @Nullable Undo next;
    }

    /** An open snapshot. */
    static final class Handle {
        final long serial;
        final long version;
        final long nowMillis;
        final @Nullable LogSegment[] files;
        final @Nullable LogSegment active;
        final long activeLength;
        final Undo undo;
        final List<LogSegment> pinned = new ArrayList<>(); // guarded by Snapshots
        volatile boolean closed;

        Handle(
                long serial,
                long version,
                long nowMillis,
                @Nullable LogSegment[] files,
                @Nullable LogSegment active,
                Undo undo) {
            this.serial = serial;
            this.version = version;
            this.nowMillis = nowMillis;
            this.files = files;
            this.active = active;
            this.activeLength = active == null ? 0 : active.length();
            this.undo = undo;
        }

        /** Returns the locator that a key had when the snapshot was taken. Within an epoch. */
        long locate(KeyIndex index, byte[] key, int offset, int length) throws IOException {
            long current = index.get(key, offset, length);
            for (Undo each = undo; each != null; each = each.next) {
                long saved = each.map.get(key, offset, length);
                if (saved != UndoMap.UNCHANGED) {
                    return saved;
                }
            }
            return current;
        }

        /** Returns whether records in this file, and not copies of them elsewhere, were current then. */
        boolean covers(LogSegment file) {
            int slot = file.slot();
            return slot < files.length && files[slot] == file;
        }

        /** Returns up to where a file was written then. */
        long end(LogSegment file) {
            return file == active ? activeLength : file.length();
        }
    }

    private final Store store;
    private final int limit;
    private final List<Handle> open = new ArrayList<>(); // guarded by this
    private final Map<LogSegment, Integer> pins = new HashMap<>(); // guarded by this
    private final Visibility visibility;
    private long serial;
    private volatile @Nullable Undo newest;

    Snapshots(Store store, int limit) {
        this.store = store;
        this.limit = limit;
        this.visibility = new Visibility(store.log);
    }

    /** Opens a snapshot of now. */
    Handle open() throws IOException {
        store.writeLock.lock();
        try {
            store.checkOpen();
            synchronized (this) {
                if (open.size() >= limit) {
                    throw new EngineException(
                            ErrorCode.TOO_MANY_SNAPSHOTS,
                            Outcome.NOT_APPLIED,
                            "too many snapshots are open: limit=" + limit
                                    + "; close some, or raise maxSnapshots of the builder",
                            null);
                }
                Undo undo = new Undo();
                Undo last = newest;
                if (last != null) {
                    last.next = undo;
                }
                newest = undo;
                serial++;
                Handle handle = new Handle(
                        serial, store.lastVersion(), store.clock.nowMillis(), visibleFiles(), store.log.active(), undo);
                open.add(handle);
                return handle;
            }
        } finally {
            store.writeLock.unlock();
        }
    }

    /** Returns the files that the newest snapshot sees. Those merged before are not: they go when older ones close. */
    private @Nullable LogSegment[] visibleFiles() {
        @Nullable LogSegment[] files = store.log.slots().clone();
        for (int slot = 0; slot < files.length; slot++) {
            LogSegment file = files[slot];
            if (file != null && !visibility.isVisibleTo(file, serial)) {
                files[slot] = null;
            }
        }
        return files;
    }

    /** Saves the locator of a key that is about to change. Under the write lock. */
    void beforeChange(byte[] key, int offset, int length, long locator) {
        Undo undo = newest;
        if (undo != null) {
            undo.map.save(key, offset, length, locator);
        }
    }

    /** Returns whether changes must be announced with {@link #beforeChange}. Under the write lock. */
    boolean isAnyOpen() {
        return newest != null;
    }

    /** Closes a snapshot and gives back what only it needed. */
    void close(Handle handle) throws IOException {
        List<LogSegment> unpinned = new ArrayList<>();
        store.writeLock.lock();
        try {
            synchronized (this) {
                if (handle.closed) {
                    return;
                }
                handle.closed = true;
                int at = open.indexOf(handle);
                open.remove(at);
                if (open.isEmpty()) {
                    newest = null;
                } else if (at > 0) {
                    passOn(handle, open.get(at - 1));
                }
                for (LogSegment file : handle.pinned) {
                    if (pins.merge(file, -1, Integer::sum) == 0) {
                        pins.remove(file);
                        unpinned.add(file);
                    }
                }
            }
        } finally {
            store.writeLock.unlock();
        }
        store.removeFiles(unpinned);
    }

    /** Moves the undo map of a closed snapshot to the next older one. */
    private void passOn(Handle closed, Handle older) {
        older.undo.map.saveAll(closed.undo.map);
        // Readers of the older snapshot that still hold the link see the same values behind it.
        older.undo.next = closed.undo.next;
        if (newest == closed.undo) {
            newest = older.undo;
        }
    }

    /** Says that the index does not refer to a file yet: the output of a merge. */
    void hide(LogSegment output) {
        visibility.hide(output);
    }

    /** Says that for snapshots from now on the outputs of a merge count, and not the inputs. Under the write lock. */
    synchronized void replace(List<LogSegment> inputs, List<LogSegment> outputs) {
        visibility.replace(inputs, outputs, serial + 1);
    }

    /** Returns whether a file is part of the store, and not the output of a merge under way or replaced by one. */
    boolean isCurrent(LogSegment file) {
        return visibility.isVisibleTo(file, Long.MAX_VALUE - 1);
    }

    boolean isRetired(LogSegment file) {
        return visibility.isRetired(file);
    }

    /** Forgets a file that was removed. */
    void forget(LogSegment file) {
        visibility.forget(file);
    }

    /** Takes a file that a merge has replaced: returns true if it can go at once, false if it goes when snapshots close. */
    synchronized boolean retire(LogSegment file) {
        if (open.isEmpty()) {
            return true;
        }
        for (Handle handle : open) {
            handle.pinned.add(file);
        }
        pins.put(file, open.size());
        return false;
    }

    synchronized int count() {
        return open.size();
    }

    synchronized long pinnedBytes() {
        long bytes = 0;
        for (LogSegment file : pins.keySet()) {
            bytes += file.length();
        }
        return bytes;
    }
}
