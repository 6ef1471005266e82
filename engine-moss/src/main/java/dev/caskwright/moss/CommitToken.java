package dev.caskwright.moss;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** A batch that was applied: tells when it survives a power loss, or why it never will. For any thread. */
public final class CommitToken {
    /** Makes a version durable. */
    interface Sync {
        void sync() throws IOException;
    }

    private final long version;
    private final Durables durables;
    private final Sync sync;

    CommitToken(long version, Durables durables, Sync sync) {
        this.version = version;
        this.durables = durables;
        this.sync = sync;
    }

    /** Returns the version of the batch's last write. */
    public long version() {
        return version;
    }

    /** Returns whether the batch survives a power loss. */
    public boolean isDurable() {
        return durables.isDurable(version);
    }

    /** Makes the batch, and all before it, survive a power loss now. */
    public void awaitDurable() throws IOException {
        if (!isDurable()) {
            sync.sync();
        }
    }

    /**
     * Returns a future that completes once the batch survives a power loss, by a force for another write or in the
     * background, and fails with the reason if it never will. It asks for nothing itself.
     */
    public CompletableFuture<Void> future() {
        return durables.future(version);
    }
}
