package dev.caskwright.api.spi.cache;

import dev.caskwright.api.spi.log.LogSegment;
import java.util.Arrays;

/**
 * What a {@link ValueCache} keeps of a record. Immutable: neither key nor value is handed out, only copies are.
 */
public final class CachedRecord {
    /** About what the JVM takes for this object, its arrays' headers and an entry of a cache, in bytes. */
    private static final int OVERHEAD = 176;

    private final LogSegment segment;
    private final byte[] key;
    private final byte[] value;
    private final long version;
    private final long expiresAt;

    /**
     * Makes what is cached of a record. The arrays are kept, and must not be changed from then on.
     *
     * @param segment where the record lies: a locator may lead to another segment later, and then means another record
     * @param expiresAt when it expires, in milliseconds since 1970, or 0
     */
    public CachedRecord(LogSegment segment, byte[] key, byte[] value, long version, long expiresAt) {
        this.segment = segment;
        this.key = key;
        this.value = value;
        this.version = version;
        this.expiresAt = expiresAt;
    }

    /** Returns the segment that the record lies in. */
    public LogSegment segment() {
        return segment;
    }

    /** Returns whether the record has this key. */
    public boolean hasKey(byte[] source, int offset, int length) {
        return Arrays.equals(key, 0, key.length, source, offset, offset + length);
    }

    /** Returns the value itself, which the caller must not change or hand out. */
    public byte[] value() {
        return value;
    }

    /** Returns the version of the write. */
    public long version() {
        return version;
    }

    /** Returns when the record expires, in milliseconds since 1970, or 0. */
    public long expiresAt() {
        return expiresAt;
    }

    /** Returns about how much memory this takes in a cache, in bytes. */
    public int memoryBytes() {
        return (int) Math.min(Integer.MAX_VALUE, (long) OVERHEAD + key.length + value.length);
    }
}
