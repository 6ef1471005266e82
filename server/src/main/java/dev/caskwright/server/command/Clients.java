package dev.caskwright.server.command;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** All clients that are connected, and whether they are made to wait. Used under the keyspace's lock. */
public final class Clients {
    private final Map<Long, Session> sessions = new LinkedHashMap<>();
    private long pausedUntilNanos;
    private boolean isPaused;
    private boolean isPausedForWritesOnly;

    /** Adds a client. */
    public void add(Session session) {
        sessions.put(session.id(), session);
    }

    void remove(Session session) {
        sessions.remove(session.id());
    }

    @Nullable Session find(long id) {
        return sessions.get(id);
    }

    /** Returns all clients, in the order of their coming. */
    public List<Session> all() {
        return new ArrayList<>(sessions.values());
    }

    /**
     * What all clients do, and hold.
     *
     * @param subscribers how many subscribe to channels or patterns
     * @param watchers how many watch keys
     * @param inputBytes of requests that have not wholly come
     * @param outputBytes of replies that have not gone
     */
    record Totals(int subscribers, int watchers, long inputBytes, long outputBytes) {}

    Totals totals() {
        int subscribers = 0;
        int watchers = 0;
        long input = 0;
        long output = 0;
        for (Session session : sessions.values()) {
            subscribers += session.subscriptions() > 0 ? 1 : 0;
            watchers += session.watches().isEmpty() ? 0 : 1;
            input += session.link().inputBytes();
            output += session.link().outputBytes();
        }
        return new Totals(subscribers, watchers, input, output);
    }

    /** Returns how many clients there are. */
    public int count() {
        return sessions.size();
    }

    /** Makes commands wait. By a clock that nobody sets: one set back would make a short pause a long one. */
    void pause(long millis, boolean onlyWrites) {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        boolean isLonger = !isPaused || until - pausedUntilNanos > 0;
        isPausedForWritesOnly = (isLonger || !isPausedForWritesOnly) && onlyWrites;
        pausedUntilNanos = isLonger ? until : pausedUntilNanos;
        isPaused = true;
    }

    void unpause() {
        isPaused = false;
        all().forEach(session -> session.link().resume());
    }

    /** Returns whether clients were paused, and no command has come since that has ended. */
    boolean isPaused() {
        return isPaused;
    }

    /** Returns for how many milliseconds a command is to wait, or 0. */
    long pauseMillis(boolean isWrite) {
        long nanos = pausedUntilNanos - System.nanoTime();
        isPaused &= nanos > 0;
        boolean waits = isPaused && (isWrite || !isPausedForWritesOnly);
        return waits ? TimeUnit.NANOSECONDS.toMillis(nanos) + 1 : 0;
    }
}
