package dev.caskwright.moss;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.MemTable;
import dev.caskwright.moss.memory.RangeSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Applies writes, one after another. */
final class Writes {
    private final Store store;
    private final Pressure pressure;
    private final BatchPlan plan;
    private final Operations operations = new Operations(); // under the lock

    Writes(Store store, Pressure pressure) {
        this.store = store;
        this.pressure = pressure;
        this.plan = new BatchPlan(store);
    }

    /** Decides under the lock what is written. */
    interface Filler {
        /** Adds writes; returns whether the answer to the caller is yes. With no writes added nothing is applied. */
        boolean fill(Operations operations) throws IOException;
    }

    /** Writes one entry of the root collection or a child. */
    void single(int kind, byte[] prefix, byte[] key, byte[] value, Durability durability) throws IOException {
        checkKey(key);
        checkValue(value);
        byte[] whole = KeySpace.key(prefix, key);
        write(whole.length + value.length, kind == Kind.DELETE, durability, ops -> {
            if (kind == Kind.MERGE) {
                plan.noteOperator(ops);
            }
            ops.add(kind, whole, 0, whole.length, value, 0, value.length);
            return true;
        });
    }

    static void checkKey(byte[] key) {
        if (key.length == 0 || key.length > StorageEngine.MAX_KEY_LENGTH) {
            throw new IllegalArgumentException(
                    "key must have 1 to " + StorageEngine.MAX_KEY_LENGTH + " bytes: length=" + key.length);
        }
    }

    static void checkValue(byte[] value) {
        if (value.length > StorageEngine.MAX_VALUE_LENGTH) {
            throw new IllegalArgumentException(
                    "value must have at most " + StorageEngine.MAX_VALUE_LENGTH + " bytes: length=" + value.length);
        }
    }

    /** Writes a batch and returns the version of its last write, or of the last write before if it changed nothing. */
    long batch(MossBatch batch, Durability durability) throws IOException {
        return write(batch.bytes(), false, durability, ops -> {
            plan.fill(batch, ops);
            return true;
        });
    }

    /** Writes what the filler adds, and returns the version of the last write, or -1 if the filler says no. */
    long write(long bytes, boolean isFreeing, Durability durability, Filler filler) throws IOException {
        pressure.admit(bytes, isFreeing);
        store.lock.lock();
        try {
            store.ensureWritable();
            operations.clear();
            boolean isYes = filler.fill(operations);
            if (!operations.isEmpty()) {
                operations.endBatch();
                commit(durability);
            }
            return isYes ? store.version() : -1;
        } finally {
            store.lock.unlock();
        }
    }

    private void commit(Durability durability) throws IOException {
        if (durability != Durability.NONE) {
            throw new MossException(
                    MossException.Reason.UNSUPPORTED,
                    "durability " + durability + " needs a log: open the store with a directory");
        }
        apply(operations);
    }

    /** Applies writes to the active table. Under the lock. */
    void apply(Operations ops) throws EngineException {
        long last = store.version() + ops.count();
        try {
            if (ops.hasRanges()) {
                applyWithRanges(ops, last);
            } else {
                makeRoom(ops.count());
                MemTable active = store.stack().active;
                long before = active.bytes();
                add(ops, active, store.version() + 1);
                active.publish(last);
                store.grew(active.bytes() - before);
                store.version(last);
            }
        } catch (Throwable e) {
            throw failed(e);
        }
        if (store.stack().active.bytes() >= store.settings.tableBytes()) {
            store.seal();
        }
    }

    private void makeRoom(int count) {
        if (!store.stack().active.hasRoomFor(count)) {
            store.seal();
        }
    }

    private static void add(Operations ops, MemTable table, long firstVersion) {
        Operations.Reader each = new Operations.Reader(ops.bytes(), 0, ops.length());
        while (each.next()) {
            table.add(
                    each.kind,
                    ops.bytes(),
                    each.keyOffset,
                    each.keyLength,
                    ops.bytes(),
                    each.valueOffset,
                    each.valueLength,
                    firstVersion + each.versionDelta,
                    each.isLast);
        }
    }

    /**
     * Seals the active table, since a range deletes from lower layers alone, and begins a table at each range that comes after an
     * entry. All become visible together.
     */
    private void applyWithRanges(Operations ops, long last) {
        long first = store.version() + 1;
        List<MemTable> oldestFirst = new ArrayList<>();
        RangeSet ranges = RangeSet.EMPTY;
        MemTable table = null;
        if (!store.stack().active.isEmpty()) {
            oldestFirst.add(store.stack().active);
        }
        Operations.Reader each = new Operations.Reader(ops.bytes(), 0, ops.length());
        long version = first - 1;
        while (each.next()) {
            version = first + each.versionDelta;
            if (each.kind == Kind.DELETE_RANGE) {
                if (table != null) {
                    table.publish(version - 1);
                    oldestFirst.add(table);
                    table = null;
                    ranges = RangeSet.EMPTY;
                }
                ranges = ranges.with(
                        copy(ops, each.keyOffset, each.keyLength), copy(ops, each.valueOffset, each.valueLength));
                continue;
            }
            if (table == null) {
                table = new MemTable(ranges, version - 1);
            }
            table.add(
                    each.kind,
                    ops.bytes(),
                    each.keyOffset,
                    each.keyLength,
                    ops.bytes(),
                    each.valueOffset,
                    each.valueLength,
                    version,
                    each.isLast);
        }
        if (table == null) {
            table = new MemTable(ranges, last);
        }
        table.publish(last);
        Layer[] newestFirst = new Layer[oldestFirst.size()];
        for (int i = 0; i < newestFirst.length; i++) {
            newestFirst[i] = oldestFirst.get(newestFirst.length - 1 - i);
        }
        store.version(last);
        store.become(store.stack().sealed(newestFirst, table));
        store.work.signalAll();
    }

    private static byte[] copy(Operations ops, int offset, int length) {
        byte[] copy = new byte[length];
        System.arraycopy(ops.bytes(), offset, copy, 0, length);
        return copy;
    }

    /**
     * Half of the writes may be in the table, where nobody sees them, and nothing may make them visible: the table is sealed as it
     * was.
     */
    private EngineException failed(Throwable cause) {
        try {
            Layer[] none = {store.stack().active};
            store.become(store.stack().sealed(none, new MemTable(RangeSet.EMPTY, store.version())));
        } catch (Throwable again) {
            cause.addSuppressed(again);
        }
        store.fail(cause);
        return new EngineFailedException(
                Outcome.NOT_APPLIED, "a write could not be applied; reopen the store: " + cause, cause);
    }
}
