package dev.caskwright.moss;

import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Versions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.LittleEndian;
import dev.caskwright.moss.memory.MergingCursor;
import dev.caskwright.moss.memory.Operands;
import dev.caskwright.moss.memory.Probe;
import dev.caskwright.moss.memory.RangeSet;
import dev.caskwright.moss.memory.Segment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * The lower level has keys as KeySpace makes them. A value has the version of its write (a number of variable length)
 * in front. The batch that writes layers ends with the entry that tells how far the lower level has got, so that after
 * a crash either both are there or neither is: nothing is lost, and no operand is applied twice. If anybody else wrote
 * there, the last version of the lower level is not that of this entry.
 */
/** Another engine below the stack, as it was at one moment. */
final class EngineBottom extends Bottom {
    private static final int PROGRESS_LENGTH = 2 * Long.BYTES;

    private final StorageEngine lower;
    private final Snapshot snapshot;
    private final OperatorResolver resolver;
    private final long storeId;
    private final long version;
    private final @Nullable HeldKeys keys; // null if the lower level is ordered

    private EngineBottom(
            StorageEngine lower,
            Snapshot snapshot,
            OperatorResolver resolver,
            long storeId,
            long version,
            @Nullable HeldKeys keys) {
        this.lower = lower;
        this.snapshot = snapshot;
        this.resolver = resolver;
        this.storeId = storeId;
        this.version = version;
        this.keys = keys;
    }

    /**
     * Looks at a lower level, and makes it this store's if it is empty.
     *
     * @param expectedId the store that it must belong to, or 0 for any
     */
    static EngineBottom open(StorageEngine lower, OperatorResolver resolver, long expectedId, Settings settings)
            throws IOException {
        Entry progress = lower.entry(KeySpace.PROGRESS);
        if (progress == null) {
            try (var cursor = lower.cursor()) {
                if (cursor.next() != null) {
                    throw changed(
                            "it has entries, and none that tells how far this engine got; give it an empty engine");
                }
            }
            long storeId = expectedId == 0 ? settings.random().getAsLong() : expectedId;
            lower.write(new WriteBatch().put(KeySpace.PROGRESS, progress(storeId, 0)), WriteOptions.SYNC);
            progress = lower.entry(KeySpace.PROGRESS);
        }
        if (progress == null || progress.value().length != 1 + PROGRESS_LENGTH) {
            throw changed("the entry that tells how far this engine got is not this engine's");
        }
        long storeId = LittleEndian.getLong(progress.value(), 1);
        long version = LittleEndian.getLong(progress.value(), 1 + Long.BYTES);
        if (expectedId != 0 && storeId != expectedId) {
            throw changed(
                    String.format("it belongs to another store: expected=%016x, found=%016x", expectedId, storeId));
        }
        Snapshot snapshot = lower.snapshot();
        try {
            if (lower.facet(Versions.class).isPresent() && snapshot.version() != progress.version()) {
                throw changed("something else wrote to it: expected version=" + progress.version() + ", found="
                        + snapshot.version());
            }
            boolean isOrdered = snapshot.facet(OrderedView.class).isPresent();
            HeldKeys keys = isOrdered ? null : HeldKeys.of(snapshot, settings.maxHeldKeyBytes());
            return new EngineBottom(lower, snapshot, resolver, storeId, version, keys);
        } catch (Throwable e) {
            snapshot.close();
            throw e;
        }
    }

    private static MossException changed(String why) {
        return new MossException(
                MossException.Reason.LOWER_LEVEL_CHANGED, "the lower level is not as this engine left it: " + why);
    }

    private static byte[] progress(long storeId, long version) {
        byte[] value = new byte[1 + PROGRESS_LENGTH];
        LittleEndian.putLong(value, 1, storeId);
        LittleEndian.putLong(value, 1 + Long.BYTES, version);
        return value;
    }

    @Override
    void dispose() {
        snapshot.close();
    }

    @Override
    boolean isPersistent() {
        return true;
    }

    @Override
    long version() {
        return version;
    }

    /** Returns the bytes of memory that the keys of a lower level without order take. */
    long heldKeyBytes() {
        return keys == null ? 0 : keys.bytes();
    }

    @Override
    void search(Probe probe) throws IOException {
        byte[] stored = snapshot.get(probe.key());
        if (stored != null) {
            int from = StoredValue.valueOffset(stored);
            probe.put(stored, from, stored.length - from, StoredValue.version(stored));
        }
    }

    @Override
    void addSources(List<MergingCursor.Source> sources) {
        sources.add(new MergingCursor.Source(
                keys == null ? new EngineCursor(snapshot) : new HeldKeys.Cursor(keys, snapshot), RangeSet.EMPTY));
    }

    @Override
    Landing persist(List<Layer> newestFirst, long last) throws IOException {
        RangeSet ranges = RangeSet.EMPTY;
        for (Layer layer : newestFirst) {
            ranges = ranges.with(layer.ranges());
        }
        WriteBatch batch = new WriteBatch();
        List<byte[]> deleted = new ArrayList<>();
        for (int i = 0; i < ranges.size(); i++) {
            collect(ranges.from(i), ranges.to(i), deleted);
        }
        deleted.forEach(batch::delete);
        Segment.Builder changedKeys = new Segment.Builder();
        List<MergingCursor.Source> sources = new ArrayList<>();
        View.addLayers(sources, newestFirst.toArray(new Layer[0]));
        MergingCursor cursor = new MergingCursor(sources, false, false, resolver);
        cursor.start();
        while (cursor.next()) {
            byte[] key = cursor.key();
            if (cursor.kind() == Kind.DELETE) {
                batch.delete(key);
            } else {
                batch.put(key, StoredValue.encode(cursor.version(), value(cursor, key)));
            }
            changedKeys.add(
                    cursor.kind() == Kind.DELETE ? Kind.DELETE : Kind.PUT, key, 0, key.length, key, 0, 0, last, 0);
        }
        HeldKeys nextKeys =
                keys == null ? null : keys.with(deleted, changedKeys.build(RangeSet.EMPTY, last, last, true));
        Landing landing = new Landing(last) {
            @Override
            Bottom open() throws IOException {
                Snapshot next = lower.snapshot();
                try {
                    return new EngineBottom(lower, next, resolver, storeId, last, nextKeys);
                } catch (Throwable e) {
                    next.close();
                    throw e;
                }
            }
        };
        batch.put(KeySpace.PROGRESS, progress(storeId, last));
        write(batch, last);
        return landing;
    }

    /*
     * If nobody knew whether a write that failed was applied, the next one might begin with other layers, and apply
     * operands to a state that has them already.
     */
    private void write(WriteBatch batch, long last) throws IOException {
        try {
            lower.write(batch, WriteOptions.SYNC);
        } catch (Throwable e) {
            if (!isApplied(last, e)) {
                throw e;
            }
        }
    }

    private boolean isApplied(long last, Throwable failure) throws IOException {
        if (failure instanceof EngineFailedException) {
            return false; // the lower level takes no more writes, so neither does this store
        }
        try {
            byte[] progress = lower.get(KeySpace.PROGRESS);
            if (progress != null && LittleEndian.getLong(progress, 1 + Long.BYTES) >= last) {
                lower.sync();
                return true;
            }
            return false;
        } catch (Throwable e) {
            Causes.add(failure, e);
            throw new EngineFailedException(
                    Outcome.UNKNOWN, "nobody knows whether the lower level was written; reopen the store", failure);
        }
    }

    private byte[] value(MergingCursor cursor, byte[] key) throws IOException {
        if (cursor.kind() == Kind.PUT) {
            return cursor.value();
        }
        byte[] stored = snapshot.get(key);
        return resolver.resolve(
                key,
                stored == null ? null : StoredValue.value(stored),
                Operands.decode(cursor.valueSource(), cursor.valueOffset(), cursor.valueLength()));
    }

    /** Adds the keys of the lower level within a range. */
    private void collect(byte[] from, byte[] to, List<byte[]> found) throws IOException {
        if (keys != null) {
            keys.collect(from, to, found);
            return;
        }
        try (var cursor = snapshot.ordered().range(Range.all().from(from, true).to(to, false))) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                found.add(entry.key());
            }
        }
    }
}
