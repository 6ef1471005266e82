package dev.caskwright.bitcask;

import dev.caskwright.api.Entry;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.ValueReader;
import dev.caskwright.api.ValueView;
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

    byte @Nullable [] get(ByteBuffer key, Snapshots.@Nullable Handle snapshot) throws IOException {
        int length = key.remaining();
        Limits.checkKeyLength(length);
        byte[] source;
        int offset;
        if (key.hasArray()) {
            source = key.array();
            offset = key.arrayOffset() + key.position();
        } else {
            source = new byte[length];
            offset = 0;
            key.get(key.position(), source);
        }
        Session session = store.enter();
        try {
            RecordReader reader = find(session, source, offset, length, snapshot);
            return reader == null ? null : reader.value();
        } finally {
            store.exit(session);
        }
    }

    /**
     * Lets a reader look at a value in the session's buffer. The epoch ends before that: the bytes are on the heap, and the
     * reader may take its time, or write to the store, for which files may have to be sealed, which waits for epochs.
     */
    <R> @Nullable R read(byte[] key, ValueReader<R> valueReader, Snapshots.@Nullable Handle snapshot)
            throws IOException {
        Limits.checkKey(key);
        Session session = store.enter();
        boolean isEntered = true;
        try {
            RecordReader reader = find(session, key, snapshot);
            if (reader == null) {
                return null;
            }
            int at = reader.holdValue();
            byte[] source = at < 0 ? reader.value() : reader.buffer();
            ValueView value = new ValueView(source, Math.max(0, at), reader.valueLength());
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

    /** Returns the values of the keys, null for those that are absent. */
    byte[] @Nullable [] getAll(byte[][] keys, Snapshots.@Nullable Handle snapshot) throws IOException {
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
        Session session = store.enter();
        try {
            batch.locate(index, snapshot);
            long left = readFetched(session.reader, batch, values, from, snapshot);
            for (; left != 0; left &= left - 1) {
                int i = Long.numberOfTrailingZeros(left);
                RecordReader reader = find(session, batch.source, batch.offsets[i], batch.lengths[i], snapshot);
                values[from + i] = reader == null ? null : reader.value();
            }
        } finally {
            store.exit(session);
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
                        values[from + i] = reader.value();
                    }
                }
            }
        } finally {
            reader.closeAll();
        }
        return left;
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
