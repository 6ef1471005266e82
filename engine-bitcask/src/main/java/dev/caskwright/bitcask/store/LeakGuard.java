package dev.caskwright.bitcask.store;

import java.io.IOException;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells when a view or a cursor has become unreachable. Kept by the handle, and does not refer to its owner. */
public final class LeakGuard extends PhantomReference<Object> {
    private final Snapshots.Handle handle;

    public LeakGuard(Object owner, Store store, Snapshots.Handle handle) {
        super(owner, store.snapshots.dropped);
        this.handle = handle;
        handle.leakGuard = this;
    }

    /** Closes the snapshots whose views were dropped, unless the caller holds the write lock. */
    public static void closeDropped(Store store) {
        if (store.writeLock.isHeldByCurrentThread()) {
            return; // an executor that runs tasks in the caller may bring it here
        }
        for (Reference<?> each = store.snapshots.dropped.poll(); each != null; each = store.snapshots.dropped.poll()) {
            Snapshots.Handle handle = ((LeakGuard) each).handle;
            if (!handle.closed && !store.isClosed()) {
                logger().warn("a snapshot or cursor was not closed and is closed now: version={}", handle.version);
                close(store, handle);
            }
        }
    }

    /** Closes a snapshot. It is closed even if the files that were kept for it cannot be removed. */
    public static void close(Store store, Snapshots.Handle handle) {
        try {
            store.snapshots.close(handle);
        } catch (IOException e) {
            // Files that could not be removed are leftovers, which the next opening removes.
            logger().warn("files kept for a snapshot could not be removed", e);
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(LeakGuard.class);
    }
}
