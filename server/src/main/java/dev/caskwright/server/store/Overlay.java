package dev.caskwright.server.store;

import dev.caskwright.api.ReadView;
import dev.caskwright.api.WriteBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Changes that are collected over the store, seen by those who make them, and written as one batch. */
final class Overlay implements Data {
    /** What a change takes beside its bytes, roughly. */
    private static final long ENTRY_BYTES = 128;

    private final Live live;
    private final Map<Bytes, Change> changes = new LinkedHashMap<>();
    private final long maxBytes;
    private long bytes;

    /** @param stored null if the key is removed */
    private record Change(@Nullable Stored stored) {
        long bytes() {
            return stored == null ? 0 : stored.stored().length;
        }
    }

    /** @param maxBytes how much may be collected */
    Overlay(Live live, long maxBytes) {
        this.live = live;
        this.maxBytes = maxBytes;
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        Change change = changes.get(new Bytes(key));
        if (change == null) {
            return live.get(key, target);
        }
        Stored stored = current(change);
        if (stored == null) {
            return ReadView.ABSENT;
        }
        if (stored.stored().length <= target.remaining()) {
            target.put(stored.stored());
        }
        return stored.stored().length;
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        Change change = changes.get(new Bytes(key));
        if (change == null) {
            return live.get(key);
        }
        Stored stored = current(change);
        return stored == null ? null : stored.stored();
    }

    @Override
    public @Nullable Stored entry(byte[] key) throws IOException {
        Change change = changes.get(new Bytes(key));
        return change == null ? live.entry(key) : current(change);
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        Change change = changes.get(new Bytes(key));
        return change == null ? live.contains(key) : current(change) != null;
    }

    @Override
    public void put(byte[] key, byte[] stored, long expiresAtMillis) throws IOException {
        note(key, new Change(new Stored(stored, expiresAtMillis)));
    }

    private void note(byte[] key, Change change) throws IOException {
        Bytes name = new Bytes(key);
        Change old = changes.get(name);
        long more = change.bytes() - (old == null ? -key.length - ENTRY_BYTES : old.bytes());
        if (more > 0 && bytes + more > maxBytes) {
            throw new RefusedException("the changes of the transaction take more than client-query-buffer-limit or"
                    + " maxmemory-clients allow");
        }
        bytes += more;
        changes.put(name, change);
    }

    @Override
    public boolean delete(byte[] key) throws IOException {
        if (!contains(key)) {
            return false;
        }
        note(key, new Change(null));
        return true;
    }

    @Override
    public void expire(byte[] key, long expiresAtMillis) throws IOException {
        Stored stored = entry(key);
        if (stored != null) {
            put(key, stored.stored(), expiresAtMillis);
        }
    }

    private @Nullable Stored current(Change change) {
        Stored stored = change.stored();
        return stored == null || (stored.expiresAtMillis() != NEVER && stored.expiresAtMillis() <= live.nowMillis())
                ? null
                : stored;
    }

    boolean hasChanged(byte[] key) {
        return changes.containsKey(new Bytes(key));
    }

    /** Visits what was put. */
    void visit(byte slot, byte[] prefix, Keyspace.KeyVisitor visitor) throws IOException {
        byte[] start = Keyspace.start(slot, prefix);
        for (Map.Entry<Bytes, Change> entry : changes.entrySet()) {
            byte[] key = entry.getKey().array();
            Stored stored = current(entry.getValue());
            if (stored != null && Keyspace.startsWith(key, start) && !visitor.visit(key, stored.stored())) {
                return;
            }
        }
    }

    /** Writes all changes, or none. */
    void commit() throws IOException {
        if (changes.isEmpty()) {
            return;
        }
        WriteBatch batch = new WriteBatch();
        for (Map.Entry<Bytes, Change> entry : changes.entrySet()) {
            Stored stored = entry.getValue().stored();
            if (stored == null) {
                batch.delete(entry.getKey().array());
            } else {
                batch.put(entry.getKey().array(), stored.stored(), Live.options(stored.expiresAtMillis()));
            }
        }
        live.write(batch, changes.keySet());
    }
}
