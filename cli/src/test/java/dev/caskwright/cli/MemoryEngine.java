package dev.caskwright.cli;

import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ChangeVisitor;
import dev.caskwright.api.ChangeVisitor.Change;
import dev.caskwright.api.ClockStats;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Facet;
import dev.caskwright.api.ImageStats;
import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OpeningStats;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.SpaceStats;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** As much of a store as the commands call, in memory. Closing it does nothing, so that it can be opened again. */
class MemoryEngine implements StorageEngine, ConditionalWrites, ChangeFeed, Merging {
    final TreeMap<byte[], Entry> entries = new TreeMap<>(Arrays::compareUnsigned);
    final List<Change> changes = new ArrayList<>();
    boolean isOrdered;
    boolean isMerging = true;
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
    public <F extends Facet> Optional<F> facet(Class<F> kind) {
        if (kind == Merging.class && !isMerging) {
            return Optional.empty();
        }
        OrderedView ordered = this::cursor;
        return kind == OrderedView.class && isOrdered
                ? Optional.of(kind.cast(ordered))
                : StorageEngine.super.facet(kind);
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
        changes.add(new Change(1, version, key, value, expiry, isLast));
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
    public Moment changes(Moment after, ChangeVisitor visitor) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Moment moment() {
        return new Moment(1, changes.size());
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
        return EngineStats.of(entries.size(), changes.size(), 0)
                .with(new SpaceStats(1, 3000, 2000, 1000, 0))
                .with(new MemoryStats(64L * entries.size(), 0, 0, 0))
                .with(new OpeningStats(7, true, 5, 3))
                .with(new ImageStats(2))
                .with(new ClockStats(0));
    }

    @Override
    public @Nullable Throwable health() {
        return null;
    }

    @Override
    public void close() throws IOException {}

    @Override
    public int get(byte[] key, ByteBuffer target) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean delete(byte[] key, byte[] expected, WriteOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Snapshot snapshot() {
        throw new UnsupportedOperationException();
    }
}
