package dev.caskwright.bitcask.log.append;

import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.bitcask.log.coding.ValueEncoder;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A record being prepared for the log, or several in a row, outside any lock: everything is encoded but what only the place
 * in the log decides (version, distance, header checksum). Reused from record to record; for one thread at a time.
 */
public final class EncodedDraft implements RecordDraft {
    /**
     * Longer values are not copied here, but piece by piece when they are written to the file. Nothing follows on such a
     * one.
     */
    static final int MAX_COPIED_VALUE = 64 << 10;

    /** Up to this length the array doubles; it is longer only if its records are. */
    private static final int LARGEST_DOUBLING = 256 << 10;

    private static final byte[] NOTHING = {};

    private final @Nullable ValueEncoder encoder;
    private final CRC32C crc = new CRC32C();
    private byte[] bytes = NOTHING;
    private int copiedLength;
    private byte[] longValue = NOTHING;
    private int longValueOffset;
    private int longValueLength;

    /** Makes a draft of values that are stored as they are. */
    public EncodedDraft() {
        this(null);
    }

    /** Makes a draft whose values may be stored by codecs. */
    public EncodedDraft(@Nullable ValueEncoder encoder) {
        this.encoder = encoder;
    }

    @Override
    public void put(byte[] key, byte[] value, long expiresAtMillis, @Nullable String codec) throws IOException {
        clear();
        addPut(RecordFormat.PUT, key, 0, key.length, value, 0, value.length, expiresAtMillis, codec);
    }

    @Override
    public void put(byte[] key, byte[] value, long expiresAtMillis) {
        clear();
        add(RecordFormat.PUT, key, 0, key.length, value, 0, value.length, expiresAtMillis);
    }

    @Override
    public void delete(byte[] key) {
        clear();
        add(RecordFormat.DELETE, key, 0, key.length, NOTHING, 0, 0, 0);
    }

    /** Prepares the mark that a file was left for the next. */
    public void endFile() {
        clear();
        add(RecordFormat.END_OF_FILE, NOTHING, 0, 0, NOTHING, 0, 0, 0);
    }

    /** Adds the end of a batch of {@code count} records. */
    public void addBatchEnd(int count, int membersChecksum) {
        byte[] value = new byte[2 * Integer.BYTES];
        RecordFormat.INT.set(value, 0, count);
        RecordFormat.INT.set(value, Integer.BYTES, membersChecksum);
        add(RecordFormat.BATCH_END, NOTHING, 0, 0, value, 0, value.length, 0);
    }

    @Override
    public long memoryBytes() {
        ValueEncoder own = encoder;
        return arrayBytes() + (own == null ? 0 : own.memoryBytes());
    }

    /** Returns the memory of the records alone: the chunks of a batch share one encoder. */
    long arrayBytes() {
        return bytes.length;
    }

    @Override
    public void clear() {
        copiedLength = 0;
        longValue = NOTHING;
        longValueLength = 0;
        if (encoder != null) {
            encoder.clear();
        }
    }

    /** Adds a put after the records that are there, with its value coded if that makes it shorter. */
    void addPut(
            int plainKind,
            byte[] keySource,
            int keyOffset,
            int keyLength,
            byte[] valueSource,
            int valueOffset,
            int valueLength,
            long expiresAtMillis,
            @Nullable String codec)
            throws IOException {
        ValueEncoder chosen = encoder;
        if (chosen == null || !chosen.choose(codec, valueLength)) {
            add(plainKind, keySource, keyOffset, keyLength, valueSource, valueOffset, valueLength, expiresAtMillis);
            return;
        }
        int length = chosen.encode(valueSource, valueOffset, valueLength);
        if (length == 0) {
            add(plainKind, keySource, keyOffset, keyLength, valueSource, valueOffset, valueLength, expiresAtMillis);
            return;
        }
        byte[] encoded = length > MAX_COPIED_VALUE ? chosen.takeEncoded() : chosen.encoded();
        long coding = chosen.coding(valueLength);
        add(plainKind, keySource, keyOffset, keyLength, encoded, 0, length, expiresAtMillis, coding);
    }

    /** Adds a record after those that are there, with its value as it is. */
    public void add(
            int plainKind,
            byte[] keySource,
            int keyOffset,
            int keyLength,
            byte[] valueSource,
            int valueOffset,
            int valueLength,
            long expiresAtMillis) {
        add(plainKind, keySource, keyOffset, keyLength, valueSource, valueOffset, valueLength, expiresAtMillis, 0);
    }

    private void add(
            int plainKind,
            byte[] keySource,
            int keyOffset,
            int keyLength,
            byte[] valueSource,
            int valueOffset,
            int valueLength,
            long expiresAtMillis,
            long coding) {
        int kind = (expiresAtMillis == 0 ? plainKind : plainKind | RecordFormat.EXPIRES)
                | (coding == 0 ? 0 : RecordFormat.CODED);
        boolean isLong = valueLength > MAX_COPIED_VALUE;
        int at = copiedLength;
        int body = at + RecordFormat.headerLength(kind);
        int end = body + keyLength + (isLong ? 0 : valueLength);
        if (bytes.length < end + RecordFormat.ALIGNMENT) {
            int doubled = Math.min(LARGEST_DOUBLING, 2 * bytes.length);
            bytes = Arrays.copyOf(bytes, Math.max(end + RecordFormat.ALIGNMENT, doubled));
        }
        bytes[at + RecordFormat.KIND_OFFSET] = (byte) kind;
        RecordFormat.SHORT.set(bytes, at + RecordFormat.KEY_LENGTH_OFFSET, (short) keyLength);
        RecordFormat.INT.set(bytes, at + RecordFormat.VALUE_LENGTH_OFFSET, valueLength);
        if (expiresAtMillis != 0) {
            RecordFormat.LONG.set(bytes, at + RecordFormat.EXPIRY_OFFSET, expiresAtMillis);
        }
        if (coding != 0) {
            RecordFormat.LONG.set(bytes, body - RecordFormat.CODING_LENGTH, coding);
        }
        System.arraycopy(keySource, keyOffset, bytes, body, keyLength);
        crc.reset();
        if (isLong) {
            crc.update(bytes, body, keyLength);
            crc.update(valueSource, valueOffset, valueLength);
            longValue = valueSource;
            longValueOffset = valueOffset;
            longValueLength = valueLength;
            copiedLength = end;
        } else {
            System.arraycopy(valueSource, valueOffset, bytes, body + keyLength, valueLength);
            crc.update(bytes, body, end - body);
            RecordFormat.LONG.set(bytes, end, 0L); // the padding; there is room for it
            copiedLength = (int) RecordFormat.align(end);
        }
        RecordFormat.INT.set(bytes, at + RecordFormat.BODY_CHECKSUM_OFFSET, (int) crc.getValue());
    }

    /** Returns whether a record of that length can be added without making this longer than {@code limit} bytes. */
    boolean hasRoom(long length, int limit) {
        return longValueLength == 0 && copiedLength + length <= limit;
    }

    @Override
    public long length() {
        return RecordFormat.align((long) copiedLength + longValueLength);
    }

    /** Completes the header of the only record for a place in the log. */
    public void place(long version, int distance, int mask) {
        place(0, version, distance, mask);
    }

    /** Completes the header of the record at {@code at} for a place in the log. */
    public void place(int at, long version, int distance, int mask) {
        RecordFormat.LONG.set(
                bytes, at + RecordFormat.VERSION_OFFSET, version | (long) RecordFormat.kind(bytes, at) << 56);
        RecordFormat.SHORT.set(bytes, at + RecordFormat.DISTANCE_OFFSET, (short) distance);
        RecordFormat.INT.set(
                bytes, at + RecordFormat.HEADER_CHECKSUM_OFFSET, RecordFormat.headerChecksum(bytes, at, mask, crc));
    }

    /**
     * Completes the header of the only record once more, for a long value that the caller changed after it was added.
     *
     * @param valueChecksum continues from the checksum of the key, see {@link #keyChecksum}
     */
    void replaceBodyChecksum(int valueChecksum, int mask) {
        RecordFormat.INT.set(bytes, RecordFormat.BODY_CHECKSUM_OFFSET, valueChecksum);
        RecordFormat.INT.set(
                bytes, RecordFormat.HEADER_CHECKSUM_OFFSET, RecordFormat.headerChecksum(bytes, 0, mask, crc));
    }

    /** Starts the body checksum of the only record: returns the checksum of its key, to be continued with the value. */
    CRC32C keyChecksum() {
        crc.reset();
        crc.update(bytes, keyOffset(), keyLength());
        return crc;
    }

    @Override
    public byte[] keySource() {
        return bytes;
    }

    @Override
    public int keyOffset() {
        return RecordFormat.headerLength(RecordFormat.kind(bytes, 0));
    }

    @Override
    public int keyLength() {
        return RecordFormat.keyLength(bytes, 0);
    }

    @Override
    public boolean isTombstone() {
        return (RecordFormat.kind(bytes, 0) & RecordFormat.KIND_MASK) == RecordFormat.DELETE;
    }

    /** The records, up to the end of the copied part of the last. */
    public byte[] bytes() {
        return bytes;
    }

    /** The bytes of {@link #bytes} that belong to the records; padding included unless there is a long value. */
    public int copiedLength() {
        return copiedLength;
    }

    /** The array with the last value if it was too long to copy. */
    public byte[] longValue() {
        return longValue;
    }

    public int longValueOffset() {
        return longValueOffset;
    }

    /** The length of the value that was too long to copy, or 0. */
    public int longValueLength() {
        return longValueLength;
    }
}
