package dev.caskwright.infinispan;

import dev.caskwright.api.Range;
import dev.caskwright.api.StorageEngine;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.infinispan.metadata.Metadata;
import org.infinispan.persistence.spi.MarshallableEntry;
import org.infinispan.persistence.spi.PersistenceException;
import org.jspecify.annotations.Nullable;

/**
 * How the store lays out entries in the engine. Numbers are big-endian, times milliseconds since 1970:
 *
 * <pre>
 * whose the store is | 0 |                                   -> text
 * entry              | 1 | segment 4 | key |                 -> | format 1 | created 8 | last used 8 | expiry 8
 *                                                               | metadata length 4 | internal metadata length 4
 *                                                               | metadata | internal metadata | value |
 * when it expires    | 2 | expiry 8 | segment 4 | key |      -> nothing
 * </pre>
 *
 * <p>An entry that never expires has the expiry -1 and no record of the third kind. One that expired once and does not any more
 * may leave its old record; the first purge after that time removes it.
 */
final class Layout {
    static final byte[] IDENTITY = {0};
    static final long NEVER = -1;

    private static final byte ENTRY = 1;
    private static final byte EXPIRY = 2;
    private static final byte FORMAT = 1;
    private static final int ENTRY_PREFIX = 1 + Integer.BYTES;
    private static final int EXPIRY_PREFIX = 1 + Long.BYTES;
    private static final int HEADER = 1 + 3 * Long.BYTES + 2 * Integer.BYTES;
    private static final int EXPIRY_OFFSET = 1 + 2 * Long.BYTES;
    private static final int LONGEST_KEY = StorageEngine.MAX_KEY_LENGTH - EXPIRY_PREFIX - Integer.BYTES;

    private Layout() {}

    static byte[] entryKey(int segment, byte[] key) {
        return entryKey(segment, key, 0, key.length);
    }

    static byte[] entryKey(int segment, byte[] key, int offset, int length) {
        if (length > LONGEST_KEY) {
            throw new PersistenceException(
                    "the marshalled key is too long: length=" + length + ", limit=" + LONGEST_KEY);
        }
        return ByteBuffer.allocate(ENTRY_PREFIX + length)
                .put(ENTRY)
                .putInt(segment)
                .put(key, offset, length)
                .array();
    }

    /** Returns the marshalled key that is in an entry's. */
    static byte[] key(byte[] entryKey) {
        return Arrays.copyOfRange(entryKey, ENTRY_PREFIX, entryKey.length);
    }

    static int segmentOf(byte[] entryKey) {
        return ByteBuffer.wrap(entryKey).getInt(1);
    }

    static Range segment(int segment) {
        return Range.all().from(entryKey(segment, new byte[0]), true).to(entryKey(segment + 1, new byte[0]), false);
    }

    /** Returns the range of all entries and all expiries. */
    static Range everything() {
        return Range.all().from(new byte[] {ENTRY}, true);
    }

    static byte[] expiryKey(long expiry, byte[] entryKey) {
        return ByteBuffer.allocate(EXPIRY_PREFIX + entryKey.length - 1)
                .put(EXPIRY)
                .putLong(expiry)
                .put(entryKey, 1, entryKey.length - 1)
                .array();
    }

    /** Returns the key of the expiry of an entry that is stored, or null if it has none. */
    static byte @Nullable [] expiryKey(byte[] stored, byte[] entryKey) {
        long expiry = expiry(stored);
        return expiry == NEVER ? null : expiryKey(expiry, entryKey);
    }

    static boolean isEntry(byte[] key) {
        return key[0] == ENTRY;
    }

    /** Returns the key of the entry that an expiry belongs to. */
    static byte[] entryKeyOf(byte[] expiryKey) {
        return ByteBuffer.allocate(expiryKey.length - EXPIRY_PREFIX + 1)
                .put(ENTRY)
                .put(expiryKey, EXPIRY_PREFIX, expiryKey.length - EXPIRY_PREFIX)
                .array();
    }

    /** Returns the range of the expiries up to a moment, included. */
    static Range expiredBy(long now) {
        return Range.all()
                .from(ByteBuffer.allocate(EXPIRY_PREFIX).put(EXPIRY).putLong(0).array(), true)
                .to(
                        ByteBuffer.allocate(EXPIRY_PREFIX)
                                .put(EXPIRY)
                                .putLong(now + 1)
                                .array(),
                        false);
    }

    static byte[] value(MarshallableEntry<?, ?> entry) {
        byte[] metadata = bytes(entry.getMetadataBytes());
        byte[] internal = bytes(entry.getInternalMetadataBytes());
        byte[] value = bytes(entry.getValueBytes());
        return ByteBuffer.allocate(HEADER + metadata.length + internal.length + value.length)
                .put(FORMAT)
                .putLong(entry.created())
                .putLong(entry.lastUsed())
                .putLong(expiry(entry))
                .putInt(metadata.length)
                .putInt(internal.length)
                .put(metadata)
                .put(internal)
                .put(value)
                .array();
    }

    /** Returns when an entry expires. A time that no clock reaches, since the sum has no room in 64 bits, is never. */
    private static long expiry(MarshallableEntry<?, ?> entry) {
        Metadata metadata = entry.getMetadata();
        if (metadata == null) {
            return NEVER;
        }
        long dies = sum(entry.created(), metadata.lifespan());
        long fades = sum(entry.lastUsed(), metadata.maxIdle());
        return dies == NEVER || fades == NEVER ? Math.max(dies, fades) : Math.min(dies, fades);
    }

    private static long sum(long from, long span) {
        return span < 0 || from > Long.MAX_VALUE - 1 - span ? NEVER : from + span;
    }

    static long expiry(byte[] value) {
        return ByteBuffer.wrap(value).getLong(EXPIRY_OFFSET);
    }

    static boolean isExpired(byte[] value, long now) {
        long expiry = expiry(value);
        return expiry != NEVER && expiry <= now;
    }

    /** The parts of a value, as Infinispan wants them. */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    record Parts(
            byte @Nullable [] value,
            byte @Nullable [] metadata,
            byte @Nullable [] internalMetadata,
            long created,
            long lastUsed) {}

    static Parts parts(byte[] stored) {
        ByteBuffer in = ByteBuffer.wrap(stored);
        byte format = in.get();
        if (format != FORMAT) {
            throw new PersistenceException("the entry was written by another version: format=" + format);
        }
        long created = in.getLong();
        long lastUsed = in.getLong();
        in.getLong();
        int metadataLength = in.getInt();
        int internalLength = in.getInt();
        byte[] metadata = take(in, metadataLength);
        byte[] internal = take(in, internalLength);
        return new Parts(take(in, in.remaining()), metadata, internal, created, lastUsed);
    }

    private static byte @Nullable [] take(ByteBuffer in, int length) {
        if (length == 0) {
            return null;
        }
        byte[] part = new byte[length];
        in.get(part);
        return part;
    }

    private static byte[] bytes(org.infinispan.commons.io.@Nullable ByteBuffer part) {
        if (part == null) {
            return new byte[0];
        }
        return Arrays.copyOfRange(part.getBuf(), part.getOffset(), part.getOffset() + part.getLength());
    }
}
