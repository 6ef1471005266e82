package dev.caskwright.balance;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * Leaves out endpoints that fail again and again: after some errors in a row one is left out for a while, twice as long each time,
 * until it answers again. Never more than half of the endpoints are left out at once: if most fail, the fault is likely elsewhere,
 * and the rest would be overrun.
 *
 * <p>Safe for any number of threads.
 */
public final class OutlierFilter {
    private static final int MAX_DOUBLINGS = 10;

    private final int errorsInARow;
    private final long firstNanos;
    private final Map<String, State> states = new HashMap<>(); // guarded by this

    private static final class State {
        int errors;
        int ejections;
        boolean isOut;
        long outUntilNanos;
    }

    /**
     * @param errorsInARow how many errors, with no success between them, leave an endpoint out; at least 1
     * @param firstTime how long it is left out at first
     */
    public OutlierFilter(int errorsInARow, Duration firstTime) {
        if (errorsInARow < 1) {
            throw new IllegalArgumentException("at least one error leaves an endpoint out: errors=" + errorsInARow);
        }
        this.errorsInARow = errorsInARow;
        this.firstNanos = firstTime.toNanos();
    }

    /** Returns a filter that leaves an endpoint out after five errors in a row, for 100 ms at first. */
    public static OutlierFilter standard() {
        return new OutlierFilter(5, Duration.ofMillis(100));
    }

    synchronized void succeeded(Endpoint endpoint) {
        states.remove(endpoint.id());
    }

    /** Notes an error; returns whether the endpoint is left out from now on because of it. */
    synchronized boolean failed(Endpoint endpoint, ServiceList list, long nowNanos) {
        State state = states.computeIfAbsent(endpoint.id(), id -> new State());
        state.errors++;
        if (state.isOut || state.errors < errorsInARow || (out(list, nowNanos) + 1) * 2 > list.size()) {
            return false;
        }
        state.isOut = true;
        state.outUntilNanos = nowNanos + (firstNanos << Math.min(state.ejections, MAX_DOUBLINGS));
        state.ejections++;
        return true;
    }

    private int out(ServiceList list, long nowNanos) {
        int out = 0;
        for (Endpoint endpoint : list.endpoints()) {
            State state = states.get(endpoint.id());
            if (state != null && state.isOut && state.outUntilNanos - nowNanos > 0) {
                out++;
            }
        }
        return out;
    }

    /** Returns the endpoints that are not left out now. Those whose time is over are tried again: one more error is enough then. */
    synchronized ServiceList filter(ServiceList list, long nowNanos) {
        states.keySet()
                .removeIf(id -> list.endpoints().stream()
                        .noneMatch(endpoint -> endpoint.id().equals(id)));
        return list.where(endpoint -> {
            State state = states.get(endpoint.id());
            if (state != null && state.isOut && state.outUntilNanos - nowNanos <= 0) {
                state.isOut = false;
                state.errors = errorsInARow - 1;
            }
            return state == null || !state.isOut;
        });
    }

    /** Returns in how many nanoseconds the next endpoint is tried again; {@link Long#MAX_VALUE} if none is left out. */
    synchronized long nanosToNext(long nowNanos) {
        long least = Long.MAX_VALUE;
        for (State state : states.values()) {
            if (state.isOut) {
                least = Math.min(least, Math.max(0, state.outUntilNanos - nowNanos));
            }
        }
        return least;
    }
}
