package dev.caskwright.moss;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Retry;
import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.Segment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/*
 * A write below has two steps. First layers are written; if that fails they are not below, and go back to the merger.
 * Then the stack is put over the state that has them. What fails in this step, for want of memory above all, is done
 * again with the very same layers, which stay the base meanwhile: written once more, or shown beside what is below,
 * their operands would count twice. Whoever changes what is below takes this step first.
 */
/**
 * Writes the oldest layers to what is below the stack, and tries again after growing pauses. One write runs at a time.
 */
final class Persister {
    /** How the persister is. */
    private record Trouble(long sinceNanos, int failures, Throwable cause) {}

    private final Store store;
    private long wanted; // under the lock: all up to this version is to be written now
    private long persists; // under the lock
    private volatile Bottom.@Nullable Landing landed; // changed under the lock of what is below: base that is there
    private volatile @Nullable Trouble trouble;

    Persister(Store store) {
        this.store = store;
    }

    /** Asks for everything up to a version to be written now. Under the lock. */
    void want(long version) {
        if (version > wanted) {
            wanted = version;
            store.work.signalAll();
        }
    }

    /** Writes as there is need until the store is closed, or has failed. */
    void run() {
        new Background(store, "persist", () -> store.isClosed() || store.failure() != null, new Background.Work() {
                    @Override
                    public boolean step() throws IOException {
                        return Persister.this.step(false);
                    }

                    @Override
                    public void await() throws InterruptedException {
                        awaitNeed();
                    }
                })
                .run();
    }

    private void awaitNeed() throws InterruptedException {
        store.lock.lock();
        try {
            long millis = store.settings.persistMillis();
            long left = TimeUnit.MILLISECONDS.toNanos(millis);
            while (!store.isClosed() && !isDue()) {
                if (millis == 0) {
                    store.work.await();
                } else if (left > 0) {
                    left = store.work.awaitNanos(left);
                } else {
                    want(store.version());
                    left = TimeUnit.MILLISECONDS.toNanos(millis);
                }
            }
        } finally {
            store.lock.unlock();
        }
    }

    private boolean isDue() {
        Stack stack = store.stack();
        return landed != null
                || wanted > stack.bottom.version() && (stack.clean > 0 || !stack.active.isEmpty())
                || stack.bytes(0, stack.clean) >= store.settings.persistBytes();
    }

    /**
     * Writes once if there is need; returns whether there was.
     *
     * @param isClosing whether to write although the store takes no more calls
     */
    boolean step(boolean isClosing) throws IOException {
        long version;
        store.below.lock();
        try {
            version = stepBelow(isClosing);
        } catch (Throwable e) {
            note(e);
            throw e;
        } finally {
            store.below.unlock();
            // Whatever was thrown, also after the new bottom was in place: what is below is durable.
            store.durables().advance(below());
        }
        if (version < 0) {
            return false;
        }
        WriteLog log = store.log();
        if (log != null) {
            log.retire(version);
        }
        return true;
    }

    /** Returns the version up to which everything is below, or -1 if there was nothing to do. */
    private long stepBelow(boolean isClosing) throws IOException {
        Stack stack;
        if (landed != null) {
            return store.isClosed() && !isClosing ? -1 : settled();
        }
        store.lock.lock();
        try {
            if (store.isClosed() && !isClosing || !store.stack().bottom.isPersistent() || !isDue()) {
                return -1;
            }
            if (wanted >= store.stack().active.firstVersion() || store.stack().clean == 0) {
                store.seal();
            }
            if (store.stack().clean > 0 && !store.stack().layers[0].endsBatch()) {
                store.seal(); // or half of a batch would be written
            }
            stack = store.stack();
            if (stack.clean == 0) {
                return -1;
            }
            stack = stack.withBase(baseOf(stack));
            store.become(stack);
        } finally {
            store.lock.unlock();
        }
        List<Layer> base = Arrays.asList(stack.layers).subList(stack.base, stack.clean);
        try {
            landed = stack.bottom.persist(base, base.get(0).lastVersion());
        } finally {
            if (landed == null) {
                giveBack();
            }
        }
        return settled();
    }

    private long settled() throws IOException {
        settle();
        trouble = null;
        return store.stack().bottom.version();
    }

    /**
     * Puts the state that has the base under the stack, if it was written and is not yet there. Under the lock of what
     * is below.
     */
    void settle() throws IOException {
        Bottom.Landing present = landed;
        if (present == null) {
            return;
        }
        Bottom next = present.open();
        Bottom before;
        try {
            before = putBelow(next);
        } catch (Throwable e) {
            next.release();
            throw e;
        }
        before.release();
    }

    private Bottom putBelow(Bottom next) {
        store.lock.lock();
        try {
            Stack present = store.stack();
            store.become(present.persisted(keptClean(present), next));
            landed = null;
            persists++;
            store.progress.signalAll();
            store.work.signalAll();
            return present.bottom;
        } finally {
            store.lock.unlock();
        }
    }

    /** Returns the last version that is below, whether or not it is seen there. */
    long below() {
        Bottom.Landing present = landed;
        return present != null ? present.version : store.stack().bottom.version();
    }

    /** Returns the number of the first of the oldest layers that are about as long as one write should be. */
    private int baseOf(Stack stack) {
        int from = stack.clean - 1;
        long bytes = stack.layers[from].bytes();
        while (from > 0 && bytes + stack.layers[from - 1].bytes() <= store.settings.persistBytes()) {
            from--;
            bytes += stack.layers[from].bytes();
        }
        while (from > 0 && !stack.layers[from].endsBatch()) {
            from--;
        }
        return from;
    }

    /** Gives the base, which was not written, back to the merger. */
    private void giveBack() {
        store.lock.lock();
        try {
            store.become(store.stack().withoutBase());
            store.progress.signalAll();
            store.work.signalAll();
        } finally {
            store.lock.unlock();
        }
    }

    /** Returns the base and the clean layers, as far as there is room for them. */
    private Layer[] keptClean(Stack stack) {
        List<Layer> kept = new ArrayList<>();
        long bytes = 0;
        for (int i = stack.base; i < stack.layers.length; i++) {
            Layer layer = stack.layers[i];
            bytes += layer.bytes();
            // Operands that are below must not be applied once more, and a table's older versions serve nobody.
            if (bytes > store.settings.cleanBytes() || !(layer instanceof Segment segment) || segment.hasOperands()) {
                break;
            }
            kept.add(layer);
        }
        return kept.toArray(new Layer[0]);
    }

    private void note(Throwable cause) {
        Trouble before = trouble;
        long since = before == null ? System.nanoTime() : before.sinceNanos;
        trouble = new Trouble(since, before == null ? 1 : before.failures + 1, cause);
        if (cause instanceof EngineFailedException
                || cause instanceof EngineClosedException
                || cause instanceof EngineLockedException
                || cause instanceof Error && !(cause instanceof OutOfMemoryError)) {
            store.fail(cause);
        }
    }

    /** Writes everything up to now, and returns when it is below. */
    void flush() throws IOException {
        long target;
        store.lock.lock();
        try {
            store.ensureWritable();
            target = store.version();
            want(target);
        } finally {
            store.lock.unlock();
        }
        while (store.stack().bottom.version() < target) {
            store.ensureWritable();
            if (!step(false) && store.stack().bottom.version() < target && !store.isClosed()) {
                throw new IllegalStateException("nothing is left to write: wanted=" + target + ", below="
                        + store.stack().bottom.version());
            }
        }
    }

    /** Writes everything, although the store takes no more calls. */
    void drain() throws IOException {
        store.lock.lock();
        try {
            want(store.version());
        } finally {
            store.lock.unlock();
        }
        while (step(true)) {
            // the oldest layers first, until none is left
        }
    }

    /** Returns what is being tried again. */
    List<Retry> retries() {
        Trouble present = trouble;
        if (present == null) {
            return List.of();
        }
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - present.sinceNanos);
        return List.of(new Retry("persist", millis, present.failures, present.cause));
    }

    @Nullable Throwable cause() {
        Trouble present = trouble;
        return present == null ? null : present.cause;
    }

    String explain() {
        Throwable cause = cause();
        return cause == null ? "" : ", its last error was " + cause;
    }

    long persists() {
        return persists;
    }
}
