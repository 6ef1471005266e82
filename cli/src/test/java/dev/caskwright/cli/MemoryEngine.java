package dev.caskwright.cli;

import dev.caskwright.api.ChangeVisitor;
import dev.caskwright.api.ChangeVisitor.Change;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** As much of a store as the commands call, in memory. Closing it does nothing, so that it can be opened again. */
class MemoryEngine implements StorageEngine {
    final TreeMap<byte[], Entry> entries = new TreeMap<>(Arrays::compareUnsigned);
    final List<Change> changes = new ArrayList<>();
    boolean isOrdered;
    int syncs;
    int merges;

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        Entry entry = entry(key);
        return entry == null ? null : entry.value();
    }

    @Override
    public @Nullable Entry entry(byte[] key) {
        return entries.get(key);
    }

    @Override
    public boolean contains(byte[] key) {
        return entries.containsKey(key);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        for (Entry entry : entries.values()) {
            if (!visitor.visit(entry)) {
                return;
            }
        }
    }

    @Override
    public Optional<OrderedView> ordered() {
        return isOrdered ? Optional.of(this::cursor) : Optional.empty();
    }

    private Cursor cursor(Range range) {
        byte[] start = range.start();
        var walked = range.isDescending() ? entries.descendingMap() : entries;
        if (start != null) {
            walked = walked.tailMap(start, range.isStartInclusive());
        }
        Iterator<Entry> iterator = walked.values().stream().limit(range.limit()).iterator();
        return new Cursor() {
            @Override
            public @Nullable Entry next() {
                if (!iterator.hasNext()) {
                    return null;
                }
                Entry entry = iterator.next();
                return range.isBeforeEnd(entry.key()) ? entry : null;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        change(key, value, options, true);
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        boolean there = contains(key);
        if (there) {
            change(key, null, options, true);
        }
        return there;
    }

    @Override
    public boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException {
        if (contains(key)) {
            return false;
        }
        put(key, value, options);
        return true;
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        int left = batch.size();
        for (WriteBatch.Change change : batch.changes()) {
            change(change.key(), change.value(), change.expiry(), --left == 0);
        }
    }

    private void change(byte[] key, byte @Nullable [] value, WriteOptions options, boolean isLast) {
        long version = changes.size() + 1L;
        long expiry = options.expiresAtMillis(System.currentTimeMillis());
        changes.add(new Change(version, key, value, expiry, isLast));
        if (value == null) {
            entries.remove(key);
        } else {
            entries.put(key, new Entry(key, value, version, expiry));
        }
    }

    @Override
    public long changes(long version, ChangeVisitor visitor) throws IOException {
        for (Change change : changes.subList((int) Math.min(version, changes.size()), changes.size())) {
            version = change.version();
            if (!visitor.visit(change)) {
                break;
            }
        }
        return version;
    }

    @Override
    public long size() {
        return entries.size();
    }

    @Override
    public void sync() {
        syncs++;
    }

    @Override
    public void merge() throws IOException {
        merges++;
    }

    @Override
    public EngineStats stats() {
        return new EngineStats(
                entries.size(),
                1,
                3000,
                2000,
                1000,
                0,
                64L * entries.size(),
                7,
                true,
                5,
                3,
                0,
                0,
                0,
                0,
                2,
                changes.size(),
                0,
                new MemoryStats(0, 0, 0, 0));
    }

    @Override
    public @Nullable Throwable health() {
        return null;
    }

    @Override
    public void close() throws IOException {}

    @Override
    public void backup(Path target) throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public int get(byte[] key, ByteBuffer target) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean replaceVersion(byte[] key, long expectedVersion, byte[] value, WriteOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean delete(byte[] key, byte[] expected, WriteOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean expire(byte[] key, WriteOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Transaction transaction() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Snapshot snapshot() {
        throw new UnsupportedOperationException();
    }
}
