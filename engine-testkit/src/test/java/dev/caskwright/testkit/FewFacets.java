package dev.caskwright.testkit;

import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Facet;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An engine that holds one facet on purpose, conditional writes, and so nothing that a snapshot could hold. */
record FewFacets(MapEngine map) implements StorageEngine, ConditionalWrites {
    private void refuseExpiry(WriteOptions options) {
        if (options.hasExpiry()) {
            throw MissingFacetException.of(Expiry.class, this);
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return map.get(key);
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        return map.get(key, target);
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return map.contains(key);
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return map.entry(key);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        map.visit(visitor);
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        refuseExpiry(options);
        map.put(key, value, options);
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        return map.delete(key, options);
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        batch.changes().forEach(change -> refuseExpiry(change.expiry()));
        map.write(batch, options);
    }

    @Override
    public boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException {
        refuseExpiry(options);
        return map.putIfAbsent(key, value, options);
    }

    @Override
    public boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException {
        refuseExpiry(options);
        return map.replace(key, expected, value, options);
    }

    @Override
    public boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException {
        return map.delete(key, expected, options);
    }

    @Override
    public Snapshot snapshot() throws IOException {
        return new View(map.snapshot());
    }

    private record View(Snapshot snapshot) implements Snapshot {
        @Override
        public byte @Nullable [] get(byte[] key) throws IOException {
            return snapshot.get(key);
        }

        @Override
        public int get(byte[] key, ByteBuffer target) throws IOException {
            return snapshot.get(key, target);
        }

        @Override
        public boolean contains(byte[] key) throws IOException {
            return snapshot.contains(key);
        }

        @Override
        public @Nullable Entry entry(byte[] key) throws IOException {
            return snapshot.entry(key);
        }

        @Override
        public void visit(EntryVisitor visitor) throws IOException {
            snapshot.visit(visitor);
        }

        @Override
        public Cursor cursor() throws IOException {
            return snapshot.cursor();
        }

        @Override
        public <F extends Facet> Optional<F> facet(Class<F> kind) {
            return Optional.empty();
        }

        @Override
        public long version() {
            return snapshot.version();
        }

        @Override
        public void close() {
            snapshot.close();
        }
    }

    @Override
    public long size() {
        return map.size();
    }

    @Override
    public void sync() throws IOException {
        map.sync();
    }

    @Override
    public EngineStats stats() {
        return map.stats();
    }

    @Override
    public @Nullable Throwable health() {
        return map.health();
    }

    @Override
    public void close() throws IOException {
        map.close();
    }
}
