package dev.caskwright.infinispan;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.infinispan.persistence.spi.PersistenceException;
import org.jspecify.annotations.Nullable;

/**
 * Applies changes one after the other, in the order in which they came. All that wait are written as one batch by one
 * blocking thread, so that they share the change of threads and, if writes are durable, the force. Whoever adds a
 * change does not wait; its stage completes on a non-blocking thread.
 */
final class WriteQueue {
    private static final int MOST_IN_BATCH = 1000;

    /** What is written, and what comes of it. */
    @FunctionalInterface
    interface Change<R> {
        @Nullable R addTo(Pending batch) throws IOException;
    }

    /** A batch that is being gathered; reads through it see its changes. */
    static final class Pending {
        private final StorageEngine engine;
        private final WriteBatch batch = new WriteBatch();
        private final Map<ByteBuffer, ByteBuffer> changed = new HashMap<>();

        /** Stands for a deleted key; compared by identity. */
        private static final ByteBuffer DELETED = ByteBuffer.allocate(0);

        private Pending(StorageEngine engine) {
            this.engine = engine;
        }

        void put(byte[] key, byte[] value) {
            batch.put(key, value);
            changed.put(ByteBuffer.wrap(key), ByteBuffer.wrap(value));
        }

        void delete(byte[] key) {
            batch.delete(key);
            changed.put(ByteBuffer.wrap(key), DELETED);
        }

        byte @Nullable [] get(byte[] key) throws IOException {
            ByteBuffer value = changed.get(ByteBuffer.wrap(key));
            if (value == null) {
                return engine.get(key);
            }
            return value == DELETED ? null : value.array();
        }

        /** Writes what was gathered so far, for a change that goes to the engine itself. */
        void write() throws IOException {
            if (batch.size() > 0) {
                engine.write(batch);
                batch.clear();
                changed.clear();
            }
        }
    }

    private record Waiting<R>(Change<R> change, CompletableFuture<R> stage) {}

    /** What became of one change of a batch. */
    private record Done<R>(
            CompletableFuture<R> stage,
            @Nullable R result,
            @Nullable Throwable failure) {
        void tell() {
            if (failure == null) {
                stage.complete(result);
            } else {
                stage.completeExceptionally(failure);
            }
        }
    }

    private final StorageEngine engine;
    private final Executor blocking;
    private final Executor nonBlocking;
    private final Queue<Waiting<?>> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();

    WriteQueue(StorageEngine engine, Executor blocking, Executor nonBlocking) {
        this.engine = engine;
        this.blocking = blocking;
        this.nonBlocking = nonBlocking;
    }

    <R> CompletionStage<R> add(Change<R> change) {
        Waiting<R> added = new Waiting<>(change, new CompletableFuture<>());
        waiting.add(added);
        if (count.getAndIncrement() == 0) {
            blocking.execute(this::drain);
        }
        return added.stage();
    }

    private void drain() {
        int left = count.get();
        while (left > 0) {
            int taken = Math.min(left, MOST_IN_BATCH);
            List<Done<?>> done = apply(taken);
            nonBlocking.execute(() -> done.forEach(Done::tell));
            left = count.addAndGet(-taken);
        }
    }

    private List<Done<?>> apply(int size) {
        Pending batch = new Pending(engine);
        List<Done<?>> done = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            done.add(gather(waiting.remove(), batch));
        }
        try {
            batch.write();
        } catch (IOException | RuntimeException | Error e) {
            Throwable failure = failure(e);
            done.replaceAll(each -> each.failure() == null ? new Done<>(each.stage(), null, failure) : each);
        }
        return done;
    }

    private static <R> Done<R> gather(Waiting<R> waiting, Pending batch) {
        try {
            return new Done<>(waiting.stage(), waiting.change().addTo(batch), null);
        } catch (IOException | RuntimeException | Error e) {
            return new Done<>(waiting.stage(), null, failure(e));
        }
    }

    private static Throwable failure(Throwable cause) {
        return cause instanceof PersistenceException
                ? cause
                : new PersistenceException("writing to the store failed: " + cause.getMessage(), cause);
    }
}
