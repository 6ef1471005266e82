package dev.caskwright.api.spi.log;

import java.io.IOException;

/** Reads the records of one segment in order, verifying each. For one thread. */
public interface RecordScanner {
    /**
     * Moves to the next record.
     *
     * @return false at the end
     * @throws dev.caskwright.api.CorruptRecordException if there is no sound record where the next one should be
     */
    boolean next() throws IOException;

    /**
     * Moves to the next record if it lies in the same {@link #buffer} as the current one, unmoved; otherwise stays. So a
     * caller can look at several records together. May return false at any time, and does before damage, which {@link
     * #next} then reports.
     */
    default boolean nextInBuffer() throws IOException {
        return false;
    }

    /**
     * After {@link #next} has met damage, goes on after it: the next call of {@link #next} moves to the next record that is
     * sound, if there is one. What lay between is not known; a caller that may not miss an entry finds out whether one did.
     *
     * @return how many bytes were passed over
     */
    long skipDamage() throws IOException;

    /** Returns by how much the current record, a put, counts in its segment's {@link LogSegment#liveBytes}. */
    long liveBytes();

    /**
     * Moves to the record at a locator, which must be one of this scanner's segment. Nothing is read ahead.
     *
     * @throws dev.caskwright.api.CorruptRecordException if there is no sound record
     */
    void seek(long locator) throws IOException;

    /** Returns whether the current record is a put; it may also be a tombstone, or a mark of the log's own. */
    boolean isPut();

    boolean isTombstone();

    /** Returns whether the record belongs to a batch, which ends where this is false again. */
    boolean isInBatch();

    long version();

    /** Returns when the record expires, in milliseconds since 1970, or 0. */
    long expiresAt();

    long locator();

    /** Returns the array that holds the current record until the next call of {@link #next}. */
    byte[] buffer();

    /** Returns where the key starts in {@link #buffer}. */
    int keyOffset();

    int keyLength();

    /** Returns where the value, as it is stored, starts in {@link #buffer}. */
    int valueOffset();

    /** Returns the length of the value as it is stored, in bytes. */
    int valueLength();

    /** Returns 0 if the value is stored as it is, otherwise what {@link #decoded} must know about it. */
    default long coding() {
        return 0;
    }

    /**
     * Returns the value of a record of this segment that is stored by a codec and was passed already.
     *
     * @param source what {@link #buffer} was when the record was the current one; {@code offset}, {@code length}, {@code
     *     coding} and {@code locator} are those that this scanner told then
     * @throws dev.caskwright.api.CorruptRecordException if the bytes do not decode
     * @throws dev.caskwright.api.CodecException if the codec is not there
     */
    default byte[] decoded(long coding, byte[] source, int offset, int length, long locator) throws IOException {
        throw new IllegalStateException("no value is stored by a codec");
    }

    /** Returns a copy of the key. */
    byte[] key();

    /**
     * Returns a copy of the value, decoded if it is stored by a codec.
     *
     * @throws dev.caskwright.api.CorruptRecordException if the bytes do not decode
     * @throws dev.caskwright.api.CodecException if the codec is not there
     */
    byte[] value() throws IOException;
}
