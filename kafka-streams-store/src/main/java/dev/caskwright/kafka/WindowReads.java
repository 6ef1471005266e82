package dev.caskwright.kafka;

import dev.caskwright.api.Cursor;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.LongFunction;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.TimeWindow;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyWindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;
import org.jspecify.annotations.Nullable;

/**
 * What can be read from a window store: everything, or only what is committed. The windows of one key come in the order
 * of their starts; those of several keys by segment, and within one as Kafka's own stores give them: by key, and then by
 * start, but where one key begins with another, theirs may be mixed.
 */
class WindowReads implements ReadOnlyWindowStore<Bytes, byte[]> {
    final TaskStore store;
    final WindowShape shape;
    private final boolean isCommittedOnly;

    /** What is the same for all windows of a store; times in milliseconds. */
    record WindowShape(long retention, long segmentInterval, long size, boolean retainDuplicates) {}

    WindowReads(TaskStore store, WindowShape shape, boolean isCommittedOnly) {
        this.store = store;
        this.shape = shape;
        this.isCommittedOnly = isCommittedOnly;
    }

    /** Returns the earliest start that has not expired. */
    final long firstLive() {
        return Math.max(0, store.streamTime() - shape.retention() + 1);
    }

    final long segment(long start) {
        return start / shape.segmentInterval();
    }

    private long lastOf(long segment) {
        long last = segment * shape.segmentInterval() + (shape.segmentInterval() - 1);
        return last < 0 ? Long.MAX_VALUE : last;
    }

    @Override
    public byte @Nullable [] fetch(Bytes key, long start) {
        if (start < firstLive()) {
            return null;
        }
        return store.get(Keys.window(segment(start), key.get(), start, 0), isCommittedOnly);
    }

    public WindowStoreIterator<byte[]> fetch(Bytes key, long from, long to) {
        return windowsOf(key, from, to, false);
    }

    @Override
    public WindowStoreIterator<byte[]> fetch(Bytes key, Instant from, Instant to) {
        return windowsOf(key, Keys.millis(from), Keys.millis(to), false);
    }

    public WindowStoreIterator<byte[]> backwardFetch(Bytes key, long from, long to) {
        return windowsOf(key, from, to, true);
    }

    @Override
    public WindowStoreIterator<byte[]> backwardFetch(Bytes key, Instant from, Instant to) {
        return windowsOf(key, Keys.millis(from), Keys.millis(to), true);
    }

    public KeyValueIterator<Windowed<Bytes>, byte[]> fetch(
            @Nullable Bytes keyFrom, @Nullable Bytes keyTo, long from, long to) {
        return windows(keyFrom, keyTo, from, to, false);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> fetch(
            @Nullable Bytes keyFrom, @Nullable Bytes keyTo, Instant from, Instant to) {
        return windows(keyFrom, keyTo, Keys.millis(from), Keys.millis(to), false);
    }

    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardFetch(
            @Nullable Bytes keyFrom, @Nullable Bytes keyTo, long from, long to) {
        return windows(keyFrom, keyTo, from, to, true);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardFetch(
            @Nullable Bytes keyFrom, @Nullable Bytes keyTo, Instant from, Instant to) {
        return windows(keyFrom, keyTo, Keys.millis(from), Keys.millis(to), true);
    }

    public KeyValueIterator<Windowed<Bytes>, byte[]> fetchAll(long from, long to) {
        return windows(null, null, from, to, false);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> fetchAll(Instant from, Instant to) {
        return windows(null, null, Keys.millis(from), Keys.millis(to), false);
    }

    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardFetchAll(long from, long to) {
        return windows(null, null, from, to, true);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardFetchAll(Instant from, Instant to) {
        return windows(null, null, Keys.millis(from), Keys.millis(to), true);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> all() {
        return windows(null, null, 0, Long.MAX_VALUE, false);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardAll() {
        return windows(null, null, 0, Long.MAX_VALUE, true);
    }

    private WindowStoreIterator<byte[]> windowsOf(Bytes key, long from, long to, boolean descending) {
        Objects.requireNonNull(key, "key");
        long first = Math.max(from, firstLive());
        long last = Math.min(to, store.streamTime());
        Cursor cursor = segments(
                first,
                last,
                descending,
                segment -> store.range(
                        Keys.window(segment, key.get(), first, 0),
                        Keys.window(segment, key.get(), last, -1),
                        true,
                        descending,
                        isCommittedOnly));
        return new StoreIterator.OfWindows(
                store,
                cursor,
                stored -> Keys.isOf(stored, Keys.WINDOW_SUFFIX, key.get())
                        ? Keys.longAt(stored, Keys.WINDOW_SUFFIX)
                        : null);
    }

    private KeyValueIterator<Windowed<Bytes>, byte[]> windows(
            @Nullable Bytes keyFrom, @Nullable Bytes keyTo, long from, long to, boolean descending) {
        long first = Math.max(from, firstLive());
        long last = Math.min(to, store.streamTime());
        boolean isEmpty = keyFrom != null && keyTo != null && Arrays.compareUnsigned(keyFrom.get(), keyTo.get()) > 0;
        Cursor cursor = segments(
                first,
                isEmpty ? -1 : last,
                descending,
                segment -> store.range(
                        keyFrom == null ? Keys.segment(segment) : Keys.atLeast(segment, keyFrom.get()),
                        keyTo == null
                                ? Keys.segment(segment + 1)
                                : Keys.atMost(segment, keyTo.get(), lastOf(segment), Keys.WINDOW_SUFFIX),
                        keyTo != null,
                        descending,
                        isCommittedOnly));
        return new StoreIterator<>(store, cursor, stored -> {
            long start = Keys.longAt(stored, Keys.WINDOW_SUFFIX);
            return start >= first && start <= last && Keys.isBetween(stored, Keys.WINDOW_SUFFIX, keyFrom, keyTo)
                    ? windowed(stored, start)
                    : null;
        });
    }

    private Cursor segments(long first, long last, boolean descending, LongFunction<Cursor> opener) {
        return last < first
                ? new SegmentCursor(0, -1, descending, opener)
                : new SegmentCursor(segment(first), segment(last), descending, opener);
    }

    private Windowed<Bytes> windowed(byte[] stored, long start) {
        Bytes key = Bytes.wrap(Keys.key(stored, Keys.WINDOW_SUFFIX));
        long end = start + shape.size();
        return new Windowed<>(key, new TimeWindow(start, end < 0 ? Long.MAX_VALUE : end));
    }
}
