package dev.caskwright.api.spi.codec;

import dev.caskwright.api.spi.Plugin;

/**
 * Makes values shorter, and brings them back. An engine records the {@link #id} with each value that it stores so, and asks
 * the codec of that id when the value is read, be it years later: what a codec has written it decodes for ever.
 *
 * <p>A codec is found by its name through {@link java.util.ServiceLoader}, as {@link dev.caskwright.api.spi.engine.Backends#codec} does, or given to an
 * engine as an object. What is only given, and not found by name, must be given each time the store is opened.
 *
 * <p><b>Threads.</b> Any number at once. <b>Errors.</b> An unchecked exception of {@link #encode} fails the write before
 * anything is stored; one of {@link #decode} says that the bytes are damaged. <b>Memory.</b> Neither call keeps an array,
 * changes its source, or writes outside the part of the target that it was given.
 */
public interface ValueCodec extends Plugin {
    /** The name that stands for storing values as they are; no codec has it. */
    String NONE = "none";

    /** The greatest {@link #id}. */
    int MAX_ID = 255;

    /** The first {@link #id} of those that are free for anybody; the ones before are given out by Caskwright. */
    int FIRST_FREE_ID = 128;

    /** The greatest length of a {@link #dictionary}, in bytes. */
    int MAX_DICTIONARY_LENGTH = 1 << 20;

    /**
     * Returns the number by which stored values name this codec: 1 to {@value #MAX_ID}, never changed. Those from {@value
     * #FIRST_FREE_ID} on are for codecs that do not come with Caskwright.
     */
    int id();

    /** Returns how many bytes {@link #encode} may write for a value of a length, at most. */
    int maxEncodedLength(int length);

    /**
     * Encodes a value of at least one byte.
     *
     * @param target has room for {@link #maxEncodedLength} bytes from {@code targetOffset} on, whose content does not matter
     * @return how many bytes were written there; they may be more than {@code length}
     */
    int encode(byte[] source, int offset, int length, byte[] target, int targetOffset);

    /**
     * Decodes what {@link #encode} has returned for a value of {@code targetLength} bytes, and writes no byte more than those.
     *
     * @throws RuntimeException of any kind if the bytes are not of a value of that length
     */
    void decode(byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength);

    /**
     * Returns the greatest length that a value can have which takes so many bytes encoded. A stored value that claims more
     * is damaged, and no memory is taken for it.
     */
    default long maxDecodedLength(int encodedLength) {
        return Long.MAX_VALUE;
    }

    /**
     * Returns what the codec must know to decode its own values: up to {@value #MAX_DICTIONARY_LENGTH} bytes, not to be
     * changed; empty if it needs to know nothing. An engine keeps a copy in the store, so that readers need not be told.
     */
    default byte[] dictionary() {
        return new byte[0];
    }

    /**
     * Returns this codec with a dictionary, which {@link #dictionary} of another one of this name has returned.
     *
     * @throws IllegalArgumentException if it takes none, or not this one
     */
    default ValueCodec withDictionary(byte[] dictionary) {
        throw new IllegalArgumentException("this codec takes no dictionary: codec=" + name());
    }
}
