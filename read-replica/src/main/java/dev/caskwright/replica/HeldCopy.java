package dev.caskwright.replica;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.LoggerFactory;

/**
 * A copy whose store is open. It is held by the replica as long as it is the current one, and by each snapshot and cursor over it.
 * Once it is not the current one any more, the last that lets it go closes and deletes it. Safe for any thread.
 */
final class HeldCopy {
    private final ReplicaFiles.Current which;
    private final Path directory;
    private final StorageEngine engine;
    private int holders = 1; // guarded by this, as is the next
    private boolean isReplaced;

    HeldCopy(ReplicaFiles.Current which, Path directory, StorageEngine engine) {
        this.which = which;
        this.directory = directory;
        this.engine = engine;
    }

    ReplicaFiles.Current which() {
        return which;
    }

    StorageEngine engine() {
        return engine;
    }

    /** Keeps the store open; returns false if it is too late. */
    synchronized boolean hold() {
        if (holders == 0) {
            return false;
        }
        holders++;
        return true;
    }

    /** Lets go of what was held. */
    void release() {
        synchronized (this) {
            if (holders == 0 || --holders > 0) {
                return;
            }
        }
        try {
            engine.close();
        } catch (IOException | RuntimeException e) {
            warn("the store of a copy that was replaced cannot be closed", e);
        }
        try {
            SideFiles.deleteTree(directory);
        } catch (IOException e) {
            warn("a copy that was replaced cannot be deleted, the next opening tries again", e);
        }
    }

    private void warn(String what, Exception cause) {
        LoggerFactory.getLogger(HeldCopy.class).warn("{}: copy={}: {}", what, directory, cause.toString());
    }

    /** Says that another copy is the current one: this one goes with its last reader. */
    void replace() {
        synchronized (this) {
            isReplaced = true;
        }
        release();
    }

    /** Closes the store, whoever reads it; deletes the copy if it was replaced. */
    void close() throws IOException {
        boolean isOver;
        synchronized (this) {
            if (holders == 0) {
                return;
            }
            holders = 0;
            isOver = isReplaced;
        }
        engine.close();
        if (isOver) {
            SideFiles.deleteTree(directory);
        }
    }

    synchronized boolean isOpen() {
        return holders > 0;
    }
}
