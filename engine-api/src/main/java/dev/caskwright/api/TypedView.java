package dev.caskwright.api;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A {@link ReadView} with keys and values of other types. It promises what that does, and as safe for threads as that. */
public class TypedView<K, V> {
    private final ReadView view;
    final Codec<K> keys;
    final Codec<V> values;

    TypedView(ReadView view, Codec<K> keys, Codec<V> values) {
        this.view = view;
        this.keys = Objects.requireNonNull(keys, "keys");
        this.values = Objects.requireNonNull(values, "values");
    }

    /** A key with its value. */
    public record Pair<K, V>(K key, V value) {}

    /** A walk over pairs; see {@link Cursor}. */
    public interface PairCursor<K, V> extends AutoCloseable {
        /** Moves to the next pair and returns it, or null at the end. */
        @Nullable Pair<K, V> next() throws IOException;

        @Override
        void close();
    }

    /** Returns the value of the key, or null if it is absent. */
    public @Nullable V get(K key) throws IOException {
        return value(view.get(keys.encode(key)));
    }

    /** Returns the values of several keys, null for those that are absent; see {@link ReadView#getAll}. */
    public List<@Nullable V> getAll(List<? extends K> wanted) throws IOException {
        byte[][] encoded = new byte[wanted.size()][];
        for (int i = 0; i < encoded.length; i++) {
            encoded[i] = keys.encode(wanted.get(i));
        }
        List<@Nullable V> found = new ArrayList<>(encoded.length);
        for (byte[] value : view.getAll(encoded)) {
            found.add(value(value));
        }
        return found;
    }

    /** Returns whether the key is there. */
    public boolean contains(K key) throws IOException {
        return view.contains(keys.encode(key));
    }

    /** Returns a cursor over all pairs, in an order that means nothing; see {@link ReadView#cursor}. */
    public PairCursor<K, V> cursor() throws IOException {
        return new Decoding<>(view.cursor(), this);
    }

    /**
     * Returns a cursor over the pairs from {@code from} on and before {@code to}, in the order of the keys; null is no bound.
     *
     * @throws MissingFacetException if keys have no order in the store
     * @throws IllegalStateException if the codec of the keys does not keep their order
     */
    public PairCursor<K, V> range(@Nullable K from, @Nullable K to) throws IOException {
        return range(from, to, false);
    }

    /** As {@link #range(Object, Object)}, from the greatest key to the least if {@code descending}. */
    public PairCursor<K, V> range(@Nullable K from, @Nullable K to, boolean descending) throws IOException {
        OrderedView ordered = view.ordered();
        if (!keys.keepsOrder()) {
            throw new IllegalStateException("the codec of the keys does not keep their order: codec=" + keys
                    + "; use one that does, such as Codecs.STRING or Codecs.LONG");
        }
        Range range = Range.all().descending(descending);
        if (from != null) {
            range = range.from(keys.encode(from), true);
        }
        if (to != null) {
            range = range.to(keys.encode(to), false);
        }
        return new Decoding<>(ordered.range(range), this);
    }

    private @Nullable V value(byte @Nullable [] bytes) {
        return bytes == null ? null : values.decode(bytes);
    }

    private record Decoding<K, V>(Cursor entries, TypedView<K, V> view) implements PairCursor<K, V> {
        @Override
        public @Nullable Pair<K, V> next() throws IOException {
            Entry entry = entries.next();
            return entry == null ? null : new Pair<>(view.keys.decode(entry.key()), view.values.decode(entry.value()));
        }

        @Override
        public void close() {
            entries.close();
        }
    }
}
