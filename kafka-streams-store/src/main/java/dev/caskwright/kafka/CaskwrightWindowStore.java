package dev.caskwright.kafka;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.state.HeadersBytesStore;
import org.apache.kafka.streams.state.ReadOnlyWindowStore;
import org.apache.kafka.streams.state.TimestampedBytesStore;
import org.apache.kafka.streams.state.WindowStore;
import org.jspecify.annotations.Nullable;

/**
 * A window store of one task. A window expires when the latest start that was put is a retention period after its own.
 * One thread writes, any number of threads read.
 */
class CaskwrightWindowStore extends WindowReads implements WindowStore<Bytes, byte[]>, KeptStore {
    private static final int LAST_SEQUENCE = Integer.MAX_VALUE;

    private final StoreFormat format;
    private final @Nullable StoreOptions options;
    private final Expired expired;
    private int sequence;

    private CaskwrightWindowStore(String name, WindowShape shape, StoreFormat format, @Nullable StoreOptions options) {
        super(new TaskStore(name), shape, false);
        this.format = format;
        this.options = options;
        this.expired = new Expired(name);
    }

    static CaskwrightWindowStore of(
            String name, WindowShape shape, StoreFormat format, @Nullable StoreOptions options) {
        return switch (format) {
            case PLAIN -> new CaskwrightWindowStore(name, shape, format, options);
            case TIMESTAMPED -> new Timestamped(name, shape, options);
            case HEADERS -> new WithHeaders(name, shape, options);
        };
    }

    /** Tells Kafka Streams to put the timestamp before each value. */
    private static final class Timestamped extends CaskwrightWindowStore implements TimestampedBytesStore {
        Timestamped(String name, WindowShape shape, @Nullable StoreOptions options) {
            super(name, shape, StoreFormat.TIMESTAMPED, options);
        }
    }

    /** Tells Kafka Streams to put headers and timestamp before each value. */
    private static final class WithHeaders extends CaskwrightWindowStore
            implements TimestampedBytesStore, HeadersBytesStore {
        WithHeaders(String name, WindowShape shape, @Nullable StoreOptions options) {
            super(name, shape, StoreFormat.HEADERS, options);
        }
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        String kind = "window " + format + ", segment=" + shape.segmentInterval() + " ms, duplicates="
                + shape.retainDuplicates();
        store.open(context, root, kind, options, this::restore);
        expired.init(context);
    }

    /** Applies a record of the changelog, whose key is the user's, the start in 8 bytes and the sequence in 4. */
    private void restore(byte[] key, byte @Nullable [] value) {
        int length = key.length - Keys.WINDOW_SUFFIX;
        ByteBuffer suffix = ByteBuffer.wrap(key, length, Keys.WINDOW_SUFFIX);
        long start = suffix.getLong();
        store.observe(start);
        if (start >= firstLive()) {
            store.put(Keys.window(segment(start), Arrays.copyOf(key, length), start, suffix.getInt()), value);
        }
        store.makeRoom();
    }

    @Override
    public void put(Bytes key, byte @Nullable [] value, long start) {
        Objects.requireNonNull(key, "key");
        if (shape.retainDuplicates()) {
            // As the changelog counts, which logs each put, whatever becomes of it here: so a record that is restored
            // over what was written before a crash takes its own place.
            sequence = sequence + 1 & LAST_SEQUENCE;
        }
        store.observe(start);
        if (start < firstLive()) {
            expired.count();
            return;
        }
        if (shape.retainDuplicates() && value == null) {
            return; // which of the duplicates would it delete?
        }
        store.put(Keys.window(segment(start), key.get(), start, sequence), value);
        store.makeRoom();
    }

    @Override
    public ReadOnlyWindowStore<Bytes, byte[]> readOnly(IsolationLevel level) {
        return level == IsolationLevel.READ_COMMITTED ? new WindowReads(store, shape, true) : this;
    }

    @Override
    public void close() {
        expired.close();
        store.close();
    }

    @Override
    public TaskStore kept() {
        return store;
    }

    @Override
    public byte[] expiredBefore() {
        return Keys.segment(segment(firstLive()));
    }

    @Override
    public @Nullable QueryResult<?> answer(Query<?> query, IsolationLevel level) {
        return Queries.onWindows(query, readOnly(level));
    }
}
