package dev.caskwright.api.spi.log;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.index.KeyIndex;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Fetches one record after another and gives access to its parts. Reused, so that a read allocates only what it returns;
 * for one thread at a time. The caller keeps the record's segment from being removed.
 */
public interface RecordReader {
    /**
     * Fetches the record at a locator and verifies its header; {@link #value}, {@link #copyValue} and {@link #verify}
     * verify the rest.
     *
     * @throws CorruptRecordException if there is no sound header there
     */
    void read(long locator) throws IOException;

    /** Fetches only as much as it takes to compare keys of this length, and verifies the header. */
    void readKey(long locator, int expectedKeyLength) throws IOException;

    /**
     * Fetches several records, so that waits for memory or the disk overlap, for {@link #open} to go to each. Until {@link
     * #closeAll} no other record is read. A reader that gains nothing by that fetches none.
     *
     * @return how many of the {@code count} locators from {@code from} on were looked at, at least one; those that are {@link
     *     KeyIndex#ABSENT} are passed over
     */
    default int readAll(long[] locators, int from, int count) throws IOException {
        return count;
    }

    /**
     * Goes to the {@code i}th of the records that {@link #readAll} looked at, as {@link #read} does, or returns false if that was
     * not fetched, for its length.
     */
    default boolean open(int i) throws IOException {
        return false;
    }

    /** Forgets what {@link #readAll} fetched. */
    default void closeAll() {}

    /** Returns whether the record has this key. Compares bytes, not hashes. */
    boolean hasKey(byte[] key, int keyOffset, int length);

    /** Returns whether the record is a put. One that is none has no value. */
    boolean isPut();

    /** Returns the version of the write. */
    long version();

    /** Returns when the record expires, in milliseconds since 1970, or 0. */
    long expiresAt();

    /** Returns the length of the value in bytes, decoded if it is stored by a codec. */
    int valueLength();

    /**
     * Returns a copy of the value.
     *
     * @throws CorruptRecordException if key or value are not what was written, or the record is no put
     * @throws dev.caskwright.api.CodecException if it is stored by a codec that is not there
     */
    byte[] value() throws IOException;

    /** As {@link #value}, copies it to the position of {@code target}, which has room for it, and advances that. */
    void copyValue(ByteBuffer target) throws IOException;

    /**
     * Verifies key and value, and returns where in {@link #buffer} the value lies until the next read; -1 if it is too long for
     * that, and not verified.
     *
     * @throws CorruptRecordException as {@link #value}
     */
    default int holdValue() throws IOException {
        return -1;
    }

    /** Returns the array that {@link #holdValue} speaks of. It may be another one after each read. */
    default byte[] buffer() {
        throw new IllegalStateException("no value is held");
    }

    /** Verifies key and value, as they are stored: whether a value that is stored by a codec decodes is not tried. */
    void verify() throws IOException;

    /** Returns the memory of its buffers, in bytes; any thread may ask. */
    default long memoryBytes() {
        return 0;
    }

    /** Returns the error for a record that is not that of the key it was looked up by. */
    CorruptRecordException wrongKey();
}
