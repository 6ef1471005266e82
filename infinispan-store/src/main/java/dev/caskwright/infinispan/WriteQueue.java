package dev.caskwright.infinispan;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.spi.Causes;
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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.infinispan.persistence.spi.PersistenceException;
import org.jspecify.annotations.Nullable;

/**
 * Applies changes one after the other, in the order in which they came. All that wait are written as one batch by one
 * blocking thread, so that they share the change of threads and, if writes are durable, the force. Whoever adds a
 * change does not wait; its stage completes on a non-blocking thread. A thread that may block and finds nothing on its way writes its
 * change by itself, if that is wanted: two changes of threads cost ten times what the write does.
 */
final class WriteQueue {
    private static final int MOST_IN_BATCH = 1000;

    /** A batch with so many bytes of keys and values is written before more is added to it. */
    static final long MOST_BYTES = 8L << 20;

    /** A force takes milliseconds; whoever comes within this time shares it. */
    private static final long GATHER_NANOS = 200_000;

    private static final long LOOK_NANOS = 20_000;

    /** Who writes. */
    enum Writer {
        /** A thread that adds a change and may block, or else a blocking thread. */
        CALLER,
        /** A blocking thread. */
        THREAD,
        /** A blocking thread, which waits for others to come if they did the last time: a write costs much more than that. */
        GATHERING_THREAD
    }

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
        private long bytes;

        /** Stands for a deleted key; compared by identity. */
        private static final ByteBuffer DELETED = ByteBuffer.allocate(0);

        private Pending(StorageEngine engine) {
            this.engine = engine;
        }

        void put(byte[] key, byte[] value) {
            batch.put(key, value);
            bytes += key.length + value.length;
            changed.put(ByteBuffer.wrap(key), ByteBuffer.wrap(value));
        }

        void delete(byte[] key) {
            batch.delete(key);
            bytes += key.length;
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
                bytes = 0;
            }
        }

        /** Writes what was gathered so far if it is long enough, for a change that is made of many. */
        void writeIfLong() throws IOException {
            if (bytes >= MOST_BYTES) {
                write();
            }
        }
    }

    /** A change, and what became of it. */
    private static final class Waiting<R> {
        private final Change<R> change;
        private final CompletableFuture<R> stage = new CompletableFuture<>();
        private @Nullable R result;
        private @Nullable Throwable failure;

        Waiting(Change<R> change) {
            this.change = change;
        }

        void gather(Pending batch) {
            try {
                result = change.addTo(batch);
            } catch (IOException | RuntimeException | Error e) {
                fail(e);
            }
        }

        /** Notes a failure, unless there is one. */
        void fail(Throwable cause) {
            failure = failure == null ? failure(cause) : failure;
        }

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
    private final Writer writer;
    private final Queue<Waiting<?>> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();

    /** How many were written last; for whoever drains. */
    private int lastWritten;

    WriteQueue(StorageEngine engine, Executor blocking, Executor nonBlocking, Writer writer) {
        this.engine = engine;
        this.blocking = blocking;
        this.nonBlocking = nonBlocking;
        this.writer = writer;
    }

    /** Adds a change. If no thread takes it, its stage fails, and later changes may go well. */
    <R> CompletionStage<R> add(Change<R> change) {
        Waiting<R> added = new Waiting<>(change);
        waiting.add(added);
        if (count.getAndIncrement() == 0) {
            if (writer == Writer.CALLER && CaskwrightStore.mayBlock()) {
                drainOnce();
            } else {
                startDraining();
            }
        }
        return added.stage;
    }

    private void startDraining() {
        try {
            blocking.execute(this::drain);
        } catch (RuntimeException | Error e) {
            failAll(e);
        }
    }

    /** Writes what waits, on the thread that calls; what has come meanwhile is for a blocking thread. */
    private void drainOnce() {
        try {
            List<Waiting<?>> taken = new ArrayList<>();
            boolean isLeft;
            try {
                apply(count.get(), taken);
            } finally {
                taken.forEach(Waiting::tell);
                isLeft = count.addAndGet(-taken.size()) > 0;
            }
            if (isLeft) {
                startDraining();
            }
        } catch (Throwable e) {
            failAll(e); // nobody else would ever take what waits
            throw e;
        }
    }

    /** Writes what was asked for before, and closes the engine: also if that fails, or no thread takes it. */
    CompletionStage<Void> close() {
        AtomicBoolean hasRun = new AtomicBoolean();
        CompletionStage<Void> closed = add(batch -> {
            hasRun.set(true);
            try {
                batch.write();
            } catch (IOException | RuntimeException | Error e) {
                Causes.closeAfter(e, engine::close);
                throw e;
            }
            engine.close();
            return null;
        });
        return closed.whenComplete((nothing, failure) -> {
            if (!hasRun.get() && failure != null) {
                Causes.closeAfter(
                        failure, engine::close); // on this thread: a directory that stays locked would be worse
            }
        });
    }

    private void drain() {
        try {
            int left = gathered();
            while (left > 0) {
                List<Waiting<?>> taken = new ArrayList<>(Math.min(left, MOST_IN_BATCH));
                try {
                    apply(left, taken);
                } finally {
                    tell(taken);
                    lastWritten = taken.size();
                    left = count.addAndGet(-taken.size());
                }
                left = left > 0 ? gathered() : 0;
            }
        } catch (Throwable e) {
            failAll(e); // nobody else would ever take what waits
            throw e;
        }
    }

    /** Returns how many wait: for a while, until they are as many as the last time. */
    private int gathered() {
        if (writer == Writer.GATHERING_THREAD) {
            long start = System.nanoTime();
            while (count.get() < lastWritten && System.nanoTime() - start < GATHER_NANOS) {
                LockSupport.parkNanos(LOOK_NANOS);
            }
        }
        return count.get();
    }

    /** Takes as many changes as make a batch, and writes them. */
    private void apply(int most, List<Waiting<?>> taken) {
        try {
            Pending batch = new Pending(engine);
            while (taken.size() < Math.min(most, MOST_IN_BATCH) && batch.bytes < MOST_BYTES) {
                Waiting<?> next = waiting.remove();
                taken.add(next); // has room: it does not fail
                next.gather(batch);
            }
            batch.write();
        } catch (IOException | RuntimeException | Error e) {
            taken.forEach(each -> each.fail(e));
        }
    }

    private void tell(List<Waiting<?>> taken) {
        try {
            nonBlocking.execute(() -> taken.forEach(Waiting::tell));
        } catch (RuntimeException | Error e) {
            // The wrong thread is better than none. Whoever is told twice takes the first answer.
            taken.forEach(Waiting::tell);
        }
    }

    private void failAll(Throwable cause) {
        int left = count.get();
        while (left > 0) {
            for (int i = 0; i < left; i++) {
                Waiting<?> each = waiting.remove();
                each.fail(cause);
                each.tell();
            }
            left = count.addAndGet(-left);
        }
    }

    private static Throwable failure(Throwable cause) {
        return cause instanceof PersistenceException
                ? cause
                : new PersistenceException("writing to the store failed: " + cause.getMessage(), cause);
    }
}
