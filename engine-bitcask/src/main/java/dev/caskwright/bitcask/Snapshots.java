package dev.caskwright.bitcask;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.bitcask.log.DataFile;
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
        final @Nullable DataFile[] files;
        final @Nullable DataFile active;
        final long activeLength;
        final Undo undo;
        final List<DataFile> pinned = new ArrayList<>(); // guarded by Snapshots
        volatile boolean closed;

        Handle(
                long serial,
                long version,
                long nowMillis,
                @Nullable DataFile[] files,
                @Nullable DataFile active,
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
        boolean covers(DataFile file) {
            int slot = file.slot();
            return slot < files.length && files[slot] == file && file.isVisibleTo(serial);
        }

        /** Returns up to where a file was written then. */
        long end(DataFile file) {
            return file == active ? activeLength : file.length();
        }
    }

    private final Store store;
    private final int limit;
    private final List<Handle> open = new ArrayList<>(); // guarded by this
    private final Map<DataFile, Integer> pins = new HashMap<>(); // guarded by this
    private long serial;
    private volatile @Nullable Undo newest;

    Snapshots(Store store, int limit) {
        this.store = store;
        this.limit = limit;
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
                Handle handle = new Handle(
                        ++serial,
                        store.lastVersion(),
                        store.clock.nowMillis(),
                        store.log.slots(),
                        store.log.active(),
                        undo);
                open.add(handle);
                return handle;
            }
        } finally {
            store.writeLock.unlock();
        }
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
        List<DataFile> unpinned = new ArrayList<>();
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
                for (DataFile file : handle.pinned) {
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

    /** Returns the number of the first snapshot that could be opened from now on. Under the write lock. */
    synchronized long nextSerial() {
        return serial + 1;
    }

    /** Takes a file that a merge has replaced: returns true if it can go at once, false if it goes when snapshots close. */
    synchronized boolean retire(DataFile file) {
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

    synchronized boolean isPinned(DataFile file) {
        return pins.containsKey(file);
    }

    synchronized long pinnedBytes() {
        long bytes = 0;
        for (DataFile file : pins.keySet()) {
            bytes += file.length();
        }
        return bytes;
    }
}
