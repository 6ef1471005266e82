package dev.caskwright.testkit.history;

import dev.caskwright.testkit.history.Operation.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Records what clients do while they do it. Each operation is begun before its request is sent, and ended once its answer has come:
 *
 * <pre>{@code
 * History.Pending pending = history.begin(client, "k1", Action.increment(1));
 * try {
 *     pending.count(increment("k1"));
 * } catch (ConnectionLost e) {
 *     pending.unknown();
 * }
 * }</pre>
 *
 * <p>Safe for any number of threads. A client does one thing at a time for the message of a conviction to be readable; nothing
 * depends on it.
 */
public final class History {
    private final AtomicLong clock = new AtomicLong();
    private final long startNanos = System.nanoTime();
    private final List<Pending> all = new ArrayList<>();

    /** Begins an operation. To be called before anything is sent. */
    public Pending begin(int client, String key, Action action) {
        synchronized (all) {
            Pending pending = new Pending(all.size(), client, key, action);
            all.add(pending);
            return pending;
        }
    }

    /** Returns all operations in the order of their begins. One that has not ended counts as unknown. */
    public List<Operation> operations() {
        synchronized (all) {
            List<Operation> operations = new ArrayList<>(all.size());
            all.forEach(pending -> operations.add(pending.operation()));
            return operations;
        }
    }

    /** Returns how many operations have this outcome so far. */
    public long count(Outcome outcome) {
        return operations().stream().filter(o -> o.outcome() == outcome).count();
    }

    /** An operation that was begun. Exactly one of the methods is to be called, once, by the thread that began it. */
    public final class Pending {
        private final int number;
        private final int client;
        private final String key;
        private final Action action;
        private final long begin;
        private final long beginNanos;
        private volatile @Nullable Operation ended;

        private Pending(int number, int client, String key, Action action) {
            this.number = number;
            this.client = client;
            this.key = key;
            this.action = action;
            beginNanos = System.nanoTime() - startNanos;
            begin = clock.incrementAndGet();
        }

        /** It was done; nothing more is known. */
        public void done() {
            end(Outcome.DONE, false, null);
        }

        /** A get was done, and returned this value, or null for absence. */
        public void read(@Nullable String value) {
            end(Outcome.DONE, true, value);
        }

        /** It was done, or a compare-and-set was not since the value was another, or a delete found nothing. */
        public void applied(boolean is) {
            end(Outcome.DONE, true, Boolean.toString(is));
        }

        /** An increment was done, and returned the sum. */
        public void count(long sum) {
            end(Outcome.DONE, true, Long.toString(sum));
        }

        /** It was refused, took no effect, and never will. */
        public void failed() {
            end(Outcome.FAILED, false, null);
        }

        /** Nobody knows whether it took effect, or will. */
        public void unknown() {
            end(Outcome.UNKNOWN, false, null);
        }

        private void end(Outcome outcome, boolean isAnswered, @Nullable String answer) {
            if (ended != null) {
                throw new IllegalStateException("ended twice: " + ended);
            }
            ended = made(outcome, isAnswered, answer);
        }

        private Operation made(Outcome outcome, boolean isAnswered, @Nullable String answer) {
            long end = clock.incrementAndGet();
            return new Operation(
                    number,
                    client,
                    key,
                    action,
                    outcome,
                    isAnswered,
                    answer,
                    begin,
                    outcome == Outcome.UNKNOWN ? Operation.NEVER : end,
                    beginNanos,
                    System.nanoTime() - startNanos);
        }

        private Operation operation() {
            Operation known = ended;
            return known == null ? made(Outcome.UNKNOWN, false, null) : known;
        }
    }
}
