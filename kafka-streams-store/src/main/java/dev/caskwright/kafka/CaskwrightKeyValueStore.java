package dev.caskwright.kafka;

import java.util.List;
import java.util.Objects;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.state.HeadersBytesStore;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.TimestampedBytesStore;
import org.jspecify.annotations.Nullable;

/** A key-value store of one task. One thread writes, any number of threads read. */
class CaskwrightKeyValueStore extends KeyValueReads implements KeyValueStore<Bytes, byte[]>, KeptStore {
    private final StoreFormat format;
    private final @Nullable StoreOptions options;

    private CaskwrightKeyValueStore(String name, StoreFormat format, @Nullable StoreOptions options) {
        super(new TaskStore(name), false);
        this.format = format;
        this.options = options;
    }

    static CaskwrightKeyValueStore of(String name, StoreFormat format, @Nullable StoreOptions options) {
        return switch (format) {
            case PLAIN -> new CaskwrightKeyValueStore(name, format, options);
            case TIMESTAMPED -> new Timestamped(name, options);
            case HEADERS -> new WithHeaders(name, options);
        };
    }

    /** Tells Kafka Streams to put the timestamp before each value. */
    private static final class Timestamped extends CaskwrightKeyValueStore implements TimestampedBytesStore {
        Timestamped(String name, @Nullable StoreOptions options) {
            super(name, StoreFormat.TIMESTAMPED, options);
        }
    }

    /** Tells Kafka Streams to put headers and timestamp before each value. */
    private static final class WithHeaders extends CaskwrightKeyValueStore
            implements TimestampedBytesStore, HeadersBytesStore {
        WithHeaders(String name, @Nullable StoreOptions options) {
            super(name, StoreFormat.HEADERS, options);
        }
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        store.open(context, root, "key-value " + format, options, (key, value) -> {
            store.put(Keys.plain(key), value);
            store.makeRoom();
        });
    }

    @Override
    public void put(Bytes key, byte @Nullable [] value) {
        store.put(Keys.plain(key.get()), value);
        store.makeRoom();
    }

    @Override
    public byte @Nullable [] putIfAbsent(Bytes key, byte @Nullable [] value) {
        byte[] present = get(key);
        if (present == null) {
            put(key, value);
        }
        return present;
    }

    @Override
    public void putAll(List<KeyValue<Bytes, byte[]>> entries) {
        entries.forEach(each -> Objects.requireNonNull(each.key, "key")); // all or none
        for (KeyValue<Bytes, byte[]> each : entries) {
            store.put(Keys.plain(each.key.get()), each.value);
        }
        store.makeRoom();
    }

    @Override
    public byte @Nullable [] delete(Bytes key) {
        byte[] present = get(key);
        if (present != null) {
            put(key, null);
        }
        return present;
    }

    @Override
    public ReadOnlyKeyValueStore<Bytes, byte[]> readOnly(IsolationLevel level) {
        return level == IsolationLevel.READ_COMMITTED ? new KeyValueReads(store, true) : this;
    }

    @Override
    public TaskStore kept() {
        return store;
    }

    @Override
    public @Nullable QueryResult<?> answer(Query<?> query, IsolationLevel level) {
        return Queries.onKeys(query, readOnly(level));
    }
}
