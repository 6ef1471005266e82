package dev.caskwright.api;

import java.io.IOException;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A {@link StorageEngine} with keys and values of other types. It promises what the engine does; closing that is for its owner. */
public final class TypedStore<K, V> extends TypedView<K, V> {
    private final StorageEngine engine;

    TypedStore(StorageEngine engine, Codec<K> keys, Codec<V> values) {
        super(engine, keys, values);
        this.engine = engine;
    }

    /** Stores a value under a key, with the store's durability and no expiry. */
    public void put(K key, V value) throws IOException {
        put(key, value, WriteOptions.DEFAULT);
    }

    /** Stores a value under a key. The entry expires as the options say, or never. */
    public void put(K key, V value, WriteOptions options) throws IOException {
        engine.put(keys.encode(key), values.encode(value), options);
    }

    /** Removes a key with the store's durability; returns whether it was there. */
    public boolean delete(K key) throws IOException {
        return delete(key, WriteOptions.DEFAULT);
    }

    /** Removes a key; returns whether it was there. */
    public boolean delete(K key, WriteOptions options) throws IOException {
        return engine.delete(keys.encode(key), options);
    }

    /**
     * Stores a value only if the key is absent; returns whether it was.
     *
     * @throws MissingFacetException if the store has no {@link ConditionalWrites}
     */
    public boolean putIfAbsent(K key, V value, WriteOptions options) throws IOException {
        return engine.require(ConditionalWrites.class).putIfAbsent(keys.encode(key), values.encode(value), options);
    }

    /**
     * Puts in place of the present value what {@code change} makes of it; see {@link ConditionalWrites#update}.
     *
     * @throws MissingFacetException if the store has no {@link ConditionalWrites}
     */
    public @Nullable V update(K key, UnaryOperator<@Nullable V> change, WriteOptions options) throws IOException {
        byte[] after = engine.require(ConditionalWrites.class)
                .update(
                        keys.encode(key),
                        before -> {
                            V changed = change.apply(before == null ? null : values.decode(before));
                            return changed == null ? null : values.encode(changed);
                        },
                        options);
        return after == null ? null : values.decode(after);
    }
}
