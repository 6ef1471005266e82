package dev.caskwright.testkit.history;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks a store to do with one key. Values are texts; null is the absence of the key. Immutable.
 *
 * @param kind what is asked
 * @param expected for a compare-and-set, the value that the key must have, or null if it must be absent
 * @param value for a put and a compare-and-set the new value; for an increment the amount; else null
 */
public record Action(
        Kind kind, @Nullable String expected, @Nullable String value) {
    /** The kinds of actions. */
    public enum Kind {
        /** Returns the value. */
        GET,
        /** Stores a value. */
        PUT,
        /** Removes the key, and may tell whether it was there. */
        DELETE,
        /** Stores a value if the key has another, and tells whether it had. */
        COMPARE_AND_SET,
        /** Adds to a whole number, of which absence is 0, and returns the sum. */
        INCREMENT
    }

    /** Returns the action that reads a key. */
    public static Action get() {
        return new Action(Kind.GET, null, null);
    }

    /** Returns the action that stores a value. */
    public static Action put(String value) {
        return new Action(Kind.PUT, null, Objects.requireNonNull(value));
    }

    /** Returns the action that removes a key. */
    public static Action delete() {
        return new Action(Kind.DELETE, null, null);
    }

    /**
     * Returns the action that replaces a value by another.
     *
     * @param expected the value to be replaced, or null for absence
     * @param value the new value, or null to remove the key
     */
    public static Action compareAndSet(@Nullable String expected, @Nullable String value) {
        return new Action(Kind.COMPARE_AND_SET, expected, value);
    }

    /** Returns the action that adds to a whole number. */
    public static Action increment(long amount) {
        return new Action(Kind.INCREMENT, null, Long.toString(amount));
    }

    /** Returns whether the action, done on this state, leaves it as it is. */
    boolean leaves(@Nullable String state) {
        return switch (kind) {
            case GET -> true;
            case PUT -> Objects.equals(state, value);
            case DELETE -> state == null;
            case COMPARE_AND_SET -> !Objects.equals(state, expected) || Objects.equals(expected, value);
            case INCREMENT -> sum(state) == null;
        };
    }

    /** Returns the state that the action makes of this one. */
    @Nullable String after(@Nullable String state) {
        return switch (kind) {
            case GET -> state;
            case PUT -> value;
            case DELETE -> null;
            case COMPARE_AND_SET -> Objects.equals(state, expected) ? value : state;
            case INCREMENT -> {
                String sum = sum(state);
                yield sum == null ? state : sum;
            }
        };
    }

    /** Returns what a client is told if the action is done on this state; null if that is absence, or an error. */
    @Nullable String answer(@Nullable String state) {
        return switch (kind) {
            case GET -> state;
            case PUT -> null;
            case DELETE -> Boolean.toString(state != null);
            case COMPARE_AND_SET -> Boolean.toString(Objects.equals(state, expected));
            case INCREMENT -> sum(state);
        };
    }

    private @Nullable String sum(@Nullable String state) {
        try {
            long amount = Long.parseLong(Objects.requireNonNull(value));
            return Long.toString(Math.addExact(state == null ? 0 : Long.parseLong(state), amount));
        } catch (NumberFormatException | ArithmeticException e) {
            return null; // not a number, or none that 64 bits hold: a store refuses it and changes nothing
        }
    }

    /** Returns the action in words. */
    @Override
    public String toString() {
        return switch (kind) {
            case GET -> "get";
            case PUT -> "put " + shown(value);
            case DELETE -> "delete";
            case COMPARE_AND_SET -> "set " + shown(expected) + " to " + shown(value);
            case INCREMENT -> "increment by " + value;
        };
    }

    static String shown(@Nullable String state) {
        return state == null ? "nothing" : "\"" + state + "\"";
    }
}
