package dev.caskwright.server.infinispan;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.Map;
import org.infinispan.commons.CacheException;
import org.infinispan.commons.util.CloseableIterator;
import org.infinispan.commons.util.Closeables;
import org.infinispan.commons.util.IntSet;
import org.infinispan.container.entries.CacheEntry;
import org.infinispan.context.Flag;
import org.jspecify.annotations.Nullable;

/**
 * The keys that this node is the first owner of, for commands that walk over all keys, in threads that may wait; and the server's own
 * records. A walk shows each key that is there from its begin to its end and stays with this node. Keys have the byte of their database
 * before them.
 */
final class LocalKeys implements StorageEngine {
    private final CacheNode node;
    private final InstantSource clock;
    private final Map<ByteBuffer, byte[]> own;

    LocalKeys(CacheNode node, InstantSource clock, Map<ByteBuffer, byte[]> own) {
        this.node = node;
        this.clock = clock;
        this.own = own;
    }

    private static UnsupportedOperationException unsupported(String what) {
        return new UnsupportedOperationException("the keys of a node are walked over only: " + what);
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) {
        throw unsupported("put");
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) {
        throw unsupported("delete");
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) {
        throw unsupported("write");
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        if (key[0] != (byte) 0xFF) {
            throw unsupported("get");
        }
        return own.get(ByteBuffer.wrap(key));
    }

    @Override
    public boolean contains(byte[] key) {
        return get(key) != null;
    }

    @Override
    public @Nullable Entry entry(byte[] key) {
        byte[] value = get(key);
        return value == null ? null : new Entry(key, value, Entry.NO_VERSION, Entry.NEVER);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        try (Cursor walk = cursor()) {
            for (Entry entry = walk.next(); entry != null; entry = walk.next()) {
                if (!visitor.visit(entry)) {
                    return;
                }
            }
        }
    }

    @Override
    public Cursor cursor() {
        IntSet segments = node.primarySegments();
        Iterator<CacheEntry<byte[], byte[]>> entries =
                node.keys().withFlags(Flag.CACHE_MODE_LOCAL).cacheEntrySet().stream()
                        .filterKeySegments(segments)
                        .iterator();
        return new Walk(Closeables.iterator(entries));
    }

    /** A walk over the entries. */
    private final class Walk implements Cursor {
        private final CloseableIterator<CacheEntry<byte[], byte[]>> entries;

        Walk(CloseableIterator<CacheEntry<byte[], byte[]>> entries) {
            this.entries = entries;
        }

        @Override
        public @Nullable Entry next() throws IOException {
            try {
                while (entries.hasNext()) {
                    CacheEntry<byte[], byte[]> entry = entries.next();
                    byte[] value = entry.getValue();
                    if (!CacheValue.isExpired(value, clock.millis())) {
                        byte[] key = new byte[entry.getKey().length + 1];
                        System.arraycopy(entry.getKey(), 0, key, 1, key.length - 1);
                        return new Entry(
                                key, CacheValue.stored(value), Entry.NO_VERSION, CacheValue.expiresAtMillis(value));
                    }
                }
                return null;
            } catch (CacheException e) {
                throw new IOException("the keys of the node cannot be read", e);
            }
        }

        @Override
        public void close() {
            entries.close();
        }
    }

    @Override
    public Snapshot snapshot() {
        return new NoSnapshot(this);
    }

    @Override
    public long size() throws IOException {
        long[] count = {0};
        visit(entry -> {
            count[0]++;
            return true;
        });
        return count[0];
    }

    /** Does nothing: what is acknowledged is with its owners, as the configuration says. */
    @Override
    public void sync() {}

    @Override
    public EngineStats stats() {
        return EngineStats.of(0, 0, 0);
    }

    @Override
    public @Nullable Throwable health() {
        return null;
    }

    @Override
    public void close() {}
}
