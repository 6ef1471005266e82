package dev.caskwright.moss;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.Retry;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.moss.memory.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An ordered collection of keys and values, with child collections, as a stack of sorted layers in memory over what lies below:
 * nothing yet, so that it lives as long as the engine.
 *
 * <p>Every method may be called by any number of threads. Reads take no lock. Writes are applied one after another, each all or
 * none, and are seen by all reads that start after they returned.
 */
public final class MossEngine implements MossCollection, AutoCloseable {
    private static final byte[] ROOT = KeySpace.prefix(0);

    private final Store store;
    private final Pressure pressure;
    private final Writes writes;
    private final CollectionView root;
    private final List<Thread> threads = new ArrayList<>();

    MossEngine(Store store) {
        this.store = store;
        this.pressure = new Pressure(store);
        this.writes = new Writes(store, pressure);
        this.root = new CollectionView(() -> View.held(store));
    }

    /** Returns a builder of an engine that keeps everything in memory and nothing else. */
    public static MossBuilder inMemory() {
        return new MossBuilder();
    }

    void start() {
        if (store.settings.hasThreads()) {
            start("merger", store.merger::run);
            if (store.stack().bottom.isPersistent()) {
                start("persister", store.persister::run);
            }
        }
    }

    private void start(String name, Runnable task) {
        Thread thread = new Thread(task, "caskwright-moss-" + name);
        thread.setDaemon(true);
        thread.start();
        threads.add(thread);
    }

    Store store() {
        return store;
    }

    private Durability durability(WriteOptions options) {
        return options.durabilityOr(store.settings.durability());
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        Writes.checkKey(key);
        return View.searchNow(store, KeySpace.key(ROOT, key)).value();
    }

    @Override
    public MossIterator iterator(Range range) throws IOException {
        return root.iterator(range);
    }

    @Override
    public MossCollection child(String name) {
        return new WritableCollection(root, name, this::write, batch -> batch);
    }

    @Override
    public boolean exists() throws IOException {
        return root.exists();
    }

    @Override
    public List<String> childNames() throws IOException {
        return root.childNames();
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        writes.single(Kind.PUT, ROOT, key, value, durability(options));
    }

    @Override
    public void remove(byte[] key, WriteOptions options) throws IOException {
        writes.single(Kind.DELETE, ROOT, key, new byte[0], durability(options));
    }

    @Override
    public void merge(byte[] key, byte[] operand, WriteOptions options) throws IOException {
        writes.single(Kind.MERGE, ROOT, key, operand, durability(options));
    }

    @Override
    public void deleteRange(byte[] from, byte[] to, WriteOptions options) throws IOException {
        write(new MossBatch().deleteRange(from, to), options);
    }

    /** Applies all changes of a batch or none. */
    public void write(MossBatch batch, WriteOptions options) throws IOException {
        writes.batch(batch, durability(options));
    }

    /** Opens a snapshot of this moment. */
    public MossSnapshot snapshot() throws IOException {
        return new MossSnapshot(store);
    }

    /** Joins all layers that are not being written to one, and returns when that is done. Reads and writes go on. */
    public void compact() throws IOException {
        store.lock.lock();
        try {
            store.ensureOpen();
            long ticket = store.merger.wantAll();
            while (store.merger.done() < ticket) {
                store.ensureOpen();
                if (store.settings.hasThreads()) {
                    store.progress.await();
                } else {
                    store.merger.step();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException(
                    ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "interrupted while waiting for a merge", e);
        } finally {
            store.lock.unlock();
        }
        Throwable trouble = store.merger.trouble();
        if (trouble != null) {
            throw new EngineException(
                    ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "the merge failed: " + trouble, trouble);
        }
    }

    /** Returns figures about the store. */
    public MossStats stats() {
        store.lock.lock();
        try {
            Stack stack = store.stack();
            return new MossStats(
                    store.version(),
                    stack.active.bytes(),
                    stack.base,
                    stack.bytes(0, stack.base),
                    stack.clean - stack.base,
                    stack.bytes(stack.base, stack.clean),
                    stack.layers.length - stack.clean,
                    stack.bytes(stack.clean, stack.layers.length),
                    store.holders.size(),
                    store.merger.merges(),
                    store.persister.persists(),
                    pressure.slowed(),
                    pressure.stopped());
        } finally {
            store.lock.unlock();
        }
    }

    /** Returns the first failure that made the engine refuse writes until it is reopened; null if there was none. */
    public @Nullable Throwable health() {
        return store.failure();
    }

    /** Returns the work in the background that failed and is tried again after growing pauses. */
    public List<Retry> retries() {
        return store.persister.retries();
    }

    @Override
    public void close() throws IOException {
        boolean wasOpen;
        store.lock.lock();
        try {
            wasOpen = store.markClosed();
        } finally {
            store.lock.unlock();
        }
        if (!wasOpen) {
            return;
        }
        join();
        store.holders.forEach(Runnable::run);
        store.stack().bottom.release();
    }

    private void join() {
        boolean isInterrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    isInterrupted = true;
                }
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
