package dev.caskwright.mvcc.backend;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/*
 * What is visible is the store with two overlays on top: the frozen one, which is being committed, and the active one, which takes
 * writes. A view takes the state, then a view of the store, and looks whether the state has changed its generation meanwhile. If
 * not, the store's view is of the moment before the commit of the frozen overlay or after it, and shows the same below that.
 */
/**
 * Gathers writes over a store and commits them together, as etcd's backend does: after a number of changes or bytes, after a time, or
 * when it is asked to. Whoever reads sees a write at once. Whoever needs to know that it is durable waits for its token.
 *
 * <p>Writes are kept in a persistent sorted map with marks for keys that are removed. So deletes are gathered like puts, ranges see
 * everything, and a view is a pointer to the map and a view of the store, whatever has been gathered. Memory is bounded: no more than
 * two commits' worth are gathered while a third is written, beyond what one transaction writes.
 *
 * <p>A commit that fails takes with it everything that was written on top of it. The tokens of all those writes tell why, readers see
 * what was committed before, and writing goes on if the store can.
 *
 * <p>Safe for any number of threads. One transaction is open at a time. Reading takes no lock and waits for nobody; only a read of
 * very many keys gives way to writers that are at work all the time: each 256 keys it may rest, for 20 ms at most.
 */
public final class BatchedBackend implements AutoCloseable {
    private final OrderedStore store;
    private final List<Bucket> buckets;
    private final BackendOptions options;
    private final CommitTimer timer;
    private final Overlay nothing;
    private final ReentrantLock writing = new ReentrantLock();
    private final ReentrantLock committing = new ReentrantLock(); // taken before the other one
    private final Turns turns = new Turns(writing, Runtime.getRuntime().availableProcessors());
    private volatile State state;
    private volatile boolean isClosed;
    private final Runnable commitTask = this::commitQuietly;
    private CommitToken activeToken = new CommitToken(); // guarded by writing, as those that follow
    private CommitToken frozenToken = CommitToken.done();
    private @Nullable Spare spare;
    private long nextGeneration;
    private boolean isCommitAsked; // the timer was asked to commit at once
    private boolean isTimed; // the timer was asked to commit after the interval
    private @Nullable WriteTransaction open;
    private DiscardListener discardListener = cause -> {};
    private final AtomicLong commits = new AtomicLong();
    private final AtomicLong discards = new AtomicLong(); // twice their number; odd while one goes on
    private volatile long storedInUse = -1; // of the store, as of the last commit; -1 if not known
    private volatile @Nullable Throwable lastFailure;

    /**
     * What lies over the store.
     *
     * @param generation another one after each change of {@code frozen}
     */
    private record State(Overlay active, @Nullable Overlay frozen, long generation) {}

    /** What a discard goes on with: made before, since there may be no memory then. */
    private record Spare(State state, CommitToken token) {}

    /** Is told that writes that could be read are gone, before anybody else can write. */
    @FunctionalInterface
    public interface DiscardListener {
        /** Is called by the thread that commits; what is read now is what was committed before. */
        void discarded(Throwable cause);
    }

    /**
     * Makes a backend over a store, which it closes when it is closed.
     *
     * @param buckets all buckets that are used, each at the place that its index says
     * @param timer runs commits that are due; it is closed with the backend
     */
    public BatchedBackend(OrderedStore store, List<Bucket> buckets, BackendOptions options, CommitTimer timer) {
        for (int i = 0; i < buckets.size(); i++) {
            if (buckets.get(i).index() != i) {
                throw new IllegalArgumentException("bucket is not at its place: bucket=" + buckets.get(i) + ", index="
                        + buckets.get(i).index() + ", place=" + i);
            }
        }
        this.store = store;
        this.buckets = List.copyOf(buckets);
        this.options = options;
        this.timer = timer;
        this.nothing = Overlay.empty(buckets.size());
        this.state = stateWith(nothing, null);
        this.spare = newSpare();
    }

    private State stateWith(Overlay active, @Nullable Overlay frozen) {
        return new State(active, frozen, nextGeneration++);
    }

    private Spare newSpare() {
        return new Spare(stateWith(nothing, null), new CommitToken());
    }

    /** Sets who is told of writes that are gone. At most one; before the first write. */
    public void onDiscard(DiscardListener listener) {
        writing.lock();
        try {
            discardListener = listener;
        } finally {
            writing.unlock();
        }
    }

    // ---------------------------------------------------------------- reading

    /** Opens a view of everything written so far. It takes no lock; the caller closes it. */
    public BackendView openView() throws IOException {
        while (true) {
            checkOpen();
            State seen = state;
            OrderedStore.View base = store.openView();
            if (state.generation == seen.generation) {
                return view(base, turns, seen.active, seen.frozen);
            }
            base.close(); // it may have more than was to be seen; that happens twice a commit at most
        }
    }

    /** Opens a view of what is durable: nothing that it shows is lost by a crash. */
    public BackendView openDurableView() throws IOException {
        checkOpen();
        return new BackendView(store.openView(), null);
    }

    private static BackendView view(
            OrderedStore.View base, @Nullable Turns turns, Overlay active, @Nullable Overlay frozen) {
        if (frozen == null) {
            return active.isEmpty() ? new BackendView(base, turns) : new BackendView(base, turns, active);
        }
        return active.isEmpty() ? new BackendView(base, turns, frozen) : new BackendView(base, turns, active, frozen);
    }

    BackendView view(Overlay active) throws IOException { // of the open transaction
        while (true) {
            State seen = state;
            OrderedStore.View base = store.openView();
            if (state.generation == seen.generation) {
                return view(base, null, active, seen.frozen); // a writer gives way to none
            }
            base.close();
        }
    }

    // ---------------------------------------------------------------- writing

    /**
     * Begins the transaction; waits until no other one is open. It is ended by this thread.
     *
     * @throws EngineFailedException if the store does not commit any more
     * @throws IllegalStateException if this thread has it already
     */
    public WriteTransaction begin() throws IOException {
        if (writing.isHeldByCurrentThread()) {
            throw new IllegalStateException("this thread has a transaction open: end it first");
        }
        makeRoom();
        writing.lock();
        try {
            checkWritable();
            WriteTransaction transaction = new WriteTransaction(this, state.active);
            open = transaction;
            return transaction;
        } catch (Throwable e) {
            writing.unlock();
            throw e;
        }
    }

    /** Commits in this thread if twice as much is gathered as a commit takes: then writers are faster than the disk. */
    private void makeRoom() throws IOException {
        Overlay active = state.active;
        if (active.changes() / 2 >= options.commitChanges() || active.bytes() / 2 >= options.commitBytes()) {
            checkOpen();
            commitGathered();
        }
    }

    private void checkOpen() throws EngineClosedException {
        if (isClosed) {
            throw new EngineClosedException("the store is closed");
        }
    }

    private void checkWritable() throws IOException {
        checkOpen();
        Throwable failure = store.health();
        if (failure != null) {
            throw new EngineFailedException(
                    Outcome.NOT_APPLIED, "writes are refused after a failure, reopen the store: " + failure, failure);
        }
    }

    /** Makes what a transaction wrote visible, and ends it. */
    CommitToken publish(Overlay written, Consumer<CommitToken> published) {
        boolean asksNow = false;
        boolean asksLater = false;
        try {
            State before = state;
            CommitToken token = activeToken;
            if (written.changes() != before.active.changes()) {
                state = new State(written, before.frozen, before.generation);
            } else if (before.active.isEmpty()) {
                // It wrote nothing: what it read is durable, or is being committed.
                token = before.frozen == null ? CommitToken.done() : frozenToken;
            }
            boolean isFull = written.changes() >= options.commitChanges() || written.bytes() >= options.commitBytes();
            asksNow = isFull && !isCommitAsked;
            isCommitAsked |= asksNow;
            asksLater = !isFull && !isTimed && !written.isEmpty();
            isTimed |= asksLater;
            published.accept(token);
            return token;
        } finally {
            end();
            if (asksNow || asksLater) { // also if what was to be done then has failed: the writes are there
                askForCommit(asksNow ? Duration.ZERO : options.commitInterval());
            }
        }
    }

    private void askForCommit(Duration delay) {
        try {
            timer.schedule(delay, commitTask);
        } catch (RuntimeException | Error e) {
            lastFailure = e;
            commitQuietly(); // nobody else would, and the tokens of the writes would never be told
        }
    }

    void end() {
        open = null;
        writing.unlock();
    }

    boolean isOpen(WriteTransaction transaction) {
        return writing.isHeldByCurrentThread() && open == transaction;
    }

    // ---------------------------------------------------------------- committing

    /** Commits everything written so far, and returns when it is durable. */
    public void commit() throws IOException {
        checkOpen();
        Throwable failure = commitGathered();
        if (failure != null) {
            throw new EngineException(
                    failure instanceof EngineException typed ? typed.code() : ErrorCode.FAILED,
                    outcomeOf(failure),
                    "a commit failed: " + failure,
                    failure);
        }
    }

    /** For the timer: whoever waits is told by the tokens. */
    private void commitQuietly() {
        if (isClosed) {
            return;
        }
        try {
            commitGathered();
        } catch (RuntimeException | Error e) { // it could not even begin: there may be memory again later
            lastFailure = e;
            try {
                timer.schedule(options.commitInterval(), commitTask);
            } catch (RuntimeException | Error refused) {
                committing.lock(); // what another thread commits is not taken back under it
                try {
                    discard(e); // nobody is going to commit them
                } finally {
                    committing.unlock();
                }
            }
        }
    }

    /** Commits what is gathered; returns why that failed, or null. Waits for the commit that goes on. */
    private @Nullable Throwable commitGathered() {
        checkNoTransaction();
        committing.lock();
        try {
            Overlay frozen = freeze();
            if (frozen == null) {
                return null;
            }
            try {
                store.commit(frozen.asChanges(buckets));
            } catch (Throwable e) { // whatever it is, the callers are told
                discard(e);
                return e;
            }
            committed();
            return null;
        } finally {
            committing.unlock();
        }
    }

    private void checkNoTransaction() {
        if (writing.isHeldByCurrentThread()) {
            throw new IllegalStateException("this thread has a transaction open: end it first");
        }
    }

    /** Lets new writes go to another overlay; returns that of those until now, or null if there are none. */
    private @Nullable Overlay freeze() {
        writing.lock();
        try {
            State before = state;
            if (before.active.isEmpty()) {
                return null;
            }
            CommitToken next = new CommitToken();
            if (spare == null) {
                spare = newSpare();
            }
            // One that is frozen already was committed, and only stayed for want of memory.
            state = stateWith(nothing, before.active);
            frozenToken = activeToken;
            activeToken = next;
            isCommitAsked = false;
            isTimed = false;
            return before.active;
        } finally {
            writing.unlock();
        }
    }

    private void committed() {
        CommitToken token;
        writing.lock();
        try {
            commits.incrementAndGet();
            storedInUse = -1;
            token = frozenToken;
            state = stateWith(state.active, null);
        } catch (OutOfMemoryError e) {
            lastFailure = e; // the overlay stays until the next commit: it shows what the store has
            token = frozenToken;
        } finally {
            writing.unlock();
        }
        note(token.complete());
    }

    /** Takes back everything that is not committed, and tells the tokens why. */
    private void discard(Throwable cause) {
        CommitToken frozen;
        CommitToken active;
        writing.lock();
        try {
            discards.incrementAndGet();
            lastFailure = cause;
            Spare next = spare == null ? newSpare() : spare;
            spare = null;
            frozen = frozenToken;
            active = activeToken;
            activeToken = next.token;
            state = next.state;
            isCommitAsked = false;
            isTimed = false;
            tell(cause);
        } finally {
            discards.incrementAndGet();
            writing.unlock();
        }
        note(frozen.fail(cause, outcomeOf(cause)));
        // What was written on top of it never came to the store.
        note(active.fail(cause, Outcome.NOT_APPLIED));
    }

    private void tell(Throwable cause) {
        try {
            discardListener.discarded(cause);
        } catch (RuntimeException | Error e) {
            lastFailure = e; // the tokens are told all the same
        }
    }

    private void note(@Nullable Throwable failed) {
        if (failed != null) {
            lastFailure = failed;
        }
    }

    /**
     * Returns a number that is another one after writes were discarded. Whoever keeps something in memory that goes with the writes
     * reads this, then that, then opens a view, and begins again if this has changed. Waits for a discard that goes on.
     */
    public long discards() {
        long count = discards.get();
        if ((count & 1) != 0 && !writing.isHeldByCurrentThread()) {
            writing.lock();
            try {
                count = discards.get();
            } finally {
                writing.unlock();
            }
        }
        return count;
    }

    private static Outcome outcomeOf(Throwable cause) {
        return cause instanceof EngineException typed ? typed.outcome() : Outcome.UNKNOWN;
    }

    // ---------------------------------------------------------------- the whole store

    /** Returns the length of what is stored and of what is free within it, in bytes. A file may be longer, to grow ahead. */
    public long size() throws IOException {
        return store.size();
    }

    /** Returns how many bytes are in use on disk, and how many are gathered. */
    public long sizeInUse() throws IOException {
        State now = state;
        Overlay frozen = now.frozen;
        long stored = storedInUse;
        if (stored < 0) {
            stored = store.sizeInUse();
            storedInUse = stored;
        }
        return stored + now.active.bytes() + (frozen == null ? 0 : frozen.bytes());
    }

    /** Gives back what is not in use, in slices, beside readers and writers. */
    public void defragment() throws IOException {
        checkOpen();
        try {
            store.defragment();
        } finally {
            storedInUse = -1;
        }
    }

    /** Commits, and writes what is committed then to a stream, as a database file of bolt. */
    public void copyTo(OutputStream target) throws IOException {
        commit();
        store.copyTo(target);
    }

    /** Runs something later, in the thread of the timer, unless the backend is closed by then. It does not throw. */
    public void later(Duration delay, Runnable task) {
        timer.schedule(delay, () -> {
            if (!isClosed) {
                task.run();
            }
        });
    }

    /** Returns figures, consistent to within the writes that go on. */
    public BackendStats stats() {
        State now = state;
        Overlay frozen = now.frozen;
        return new BackendStats(
                commits.get(), now.active.changes(), frozen == null ? 0 : frozen.changes(), lastFailure);
    }

    /** Returns the first failure that keeps the store from committing until it is opened again, or null. */
    public @Nullable Throwable health() {
        return store.health();
    }

    /** Returns the buckets, each at the place that its index says. */
    public List<Bucket> buckets() {
        return buckets;
    }

    /** Discards, if there is memory for that: if not, the store is closed all the same. */
    private void discardAtEnd(Throwable cause) {
        try {
            discard(cause);
        } catch (RuntimeException | Error e) {
            lastFailure = e;
        }
    }

    /** Commits what is gathered, and closes the store and the timer. Closing twice is fine. */
    @Override
    public void close() throws IOException {
        checkNoTransaction();
        Throwable failure;
        committing.lock();
        try {
            writing.lock();
            try {
                if (isClosed) {
                    return;
                }
                isClosed = true;
            } finally {
                writing.unlock();
            }
            failure = commitGathered();
        } catch (RuntimeException | Error e) { // it could not even begin
            failure = e;
            discardAtEnd(e);
        } finally {
            committing.unlock();
        }
        for (AutoCloseable each : new AutoCloseable[] {timer, store}) {
            try {
                each.close();
            } catch (Exception | Error e) {
                failure = failure == null ? e : failure;
            }
        }
        if (failure != null) {
            throw new EngineException(
                    ErrorCode.FAILED,
                    outcomeOf(failure),
                    "the store is closed, but what was written last could not be committed: " + failure,
                    failure);
        }
    }
}
