package dev.caskwright.moss;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
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

    /**
     * Makes the batch, and all before it, survive a power loss now.
     *
     * @throws EngineException if that fails, or if the batch is gone because the store went back to a checkpoint
     */
    public void awaitDurable() throws IOException {
        if (isDurable()) {
            return;
        }
        Throwable gone = durables.failure();
        if (gone == null) {
            sync.sync();
            gone = durables.failure();
        }
        if (!isDurable()) {
            throw new EngineException(
                    ErrorCode.UNAVAILABLE,
                    Outcome.UNKNOWN,
                    "batch will not survive a power loss: version=" + version + ", because " + gone,
                    gone);
        }
    }

    /**
     * Returns a future that completes once the batch survives a power loss, by a force for another write or in the
     * background, and fails with the reason if it never will: at the latest when the engine is closed. It asks for
     * nothing itself. What hangs on it runs on threads of the engine, which wait for it: it must be short, and must not
     * wait for this engine.
     */
    public CompletableFuture<Void> future() {
        return durables.future(version);
    }
}
