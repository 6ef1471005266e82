package dev.caskwright.examples.counter;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/**
 * Counts events by the hour, and forgets hours after some days. The keys are {@code NAME/2026-11-30T12}, so that a day is a
 * range of keys. Any number of threads may call; no count is lost. The store belongs to the caller, who closes it.
 */
public final class EventCounter {
    private static final DateTimeFormatter HOUR =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH").withZone(ZoneOffset.UTC);

    private final StorageEngine store;
    private final ConditionalWrites counters;
    private final WriteOptions kept;

    /**
     * Counts in a store whose keys have an order.
     *
     * @param kept for how long an hour is kept after its last event
     */
    public EventCounter(StorageEngine store, Duration kept) {
        this.store = store;
        this.counters = store.require(ConditionalWrites.class);
        this.kept = WriteOptions.DEFAULT.timeToLive(kept);
    }

    /** Counts one event; returns how many of them there were in this hour. */
    public long count(String name, Instant at) throws IOException {
        return counters.increment((name + "/" + HOUR.format(at)).getBytes(UTF_8), 1, kept);
    }

    /** Returns how many events there were on a day, in UTC. */
    public long total(String name, LocalDate day) throws IOException {
        long total = 0;
        try (Cursor hours = store.ordered().prefix((name + "/" + day + "T").getBytes(UTF_8), false)) {
            for (Entry hour = hours.next(); hour != null; hour = hours.next()) {
                total += Codecs.COUNTER.decode(hour.value());
            }
        }
        return total;
    }
}
