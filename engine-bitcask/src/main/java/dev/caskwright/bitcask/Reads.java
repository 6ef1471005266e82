package dev.caskwright.bitcask;

import dev.caskwright.api.Entry;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.RecordReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Reads of single keys, of now or as of a snapshot. */
final class Reads {
    private final Store store;
    private final KeyIndex index;
    private final @Nullable CachedReads cached;

    Reads(Store store) {
        this.store = store;
        this.index = store.index;
        this.cached = store.cache == null ? null : new CachedReads(this, store, store.cache);
    }

    byte @Nullable [] get(byte[] key, Snapshots.@Nullable Handle snapshot) throws IOException {
        Limits.checkKey(key);
        Session session = store.enter();
        try {
            if (cached != null) {
                return cached.value(session, key, snapshot);
            }
            RecordReader reader = find(session, key, snapshot);
            return reader == null ? null : reader.value();
        } finally {
            store.exit(session);
        }
    }

    int get(byte[] key, ByteBuffer target, Snapshots.@Nullable Handle snapshot) throws IOException {
        Limits.checkKey(key);
        Session session = store.enter();
        try {
            if (cached != null) {
                return cached.value(session, key, target, snapshot);
            }
            RecordReader reader = find(session, key, snapshot);
            if (reader == null) {
                return ReadView.ABSENT;
            }
            int length = reader.valueLength();
            if (length <= target.remaining()) {
                reader.copyValue(target);
            }
            return length;
        } finally {
            store.exit(session);
        }
    }

    boolean contains(byte[] key, Snapshots.@Nullable Handle snapshot) throws IOException {
        Limits.checkKey(key);
        Session session = store.enter();
        try {
            long locator =
                    snapshot == null ? index.get(key, 0, key.length) : snapshot.locate(index, key, 0, key.length);
            if (locator == KeyIndex.ABSENT) {
                return false;
            }
            if (!store.log.expires(locator)) {
                return true;
            }
            session.reader.read(locator);
            return isLive(session.reader, snapshot);
        } finally {
            store.exit(session);
        }
    }

    @Nullable Entry entry(byte[] key, Snapshots.@Nullable Handle snapshot) throws IOException {
        Limits.checkKey(key);
        Session session = store.enter();
        try {
            RecordReader reader = find(session, key, snapshot);
            if (reader == null) {
                return null;
            }
            long version = reader.version();
            long expiresAt = reader.expiresAt();
            return new Entry(key.clone(), reader.value(), version, expiresAt);
        } finally {
            store.exit(session);
        }
    }

    private @Nullable RecordReader find(Session session, byte[] key, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        return find(session, key, 0, key.length, snapshot);
    }

    /** Returns the session's reader at the current record of the key, or null. Within an epoch. */
    @Nullable RecordReader find(Session session, byte[] source, int offset, int length, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        long locator = candidate(source, offset, length, snapshot);
        if (locator == KeyIndex.ABSENT) {
            return null;
        }
        RecordReader reader = session.reader;
        reader.read(locator);
        if (!reader.hasKey(source, offset, length) && !readExactly(reader, source, offset, length, snapshot == null)) {
            return null;
        }
        return isLive(reader, snapshot) ? reader : null;
    }

    /** Returns a locator that is probably the key's, if the key is there. Within an epoch. */
    long candidate(byte[] source, int offset, int length, Snapshots.@Nullable Handle snapshot) throws IOException {
        return snapshot == null
                ? index.candidate(source, offset, length)
                : snapshot.locate(index, source, offset, length);
    }

    /** Brings a reader that is at a candidate's record to the key's; returns whether there is one and it has not expired. */
    boolean isAtLiveRecord(RecordReader reader, boolean isCandidate, byte[] key, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        return (isCandidate || readExactly(reader, key, 0, key.length, snapshot == null)) && isLive(reader, snapshot);
    }

    /** The record is not the key's: either the index took another key for it, or the record is damaged. */
    private boolean readExactly(RecordReader reader, byte[] source, int offset, int length, boolean latest)
            throws IOException {
        reader.verify();
        if (latest) {
            long locator = index.get(source, offset, length);
            if (locator == KeyIndex.ABSENT) {
                return false;
            }
            reader.read(locator);
        }
        if (!reader.hasKey(source, offset, length)) {
            throw reader.wrongKey();
        }
        return true;
    }

    /** Expiry is judged as of now, or for a snapshot as of its moment. */
    private boolean isLive(RecordReader reader, Snapshots.@Nullable Handle snapshot) throws IOException {
        long expiresAt = reader.expiresAt();
        return expiresAt == Entry.NEVER || isLive(expiresAt, reader.version(), snapshot);
    }

    boolean isLive(long expiresAt, long version, Snapshots.@Nullable Handle snapshot) throws IOException {
        return snapshot == null ? !store.clock.hasPassed(expiresAt, version) : !snapshot.hadExpired(expiresAt, version);
    }
}
