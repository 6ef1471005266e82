package dev.caskwright.api;

import java.io.IOException;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Writes that depend on the present value. Each is linearizable: no other write comes between the comparison and the
 * change. The answer of one that changed nothing is as durable as that of one that did.
 */
public interface ConditionalWrites extends Facet {
    /** Stores a value only if the key is absent, with the store's durability; returns whether it was. */
    default boolean putIfAbsent(byte[] key, byte[] value) throws IOException {
        return putIfAbsent(key, value, WriteOptions.DEFAULT);
    }

    /** Stores a value only if the key is absent; returns whether it was. */
    boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException;

    /** Stores a value only if the present one equals {@code expected}, with the store's durability; returns whether it did. */
    default boolean replace(byte[] key, byte[] expected, byte[] value) throws IOException {
        return replace(key, expected, value, WriteOptions.DEFAULT);
    }

    /**
     * Stores a value only if the present one equals {@code expected}; returns whether it did. As with a put, the entry then
     * expires as the options say, or never.
     */
    boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException;

    /** Removes a key only if its value equals {@code expected}, with the store's durability; returns whether it did. */
    default boolean delete(byte[] key, byte[] expected) throws IOException {
        return delete(key, expected, WriteOptions.DEFAULT);
    }

    /** Removes a key only if its value equals {@code expected}; returns whether it did. */
    boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException;

    /** As {@link ReadView#get(byte[])}. */
    byte @Nullable [] get(byte[] key) throws IOException;

    /** As {@link #update(byte[], UnaryOperator, WriteOptions)}, with the store's durability. */
    default byte @Nullable [] update(byte[] key, UnaryOperator<byte @Nullable []> change) throws IOException {
        return update(key, change, WriteOptions.DEFAULT);
    }

    /**
     * Puts in place of the present value what {@code change} makes of it: null stands for an absent key, before and after.
     * If another write comes between, {@code change} is asked again with the value that is there then; so it should have no
     * effects. That cannot go on for ever unless others write for ever, since each time another write has succeeded. As with a
     * put, the entry then expires as the options say, or never.
     *
     * @return the value that was put, or null if the key was removed or left absent
     */
    default byte @Nullable [] update(byte[] key, UnaryOperator<byte @Nullable []> change, WriteOptions options)
            throws IOException {
        byte[] own = key.clone(); // one key, however often it is tried
        while (true) {
            byte[] before = get(own);
            byte[] after = change.apply(before == null ? null : before.clone());
            boolean isDone;
            if (after == null) {
                isDone = before == null || delete(own, before, options);
            } else {
                isDone = before == null ? putIfAbsent(own, after, options) : replace(own, before, after, options);
            }
            if (isDone) {
                return after;
            }
        }
    }

    /** As {@link #increment(byte[], long, WriteOptions)}, with the store's durability. */
    default long increment(byte[] key, long delta) throws IOException {
        return increment(key, delta, WriteOptions.DEFAULT);
    }

    /**
     * Adds to a counter: a value of eight bytes, most significant first, which is what {@link Codecs#COUNTER} writes. An absent
     * key counts as 0. As with a put, the entry then expires as the options say, or never.
     *
     * @return the new value
     * @throws ArithmeticException if the sum does not fit into a long; nothing was changed
     * @throws IllegalStateException if the present value is not a counter; nothing was changed
     */
    default long increment(byte[] key, long delta, WriteOptions options) throws IOException {
        byte[] sum = update(
                key,
                value -> Codecs.COUNTER.encode(Math.addExact(value == null ? 0 : Codecs.COUNTER.decode(value), delta)),
                options);
        return Codecs.COUNTER.decode(Objects.requireNonNull(sum));
    }
}
