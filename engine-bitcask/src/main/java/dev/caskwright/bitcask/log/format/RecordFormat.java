package dev.caskwright.bitcask.log.format;

import dev.caskwright.api.StorageEngine;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The layout of a record. All integers are little-endian; records start at multiples of 8 bytes and are padded with
 * zeros.
 *
 * <pre>
 * 0                4              8             15     16          18               20            24
 * | headerChecksum | bodyChecksum | version: 56 | kind | keyLength | durableDistance | valueLength | expiresAt? | coding? | nonce? | key | value | tag? |
 * </pre>
 *
 * <p>The header checksum is the CRC-32C of the header after it, combined with a mask drawn from the store, the file and
 * the offset: a block that is stale, misplaced or from another store never validates, and neither do zeros or a value
 * that looks like a record. The body checksum is the CRC-32C of key and value, so a merge can carry it over.
 *
 * <p>A value that is stored by a codec has its length in the header as it is stored, and in {@code coding} which codec that is
 * and how long it is decoded:
 *
 * <pre>
 * | codec: 8 | dictionary: 8 | zeros: 16 | length decoded: 32 |
 * </pre>
 *
 * <p>In an encrypted file, key and value of each put and delete are encrypted as one text, after which there is a tag, and
 * the header ends with the number that the nonce is made of ({@code RecordCipher}). Lengths are those before.
 *
 * <p>{@code durableDistance} says how far behind this record the log was known to be on stable storage when the record
 * was appended, as a size class of {@link Locator}, rounded up; {@link #DISTANCE_UNKNOWN} if that was in an earlier file.
 * Recovery tells damage from a torn tail by it.
 */
public final class RecordFormat {
    static final int ALIGNMENT_SHIFT = 3;
    public static final int ALIGNMENT = 1 << ALIGNMENT_SHIFT;

    public static final int HEADER_CHECKSUM_OFFSET = 0;
    public static final int BODY_CHECKSUM_OFFSET = HEADER_CHECKSUM_OFFSET + Integer.BYTES;
    public static final int VERSION_OFFSET = BODY_CHECKSUM_OFFSET + Integer.BYTES;
    public static final int KIND_OFFSET = VERSION_OFFSET + 7;
    public static final int KEY_LENGTH_OFFSET = VERSION_OFFSET + Long.BYTES;
    public static final int DISTANCE_OFFSET = KEY_LENGTH_OFFSET + Short.BYTES;
    public static final int VALUE_LENGTH_OFFSET = DISTANCE_OFFSET + Short.BYTES;
    public static final int EXPIRY_OFFSET = VALUE_LENGTH_OFFSET + Integer.BYTES;

    public static final int SHORT_HEADER = EXPIRY_OFFSET;
    public static final int CODING_LENGTH = Long.BYTES;
    public static final int LONG_HEADER = EXPIRY_OFFSET + Long.BYTES;
    public static final int NONCE_LENGTH = Long.BYTES;
    public static final int LONGEST_HEADER = LONG_HEADER + CODING_LENGTH + NONCE_LENGTH;

    public static final int PUT = 1;
    public static final int DELETE = 2;
    public static final int BATCH_END = 3; // value: count: 4, checksum of the members' header checksums: 4
    public static final int END_OF_FILE = 4; // the file was left for the next one; nothing follows
    public static final int KIND_MASK = 0x0F;
    public static final int EXPIRES = 0x10; // the header has an expiry
    public static final int IN_BATCH = 0x20; // counts only with the BATCH_END that follows
    public static final int CODED = 0x40; // the header has a coding
    public static final int ENCRYPTED = 0x80; // encrypted: the header has a nonce, and a tag follows the value
    static final int KNOWN_FLAGS = KIND_MASK | EXPIRES | IN_BATCH | CODED | ENCRYPTED;

    public static final int BATCH_END_LENGTH = SHORT_HEADER + 8;
    public static final int END_OF_FILE_LENGTH = SHORT_HEADER;

    public static final int DISTANCE_UNKNOWN = 0xFFFF;
    static final long MAX_VERSION = (1L << 56) - 1;

    /** No store that is in use comes near this version; a file that says so is damaged. Far from the end of the 56 bits. */
    public static final long LAST_VERSION = MAX_VERSION - (1L << 40);

    /** A longer value is stored as it is: coding holds a value and its code in memory at once. */
    public static final int LONGEST_CODED = 64 << 20;

    /** The greatest length of a file: it is one mapping, and offsets in locators have 28 bits of 8 bytes. */
    public static final long MAX_FILE_LENGTH = Integer.MAX_VALUE & -ALIGNMENT;

    public static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    public static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    public static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private RecordFormat() {}

    public static int headerLength(int kind) {
        // Each flag stands for 8 bytes.
        return SHORT_HEADER + ((kind & EXPIRES) >> 1) + ((kind & CODED) >> 3) + ((kind & ENCRYPTED) >> 4);
    }

    /** Returns the length of the body, which is what the body checksum is of: key, value, and the tag if it is encrypted. */
    public static long bodyLength(byte[] record, int at) {
        return (long) keyLength(record, at) + valueLength(record, at) + ((kind(record, at) & ENCRYPTED) >> 3);
    }

    public static long align(long length) {
        return length + ALIGNMENT - 1 & -ALIGNMENT;
    }

    public static int kind(byte[] record, int at) {
        return Byte.toUnsignedInt(record[at + KIND_OFFSET]);
    }

    public static long version(byte[] record, int at) {
        return (long) LONG.get(record, at + VERSION_OFFSET) & MAX_VERSION;
    }

    public static int keyLength(byte[] record, int at) {
        return Short.toUnsignedInt((short) SHORT.get(record, at + KEY_LENGTH_OFFSET));
    }

    public static int valueLength(byte[] record, int at) {
        return (int) INT.get(record, at + VALUE_LENGTH_OFFSET);
    }

    public static int distance(byte[] record, int at) {
        return Short.toUnsignedInt((short) SHORT.get(record, at + DISTANCE_OFFSET));
    }

    public static int bodyChecksum(byte[] record, int at) {
        return (int) INT.get(record, at + BODY_CHECKSUM_OFFSET);
    }

    public static int headerChecksum(byte[] record, int at) {
        return (int) INT.get(record, at + HEADER_CHECKSUM_OFFSET);
    }

    public static long expiresAt(byte[] record, int at) {
        return (kind(record, at) & EXPIRES) == 0 ? 0 : (long) LONG.get(record, at + EXPIRY_OFFSET);
    }

    /** Returns how the value is stored: 0 if as it is. */
    public static long coding(byte[] record, int at) {
        int kind = kind(record, at);
        return (kind & CODED) == 0 ? 0 : (long) LONG.get(record, at + headerLength(kind & ~ENCRYPTED) - CODING_LENGTH);
    }

    /** Returns the coding of a value by a codec and its dictionary, see {@link CodecNote#key()}. */
    public static long coding(int codecKey, int decodedLength) {
        return codecKey | (long) decodedLength << 32;
    }

    public static int codecKey(long coding) {
        return (int) coding;
    }

    public static int decodedLength(long coding) {
        return (int) (coding >>> 32);
    }

    /** Returns the length of the whole record, padding included, by its (verified) header. */
    public static long recordLength(byte[] record, int at) {
        return align(headerLength(kind(record, at)) + bodyLength(record, at));
    }

    /**
     * Returns whether the header at {@code at} is one that was written to this place. Reads no more than {@code available}
     * bytes. Only after this may a length in the header be believed.
     */
    public static boolean isHeaderSound(byte[] record, int at, int available, int mask, CRC32C crc) {
        if (available < SHORT_HEADER) {
            return false;
        }
        int kind = kind(record, at);
        int keyLength = keyLength(record, at);
        int valueLength = valueLength(record, at);
        if (!isPlausible(kind, keyLength, valueLength) || available < headerLength(kind)) {
            return false;
        }
        if ((kind & CODED) != 0 && !isPlausible(coding(record, at), valueLength)) {
            return false;
        }
        return headerChecksum(record, at) == headerChecksum(record, at, mask, crc);
    }

    private static boolean isPlausible(long coding, int valueLength) {
        int key = codecKey(coding);
        int decoded = decodedLength(coding);
        return (key & 0xFF) != 0 && key >>> 16 == 0 && decoded > valueLength && decoded <= LONGEST_CODED;
    }

    private static boolean isPlausible(int kind, int keyLength, int valueLength) {
        if ((kind & ~KNOWN_FLAGS) != 0 || valueLength < 0 || valueLength > StorageEngine.MAX_VALUE_LENGTH) {
            return false;
        }
        return switch (kind & KIND_MASK) {
            case PUT -> keyLength > 0;
            case DELETE -> keyLength > 0 && valueLength == 0 && (kind & (EXPIRES | CODED)) == 0;
            case BATCH_END -> keyLength == 0 && valueLength == 8 && kind == BATCH_END;
            case END_OF_FILE -> keyLength == 0 && valueLength == 0 && kind == END_OF_FILE;
            default -> false;
        };
    }

    /** Returns the checksum that the header must have. */
    public static int headerChecksum(byte[] record, int at, int mask, CRC32C crc) {
        crc.reset();
        int length = headerLength(kind(record, at)) - BODY_CHECKSUM_OFFSET;
        crc.update(record, at + BODY_CHECKSUM_OFFSET, length);
        return (int) crc.getValue() ^ mask;
    }

    /** Returns the checksum of a part of an array that is no record, combined with a mask. */
    public static int checksum(byte[] source, int from, int length, int mask) {
        CRC32C crc = new CRC32C();
        crc.update(source, from, length);
        return (int) crc.getValue() ^ mask;
    }

    /** Adds the header checksum of a batch's member to the checksum that the end of the batch has. */
    public static void updateBatchChecksum(CRC32C batch, int headerChecksum) {
        batch.update(headerChecksum);
        batch.update(headerChecksum >>> 8);
        batch.update(headerChecksum >>> 16);
        batch.update(headerChecksum >>> 24);
    }

    /** Returns the mask for headers at an offset of a file; {@code fileSeed} is from {@link #fileSeed}. */
    public static int mask(long fileSeed, long offset) {
        long mixed = (fileSeed + offset) * 0x9E3779B97F4A7C15L;
        return (int) ((mixed ^ mixed >>> 29) * 0xBF58476D1CE4E5B9L >>> 32);
    }

    public static long fileSeed(long storeSeed, long fileId) {
        long mixed = (storeSeed ^ fileId * 0xD6E8FEB86659FD93L) * 0x9E3779B97F4A7C15L;
        return mixed ^ mixed >>> 32;
    }
}
