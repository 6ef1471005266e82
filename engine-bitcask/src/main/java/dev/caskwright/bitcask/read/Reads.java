package dev.caskwright.bitcask.read;

import dev.caskwright.api.Entry;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.ValueReader;
import dev.caskwright.api.ValueView;
import dev.caskwright.api.spi.cache.CachedRecord;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.bitcask.events.SlowOperationEvent;
import dev.caskwright.bitcask.events.StoreEvents;
import dev.caskwright.bitcask.store.Limits;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Snapshots;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Reads of single keys, of now or as of a snapshot. */
public final class Reads {
    private final Store store;
    private final KeyIndex index;
    private final @Nullable CachedReads cached;

    public Reads(Store store) {
        this.store = store;
        this.index = store.index;
        this.cached = store.cache == null ? null : new CachedReads(this, store, store.cache);
    }

    public byte @Nullable [] get(byte[] key, Snapshots.@Nullable Handle snapshot) throws IOException {
        Limits.checkKey(key);
        return get(key, 0, key.length, snapshot);
    }

    public byte @Nullable [] get(ByteBuffer key, Snapshots.@Nullable Handle snapshot) throws IOException {
        int length = key.remaining();
        Limits.checkKeyLength(length);
        if (key.hasArray()) {
            return get(key.array(), key.arrayOffset() + key.position(), length, snapshot);
        }
        byte[] source = new byte[length];
        key.get(key.position(), source);
        return get(source, 0, length, snapshot);
    }

    private byte @Nullable [] get(byte[] source, int offset, int length, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        SlowOperationEvent slow = StoreEvents.operation();
        Session session = store.enter();
        try {
            return value(session, source, offset, length, snapshot);
        } finally {
            store.exit(session);
            if (slow != null) {
                slow.end(store.name, "get");
            }
        }
    }

    /** Returns the value of a key, from the cache if it is there. Within an epoch. */
    private byte @Nullable [] value(
            Session session, byte[] source, int offset, int length, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        long locator = candidate(source, offset, length, snapshot);
        CachedRecord hit = hit(locator, source, offset, length);
        if (hit != null && cached != null) {
            return cached.isLive(hit, snapshot) ? hit.value().clone() : null;
        }
        RecordReader reader = findAt(locator, session, source, offset, length, snapshot);
        if (reader == null) {
            return null;
        }
        byte[] value = reader.value();
        if (wants(session, locator, value.length) && cached != null) {
            cached.offer(locator, source, offset, length, reader, value, 0, value.length);
        }
        return value;
    }

    private boolean wants(Session session, long locator, int length) {
        return cached != null && session.isAtCandidate && cached.wants(locator, length);
    }

    private @Nullable CachedRecord hit(long locator, byte[] source, int offset, int length) throws IOException {
        return cached == null || locator == KeyIndex.ABSENT ? null : cached.hit(locator, source, offset, length);
    }

    /**
     * Lets a reader look at a value in the session's buffer. The epoch ends before that: the bytes are on the heap, and the
     * reader may take its time, or write to the store, for which files may have to be sealed, which waits for epochs.
     */
    public <R> @Nullable R read(byte[] key, ValueReader<R> valueReader, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        Limits.checkKey(key);
        SlowOperationEvent slow = StoreEvents.operation();
        Session session = store.enter();
        boolean isEntered = true;
        try {
            ValueView value = view(session, key, snapshot);
            if (slow != null) {
                slow.end(store.name, "read"); // what the reader does is not the store's
            }
            if (value == null) {
                return null;
            }
            store.unpin(session);
            isEntered = false;
            try {
                return valueReader.read(value);
            } finally {
                value.end();
            }
        } finally {
            if (isEntered) {
                store.exit(session);
            } else {
                store.giveBack(session);
            }
        }
    }

    private @Nullable ValueView view(Session session, byte[] key, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        long locator = candidate(key, 0, key.length, snapshot);
        CachedRecord hit = hit(locator, key, 0, key.length);
        if (hit != null && cached != null) {
            byte[] value = hit.value();
            return cached.isLive(hit, snapshot) ? new ValueView(value, 0, value.length) : null;
        }
        RecordReader reader = findAt(locator, session, key, 0, key.length, snapshot);
        if (reader == null) {
            return null;
        }
        int length = reader.valueLength();
        int at = reader.holdValue();
        byte[] source = at < 0 ? reader.value() : reader.buffer();
        at = Math.max(0, at);
        if (wants(session, locator, length) && cached != null) {
            cached.offer(locator, key, 0, key.length, reader, source, at, length);
        }
        return new ValueView(source, at, length);
    }

    /** Returns the values of the keys, null for those that are absent. */
    public byte[] @Nullable [] getAll(byte[][] keys, Snapshots.@Nullable Handle snapshot) throws IOException {
        for (byte[] key : keys) {
            Limits.checkKey(key);
        }
        byte[] @Nullable [] values = new byte[keys.length][];
        int most = Math.min(KeyBatch.MOST_KEYS, keys.length);
        KeyBatch batch = new KeyBatch(most);
        for (int from = 0; from < keys.length; from += most) {
            batch.fill(keys, from, Math.min(most, keys.length - from));
            getBatch(batch, values, from, snapshot);
        }
        return values;
    }

    private void getBatch(KeyBatch batch, byte[] @Nullable [] values, int from, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        SlowOperationEvent slow = StoreEvents.operation();
        Session session = store.enter();
        try {
            batch.locate(index, snapshot);
            takeCached(batch, values, from, snapshot);
            long left = readFetched(session.reader, batch, values, from, snapshot);
            for (; left != 0; left &= left - 1) {
                int i = Long.numberOfTrailingZeros(left);
                values[from + i] = value(session, batch.source, batch.offsets[i], batch.lengths[i], snapshot);
            }
        } finally {
            store.exit(session);
            if (slow != null) {
                slow.end(store.name, "get all");
            }
        }
    }

    /** Takes what the cache has; those keys count as absent for the rest of the way. */
    private void takeCached(KeyBatch batch, byte[] @Nullable [] values, int from, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        if (cached == null) {
            return;
        }
        for (int i = 0; i < batch.count; i++) {
            CachedRecord hit = hit(batch.locators[i], batch.source, batch.offsets[i], batch.lengths[i]);
            if (hit != null) {
                values[from + i] = cached.isLive(hit, snapshot) ? hit.value().clone() : null;
                batch.locators[i] = KeyIndex.ABSENT;
            }
        }
    }

    /** Reads the records that are fetched together; returns the others, which are read one by one, as bits. */
    private long readFetched(
            RecordReader reader,
            KeyBatch batch,
            byte[] @Nullable [] values,
            int from,
            Snapshots.@Nullable Handle snapshot)
            throws IOException {
        long left = 0;
        try {
            int looked;
            for (int done = 0; done < batch.count; done += looked) {
                looked = reader.readAll(batch.locators, done, batch.count - done);
                for (int i = done; i < done + looked; i++) {
                    if (batch.locators[i] == KeyIndex.ABSENT) {
                        continue;
                    }
                    if (!reader.open(i - done) || !reader.hasKey(batch.source, batch.offsets[i], batch.lengths[i])) {
                        left |= 1L << i;
                    } else if (isLive(reader, snapshot)) {
                        byte[] value = reader.value();
                        values[from + i] = value;
                        if (cached != null && cached.wants(batch.locators[i], value.length)) {
                            cached.offer(
                                    batch.locators[i],
                                    batch.source,
                                    batch.offsets[i],
                                    batch.lengths[i],
                                    reader,
                                    value,
                                    0,
                                    value.length);
                        }
                    }
                }
            }
        } finally {
            reader.closeAll();
        }
        return left;
    }

    public int get(byte[] key, ByteBuffer target, Snapshots.@Nullable Handle snapshot) throws IOException {
        Limits.checkKey(key);
        SlowOperationEvent slow = StoreEvents.operation();
        Session session = store.enter();
        try {
            long locator = candidate(key, 0, key.length, snapshot);
            CachedRecord hit = hit(locator, key, 0, key.length);
            if (hit != null && cached != null) {
                return cached.isLive(hit, snapshot) ? copy(hit.value(), target) : ReadView.ABSENT;
            }
            RecordReader reader = findAt(locator, session, key, 0, key.length, snapshot);
            if (reader == null) {
                return ReadView.ABSENT;
            }
            int length = reader.valueLength();
            if (wants(session, locator, length) && cached != null) {
                byte[] value = cached.value(reader);
                if (value != null) {
                    cached.offer(locator, key, 0, key.length, reader, value, 0, length);
                    return copy(value, target);
                }
            }
            if (length <= target.remaining()) {
                reader.copyValue(target);
            }
            return length;
        } finally {
            store.exit(session);
            if (slow != null) {
                slow.end(store.name, "get");
            }
        }
    }

    private static int copy(byte[] value, ByteBuffer target) {
        if (value.length <= target.remaining()) {
            target.put(value);
        }
        return value.length;
    }

    public boolean contains(byte[] key, Snapshots.@Nullable Handle snapshot) throws IOException {
        Limits.checkKey(key);
        SlowOperationEvent slow = StoreEvents.operation();
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
            if (slow != null) {
                slow.end(store.name, "contains");
            }
        }
    }

    public @Nullable Entry entry(byte[] key, Snapshots.@Nullable Handle snapshot) throws IOException {
        Limits.checkKey(key);
        SlowOperationEvent slow = StoreEvents.operation();
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
            if (slow != null) {
                slow.end(store.name, "entry");
            }
        }
    }

    private @Nullable RecordReader find(Session session, byte[] key, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        return find(session, key, 0, key.length, snapshot);
    }

    /** Returns the session's reader at the current record of the key, or null. Within an epoch. */
    public @Nullable RecordReader find(
            Session session, byte[] source, int offset, int length, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        return findAt(candidate(source, offset, length, snapshot), session, source, offset, length, snapshot);
    }

    /** Returns a locator that is probably the key's, if the key is there. Within an epoch. */
    long candidate(byte[] source, int offset, int length, Snapshots.@Nullable Handle snapshot) throws IOException {
        return snapshot == null
                ? index.candidate(source, offset, length)
                : snapshot.locate(index, source, offset, length);
    }

    /** As {@link #find}, from the candidate on; notes whether the reader is at the candidate's record. */
    private @Nullable RecordReader findAt(
            long locator, Session session, byte[] source, int offset, int length, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        if (locator == KeyIndex.ABSENT) {
            return null;
        }
        RecordReader reader = session.reader;
        reader.read(locator);
        session.isAtCandidate = reader.hasKey(source, offset, length);
        if (!session.isAtCandidate && !readExactly(reader, source, offset, length, snapshot == null)) {
            return null;
        }
        return isLive(reader, snapshot) ? reader : null;
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
