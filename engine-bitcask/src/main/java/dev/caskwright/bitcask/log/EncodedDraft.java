package dev.caskwright.bitcask.log;

import dev.caskwright.api.spi.RecordDraft;
import java.util.zip.CRC32C;

/**
 * One record being prepared for the log, outside any lock: everything is encoded but what only its place in the log
 * decides (version, distance, header checksum). Reused from record to record; for one thread at a time.
 */
final class EncodedDraft implements RecordDraft {
    /** Longer values are not copied here but written to the file from the caller's array. */
    static final int MAX_COPIED_VALUE = 64 << 10;

    private static final byte[] NOTHING = {};

    private final CRC32C crc = new CRC32C();
    private byte[] bytes = NOTHING;
    private int kind;
    private int keyLength;
    private int copiedLength;
    private byte[] longValue = NOTHING;

    @Override
    public void put(byte[] key, byte[] value, long expiresAtMillis) {
        int headerLength = begin(
                expiresAtMillis == 0 ? RecordFormat.PUT : RecordFormat.PUT | RecordFormat.EXPIRES, key, value.length);
        if (expiresAtMillis != 0) {
            RecordFormat.LONG.set(bytes, RecordFormat.EXPIRY_OFFSET, expiresAtMillis);
        }
        int bodyEnd = headerLength + key.length;
        crc.reset();
        if (value.length <= MAX_COPIED_VALUE) {
            System.arraycopy(value, 0, bytes, bodyEnd, value.length);
            bodyEnd += value.length;
            crc.update(bytes, headerLength, bodyEnd - headerLength);
            pad(bodyEnd);
        } else {
            crc.update(bytes, headerLength, key.length);
            crc.update(value, 0, value.length);
            longValue = value;
            copiedLength = bodyEnd;
        }
        RecordFormat.INT.set(bytes, RecordFormat.BODY_CHECKSUM_OFFSET, (int) crc.getValue());
    }

    @Override
    public void delete(byte[] key) {
        int headerLength = begin(RecordFormat.DELETE, key, 0);
        crc.reset();
        crc.update(bytes, headerLength, key.length);
        RecordFormat.INT.set(bytes, RecordFormat.BODY_CHECKSUM_OFFSET, (int) crc.getValue());
        pad(headerLength + key.length);
    }

    /** Prepares the end of a batch of {@code count} records. */
    void endBatch(int count, int membersChecksum) {
        begin(RecordFormat.BATCH_END, NOTHING, 8);
        RecordFormat.INT.set(bytes, RecordFormat.SHORT_HEADER, count);
        RecordFormat.INT.set(bytes, RecordFormat.SHORT_HEADER + Integer.BYTES, membersChecksum);
        crc.reset();
        crc.update(bytes, RecordFormat.SHORT_HEADER, 8);
        RecordFormat.INT.set(bytes, RecordFormat.BODY_CHECKSUM_OFFSET, (int) crc.getValue());
        pad(RecordFormat.BATCH_END_LENGTH);
    }

    /** Prepares the mark that a file was left for the next. */
    void endFile() {
        begin(RecordFormat.END_OF_FILE, NOTHING, 0);
        RecordFormat.INT.set(bytes, RecordFormat.BODY_CHECKSUM_OFFSET, 0);
        pad(RecordFormat.END_OF_FILE_LENGTH);
    }

    /** Marks the record as part of a batch that a later record ends. */
    void markInBatch() {
        kind |= RecordFormat.IN_BATCH;
        bytes[RecordFormat.KIND_OFFSET] = (byte) kind;
    }

    @Override
    public long length() {
        return RecordFormat.align((long) copiedLength + longValue.length);
    }

    /** Completes the header for a place in the log. */
    void place(long version, int distance, int mask) {
        RecordFormat.LONG.set(bytes, RecordFormat.VERSION_OFFSET, version | (long) kind << 56);
        RecordFormat.SHORT.set(bytes, RecordFormat.DISTANCE_OFFSET, (short) distance);
        RecordFormat.INT.set(
                bytes, RecordFormat.HEADER_CHECKSUM_OFFSET, RecordFormat.headerChecksum(bytes, 0, mask, crc));
    }

    @Override
    public boolean isTombstone() {
        return (kind & RecordFormat.KIND_MASK) == RecordFormat.DELETE;
    }

    boolean expires() {
        return (kind & RecordFormat.EXPIRES) != 0;
    }

    /** The record up to the end of its copied part. */
    byte[] bytes() {
        return bytes;
    }

    /** The bytes of {@link #bytes} that belong to the record; padding included unless there is a long value. */
    int copiedLength() {
        return copiedLength;
    }

    /** The value if it was too long to copy, otherwise an empty array. */
    byte[] longValue() {
        return longValue;
    }

    /** The key is in {@link #bytes} from here. */
    int keyOffset() {
        return RecordFormat.headerLength(kind);
    }

    int keyLength() {
        return keyLength;
    }

    int headerChecksum() {
        return (int) RecordFormat.INT.get(bytes, RecordFormat.HEADER_CHECKSUM_OFFSET);
    }

    private int begin(int newKind, byte[] key, int valueLength) {
        kind = newKind;
        keyLength = key.length;
        longValue = NOTHING;
        int headerLength = RecordFormat.headerLength(kind);
        int needed = headerLength + keyLength + Math.min(valueLength, MAX_COPIED_VALUE) + RecordFormat.ALIGNMENT;
        if (bytes.length < needed) {
            bytes = new byte[Math.max(needed, 2 * bytes.length)];
        }
        RecordFormat.SHORT.set(bytes, RecordFormat.KEY_LENGTH_OFFSET, (short) keyLength);
        RecordFormat.INT.set(bytes, RecordFormat.VALUE_LENGTH_OFFSET, valueLength);
        bytes[RecordFormat.KIND_OFFSET] = (byte) kind;
        System.arraycopy(key, 0, bytes, headerLength, keyLength);
        return headerLength;
    }

    private void pad(int end) {
        RecordFormat.LONG.set(bytes, end, 0L); // begin() left room for it
        copiedLength = (int) RecordFormat.align(end);
    }
}
