package dev.caskwright.kafka;

import java.util.Arrays;
import java.util.Objects;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/** What can be read from a key-value store: everything, or only what is committed. */
class KeyValueReads implements ReadOnlyKeyValueStore<Bytes, byte[]> {
    final TaskStore store;
    private final boolean isCommittedOnly;

    KeyValueReads(TaskStore store, boolean isCommittedOnly) {
        this.store = store;
        this.isCommittedOnly = isCommittedOnly;
    }

    @Override
    public byte @Nullable [] get(Bytes key) {
        return store.get(Keys.plain(key.get()), isCommittedOnly);
    }

    @Override
    public KeyValueIterator<Bytes, byte[]> range(@Nullable Bytes from, @Nullable Bytes to) {
        return range(from, to, false);
    }

    @Override
    public KeyValueIterator<Bytes, byte[]> reverseRange(@Nullable Bytes from, @Nullable Bytes to) {
        return range(from, to, true);
    }

    @Override
    public KeyValueIterator<Bytes, byte[]> all() {
        return range(null, null, false);
    }

    @Override
    public KeyValueIterator<Bytes, byte[]> reverseAll() {
        return range(null, null, true);
    }

    @Override
    public <PS extends Serializer<P>, P> KeyValueIterator<Bytes, byte[]> prefixScan(P prefix, PS serializer) {
        byte[] first = Keys.plain(Objects.requireNonNull(serializer.serialize(null, prefix), "prefix"));
        byte[] end = first.clone();
        int last = end.length - 1;
        while (end[last] == (byte) 0xFF) {
            last--; // the first byte is 1, so there is one to stop at
        }
        end[last]++;
        return iterator(first, Arrays.copyOf(end, last + 1), false, false);
    }

    @Override
    public long approximateNumEntries() {
        return store.approximateSize();
    }

    private KeyValueIterator<Bytes, byte[]> range(@Nullable Bytes from, @Nullable Bytes to, boolean descending) {
        byte[] first = from == null ? Keys.FIRST : Keys.plain(from.get());
        byte[] last = to == null ? Keys.END : Keys.plain(to.get());
        return iterator(first, last, to != null, descending);
    }

    private KeyValueIterator<Bytes, byte[]> iterator(
            byte[] first, byte[] last, boolean isLastInclusive, boolean descending) {
        return new StoreIterator<>(
                store,
                store.range(first, last, isLastInclusive, descending, isCommittedOnly),
                stored -> Bytes.wrap(Keys.fromPlain(stored)));
    }
}
