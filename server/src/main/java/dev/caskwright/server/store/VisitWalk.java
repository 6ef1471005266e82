package dev.caskwright.server.store;

import dev.caskwright.api.Entry;
import dev.caskwright.api.Snapshot;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A walk over a store without an order, which can only show all of its keys at a stretch: a thread of the walk's own visits a
 * snapshot, and waits whenever it is some keys ahead.
 */
final class VisitWalk implements KeyWalk {
    private static final int AHEAD = 1_000;

    private final Snapshot snapshot;
    private final byte[] start;
    private final Thread thread;

    // Under the monitor.
    private final Deque<byte[]> keys = new ArrayDeque<>();
    private boolean isAtEnd;
    private boolean isClosed;
    private @Nullable IOException failure;

    VisitWalk(Snapshot snapshot, byte[] start) {
        this.snapshot = snapshot;
        this.start = start;
        thread = new Thread(this::visit, "caskwright-scan");
        thread.setDaemon(true);
    }

    void begin() {
        thread.start();
    }

    private void visit() {
        IOException problem = null;
        try {
            snapshot.visit(this::show);
        } catch (IOException e) {
            problem = e;
        } catch (RuntimeException | Error e) {
            problem = new IOException("a scan failed: " + e.getClass().getSimpleName(), e);
        } finally {
            snapshot.close();
        }
        synchronized (this) {
            failure = problem;
            isAtEnd = true;
            notifyAll();
        }
    }

    private boolean show(Entry entry) throws IOException {
        if (!Keyspace.startsWith(entry.key(), start)) {
            synchronized (this) {
                return !isClosed;
            }
        }
        synchronized (this) {
            keys.addLast(entry.key());
            notifyAll();
            try {
                while (keys.size() >= AHEAD && !isClosed) {
                    wait();
                }
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
            return !isClosed;
        }
    }

    private static IOException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return (IOException) new InterruptedIOException("interrupted within a scan").initCause(e);
    }

    @Override
    public synchronized byte @Nullable [] next() throws IOException {
        try {
            while (keys.isEmpty() && !isAtEnd && !isClosed) {
                wait();
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        if (keys.isEmpty() && failure != null) {
            throw new IOException("the scan failed", failure);
        }
        byte[] key = keys.pollFirst();
        notifyAll();
        return key;
    }

    @Override
    public synchronized void close() {
        isClosed = true;
        keys.clear();
        notifyAll();
    }
}
