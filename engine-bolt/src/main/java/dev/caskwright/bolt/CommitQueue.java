package dev.caskwright.bolt;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
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

    private static final class Call {
        final BoltDatabase.Work work;
        final Thread thread = Thread.currentThread();
        volatile boolean isDone;
        volatile boolean leads;

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
    }

    private static void rethrow(@Nullable Throwable failure) throws IOException {
        if (failure instanceof IOException e) {
            throw e;
        } else if (failure instanceof RuntimeException e) {
            throw e;
        } else if (failure instanceof Error e) {
            throw e;
        }
    }

    /** Does the work of all who wait, this thread's included, and makes the next one lead. */
    private void lead() {
        List<Call> calls = new ArrayList<>();
        BoltTransaction transaction = null;
        Throwable failure = null;
        try {
            transaction = database.beginWrite(); // while it waits, more come
        } catch (IOException | RuntimeException | Error e) {
            failure = e;
        }
        synchronized (this) {
            while (calls.size() < MAX_SHARED && !waiting.isEmpty()) {
                calls.add(waiting.remove());
            }
        }
        List<Call> done = new ArrayList<>(calls);
        try {
            if (transaction != null) {
                commitTogether(transaction, done);
            }
        } catch (IOException | RuntimeException | Error e) {
            failure = e;
        } finally {
            synchronized (this) {
                Call next = waiting.peek();
                if (next == null) {
                    isLed = false;
                } else {
                    next.leads = true;
                    LockSupport.unpark(next.thread);
                }
            }
            for (Call call : done) {
                call.end(failure);
            }
        }
    }

    /** Commits the work of all; takes out of {@code done} what failed by itself, and ends it. */
    private void commitTogether(BoltTransaction first, List<Call> done) throws IOException {
        BoltTransaction transaction = first;
        while (true) {
            Call failed = null;
            try (BoltTransaction current = transaction) {
                for (Iterator<Call> each = done.iterator(); each.hasNext() && failed == null; ) {
                    Call call = each.next();
                    try {
                        call.work.in(current);
                    } catch (IOException | RuntimeException | Error e) {
                        failed = call;
                        each.remove();
                        call.end(e);
                    }
                }
                if (failed == null) {
                    current.commit();
                    return;
                }
            }
            if (done.isEmpty()) {
                return;
            }
            transaction = database.beginWrite();
        }
    }
}
