package dev.caskwright.api.spi;

import java.io.IOException;

/**
 * A key index that can be written to an image and filled from one, faster than by putting its keys one by one.
 *
 * <p>The bytes of an image are the index's own; the engine stores them, with checksums, and says which log they belong to.
 * An image depends neither on the machine nor on where it lies in a file.
 */
public interface PersistentKeyIndex extends KeyIndex {
    /**
     * Returns the name and version of the image's layout, such as {@code hashmap-1}. An image of another layout is not
     * offered to {@link #load}.
     */
    String imageFormat();

    /**
     * Writes the index to the sink. May run beside readers, and beside writers, which it holds up for no longer than the
     * copying of a small part takes. A key that changes meanwhile is in the image as before or after the change; every
     * other key is in it exactly.
     *
     * @throws IOException what the sink throws; the index is as before
     */
    void save(ImageSink sink) throws IOException;

    /**
     * Fills this index, which must be empty and not used by any other thread, from an image, and adopts the image's hash
     * seed.
     *
     * @return whether it did; false, leaving the index empty, if these bytes are no image that {@link #save} writes
     * @throws dev.caskwright.api.IndexMemoryException if there is not memory enough; the index is empty
     * @throws IOException what the source throws; the index is empty
     */
    boolean load(ImageSource source) throws IOException;

    /** Takes the bytes of an image in order. */
    @FunctionalInterface
    interface ImageSink {
        /** Takes the next bytes, before it returns. */
        void write(byte[] source, int offset, int length) throws IOException;
    }

    /** Gives the bytes of an image in order. */
    interface ImageSource {
        /** Returns how many bytes are left. */
        long remaining();

        /**
         * Copies the next {@code length} bytes to the target.
         *
         * @throws java.io.EOFException if fewer are left
         */
        void read(byte[] target, int offset, int length) throws IOException;
    }
}
