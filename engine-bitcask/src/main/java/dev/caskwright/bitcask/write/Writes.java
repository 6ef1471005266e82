package dev.caskwright.bitcask.write;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.log.BatchDraft;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.bitcask.background.Background;
import dev.caskwright.bitcask.events.SlowOperationEvent;
import dev.caskwright.bitcask.events.StoreEvents;
import dev.caskwright.bitcask.read.Reads;
import dev.caskwright.bitcask.store.Limits;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All writes. Records are encoded before the write lock is taken; under it, the log is appended to and the index changed;
 * a force is awaited after it.
 *
 * <p>The caller's arrays are read once, by the encoding. From there on the draft's own copy of a key counts, for the log and
 * for the index: a caller who changes an array during the call gets one odd record, and not an index that disagrees with
 * the log.
 *
 * <p>A write at SYNC that changes nothing waits for a force as well: what it answers rests on records that may not be
 * durable yet, such as the delete by which a key is absent.
 */
public final class Writes {
    private static final int INDEX_TRIES = 3;

    private final Store store;
    private final RecordLog log;
    private final KeyIndex index;
    private final Reads reads;
    private final Durability storeDurability;
    private final BackgroundSync backgroundSync;
    private final Background background;
    private final WritePace pace;

    public Writes(
            Store store,
            Reads reads,
            Durability storeDurability,
            BackgroundSync backgroundSync,
            Background background,
            WritePace pace) {
        this.store = store;
        this.log = store.log;
        this.index = store.index;
        this.reads = reads;
        this.storeDurability = storeDurability;
        this.backgroundSync = backgroundSync;
        this.background = background;
        this.pace = pace;
    }

    /** Decides, under the write lock, whether a write goes ahead. */
    private interface Condition {
        boolean holds(@Nullable RecordReader current) throws IOException;
    }

    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        SlowOperationEvent slow = StoreEvents.operation();
        boolean sync = options.durabilityOr(storeDurability) == Durability.SYNC;
        long position;
        long length;
        boolean goesOn = false;
        Session session = store.take();
        try {
            draftPut(session, key, value, options);
            length = session.draft.length();
            store.writeLock.lockForWriting();
            try {
                store.checkWritable();
                position = apply(session, sync);
            } finally {
                store.writeLock.unlock();
            }
            goesOn = true;
        } finally {
            giveBack(session, goesOn);
        }
        finish(position, length, sync, slow, "put");
    }

    /** @param goesOn whether {@link #finish} follows; if not, background work that was asked for is handed over here */
    private void giveBack(Session session, boolean goesOn) {
        session.draft.clear(); // it may hold the caller's value
        store.giveBack(session);
        if (!goesOn) {
            background.handOver();
        }
    }

    public boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException {
        return putIf(key, value, options, current -> current == null);
    }

    public boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException {
        return putIf(key, value, options, current -> current != null && hasValue(current, expected));
    }

    public boolean replaceVersion(byte[] key, long expectedVersion, byte[] value, WriteOptions options)
            throws IOException {
        return putIf(key, value, options, current -> current != null && current.version() == expectedVersion);
    }

    private static boolean hasValue(RecordReader current, byte[] expected) throws IOException {
        return current.valueLength() == expected.length && Arrays.equals(current.value(), expected);
    }

    private boolean putIf(byte[] key, byte[] value, WriteOptions options, Condition condition) throws IOException {
        SlowOperationEvent slow = StoreEvents.operation();
        boolean sync = options.durabilityOr(storeDurability) == Durability.SYNC;
        boolean isWritten;
        boolean goesOn = false;
        long position;
        long length;
        Session session = store.take();
        try {
            draftPut(session, key, value, options);
            RecordDraft draft = session.draft;
            store.writeLock.lockForWriting();
            try {
                store.checkWritable();
                isWritten = holds(session, condition, draft.keySource(), draft.keyOffset(), draft.keyLength());
                position = isWritten ? apply(session, sync) : log.position();
            } finally {
                store.writeLock.unlock();
            }
            length = isWritten ? draft.length() : 0;
            goesOn = true;
        } finally {
            giveBack(session, goesOn);
        }
        finish(position, length, sync, slow, "put if");
        return isWritten;
    }

    private boolean holds(Session session, Condition condition, byte[] source, int offset, int length)
            throws IOException {
        store.pin(session);
        try {
            return condition.holds(reads.find(session, source, offset, length, null));
        } finally {
            store.unpin(session);
        }
    }

    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        return deleteMakingRoom(key, options, null);
    }

    public boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException {
        return deleteMakingRoom(key, options, expected);
    }

    /** A delete leads out of a full disk: caches go for it. */
    private boolean deleteMakingRoom(byte[] key, WriteOptions options, byte @Nullable [] expected) throws IOException {
        while (true) {
            try {
                return deleteIf(key, options, expected);
            } catch (OutOfSpaceException e) {
                if (!log.giveUpCaches()) {
                    throw e;
                }
            }
        }
    }

    private boolean deleteIf(byte[] key, WriteOptions options, byte @Nullable [] expected) throws IOException {
        Limits.checkKey(key);
        SlowOperationEvent slow = StoreEvents.operation();
        boolean sync = options.durabilityOr(storeDurability) == Durability.SYNC;
        boolean isDeleted;
        boolean goesOn = false;
        long position;
        long length;
        Session session = store.take();
        try {
            RecordDraft draft = session.draft;
            draft.delete(key);
            store.writeLock.lockForWriting();
            try {
                store.checkWritable();
                isDeleted = isPresent(session, draft.keySource(), draft.keyOffset(), draft.keyLength(), expected);
                position = isDeleted ? apply(session, sync) : log.position();
            } finally {
                store.writeLock.unlock();
            }
            length = isDeleted ? draft.length() : 0;
            goesOn = true;
        } finally {
            giveBack(session, goesOn);
        }
        finish(position, length, sync, slow, "delete");
        return isDeleted;
    }

    private boolean isPresent(Session session, byte[] source, int offset, int length, byte @Nullable [] expected)
            throws IOException {
        if (expected != null) {
            return holds(session, current -> current != null && hasValue(current, expected), source, offset, length);
        }
        store.pin(session);
        try {
            long locator = index.get(source, offset, length);
            return locator != KeyIndex.ABSENT && !store.hasExpired(session.reader, locator);
        } finally {
            store.unpin(session);
        }
    }

    /** Puts the value again with another expiry, unless the key is written to meanwhile; then starts over. */
    public boolean expire(byte[] key, WriteOptions options) throws IOException {
        while (true) {
            Entry entry = reads.entry(key, null);
            if (entry == null) {
                answerUnchanged(options);
                return false;
            }
            // By the entry's own copy of the key: the caller may change its array.
            if (replaceVersion(entry.key(), entry.version(), entry.value(), options)) {
                return true;
            }
        }
    }

    /** Makes an answer that rests on an earlier read as durable as one that wrote, and fails where a write would. */
    private void answerUnchanged(WriteOptions options) throws IOException {
        long position;
        store.writeLock.lockForWriting();
        try {
            store.checkWritable();
            position = log.position();
        } finally {
            store.writeLock.unlock();
        }
        finish(position, 0, options.durabilityOr(storeDurability) == Durability.SYNC, null, "expire");
    }

    private void draftPut(Session session, byte[] key, byte[] value, WriteOptions options) throws IOException {
        Limits.checkKey(key);
        Limits.checkValue(value);
        session.draft.put(key, value, expiresAt(options), options.codec());
    }

    private long expiresAt(WriteOptions options) {
        return options.expiresAtMillis(options.isRelativeExpiry() ? store.clock.nowMillis() : 0);
    }

    /** Appends a put or a tombstone and brings the index to it; returns the position after it. */
    private long apply(Session session, boolean sync) throws IOException {
        RecordDraft draft = session.draft;
        if (!draft.isTombstone()) { // who deletes has looked the key up, and needs no room
            index.ensureRoom(1);
            lookUpIfRead(session, draft.keySource(), draft.keyOffset(), draft.keyLength());
        }
        if (store.snapshots.isAnyOpen()) {
            saveForSnapshots(session, draft.keySource(), draft.keyOffset(), draft.keyLength());
        }
        long locator;
        try {
            locator = log.append(draft, store.lastVersion() + 1, sync);
        } catch (IOException | RuntimeException | Error e) {
            throw store.failedAppend(e);
        }
        try {
            store.snapshots.appended(locator);
            store.advanceVersion(1);
            indexRecord(session, locator);
        } catch (IOException | RuntimeException | Error e) {
            throw store.failedIndexing(e);
        }
        return log.position();
    }

    /**
     * An index without keys reads records to find a key, and may meet damage: then this write fails before it is appended,
     * rather than the store after it.
     */
    private void lookUpIfRead(Session session, byte[] source, int offset, int length) throws IOException {
        if (!index.readsRecords()) {
            return;
        }
        store.pin(session);
        try {
            index.get(source, offset, length);
        } finally {
            store.unpin(session);
        }
    }

    private void saveForSnapshots(Session session, byte[] source, int offset, int length) throws IOException {
        store.pin(session);
        try {
            store.snapshots.beforeChange(source, offset, length, index.get(source, offset, length));
        } finally {
            store.unpin(session);
        }
    }

    private void indexRecord(Session session, long locator) throws IOException {
        RecordDraft draft = session.draft;
        store.pin(session);
        try {
            indexPinned(draft.keySource(), draft.keyOffset(), draft.keyLength(), draft.isTombstone(), locator);
        } finally {
            store.unpin(session);
        }
    }

    /**
     * Brings the index to a record that is in the log. A change of an index that throws has changed nothing, so it is tried
     * again at once: a moment without memory may be over.
     */
    private void indexPinned(byte[] source, int offset, int length, boolean isTombstone, long locator)
            throws IOException {
        for (int tries = 1; ; tries++) {
            try {
                indexOnce(source, offset, length, isTombstone, locator);
                return;
            } catch (IOException | RuntimeException | Error e) {
                if (tries == INDEX_TRIES) {
                    throw e;
                }
            }
        }
    }

    private void indexOnce(byte[] source, int offset, int length, boolean isTombstone, long locator)
            throws IOException {
        long old;
        if (isTombstone) {
            old = index.get(source, offset, length);
            if (old != KeyIndex.ABSENT) {
                index.remove(source, offset, length, old);
            }
        } else {
            old = index.put(source, offset, length, locator);
        }
        if (old != KeyIndex.ABSENT && old != locator) {
            store.markDead(old);
        }
    }

    private void finish(long position, long bytes, boolean sync, @Nullable SlowOperationEvent slow, String operation)
            throws IOException {
        try {
            if (sync) {
                store.sync(position);
            } else if (bytes > 0) {
                backgroundSync.written(bytes);
            }
        } finally {
            if (slow != null) {
                slow.end(store.name, operation);
            }
            background.handOver(); // after all that the write has to do, and under no lock
        }
        pace.written(bytes);
    }

    // ---------------------------------------------------------------- batches

    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        writeIf(batch, options, Map.of());
    }

    /**
     * Applies a batch if the keys that were read still have the versions that were read.
     *
     * @param read keys and the versions they had, 0 if they were absent
     */
    boolean writeIf(WriteBatch batch, WriteOptions options, Map<byte[], Long> read) throws IOException {
        SlowOperationEvent slow = StoreEvents.operation();
        boolean sync = options.durabilityOr(storeDurability) == Durability.SYNC;
        boolean isCommitted;
        boolean goesOn = false;
        long position;
        long length;
        BatchDraft draft = store.takeBatch();
        Session session = store.take();
        try {
            encode(batch, draft, options.codec());
            store.writeLock.lockForWriting();
            try {
                store.checkWritable();
                isCommitted = areUnchanged(session, read);
                position = isCommitted && draft.size() > 0 ? applyBatch(session, draft, sync) : log.position();
            } finally {
                store.writeLock.unlock();
            }
            length = isCommitted ? draft.length() : 0;
            goesOn = true;
        } finally {
            store.giveBackBatch(draft);
            giveBack(session, goesOn);
        }
        finish(position, length, sync, slow, "write");
        return isCommitted;
    }

    private void encode(WriteBatch batch, BatchDraft draft, @Nullable String codec) throws IOException {
        batch.visit((source, key, keyLength, valueLength, expiry) -> {
            Limits.checkKeyLength(keyLength);
            if (valueLength == WriteBatch.Visitor.DELETE) {
                draft.delete(source, key, keyLength);
            } else {
                Limits.checkValueLength(valueLength);
                String own = expiry.codec();
                draft.put(source, key, keyLength, valueLength, expiresAt(expiry), own == null ? codec : own);
            }
            if (draft.length() > log.maxBatchLength()) {
                throw new IllegalArgumentException("batch is too large: bytes=" + draft.length() + " after "
                        + draft.size() + " of " + batch.size() + " changes, allowed=" + log.maxBatchLength()
                        + "; split it into several");
            }
        });
    }

    private boolean areUnchanged(Session session, Map<byte[], Long> read) throws IOException {
        for (Map.Entry<byte[], Long> each : read.entrySet()) {
            long expected = each.getValue();
            byte[] key = each.getKey();
            if (!holds(session, current -> (current == null ? 0 : current.version()) == expected, key, 0, key.length)) {
                return false;
            }
        }
        return true;
    }

    private long applyBatch(Session session, BatchDraft draft, boolean sync) throws IOException {
        ensureRoom(draft);
        if (index.readsRecords()) {
            draft.visitKeys((source, offset, length, isTombstone) -> lookUpIfRead(session, source, offset, length));
        }
        if (store.snapshots.isAnyOpen()) {
            draft.visitKeys((source, offset, length, isTombstone) -> saveForSnapshots(session, source, offset, length));
        }
        Indexing indexing = new Indexing(); // what takes memory comes before the append
        long[] locators;
        try {
            locators = log.appendBatch(draft, store.lastVersion() + 1, sync);
        } catch (IOException | RuntimeException | Error e) {
            throw store.failedAppend(e);
        }
        try {
            store.snapshots.appended(locators[0]);
            store.advanceVersion(locators.length);
            indexBatch(session, draft, indexing, locators);
        } catch (IOException | RuntimeException | Error e) {
            throw store.failedIndexing(e);
        }
        return log.position();
    }

    /** Deletes need no room, so that a full index can be emptied. */
    private void ensureRoom(BatchDraft draft) throws IOException {
        try {
            index.ensureRoom(draft.size());
        } catch (IndexMemoryException e) {
            int[] puts = new int[1];
            draft.visitKeys((source, offset, length, isTombstone) -> puts[0] += isTombstone ? 0 : 1);
            if (puts[0] == draft.size()) {
                throw e;
            }
            if (puts[0] > 0) {
                index.ensureRoom(puts[0]);
            }
        }
    }

    private void indexBatch(Session session, BatchDraft draft, Indexing indexing, long[] locators) throws IOException {
        store.pin(session);
        try {
            indexing.locators = locators;
            draft.visitKeys(indexing);
            indexing.flush();
        } finally {
            store.unpin(session);
        }
    }

    /** Brings the index to the records of a batch, some at a time, so that it overlaps its waits for memory. */
    private final class Indexing implements BatchDraft.KeyVisitor {
        private static final int GROUP = 32;

        private long[] locators = {};
        private final int[] keyOffsets = new int[GROUP];
        private final int[] keyLengths = new int[GROUP];
        private final boolean[] areDeletes = new boolean[GROUP];
        private byte[] source = {};
        private int indexed;
        private int count;

        @Override
        public void key(byte[] keySource, int offset, int length, boolean isTombstone) throws IOException {
            if (count == GROUP || keySource != source) {
                flush();
                source = keySource;
            }
            keyOffsets[count] = offset;
            keyLengths[count] = length;
            areDeletes[count] = isTombstone;
            count++;
        }

        private void prefetch() {
            try {
                index.prefetch(source, keyOffsets, keyLengths, count);
            } catch (RuntimeException | Error e) {
                logger().warn("an index could not prefetch, which is only a help: {}", e.toString());
            }
        }

        void flush() throws IOException {
            prefetch();
            for (int i = 0; i < count; i++) {
                indexPinned(source, keyOffsets[i], keyLengths[i], areDeletes[i], locators[indexed++]);
            }
            count = 0;
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(Writes.class);
    }
}
