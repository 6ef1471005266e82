package dev.caskwright.server.command;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Events that took long, of each kind the last ones. Safe for any number of threads. */
final class Latency {
    private static final int MAX_SAMPLES = 160;
    private static final long MILLIS_PER_SECOND = 1000;

    private final Map<String, Series> series = new TreeMap<>();

    /** One event. */
    record Sample(long atSeconds, long millis) {}

    /** The events of a kind. */
    static final class Series {
        private final Deque<Sample> samples = new ArrayDeque<>();
        private long max;

        Deque<Sample> samples() {
            return samples;
        }

        long max() {
            return max;
        }

        Sample last() {
            return samples.getLast();
        }
    }

    synchronized void add(String event, long nowMillis, long millis) {
        Series events = series.computeIfAbsent(event, missing -> new Series());
        long second = nowMillis / MILLIS_PER_SECOND;
        Sample last = events.samples.peekLast();
        // Of the events of one second the longest is kept.
        if (last != null && last.atSeconds() == second) {
            events.samples.pollLast();
            events.samples.addLast(new Sample(second, Math.max(millis, last.millis())));
        } else {
            events.samples.addLast(new Sample(second, millis));
        }
        events.max = Math.max(events.max, millis);
        while (events.samples.size() > MAX_SAMPLES) {
            events.samples.pollFirst();
        }
    }

    synchronized Map<String, Series> all() {
        return new TreeMap<>(series);
    }

    synchronized int reset(Set<String> events) {
        int before = series.size();
        if (events.isEmpty()) {
            series.clear();
        } else {
            series.keySet().removeAll(events);
        }
        return before - series.size();
    }
}
