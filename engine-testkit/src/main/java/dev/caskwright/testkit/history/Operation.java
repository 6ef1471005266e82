package dev.caskwright.testkit.history;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One action of one client, and what became of it. Immutable.
 *
 * @param number the place among all operations of the history, in the order of their begins
 * @param client who asked
 * @param key which key
 * @param action what was asked
 * @param outcome what the client knows
 * @param isAnswered whether the client was told more than that it was done
 * @param answer what it was told: a value, a number, {@code true} or {@code false}; null for the absence of a value
 * @param begin when it began, as a place among all begins and ends
 * @param end when it ended, or {@link #NEVER} if its outcome is unknown
 * @param beginNanos when it began, in nanoseconds since the history was made; for people
 * @param endNanos when the client was told, or gave up
 */
public record Operation(
        int number,
        int client,
        String key,
        Action action,
        Outcome outcome,
        boolean isAnswered,
        @Nullable String answer,
        long begin,
        long end,
        long beginNanos,
        long endNanos) {
    /** The end of an operation that may still take effect. */
    public static final long NEVER = Long.MAX_VALUE;

    private static final double NANOS_PER_MILLI = 1e6;

    /** What a client knows of an operation. */
    public enum Outcome {
        /** It took effect. */
        DONE,
        /** It took no effect and never will. */
        FAILED,
        /** It may have taken effect, may yet, or never will. */
        UNKNOWN
    }

    /** Returns whether the operation can be done on this state and give the answer that was given. */
    boolean fits(@Nullable String state) {
        if (outcome == Outcome.UNKNOWN) {
            return true;
        }
        if (action.kind() == Action.Kind.INCREMENT && action.leaves(state)) {
            return false; // done, though what was there is no number
        }
        String told = action.answer(state);
        return !isAnswered || (told == null ? answer == null : told.equals(answer));
    }

    /** Returns whether the operation, given its answer, changes nothing: it only says something of the state. */
    boolean isLook() {
        return switch (action.kind()) {
            case GET -> true;
            case DELETE, COMPARE_AND_SET -> isAnswered && "false".equals(answer);
            case PUT, INCREMENT -> false;
        };
    }

    /** Returns the operation for people, on one line. */
    @Override
    public String toString() {
        String told = switch (outcome) {
            case DONE -> isAnswered ? " -> " + Action.shown(answer) : " -> done";
            case FAILED -> " -> failed";
            case UNKNOWN -> " -> unknown";
        };
        return String.format(
                Locale.ROOT,
                "#%d client %d: %s%s [%.3f to %.3f ms]",
                number,
                client,
                action,
                told,
                beginNanos / NANOS_PER_MILLI,
                endNanos / NANOS_PER_MILLI);
    }
}
