package dev.caskwright.bitcask.read;

import dev.caskwright.api.Entry;
import dev.caskwright.api.spi.cache.CachedRecord;
import dev.caskwright.api.spi.cache.ValueCache;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.bitcask.store.Snapshots;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cache of values before reads of single keys: each of a value alone uses it, one by one, many at once, or in place. The
 * index is asked as always, so a cached value is the current one, or the snapshot's; the cache only spares the read of the
 * record. A value gets there after its checksum was verified.
 *
 * <p>Scans and cursors do not come here: what they read once would take the room of what is read often.
 *
 * <p>A cache that throws costs a read of the record and nothing else: what it gives is looked at before it is believed, and
 * what it is offered are copies.
 */
final class CachedReads {
    private final Reads reads;
    private final Store store;
    private final ValueCache cache;
    private final AtomicBoolean hasTold = new AtomicBoolean();

    CachedReads(Reads reads, Store store, ValueCache cache) {
        this.reads = reads;
        this.store = store;
        this.cache = cache;
    }

    /** Returns what is cached of the key's record, if that is what the locator leads to now. Within an epoch. */
    @Nullable CachedRecord hit(long locator, byte[] source, int offset, int length) throws IOException {
        CachedRecord cached;
        try {
            cached = cache.get(locator);
        } catch (RuntimeException | OutOfMemoryError e) {
            tell(e);
            return null;
        }
        return cached != null && cached.segment() == store.log.segment(locator) && cached.hasKey(source, offset, length)
                ? cached
                : null;
    }

    boolean isLive(CachedRecord cached, Snapshots.@Nullable Handle snapshot) throws IOException {
        return cached.expiresAt() == Entry.NEVER || reads.isLive(cached.expiresAt(), cached.version(), snapshot);
    }

    /** Returns whether the cache wants a value of some length. */
    boolean wants(long locator, int length) {
        try {
            return cache.wants(locator, length);
        } catch (RuntimeException | OutOfMemoryError e) {
            tell(e);
            return false;
        }
    }

    /** Returns the value that the reader is at, for the cache alone; null if there is no memory for it. */
    byte @Nullable [] value(RecordReader reader) throws IOException {
        try {
            return reader.value();
        } catch (OutOfMemoryError e) {
            tell(e);
            return null;
        }
    }

    /**
     * Offers the record that the reader is at, which {@link #wants} was asked about, with a copy of a part of an array as its
     * value. Only for the record of the locator itself: an index may name another key's record first, and name it again when
     * the key's own record is another one.
     */
    void offer(
            long locator,
            byte[] source,
            int offset,
            int length,
            RecordReader reader,
            byte[] value,
            int valueOffset,
            int valueLength)
            throws IOException {
        try {
            cache.offer(
                    locator,
                    new CachedRecord(
                            store.log.segment(locator),
                            Arrays.copyOfRange(source, offset, offset + length),
                            Arrays.copyOfRange(value, valueOffset, valueOffset + valueLength),
                            reader.version(),
                            reader.expiresAt()));
        } catch (RuntimeException | OutOfMemoryError e) {
            tell(e);
        }
    }

    /** A lack of memory passes, and is the cache's daily bread; anything else is its fault, which is told once. */
    private void tell(Throwable cause) {
        if (!(cause instanceof OutOfMemoryError) && hasTold.compareAndSet(false, true)) {
            logger().warn("the cache of values throws; reads go on without what it would have had", cause);
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(CachedReads.class);
    }
}
