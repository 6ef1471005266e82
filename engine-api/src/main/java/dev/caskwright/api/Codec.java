package dev.caskwright.api;

/**
 * Turns objects into bytes and back, for keys or values of a store. {@code decode(encode(x))} equals {@code x}. Safe for any
 * number of threads.
 */
public interface Codec<T> {
    /** Returns the bytes of an object, in an array of its own. */
    byte[] encode(T object);

    /**
     * Returns the object that bytes stand for. Keeps no reference to the array.
     *
     * @throws IllegalStateException if they stand for none
     */
    T decode(byte[] bytes);

    /** Returns whether the bytes of objects, compared as unsigned numbers, have the natural order of the objects. */
    default boolean keepsOrder() {
        return false;
    }
}
