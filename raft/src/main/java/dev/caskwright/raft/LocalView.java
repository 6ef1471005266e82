package dev.caskwright.raft;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.HidingView;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What a member has applied, without the node's own record. The store behind it may be replaced by a copy of another member's: a
 * read that comes to a store that has just been closed for that waits for the next one. A cursor or snapshot of the store before
 * ends with {@link EngineClosedException}.
 */
final class LocalView extends HidingView {
    private @Nullable StorageEngine engine;
    private volatile @Nullable StorageEngine current;
    private boolean isClosed;
    private volatile boolean isOrdered;

    /** Sets the store; null while it is being replaced. */
    synchronized void set(@Nullable StorageEngine next) {
        engine = next;
        current = next;
        if (next != null) {
            isOrdered = next.facet(OrderedView.class).isPresent();
        }
        notifyAll();
    }

    /** Ends every wait, now and later. */
    synchronized void close() {
        isClosed = true;
        engine = null;
        current = null;
        notifyAll();
    }

    /** Returns the present store. */
    StorageEngine engine() throws IOException {
        StorageEngine now = current;
        return now == null ? awaitOther(null) : now;
    }

    /** Waits until there is a store other than one that was found closed, which is taken out before it is closed. */
    private synchronized StorageEngine awaitOther(@Nullable StorageEngine closed) throws EngineClosedException {
        boolean wasInterrupted = false;
        while (!isClosed && engine == null) {
            try {
                wait();
            } catch (InterruptedException e) {
                wasInterrupted = true;
            }
        }
        if (wasInterrupted) {
            Thread.currentThread().interrupt();
        }
        StorageEngine next = engine;
        if (next == null) {
            throw new EngineClosedException("the node is closed");
        }
        if (next == closed) {
            throw new EngineClosedException("the store was closed, and not by its node");
        }
        return next;
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        if (Applied.isKey(key)) {
            return null;
        }
        StorageEngine now = engine();
        try {
            return now.get(key);
        } catch (EngineClosedException e) {
            return super.get(key);
        }
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        if (Applied.isKey(key)) {
            return ABSENT;
        }
        StorageEngine now = engine();
        try {
            return now.get(key, target);
        } catch (EngineClosedException e) {
            return super.get(key, target);
        }
    }

    @Override
    protected boolean isHidden(byte[] key) {
        return Applied.isKey(key);
    }

    @Override
    protected <R> @Nullable R readCurrent(Read<R> read) throws IOException {
        StorageEngine now = engine();
        while (true) {
            try {
                return read.of(now);
            } catch (EngineClosedException e) {
                now = awaitOther(now);
            }
        }
    }

    @Override
    protected boolean isOrdered() {
        return isOrdered;
    }

    @Override
    public String describe() {
        StorageEngine now = current;
        return now == null ? "engine=none, the node is closed" : now.describe();
    }
}
