package dev.caskwright.moss;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.MemTable;
import dev.caskwright.moss.memory.RangeSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Applies writes, one after another. */
final class Writes {
    private static final int MOST_RESERVED = 64 << 20; // more is taken piece by piece

    private final Store store;
    private final Pressure pressure;
    private final BatchPlan plan;
    private final Operations operations = new Operations(); // under the lock
    private long writtenBytes; // under the lock

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
        store.settings.checkStored(whole.length, value.length);
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

    /** Writes a batch; the token is about its last write, or about the last write before if it changed nothing. */
    CommitToken batch(MossBatch batch, Durability durability) throws IOException {
        Durables[] present = {store.durables()};
        long version = write(batch.bytes(), batch.isFreeing(), durability, ops -> {
            plan.fill(batch, ops);
            present[0] = store.durables(); // those of the moment of the write
            return true;
        });
        return new CommitToken(version, present[0], this::sync);
    }

    /** Forgets what is known of the store's content, which is another one from now on. Under the lock. */
    void forgetContent() {
        plan.forgetContent();
    }

    /** Writes what the filler adds, and returns the version of the last write, or -1 if the filler says no. */
    long write(long bytes, boolean isFreeing, Durability durability, Filler filler) throws IOException {
        WriteLog log = durability == Durability.NONE ? null : neededLog(durability);
        pressure.slowDown(bytes);
        long version;
        boolean isYes;
        store.lock.lock();
        try {
            awaitTurn(bytes, isFreeing, log);
            operations.clear();
            isYes = filler.fill(operations);
            if (!operations.isEmpty()) {
                operations.endBatch();
                commit(log);
            } else if (log != null) {
                log.logTail(); // what the answer rests on
            }
            version = store.version();
        } finally {
            store.lock.unlock();
        }
        if (log != null && durability == Durability.SYNC) {
            log.awaitForced(version);
        }
        return isYes ? version : -1;
    }

    /**
     * Waits until there is room and the log can take the write, no longer than until the deadline. Under the lock,
     * which is given up meanwhile: so once it has waited for one, the other is looked at again.
     */
    private void awaitTurn(long bytes, boolean isFreeing, @Nullable WriteLog log) throws IOException {
        store.ensureWritable();
        long left = store.settings.writeDeadlineNanos();
        while (true) {
            left = pressure.awaitRoom(bytes, isFreeing, left);
            if (log == null) {
                return;
            }
            long before = left;
            left = log.awaitNoGap(left, false);
            if (left == before) {
                return;
            }
        }
    }

    private WriteLog neededLog(Durability durability) throws EngineException {
        WriteLog log = store.log();
        if (log == null) {
            store.ensureWritable();
            throw new MossException(
                    MossException.Reason.UNSUPPORTED,
                    "durability " + durability + " needs a log: open the store with a directory");
        }
        return log;
    }

    /** Returns the bytes of all writes. Under the lock. */
    long writtenBytes() {
        return writtenBytes;
    }

    private void commit(@Nullable WriteLog log) throws IOException {
        if (log != null) {
            log.logTail(); // first: a table that is sealed without it would be a gap in the log
        }
        // All that takes memory comes before the log has the write: if there is none, nothing has changed.
        Stack above = prepare(operations);
        writtenBytes += operations.length();
        if (log == null) {
            apply(operations, above, Outcome.NOT_APPLIED);
            return;
        }
        log.log(operations, store.version() + 1);
        apply(operations, above, Outcome.UNKNOWN);
        log.applied();
    }

    /**
     * Makes everything before this call survive a power loss.
     *
     * @throws MossException if nothing was written below for as long as a write may wait
     */
    void sync() throws IOException {
        WriteLog log = store.log();
        if (log == null) {
            store.ensureWritable();
            if (!store.stack().bottom.isPersistent()) {
                throw new MossException(
                        MossException.Reason.UNSUPPORTED,
                        "a store in memory cannot survive a power loss: open it with a directory");
            }
            store.persister.flush();
            return;
        }
        long version;
        store.lock.lock();
        try {
            log.awaitNoGap(store.settings.writeDeadlineNanos(), true);
            log.logTail();
            version = store.version();
        } finally {
            store.lock.unlock();
        }
        log.awaitForced(version);
    }

    /** Applies what a log has. Under the lock, before the store is used. */
    void replay(byte[] body, long firstVersion, long lastVersion) throws IOException {
        Operations logged = Operations.of(body);
        if (firstVersion != store.version() + 1 || firstVersion + logged.count() - 1 != lastVersion) {
            throw new CorruptRecordException(
                    "record does not follow the one before",
                    "log",
                    0,
                    "expected=" + (store.version() + 1) + ", first=" + firstVersion + ", last=" + lastVersion
                            + ", writes=" + logged.count());
        }
        apply(logged, prepare(logged), Outcome.NOT_APPLIED);
    }

    /**
     * Makes room for writes in the active table, or returns a stack that has them already. Under the lock, which is kept
     * until they are applied.
     */
    private @Nullable Stack prepare(Operations ops) {
        if (ops.hasRanges()) {
            WriteLog log = store.log();
            if (log != null) {
                log.beforeSeal();
            }
            return withRanges(ops, store.version() + ops.count());
        }
        if (!store.stack().active.hasRoomFor(ops.count())) {
            store.seal();
        }
        MemTable active = store.stack().active;
        if (!active.hasRoomFor(ops.count())) {
            throw new IllegalArgumentException("batch has too many writes: writes=" + ops.count() + "; split it");
        }
        if (ops.count() == 1 || ops.length() <= MOST_RESERVED) {
            long before = active.bytes();
            active.reserve(ops.count(), ops.length());
            store.grew(active.bytes() - before);
        }
        return null;
    }

    /** Applies writes to the active table, or takes the stack that has them. Under the lock. */
    private void apply(Operations ops, @Nullable Stack above, Outcome failureOutcome) throws EngineException {
        long last = store.version() + ops.count();
        try {
            if (above != null) {
                store.version(last);
                store.become(above);
                store.work.signalAll();
            } else {
                MemTable active = store.stack().active;
                long before = active.bytes();
                add(ops, active, store.version() + 1);
                active.publish(last);
                store.grew(active.bytes() - before);
                store.version(last);
            }
        } catch (Throwable e) {
            throw failed(e, failureOutcome);
        }
        if (store.stack().active.bytes() >= store.settings.tableBytes()) {
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
     * Returns the stack with the active table sealed, since a range deletes from lower layers alone, and a table begun at
     * each range that comes after an entry. All become visible together.
     */
    private Stack withRanges(Operations ops, long last) {
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
                    table.continueBatch();
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
        return store.stack().sealed(newestFirst, table);
    }

    private static byte[] copy(Operations ops, int offset, int length) {
        byte[] copy = new byte[length];
        System.arraycopy(ops.bytes(), offset, copy, 0, length);
        return copy;
    }

    /**
     * Half of the writes may be in the table, where nobody sees them, and nothing may make them visible: the table is
     * sealed as it was.
     */
    private EngineException failed(Throwable cause, Outcome outcome) {
        try {
            Layer[] none = {store.stack().active};
            store.become(store.stack().sealed(none, new MemTable(RangeSet.EMPTY, store.version())));
        } catch (Throwable again) {
            Causes.add(cause, again);
        }
        store.fail(cause);
        return new EngineFailedException(outcome, "a write could not be applied; reopen the store: " + cause, cause);
    }
}
