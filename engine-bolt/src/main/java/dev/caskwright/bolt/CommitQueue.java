package dev.caskwright.bolt;

import dev.caskwright.api.OutOfSpaceException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Lets threads share commits. The thread that comes when nobody leads does its work and that of all who wait in one transaction;
 * who comes meanwhile waits for the next one. So nobody waits for the clock: a commit takes what has come while the one before
 * it was written.
 *
 * <p>Work that throws is taken out, told its exception, and the others' is done again without it.
 */
final class CommitQueue {
    private static final int MAX_SHARED = 1_000;

    private final BoltDatabase database;
    private final Deque<Call> waiting = new ArrayDeque<>(); // guarded by this
    private boolean isLed; // guarded by this
    private final List<Call> done =
            new ArrayList<>(MAX_SHARED); // of the one that leads; here, so that leading needs no memory

    private static final class Call {
        final BoltDatabase.Work work;
        final Thread thread = Thread.currentThread();
        volatile boolean isDone;
        volatile boolean leads;
        List<Runnable> handlers = List.of();

        @Nullable Throwable failure;

        Call(BoltDatabase.Work work) {
            this.work = work;
        }

        void end(@Nullable Throwable cause) {
            failure = cause;
            isDone = true;
            LockSupport.unpark(thread);
        }
    }

    CommitQueue(BoltDatabase database) {
        this.database = database;
    }

    void commit(BoltDatabase.Work work) throws IOException {
        Call mine = new Call(work);
        synchronized (this) {
            waiting.add(mine);
            if (!isLed) {
                isLed = true;
                mine.leads = true;
            }
        }
        boolean interrupted = false;
        while (!mine.isDone) {
            if (mine.leads) {
                lead();
            } else {
                LockSupport.park(this);
                interrupted |= Thread.interrupted(); // the work may be under way: its outcome is awaited
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        rethrow(mine.failure);
        BoltTransaction.run(mine.handlers); // by its own thread, so that it may wait for whatever it wants
    }

    private static void rethrow(@Nullable Throwable failure) throws IOException {
        if (failure instanceof IOException e) {
            throw e;
        } else if (failure instanceof RuntimeException e) {
            throw e;
        } else if (failure instanceof Error e) {
            throw e;
        } else if (failure != null) { // as works in other languages than Java may throw
            throw new IOException("the work failed: " + failure, failure);
        }
    }

    /** Does the work of all who wait, this thread's included, and makes the next one lead. */
    private void lead() {
        Throwable failure = null;
        try {
            BoltTransaction transaction = null;
            try {
                transaction = database.beginWrite().managed(); // while it waits, more come
            } catch (Throwable e) {
                failure = e;
            }
            synchronized (this) {
                while (done.size() < MAX_SHARED && !waiting.isEmpty()) {
                    done.add(waiting.remove());
                }
            }
            if (transaction != null) {
                commitTogether(transaction);
            }
        } catch (Throwable e) {
            failure = e;
        } finally {
            for (int i = 0; i < done.size(); i++) {
                done.get(i).end(failure);
            }
            done.clear();
            synchronized (this) {
                Call next = waiting.peek();
                if (next == null) {
                    isLed = false;
                } else {
                    next.leads = true;
                    LockSupport.unpark(next.thread);
                }
            }
        }
    }

    /** Commits the work of all; takes out what failed by itself, and ends it. */
    private void commitTogether(BoltTransaction first) throws IOException {
        BoltTransaction transaction = first;
        while (true) {
            try {
                if (doAll(transaction)) {
                    transaction.commitNow();
                    return;
                }
            } catch (OutOfSpaceException e) {
                if (done.size() == 1) {
                    throw e;
                }
                transaction.end();
                commitEach();
                return;
            } finally {
                transaction.end();
            }
            if (done.isEmpty()) {
                return;
            }
            transaction = database.beginWrite().managed();
        }
    }

    /** Commits the work of each by itself, as they do not fit together: some may still, above all if they delete. */
    private void commitEach() {
        while (!done.isEmpty()) {
            Call call = done.remove(0);
            BoltTransaction transaction = null;
            Throwable failure = null;
            try {
                transaction = database.beginWrite().managed();
                call.work.in(transaction);
                transaction.commitNow();
                call.handlers = transaction.takeCommitHandlers();
            } catch (Throwable e) {
                failure = e;
            } finally {
                if (transaction != null) {
                    transaction.end();
                }
            }
            call.end(failure);
        }
    }

    private boolean doAll(BoltTransaction transaction) {
        for (int i = 0; i < done.size(); i++) {
            Call call = done.get(i);
            Throwable failure;
            try {
                call.work.in(transaction);
                call.handlers = transaction.takeCommitHandlers();
                failure = transaction.spoiler(); // the work may have caught it
            } catch (Throwable e) {
                failure = e;
            }
            if (failure != null) {
                done.remove(i);
                call.end(failure);
                return false;
            }
        }
        return true;
    }
}
