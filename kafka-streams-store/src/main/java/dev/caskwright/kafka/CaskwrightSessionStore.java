package dev.caskwright.kafka;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.state.HeadersBytesStore;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlySessionStore;
import org.apache.kafka.streams.state.SessionStore;
import org.jspecify.annotations.Nullable;

/**
 * A session store of one task. A session expires when the latest end that was put is a retention period after its own.
 * One thread writes, any number of threads read.
 */
class CaskwrightSessionStore extends SessionReads implements SessionStore<Bytes, byte[]>, KeptStore {
    private final StoreFormat format;
    private final @Nullable StoreOptions options;
    private final Expired expired;

    private CaskwrightSessionStore(
            String name, SessionShape shape, StoreFormat format, @Nullable StoreOptions options) {
        super(new TaskStore(name), shape, false);
        this.format = format;
        this.options = options;
        this.expired = new Expired(name);
    }

    static CaskwrightSessionStore of(
            String name, SessionShape shape, StoreFormat format, @Nullable StoreOptions options) {
        return switch (format) {
            case PLAIN, TIMESTAMPED -> new CaskwrightSessionStore(name, shape, StoreFormat.PLAIN, options);
            case HEADERS -> new WithHeaders(name, shape, options);
        };
    }

    /** Tells Kafka Streams to put headers before each value. */
    private static final class WithHeaders extends CaskwrightSessionStore implements HeadersBytesStore {
        WithHeaders(String name, SessionShape shape, @Nullable StoreOptions options) {
            super(name, shape, StoreFormat.HEADERS, options);
        }
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        String kind = "session " + format + ", segment=" + shape.segmentInterval() + " ms";
        store.open(context, root, kind, options, this::restore);
        expired.init(context);
    }

    /** Applies a record of the changelog, whose key is the user's, the end and the start in 8 bytes each. */
    private void restore(byte[] key, byte @Nullable [] value) {
        int length = key.length - Keys.SESSION_SUFFIX;
        ByteBuffer suffix = ByteBuffer.wrap(key, length, Keys.SESSION_SUFFIX);
        long end = suffix.getLong();
        store.observe(end);
        if (end >= firstLive()) {
            store.put(Keys.session(segment(end), Arrays.copyOf(key, length), end, suffix.getLong()), value);
        }
        store.makeRoom();
    }

    @Override
    public void put(Windowed<Bytes> session, byte @Nullable [] aggregate) {
        long end = session.window().end();
        store.observe(end);
        if (end < firstLive()) {
            expired.count();
            return;
        }
        byte[] key = session.key().get();
        store.put(Keys.session(segment(end), key, end, session.window().start()), aggregate);
        store.makeRoom();
    }

    @Override
    public void remove(Windowed<Bytes> session) {
        long end = session.window().end();
        byte[] key = session.key().get();
        store.put(Keys.session(segment(end), key, end, session.window().start()), null);
        store.makeRoom();
    }

    /** Returns the sessions of all keys that end between the two moments, both included. */
    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> findSessions(long earliestEnd, long latestEnd) {
        return sessions(null, null, earliestEnd, latestEnd, Long.MAX_VALUE, false);
    }

    @Override
    public ReadOnlySessionStore<Bytes, byte[]> readOnly(IsolationLevel level) {
        return level == IsolationLevel.READ_COMMITTED ? new SessionReads(store, shape, true) : this;
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
        return Queries.onSessions(query, readOnly(level));
    }
}
