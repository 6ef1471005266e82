package dev.caskwright.kafka;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import java.io.IOException;
import java.util.NoSuchElementException;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.WindowStoreIterator;
import org.jspecify.annotations.Nullable;

/** Walks along a cursor, and shows the entries whose keys its decoder wants. For one thread at a time. */
class StoreIterator<K> implements KeyValueIterator<K, byte[]> {
    /** Makes a key of the user's from one of the engine. */
    @FunctionalInterface
    interface Decoder<K> {
        /** Returns the key, or null if the entry is not to be shown. */
        @Nullable K decode(byte[] stored);
    }

    private final TaskStore store;
    private final Object opening;
    private final Cursor cursor;
    private final Decoder<K> decoder;
    private @Nullable KeyValue<K, byte[]> next;
    private boolean closed;

    StoreIterator(TaskStore store, Cursor cursor, Decoder<K> decoder) {
        this.store = store;
        this.opening = store.opening();
        this.cursor = cursor;
        this.decoder = decoder;
    }

    /** The same for the windows of one key. */
    static final class OfWindows extends StoreIterator<Long> implements WindowStoreIterator<byte[]> {
        OfWindows(TaskStore store, Cursor cursor, Decoder<Long> decoder) {
            super(store, cursor, decoder);
        }
    }

    @Override
    public boolean hasNext() {
        if (closed) {
            throw new InvalidStateStoreException("the iterator is closed: store=" + store.name());
        }
        store.ensureOpenAs(opening); // changes that a close forgot must not show
        try {
            while (next == null) {
                Entry entry = cursor.next();
                if (entry == null) {
                    return false;
                }
                K key = decoder.decode(entry.key());
                if (key != null) {
                    next = KeyValue.pair(key, entry.value());
                }
            }
            return true;
        } catch (IOException e) {
            throw store.failed("reading", e);
        }
    }

    @Override
    public K peekNextKey() {
        return present().key;
    }

    @Override
    public KeyValue<K, byte[]> next() {
        KeyValue<K, byte[]> taken = present();
        next = null;
        return taken;
    }

    private KeyValue<K, byte[]> present() {
        if (!hasNext() || next == null) {
            throw new NoSuchElementException("the iterator is at its end: store=" + store.name());
        }
        return next;
    }

    @Override
    public void close() {
        closed = true;
        next = null;
        cursor.close();
    }
}
