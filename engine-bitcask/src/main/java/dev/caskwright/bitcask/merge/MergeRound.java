package dev.caskwright.bitcask.merge;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.MemoryWait;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.api.spi.log.LogMerge;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.MergeOutput;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.events.MergeEvent;
import dev.caskwright.bitcask.events.StoreEvents;
import dev.caskwright.bitcask.store.DamageCheck;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One merge of some files: their live records are copied to outputs, one edit of the manifest replaces the files by the
 * outputs, the index goes over, and the files go. {@link Merger} has the argument for crashes. For one thread, once.
 */
final class MergeRound {
    private final Store store;
    private final RecordLog log;
    private final KeyIndex index;
    private final MergeState state;
    private final List<LogSegment> inputs;
    private final @Nullable OrderedKeyIndex order;
    private final List<MergeOutput> outputs = new ArrayList<>();
    private final Set<LogSegment> withExpired = new LinkedHashSet<>();
    private final Set<LogSegment> unread = new HashSet<>(); // those of which all has expired
    private final Map<LogSegment, Long> damagedBytes = new HashMap<>(); // of inputs in which nothing is missed
    private final TombstoneFilter older;
    private final DeathProof proof;
    private final MemoryWait.Step switching = this::switchIndexOnce;
    private final MemoryWait.Step retiring = this::retireInputs;
    private @Nullable MergeOutput output;
    private final long removableMillis;
    private @Nullable LogMerge merge; // once its numbers are set aside
    private boolean mayBeCommitted;
    private boolean isDone;

    /** Merges files; the puts in the order of their keys, or if that is null, of the log. */
    MergeRound(Store store, MergeState state, List<LogSegment> inputs, @Nullable OrderedKeyIndex order) {
        this.store = store;
        this.log = store.log;
        this.index = store.index;
        this.state = state;
        this.inputs = List.copyOf(inputs);
        this.order = order;
        this.removableMillis = store.clock.removableMillis();
        this.older = new TombstoneFilter(store, inputs, state.compared);
        this.proof = new DeathProof(store, inputs);
    }

    boolean isCancelled() {
        return state.isCancelled();
    }

    void run() throws IOException {
        MergeEvent event = StoreEvents.merge();
        long start = System.nanoTime();
        try {
            merge();
        } finally {
            end(event, System.nanoTime() - start);
        }
    }

    private void end(@Nullable MergeEvent event, long nanos) {
        long after = 0;
        for (MergeOutput each : outputs) {
            after += each.segment().length();
        }
        long before = 0;
        for (LogSegment input : inputs) {
            before += input.length();
        }
        if (isDone) {
            state.pace.reclaimed(before - after, nanos);
        }
        if (event == null) {
            return;
        }
        event.end(store.name, inputs.size(), before, isDone ? outputs.size() : 0, isDone ? after : 0, isDone);
    }

    private void merge() throws IOException {
        Throwable failure = null;
        try {
            reserveNumbers();
            for (LogSegment input : inputs) {
                copyLive(input);
            }
            if (order != null) {
                List<LogSegment> read = new ArrayList<>(inputs);
                read.removeAll(unread);
                new KeyOrderCopy(store, this, order, read).copyPuts();
            }
            finishOutput();
            if (isCancelled()) {
                return;
            }
            proof.finish();
            commitAndSwitch();
        } catch (IOException | RuntimeException | Error e) {
            failure = e;
            throw e;
        } finally {
            endOutputs(failure);
        }
        MemoryWait.retry(retiring);
    }

    /**
     * As {@link #run}, for inputs of which nothing is needed: no number is set aside, and nothing is written but the edit.
     * Returns whether that was done: it is not if damage leaves open whether nothing is needed, or the log does not agree.
     */
    boolean drop() throws IOException {
        MergeEvent event = StoreEvents.merge();
        long start = System.nanoTime();
        try {
            return dropUnneeded();
        } finally {
            end(event, System.nanoTime() - start);
        }
    }

    private boolean dropUnneeded() throws IOException {
        try {
            for (LogSegment input : inputs) {
                if (proof.isNeeded(input)) {
                    proof.readInput(input, true);
                }
            }
            proof.finish();
        } catch (UnprovedException | DamagedInputException e) {
            logger().debug("files are not dropped without being merged", e);
            return false;
        }
        store.committing.lock();
        try {
            try {
                commitDrop();
            } catch (OutOfSpaceException e) {
                // The edit has no room. The hint files do not matter, and those of the inputs go anyway.
                if (!log.giveUpCaches()) {
                    throw e;
                }
                commitDrop();
            }
            switchIndex();
            isDone = true;
        } finally {
            store.committing.unlock();
        }
        MemoryWait.retry(retiring);
        return true;
    }

    /** Returns whether the one input can go as it is: nothing in it is live, and no tombstone in it is needed. */
    boolean isUnneeded() throws IOException {
        LogSegment input = inputs.get(0);
        if (input.liveBytes() > 0 || older.needsNoTombstones(input)) {
            return input.liveBytes() == 0;
        }
        RecordScanner scanner = log.scan(input, input.length());
        LookAhead ahead = new LookAhead(store, input, false);
        try {
            while (!isCancelled() && scanner.next()) {
                if (scanner.isTombstone() && isNeeded(input, scanner, ahead)) {
                    return false;
                }
            }
        } catch (CorruptRecordException | UnprovedException e) {
            return false; // what is damaged or doubtful may be needed; the merge of the file decides
        }
        return !isCancelled();
    }

    private boolean isNeeded(LogSegment input, RecordScanner tombstone, LookAhead ahead) throws IOException {
        return lookup(input, tombstone, ahead) == KeyIndex.ABSENT && older.mayHaveOlder(input, tombstone);
    }

    private void commitDrop() throws IOException {
        syncWritten();
        commit(log.beginDrop(), List.of());
    }

    /** Gives back what the outputs took, and if the merge does not take place, them too. */
    private void endOutputs(@Nullable Throwable failure) throws IOException {
        try {
            for (MergeOutput each : outputs) {
                each.close();
            }
            if (!mayBeCommitted) {
                discardOutputs();
            }
        } catch (IOException | RuntimeException | Error e) {
            if (failure == null) {
                throw e;
            }
            Causes.add(failure, e);
        }
    }

    private void commitAndSwitch() throws IOException {
        store.committing.lock();
        try {
            commit();
            switchIndex();
            isDone = true;
        } finally {
            store.committing.unlock();
        }
    }

    private void reserveNumbers() throws IOException {
        long bytes = 0;
        for (LogSegment input : inputs) {
            bytes += input.length();
        }
        int count = (int) (inputs.size() + 2 * (bytes / log.maxSegmentBytes()) + 2);
        store.writeLock.lock();
        try {
            store.checkWritable();
            merge = log.beginMerge(count);
        } finally {
            store.writeLock.unlock();
        }
    }

    private void copyLive(LogSegment input) throws IOException {
        boolean isProofNeeded = proof.isNeeded(input);
        if ((input.liveBytes() == 0 || order != null) && older.needsNoTombstones(input)) {
            if (isProofNeeded) {
                proof.readInput(input, order == null);
            }
            return; // nothing in it is needed here: no record, or none but puts
        }
        // By the word of this opening alone: what was there before could be told wrongly.
        if (!isProofNeeded && log.hasExpired(input, removableMillis) && dropExpired(input)) {
            return;
        }
        proof.beginInput(input);
        RecordScanner scanner = log.scan(input, input.length());
        LookAhead ahead = new LookAhead(store, input, order == null);
        long passedOver = 0;
        while (!isCancelled()) {
            try {
                if (!scanner.next()) {
                    break;
                }
            } catch (CorruptRecordException e) {
                proof.passOver(e);
                passedOver += scanner.skipDamage();
                if (passedOver > deadBytes(input, e)) {
                    throw new DamagedInputException(input, e, true);
                }
                continue;
            }
            if (scanner.isPut()) {
                if (order == null && lookup(input, scanner, ahead) == scanner.locator()) {
                    copyPut(input, scanner);
                } else if (isProofNeeded) {
                    proof.put(input, scanner);
                }
            } else if (scanner.isTombstone()) {
                proof.tombstone(scanner);
                if (lookup(input, scanner, ahead) != KeyIndex.ABSENT) {
                    if (isProofNeeded) {
                        proof.superseded(input, scanner);
                    }
                } else if (older.mayHaveOlder(input, scanner)) {
                    output(scanner).copy(scanner);
                }
            }
        }
    }

    /**
     * Takes an input of which all puts have expired. Its hints tell the keys, and only what must stay as a tombstone is
     * read. Returns whether there are such hints; if not, some tombstones may have been copied all the same.
     */
    private boolean dropExpired(LogSegment input) throws IOException {
        RecordScanner scanner = log.scan(input, input.length());
        boolean isTold = log.visitKeys(input, (isTombstone, locator, source, offset, length) -> {
            boolean counts = lookup(source, offset, length) == (isTombstone ? KeyIndex.ABSENT : locator);
            if (counts && older.mayHaveOlder(input, source, offset, length)) {
                seek(input, scanner, locator);
                if (isTombstone) {
                    output(scanner).copy(scanner);
                } else {
                    output(scanner).copyAsTombstone(scanner);
                }
            }
        });
        if (isTold) {
            withExpired.add(input);
            unread.add(input);
        }
        return isTold;
    }

    static void seek(LogSegment input, RecordScanner scanner, long locator) throws IOException {
        try {
            scanner.seek(locator);
        } catch (CorruptRecordException e) {
            throw new DamagedInputException(input, e, true);
        }
    }

    /** Returns how much of an input is damaged, if nothing that counts can lie there. */
    private long deadBytes(LogSegment input, CorruptRecordException damage) throws IOException {
        Long known = damagedBytes.get(input);
        if (known != null) {
            return known;
        }
        long bytes;
        try {
            bytes = DamageCheck.deadBytes(store, input, damage);
        } catch (CorruptRecordException e) {
            throw new DamagedInputException(input, damage, true);
        }
        if (!older.needsNoTombstones(input)) {
            throw new DamagedInputException(input, damage, false);
        }
        logger().warn("a merge drops a damaged part of a file, to which nothing refers", damage);
        damagedBytes.put(input, bytes);
        return bytes;
    }

    private long lookup(LogSegment input, RecordScanner scanner, LookAhead ahead) throws IOException {
        if (!damagedBytes.containsKey(input)) {
            long candidate = ahead.next();
            if (candidate == scanner.locator() || candidate == KeyIndex.ABSENT) {
                return candidate; // the index refers to the very record, or has no such key
            }
        }
        return lookup(scanner.buffer(), scanner.keyOffset(), scanner.keyLength());
    }

    private long lookup(byte[] source, int keyOffset, int keyLength) throws IOException {
        // An index without keys may read records, of files that could be removed meanwhile.
        Session session = store.enter();
        try {
            return index.get(source, keyOffset, keyLength);
        } finally {
            store.exit(session);
        }
    }

    void copyPut(LogSegment input, RecordScanner scanner) throws IOException {
        if (store.clock.isRemovable(scanner.expiresAt(), scanner.version(), removableMillis)) {
            withExpired.add(input);
            if (older.mayHaveOlder(input, scanner)) {
                output(scanner).copyAsTombstone(scanner);
            }
            return;
        }
        output(scanner).copy(scanner);
    }

    private MergeOutput output(RecordScanner scanner) throws IOException {
        MergeOutput current = output;
        if (current != null && !current.hasRoomFor(scanner)) {
            finishOutput();
            current = null;
        }
        if (current == null) {
            current = begun().newOutput();
            outputs.add(current);
            store.snapshots.hide(current.segment());
            output = current;
        }
        state.rateLimit.acquire(scanner.valueLength() + scanner.keyLength());
        return current;
    }

    private void finishOutput() throws IOException {
        MergeOutput current = output;
        output = null;
        if (current != null) {
            current.finish();
            state.addBytes(current.segment().length());
        }
    }

    private void commit() throws IOException {
        // Files with lower numbers than the outputs must be listed before the manifest's highest number rises.
        log.sealLeft();
        syncWritten();
        List<LogSegment> files = segments(outputs);
        commit(begun(), files);
    }

    /** Forces all that was written so far: what supersedes a dropped record must be durable before the record goes. */
    private void syncWritten() throws IOException {
        long position;
        store.writeLock.lock();
        try {
            store.checkWritable();
            position = log.position();
        } finally {
            store.writeLock.unlock();
        }
        store.sync(position);
    }

    private LogMerge begun() {
        return Objects.requireNonNull(merge, "no numbers are set aside");
    }

    private void commit(LogMerge edit, List<LogSegment> files) throws IOException {
        store.snapshots.expectRetirement(inputs); // takes memory, so it comes first
        mayBeCommitted = true;
        try {
            edit.commit(inputs, files);
        } catch (IOException | RuntimeException | Error e) {
            if (!edit.isInDoubt()) {
                mayBeCommitted = false;
                throw e;
            }
            // Whether the edit is on disk is not known, so neither inputs nor outputs may go.
            throw store.failedCommit(e);
        }
    }

    private static List<LogSegment> segments(List<MergeOutput> outputs) {
        List<LogSegment> segments = new ArrayList<>();
        for (MergeOutput each : outputs) {
            segments.add(each.segment());
        }
        return segments;
    }

    private void discardOutputs() throws IOException {
        for (MergeOutput each : outputs) {
            log.remove(each.segment());
            store.snapshots.forget(each.segment());
        }
    }

    /** The merge has taken place: from here on want of memory is waited out, for some seconds. */
    private void switchIndex() throws IOException {
        try {
            MemoryWait.retry(switching);
        } catch (IOException | RuntimeException | Error e) {
            // The manifest has the outputs, the index not all of them: what is written from now on could be lost with
            // the inputs.
            throw store.failedIndexing(e);
        }
    }

    private void switchIndexOnce() throws IOException {
        Session session = store.take();
        LockSlices lock = new LockSlices(store.writeLock);
        try {
            List<LogSegment> files = segments(outputs);
            for (MergeOutput each : outputs) {
                IndexSwitch toCopies = new IndexSwitch(store, session, lock);
                each.visitCopies(toCopies::add);
                toCopies.flush();
            }
            for (LogSegment each : withExpired) {
                removeExpired(each, session, lock);
            }
            lock.hold();
            state.count(); // first: a reader that sees the dead bytes gone must also see the merge that removed them
            store.snapshots.replace(inputs, files);
        } finally {
            lock.release();
            store.giveBack(session);
        }
    }

    /** Takes keys out of the index whose records in an input have expired. They are read again: no list is kept. */
    private void removeExpired(LogSegment input, Session session, LockSlices lock) throws IOException {
        boolean isTold = unread.contains(input)
                && log.visitKeys(input, (isTombstone, locator, source, offset, length) -> {
                    if (!isTombstone) {
                        removeExpired(source, offset, length, locator, session, lock);
                    }
                });
        if (!isTold) {
            removeExpiredByRecords(input, session, lock);
        }
    }

    private void removeExpiredByRecords(LogSegment input, Session session, LockSlices lock) throws IOException {
        RecordScanner scanner = log.scan(input, input.length());
        long passedOver = 0;
        while (true) {
            try {
                if (!scanner.next()) {
                    break;
                }
            } catch (CorruptRecordException e) {
                passedOver += scanner.skipDamage();
                lock.release();
                if (passedOver > knownDeadBytes(input, e)) {
                    throw e;
                }
                continue;
            }
            if (scanner.isPut() && store.clock.isRemovable(scanner.expiresAt(), scanner.version(), removableMillis)) {
                removeExpired(
                        scanner.buffer(), scanner.keyOffset(), scanner.keyLength(), scanner.locator(), session, lock);
            }
        }
    }

    private long knownDeadBytes(LogSegment input, CorruptRecordException damage) throws IOException {
        Long known = damagedBytes.get(input);
        if (known == null && order != null) { // what the index referred to was read by its locator
            known = DamageCheck.deadBytes(store, input, damage);
            damagedBytes.put(input, known);
        }
        return known == null ? 0 : known;
    }

    private void removeExpired(byte[] source, int key, int length, long locator, Session session, LockSlices lock)
            throws IOException {
        lock.next();
        store.pin(session);
        try {
            if (index.get(source, key, length) == locator) {
                store.snapshots.beforeChange(source, key, length, locator);
                index.remove(source, key, length, locator);
                log.markDead(locator);
            }
        } finally {
            store.unpin(session);
        }
    }

    private void retireInputs() throws IOException {
        List<LogSegment> removable = new ArrayList<>();
        store.writeLock.lock();
        try {
            for (LogSegment input : inputs) {
                if (store.snapshots.retire(input)) {
                    removable.add(input);
                }
            }
        } finally {
            store.writeLock.unlock();
        }
        store.removeFiles(removable);
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(MergeRound.class);
    }
}
