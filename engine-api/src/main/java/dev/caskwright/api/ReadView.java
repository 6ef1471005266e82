package dev.caskwright.api;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What can be read from a store: the engine itself, which shows the latest writes, or a {@link Snapshot}, which shows one
 * moment. Safe for any number of threads. Keys are 1 to 65,535 bytes long; other lengths are an {@link
 * IllegalArgumentException}. Arrays are neither kept nor shared.
 *
 * <p>Every method that may throw an {@link IOException} throws {@link EngineClosedException} after the view was closed,
 * {@link CorruptRecordException} if what it would return fails its checksum, and an {@link IOException} naming the file if
 * the system refuses. Facets are handed out even then; their methods refuse.
 */
public interface ReadView extends FacetHolder {
    /** The length returned for a key that is not there. */
    int ABSENT = -1;

    /** Returns a copy of the value of the key, or null if the key is absent or expired. The value may be empty. */
    byte @Nullable [] get(byte[] key) throws IOException;

    /**
     * Copies the value of the key into {@code target} at its position, advances it, and returns the length of the value;
     * {@link #ABSENT} if there is none. A value longer than {@code target.remaining()} is not copied: its length is
     * returned and the target is as it was. Copies what {@link #get(byte[])} returns, unless a view does better: those of
     * engines with files allocate nothing.
     */
    default int get(byte[] key, ByteBuffer target) throws IOException {
        byte[] value = get(key);
        if (value == null) {
            return ABSENT;
        }
        if (value.length <= target.remaining()) {
            target.put(value);
        }
        return value.length;
    }

    /**
     * Returns copies of the values of several keys, in the order of the keys; null for those that are absent or expired. Over
     * an engine each value is the latest at some moment during the call, and not all at the same one; over a snapshot all are
     * its moment's. An engine with an index in memory overlaps the waits for memory of up to 64 keys: over mapped files that is
     * faster than as many single gets.
     */
    default byte[] @Nullable [] getAll(byte[]... keys) throws IOException {
        byte[] @Nullable [] values = new byte[keys.length][];
        for (int i = 0; i < keys.length; i++) {
            values[i] = get(keys[i]);
        }
        return values;
    }

    /** As {@link #get(byte[])}, for a key between a buffer's position and limit, which stay as they are. */
    default byte @Nullable [] get(ByteBuffer key) throws IOException {
        return get(Slices.copy(key));
    }

    /**
     * Lets {@code reader} look at the value of the key where it lies, and returns what it makes of it; null if the key is absent
     * or expired. For values of which little is needed, or that are taken apart at once. The value is verified before.
     */
    default <R> @Nullable R read(byte[] key, ValueReader<R> reader) throws IOException {
        byte[] value = get(key);
        if (value == null) {
            return null;
        }
        ValueView view = new ValueView(value, 0, value.length);
        try {
            return reader.read(view);
        } finally {
            view.end();
        }
    }

    /** Returns this view with keys and values of other types. */
    default <K, V> TypedView<K, V> viewAs(Codec<K> keys, Codec<V> values) {
        return new TypedView<>(this, keys, values);
    }

    /** Returns whether the key is there. */
    boolean contains(byte[] key) throws IOException;

    /** Returns the key's value with its version and expiry, or null if it is absent. */
    @Nullable Entry entry(byte[] key) throws IOException;

    /**
     * Visits every entry once, in an order that means nothing, as of the moment of the call: writes, deletes, expiry and
     * merges that go on meanwhile do not show.
     */
    void visit(EntryVisitor visitor) throws IOException;

    /**
     * Returns a cursor over every entry, each once, in an order that means nothing, as of the moment of the call: the same
     * entries that {@link #visit} shows. The caller closes the cursor; files that it may need stay on disk until then.
     */
    Cursor cursor() throws IOException;

    /**
     * Returns the view in the order of the keys; ask {@code facet(OrderedView.class)} whether there is one.
     *
     * @throws MissingFacetException if keys have no order here; the message names what to choose
     */
    default OrderedView ordered() {
        return require(OrderedView.class);
    }
}
