package dev.caskwright.api.spi;

import dev.caskwright.api.CorruptRecordException;
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

    /** Returns whether the record has this key. Compares bytes, not hashes. */
    boolean hasKey(byte[] key, int keyOffset, int length);

    /** Returns whether the record is a put. One that is none has no value. */
    boolean isPut();

    /** Returns the version of the write. */
    long version();

    /** Returns when the record expires, in milliseconds since 1970, or 0. */
    long expiresAt();

    /** Returns the length of the value in bytes. */
    int valueLength();

    /**
     * Returns a copy of the value.
     *
     * @throws CorruptRecordException if key or value are not what was written, or the record is no put
     */
    byte[] value() throws IOException;

    /** As {@link #value}, copies it to the position of {@code target}, which has room for it, and advances that. */
    void copyValue(ByteBuffer target) throws IOException;

    /** Verifies key and value. */
    void verify() throws IOException;

    /** Returns the memory of its buffers, in bytes; any thread may ask. */
    default long memoryBytes() {
        return 0;
    }

    /** Returns the error for a record that is not that of the key it was looked up by. */
    CorruptRecordException wrongKey();
}
