package dev.caskwright.api.spi.index;

import java.io.Closeable;
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
     * seed. An index may leave the most of it to {@link #loadMore}, and to whatever call comes first that needs a part: so
     * it can be used long before it is loaded. {@link #size} is that of the image from the beginning; what a {@link
     * Completion} changes counts when the part is loaded.
     *
     * <p>From here on the image belongs to the index, which closes it when it needs no more of it, and at the latest when it
     * is closed itself.
     *
     * @param refill puts the keys of a part that turns out to be damaged only after this method has returned
     * @return whether it did; false, leaving the index empty, if these bytes are no image that {@link #save} writes
     * @throws dev.caskwright.api.IndexMemoryException if there is not memory enough; the index is empty
     * @throws IOException what the image throws; the index is empty
     */
    boolean load(Image image, Refill refill) throws IOException;

    /**
     * Loads a part of the image that is not loaded yet; returns false when none is left. May run in several threads, and
     * beside lookups. {@link #ensureRoom}, {@link #save} and those that change keys load what they need by themselves:
     * the first two everything, the others a part.
     *
     * @throws dev.caskwright.api.IndexMemoryException if there is not memory enough; the part is loaded by a later call
     * @throws IOException what {@link Refill} throws; it is asked again by a later call, though not by a lookup, which may
     *     throw the same again
     */
    default boolean loadMore() throws IOException {
        return false;
    }

    /** Returns in how many parts the image is loaded that {@link #load} has left for later; 0 if all is loaded. */
    default int partsLeft() {
        return 0;
    }

    /** Returns the part that a key belongs to, in {@code [0, partsLeft())}. Called only while parts are left. */
    default int partOf(byte[] key, int offset, int length) {
        return 0;
    }

    /**
     * Sets what completes each part that is left, when it is loaded and before any call sees it. Only if there are parts
     * left, once, and before the index is used by any other thread.
     */
    default void completeParts(Completion completion) {
        throw new UnsupportedOperationException("no part is left");
    }

    /** Takes the bytes of an image in order. */
    @FunctionalInterface
    interface ImageSink {
        /** Takes the next bytes, before it returns. */
        void write(byte[] source, int offset, int length) throws IOException;
    }

    /** The bytes of an image. For any number of threads. */
    interface Image extends Closeable {
        /** Returns how many bytes the image has. */
        long length();

        /**
         * Returns a source of {@code length} bytes of the image. A source that gives a byte has found it to be one that was
         * saved.
         *
         * @throws java.io.EOFException if the image does not have these bytes
         */
        ImageSource source(long from, long length) throws IOException;
    }

    /** Gives bytes of an image in order. For one thread, which closes it. */
    interface ImageSource extends Closeable {
        /** Returns how many bytes are left. */
        long remaining();

        /**
         * Copies the next {@code length} bytes to the target.
         *
         * @throws java.io.EOFException if fewer are left
         * @throws IOException if bytes are not those that were saved, or cannot be read
         */
        void read(byte[] target, int offset, int length) throws IOException;
    }

    /** Knows the keys of an image from elsewhere. For any thread. */
    @FunctionalInterface
    interface Refill {
        /**
         * Puts into an empty index those keys that the filter says yes to, as the image has them; of a key that was
         * changed while the image was saved, the latest locator that the image could have.
         *
         * @param cause why a part of the image is not used
         */
        void into(KeyIndex index, KeyFilter wanted, IOException cause) throws IOException;
    }

    /** Knows what changed after an image. For any thread, but for one at a time with each part. */
    @FunctionalInterface
    interface Completion {
        /**
         * Brings a part up to date. Called again for the part if it throws.
         *
         * @param index holds the keys of this part only, and may be used for such keys, by this thread, during the call
         */
        void complete(int part, KeyIndex index) throws IOException;
    }
}
