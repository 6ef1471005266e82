package dev.caskwright.testkit.history;

import dev.caskwright.testkit.history.Operation.Outcome;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/*
 * The search of Wing and Gong, with the states that Lowe remembers, breadth first: "just-in-time linearization". It goes through
 * the begins and ends of all operations in their order. At each moment it holds every state in which the key may be, and for each
 * state which of the open operations (begun, not ended) have been given a moment already. When an operation ends, it must have
 * been given one: each state in which it was not is extended by open operations, in every order, until it is. What cannot be is
 * dropped; if nothing is left, no order explains the answers.
 *
 * Three things keep the states few. None of them loses an order that there is:
 * - An open operation that only says something of the state is given its moment as soon as it fits: it changes nothing.
 * - Of operations of unknown outcome that are alike, the one that began first is taken first: any other choice leaves less.
 * - Of two states that differ in which operations of unknown outcome were taken, one that has taken fewer leaves all that the
 *   other does, since such operations need not be taken.
 */
/** Judges the operations of one key. For one thread, once. */
final class KeySearch {
    private static final int MAX_OPEN = Long.SIZE;
    private static final int SHOWN = 8;

    private final String key;
    private final List<Operation> operations;
    private final int limit;

    /** The open operations of known outcome, by their bit in {@link State#taken}. */
    private final @Nullable Operation[] open = new Operation[MAX_OPEN];

    /** The operations of unknown outcome that have begun, those that are alike together, in the order of their begins. */
    private final List<List<Operation>> begunUnknown = new ArrayList<>();

    private final Map<Action, List<Operation>> begunByAction = new HashMap<>();

    private List<State> states = new ArrayList<>();
    private int mostStates = 1;
    private @Nullable String conviction;
    private @Nullable String excess;

    /**
     * What may be.
     *
     * @param value of the key, or null if it is absent
     * @param taken a bit for each open operation that was given its moment
     * @param unknown how many operations of unknown outcome were, of each kind that are alike; without zeros at the end
     * @param cause the last operation that changed the value, or null if none has
     */
    private record State(
            @Nullable String value,
            long taken,
            Unknown unknown,
            @Nullable Operation cause) {
        Place place() {
            return new Place(value, taken);
        }
    }

    private record Place(@Nullable String value, long taken) {}

    /** Counts, which must not be changed. */
    private record Unknown(List<Integer> counts) {
        private static final Unknown NONE = new Unknown(List.of());

        int count(int kind) {
            return kind < counts.size() ? counts.get(kind) : 0;
        }

        Unknown plusOne(int kind) {
            Integer[] next = counts.toArray(new Integer[Math.max(counts.size(), kind + 1)]);
            for (int i = 0; i < next.length; i++) {
                next[i] = next[i] == null ? 0 : next[i];
            }
            next[kind]++;
            return new Unknown(Arrays.asList(next));
        }

        /** Returns whether nothing was taken that the other has not. */
        boolean isWithin(Unknown other) {
            for (int i = 0; i < counts.size(); i++) {
                if (counts.get(i) > other.count(i)) {
                    return false;
                }
            }
            return true;
        }
    }

    /** States of which none leaves all that another of them does. */
    private static final class States {
        private final Map<Place, List<State>> byPlace = new HashMap<>();
        private int size;

        /** Adds a state, unless one is there that is as good; returns whether it did. */
        boolean add(State state) {
            List<State> alike = byPlace.computeIfAbsent(state.place(), place -> new ArrayList<>(1));
            for (State other : alike) {
                if (other.unknown().isWithin(state.unknown())) {
                    return false;
                }
            }
            size -= alike.size();
            alike.removeIf(other -> state.unknown().isWithin(other.unknown()));
            alike.add(state);
            size += alike.size();
            return true;
        }

        List<State> all() {
            List<State> all = new ArrayList<>(size);
            byPlace.values().forEach(all::addAll);
            return all;
        }
    }

    KeySearch(String key, List<Operation> operations, int limit) {
        this.key = key;
        this.operations = operations;
        this.limit = limit;
        states.add(new State(null, 0, Unknown.NONE, null));
    }

    /** A begin, or the end, of an operation. */
    private record Event(long at, Operation operation, boolean isEnd) {}

    int mostStates() {
        return mostStates;
    }

    @Nullable String conviction() {
        return conviction;
    }

    @Nullable String excess() {
        return excess;
    }

    void run() {
        List<Event> events = new ArrayList<>(2 * operations.size());
        for (Operation operation : operations) {
            events.add(new Event(operation.begin(), operation, false));
            if (operation.end() != Operation.NEVER) {
                events.add(new Event(operation.end(), operation, true));
            }
        }
        events.sort(Comparator.comparingLong(Event::at));
        for (Event event : events) {
            if (!event.isEnd()) {
                begin(event.operation());
            } else if (!end(event.operation())) {
                return;
            }
        }
    }

    private void begin(Operation operation) {
        if (operation.outcome() == Outcome.UNKNOWN) {
            List<Operation> alike = begunByAction.computeIfAbsent(operation.action(), action -> new ArrayList<>());
            if (alike.isEmpty()) {
                begunUnknown.add(alike);
            }
            alike.add(operation);
            return;
        }
        int bit = 0;
        while (bit < MAX_OPEN && open[bit] != null) {
            bit++;
        }
        if (bit == MAX_OPEN) {
            throw new IllegalArgumentException("too many operations at a time: key=" + key + ", limit=" + MAX_OPEN);
        }
        open[bit] = operation;
        if (operation.isLook()) {
            states.replaceAll(this::looked);
        }
    }

    /** Gives their moment to all open operations that fit and change nothing. */
    private State looked(State state) {
        long taken = state.taken();
        for (int bit = 0; bit < MAX_OPEN; bit++) {
            Operation operation = open[bit];
            if (operation != null && operation.isLook() && operation.fits(state.value())) {
                taken |= 1L << bit;
            }
        }
        return taken == state.taken() ? state : new State(state.value(), taken, state.unknown(), state.cause());
    }

    private int bitOf(Operation operation) {
        for (int bit = 0; bit < MAX_OPEN; bit++) {
            Operation other = open[bit];
            if (other != null && other.number() == operation.number()) {
                return bit;
            }
        }
        throw new IllegalStateException("ended without a begin: " + operation);
    }

    /** Keeps the states in which the operation was given its moment; returns false if the search ends here. */
    private boolean end(Operation operation) {
        int bit = bitOf(operation);
        long mask = 1L << bit;
        States ended = new States();
        States visited = new States();
        Deque<State> queue = new ArrayDeque<>();
        for (State state : states) {
            reach(state, mask, ended, visited, queue);
        }
        while (!queue.isEmpty()) {
            extend(queue.removeFirst(), mask, ended, visited, queue);
            if (visited.size + ended.size > limit) {
                mostStates = limit;
                excess = "undecided: key=" + key + ", limit=" + limit + " states, at " + operation
                        + ", unknown outcomes: "
                        + begunUnknown.stream().mapToInt(List::size).sum()
                        + "; use more keys, or raise the limit";
                return false;
            }
        }
        mostStates = Math.max(mostStates, visited.size + ended.size);
        if (ended.size == 0) {
            conviction = describe(operation);
            return false;
        }
        open[bit] = null;
        states = ended.all();
        return true;
    }

    /** Notes a state: as one in which the operation has its moment, or as one to go on from. */
    private static void reach(State state, long mask, States ended, States visited, Deque<State> queue) {
        if ((state.taken() & mask) != 0) {
            ended.add(new State(state.value(), state.taken() & ~mask, state.unknown(), state.cause()));
        } else if (visited.add(state)) {
            queue.addLast(state);
        }
    }

    private void extend(State state, long mask, States ended, States visited, Deque<State> queue) {
        for (int bit = 0; bit < MAX_OPEN; bit++) {
            Operation operation = open[bit];
            if (operation != null && (state.taken() & 1L << bit) == 0 && operation.fits(state.value())) {
                String value = operation.action().after(state.value());
                Operation cause = Objects.equals(value, state.value()) ? state.cause() : operation;
                State next = new State(value, state.taken() | 1L << bit, state.unknown(), cause);
                reach(looked(next), mask, ended, visited, queue);
            }
        }
        for (int kind = 0; kind < begunUnknown.size(); kind++) {
            List<Operation> alike = begunUnknown.get(kind);
            int taken = state.unknown().count(kind);
            if (taken < alike.size()) {
                Operation operation = alike.get(taken);
                if (!operation.action().leaves(state.value())) {
                    String value = operation.action().after(state.value());
                    State next = new State(value, state.taken(), state.unknown().plusOne(kind), operation);
                    reach(looked(next), mask, ended, visited, queue);
                }
            }
        }
    }

    /*
     * The states before the end say all that the past allows. So the part that convicts is the operation, the values that the key
     * could have, each with the operation that gave it, and the changes that were open meanwhile.
     */
    private String describe(Operation operation) {
        StringBuilder text = new StringBuilder("key ")
                .append(key)
                .append(": nothing explains ")
                .append(operation);
        Set<String> values = new LinkedHashSet<>();
        for (State state : states) {
            values.add(Action.shown(state.value())
                    + (state.cause() == null ? ", as at the beginning" : ", by " + state.cause()));
        }
        text.append(System.lineSeparator()).append("  the value could be, before the changes that were open:");
        append(text, values.stream().sorted().toList());
        List<String> changes = new ArrayList<>();
        for (Operation other : open) {
            if (other != null && other.number() != operation.number() && !other.isLook()) {
                changes.add(other.toString());
            }
        }
        begunUnknown.forEach(alike -> alike.forEach(other -> changes.add(other.toString())));
        text.append(System.lineSeparator()).append("  the changes that were open:");
        append(text, changes);
        return text.toString();
    }

    private static void append(StringBuilder text, List<String> lines) {
        lines.stream()
                .limit(SHOWN)
                .forEach(line ->
                        text.append(System.lineSeparator()).append("    ").append(line));
        if (lines.isEmpty()) {
            text.append(" none");
        } else if (lines.size() > SHOWN) {
            text.append(System.lineSeparator())
                    .append("    and ")
                    .append(lines.size() - SHOWN)
                    .append(" more");
        }
    }
}
