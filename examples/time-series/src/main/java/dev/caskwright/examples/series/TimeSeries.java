package dev.caskwright.examples.series;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Range;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Series of points in one store. A key is the name of a series, a zero byte and the time, most significant byte first and
 * with its sign turned: so the points of one series lie together, in the order of time, and a time range is a range of keys.
 * Any number of threads may call. The store belongs to the caller, who closes it.
 */
public final class TimeSeries {
    private static final int DELETED_AT_ONCE = 1_000;

    private final StorageEngine store;

    /** Keeps series in a store whose keys have an order; one without refuses every read. */
    public TimeSeries(StorageEngine store) {
        this.store = store;
    }

    /** Adds points to a series, all or none. One at the same time as an earlier one takes its place. */
    public void add(String series, List<Point> points) throws IOException {
        WriteBatch batch = new WriteBatch();
        for (Point point : points) {
            batch.put(
                    key(series, point.at()),
                    ByteBuffer.allocate(Double.BYTES).putDouble(point.value()).array());
        }
        store.write(batch);
    }

    /** Returns the points from a time on and before another, oldest first. */
    public List<Point> between(String series, Instant from, Instant to) throws IOException {
        List<Point> points = new ArrayList<>();
        try (Cursor entries = store.ordered().range(range(series, from, to))) {
            for (Entry entry = entries.next(); entry != null; entry = entries.next()) {
                points.add(point(entry));
            }
        }
        return points;
    }

    /** Returns the last point of a series, if there is one. */
    public Optional<Point> latest(String series) throws IOException {
        Range backwards = Range.prefix(prefix(series)).descending(true).limit(1);
        try (Cursor entries = store.ordered().range(backwards)) {
            return Optional.ofNullable(entries.next()).map(TimeSeries::point);
        }
    }

    /** Removes the points before a time; returns how many there were. */
    public long removeBefore(String series, Instant time) throws IOException {
        long removed = 0;
        WriteBatch batch = new WriteBatch();
        Range old = range(series, Instant.ofEpochMilli(Long.MIN_VALUE), time);
        try (Cursor entries = store.ordered().range(old)) {
            for (Entry entry = entries.next(); entry != null; entry = entries.next()) {
                batch.delete(entry.key());
                removed++;
                if (batch.size() == DELETED_AT_ONCE) {
                    store.write(batch);
                    batch.clear();
                }
            }
        }
        store.write(batch);
        return removed;
    }

    private static Range range(String series, Instant from, Instant to) {
        return Range.all().from(key(series, from), true).to(key(series, to), false);
    }

    private static byte[] prefix(String series) {
        if (series.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("the name of a series has no zero character: " + series);
        }
        return (series + '\0').getBytes(UTF_8);
    }

    private static byte[] key(String series, Instant at) {
        byte[] prefix = prefix(series);
        return ByteBuffer.allocate(prefix.length + Long.BYTES)
                .put(prefix)
                .putLong(at.toEpochMilli() ^ Long.MIN_VALUE) // times before 1970 come first
                .array();
    }

    private static Point point(Entry entry) {
        byte[] key = entry.key();
        long millis = ByteBuffer.wrap(key).getLong(key.length - Long.BYTES) ^ Long.MIN_VALUE;
        return new Point(
                Instant.ofEpochMilli(millis), ByteBuffer.wrap(entry.value()).getDouble());
    }
}
