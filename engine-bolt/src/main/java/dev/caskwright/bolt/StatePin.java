package dev.caskwright.bolt;

import dev.caskwright.api.EngineClosedException;
import org.slf4j.LoggerFactory;

/**
 * Keeps one state readable for any number of threads, until it is closed and no read of it is under way. A thread that reads
 * makes a transaction of its own over the state, since a transaction is for one thread.
 */
final class StatePin implements Runnable {
    private final BoltTransaction transaction;
    private final Runnable onEnd;
    private int uses; // guarded by this
    private boolean isClosed; // guarded by this

    /** @param onEnd is called once, when nobody reads the state any more */
    StatePin(BoltTransaction transaction, Runnable onEnd) {
        this.transaction = transaction;
        this.onEnd = onEnd;
    }

    /** Begins a read; {@link #leave} ends it. */
    synchronized BoltTransaction enter() throws EngineClosedException {
        if (isClosed) {
            throw new EngineClosedException("the snapshot or cursor is closed");
        }
        BoltTransaction mine = transaction.sibling();
        uses++;
        return mine;
    }

    synchronized void leave() {
        uses--;
        endIfUnused();
    }

    /** Refuses reads from now on. Closing twice is fine. */
    synchronized void close() {
        if (!isClosed) {
            isClosed = true;
            endIfUnused();
        }
    }

    private void endIfUnused() {
        if (isClosed && uses == 0) {
            transaction.end();
            onEnd.run();
        }
    }

    synchronized boolean isClosed() {
        return isClosed;
    }

    long state() {
        return transaction.id();
    }

    /** Closes a pin whose owner was dropped and never closed. */
    @Override
    public void run() {
        if (!isClosed()) {
            LoggerFactory.getLogger(StatePin.class)
                    .warn("a snapshot or cursor was dropped and never closed: state={}", state());
            close();
        }
    }
}
