package dev.caskwright.api.spi.io;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Forces that many callers share without waiting in a thread: the heart of {@code syncAsync} of an engine. A call that comes
 * while no force is under way has one started; those that come meanwhile share the next. A force that fails is told to each
 * that waited for it. Safe for any number of threads.
 */
public final class SharedSync {
    /** Forces a store. */
    @FunctionalInterface
    public interface Force {
        /** Forces everything that was written before the call; returns the version up to which all is durable. */
        long force() throws IOException;
    }

    private final Force force;
    private final Runnable starter;
    private List<CompletableFuture<Long>> waiting = new ArrayList<>(); // guarded by this, as what follows
    private boolean isStarted; // and not ended: a thread serves or is on its way
    private boolean isForcing;
    private boolean isClosed;

    /**
     * Makes one without callers.
     *
     * @param starter has another thread call {@link #serve}, soon and once; one that throws fails the calls that wait
     */
    public SharedSync(Force force, Runnable starter) {
        this.force = force;
        this.starter = starter;
    }

    /** Returns a future that ends after a force that begins after this call. What depends on it runs in the thread that forces. */
    public CompletableFuture<Long> request() {
        CompletableFuture<Long> future = new CompletableFuture<>();
        synchronized (this) {
            if (isClosed) {
                return CompletableFuture.failedFuture(new EngineClosedException("the engine is closed"));
            }
            waiting.add(future);
            if (isStarted) {
                return future;
            }
            isStarted = true;
        }
        try {
            starter.run();
        } catch (RuntimeException | Error e) {
            EngineException refused = new EngineException(
                    ErrorCode.UNAVAILABLE, Outcome.APPLIED, "not synced for want of a thread, try again: " + e, e);
            take(true).forEach(each -> each.completeExceptionally(refused));
        }
        return future;
    }

    /** Forces until nobody waits. Throws nothing. */
    public void serve() {
        while (true) {
            List<CompletableFuture<Long>> served;
            synchronized (this) {
                if (waiting.isEmpty() || isClosed) {
                    isStarted = false;
                    return;
                }
                served = take(false);
                isForcing = true;
            }
            long version = 0;
            Throwable failure = null;
            try {
                version = force.force();
            } catch (IOException | RuntimeException | Error e) {
                failure = e;
            } finally {
                synchronized (this) {
                    isForcing = false;
                    notifyAll();
                }
            }
            complete(served, version, failure);
        }
    }

    private synchronized List<CompletableFuture<Long>> take(boolean isEnd) {
        List<CompletableFuture<Long>> taken = waiting;
        waiting = new ArrayList<>();
        isStarted &= !isEnd;
        return taken;
    }

    /**
     * Lets no call in from here on, waits for the force that is under way, and returns what is left: the engine makes everything
     * durable as it closes, and ends these futures with {@link #complete}.
     */
    public List<CompletableFuture<Long>> close() {
        boolean isInterrupted = false;
        synchronized (this) {
            isClosed = true;
            while (isForcing) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    isInterrupted = true;
                }
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
        return take(true);
    }

    /** Ends futures with the version up to which all is durable or, if there is one, with a failure. */
    public static void complete(List<CompletableFuture<Long>> futures, long version, @Nullable Throwable failure) {
        for (CompletableFuture<Long> future : futures) {
            if (failure == null) {
                future.complete(version);
            } else {
                future.completeExceptionally(failure);
            }
        }
    }
}
