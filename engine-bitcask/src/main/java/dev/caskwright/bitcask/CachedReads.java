package dev.caskwright.bitcask;

import dev.caskwright.api.Entry;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.spi.CachedRecord;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.LogSegment;
import dev.caskwright.api.spi.RecordReader;
import dev.caskwright.api.spi.ValueCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Reads of single keys through a cache of values. The index is asked as always, so a cached value is the current one, or
 * the snapshot's; the cache only spares the read of the record. A value gets there after its checksum was verified.
 *
 * <p>Scans and cursors do not come here: what they read once would take the room of what is read often.
 */
final class CachedReads {
    private final Reads reads;
    private final Store store;
    private final ValueCache cache;

    CachedReads(Reads reads, Store store, ValueCache cache) {
        this.reads = reads;
        this.store = store;
        this.cache = cache;
    }

    byte @Nullable [] value(Session session, byte[] key, Snapshots.@Nullable Handle snapshot) throws IOException {
        long locator = reads.candidate(key, 0, key.length, snapshot);
        if (locator == KeyIndex.ABSENT) {
            return null;
        }
        CachedRecord cached = cached(locator, key);
        if (cached != null) {
            return isLive(cached, snapshot) ? cached.value().clone() : null;
        }
        RecordReader reader = session.reader;
        reader.read(locator);
        boolean isCandidate = reader.hasKey(key, 0, key.length);
        if (!reads.isAtLiveRecord(reader, isCandidate, key, snapshot)) {
            return null;
        }
        if (!isCandidate || !cache.wants(locator, reader.valueLength())) {
            return reader.value();
        }
        return offer(locator, key, reader).clone();
    }

    int value(Session session, byte[] key, ByteBuffer target, Snapshots.@Nullable Handle snapshot) throws IOException {
        long locator = reads.candidate(key, 0, key.length, snapshot);
        if (locator == KeyIndex.ABSENT) {
            return ReadView.ABSENT;
        }
        CachedRecord cached = cached(locator, key);
        if (cached != null) {
            return isLive(cached, snapshot) ? copy(cached.value(), target) : ReadView.ABSENT;
        }
        RecordReader reader = session.reader;
        reader.read(locator);
        boolean isCandidate = reader.hasKey(key, 0, key.length);
        if (!reads.isAtLiveRecord(reader, isCandidate, key, snapshot)) {
            return ReadView.ABSENT;
        }
        int length = reader.valueLength();
        if (isCandidate && cache.wants(locator, length)) {
            return copy(offer(locator, key, reader), target);
        }
        if (length <= target.remaining()) {
            reader.copyValue(target);
        }
        return length;
    }

    private static int copy(byte[] value, ByteBuffer target) {
        if (value.length <= target.remaining()) {
            target.put(value);
        }
        return value.length;
    }

    /** Returns what is cached of the key's record, if that is what the locator leads to now. */
    private @Nullable CachedRecord cached(long locator, byte[] key) throws IOException {
        CachedRecord cached = cache.get(locator);
        return cached != null && cached.segment() == store.log.segment(locator) && cached.hasKey(key, 0, key.length)
                ? cached
                : null;
    }

    private boolean isLive(CachedRecord cached, Snapshots.@Nullable Handle snapshot) throws IOException {
        return cached.expiresAt() == Entry.NEVER || reads.isLive(cached.expiresAt(), cached.version(), snapshot);
    }

    /**
     * Reads the value of the record that the reader is at, and offers it to the cache; returns it, not to be handed out. Only
     * for the record of the locator itself: an index may name another key's record first, and name it again when the key's
     * own record is another one.
     */
    private byte[] offer(long locator, byte[] key, RecordReader reader) throws IOException {
        LogSegment segment = store.log.segment(locator);
        long version = reader.version();
        long expiresAt = reader.expiresAt();
        byte[] value = reader.value();
        cache.offer(locator, new CachedRecord(segment, key.clone(), value, version, expiresAt));
        return value;
    }
}
