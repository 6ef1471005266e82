package dev.caskwright.bitcask.merge;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Retry;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.LogSegment;
import dev.caskwright.api.spi.MergeOutput;
import dev.caskwright.api.spi.OrderedKeyIndex;
import dev.caskwright.api.spi.RecordLog;
import dev.caskwright.api.spi.RecordScanner;
import dev.caskwright.bitcask.events.MergeEvent;
import dev.caskwright.bitcask.events.StoreEvents;
import dev.caskwright.bitcask.store.DamageCheck;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies what is live out of some files and drops the rest.
 *
 * <p>The order is the whole argument for crashes. The outputs get numbers below those of all files written to from now
 * on, so that later writes win when the log is replayed. They are written and forced, and so is the log itself, because
 * records are dropped that something newer supersedes. Then one edit of the manifest replaces the inputs by the outputs;
 * before it the outputs are leftovers, after it the inputs are. Then the index goes over from old locators to new ones,
 * each only if the key was not written to meanwhile. Last, the inputs are removed when no reader and no snapshot can need
 * them.
 *
 * <p>One merge runs at a time. It can be cancelled between records.
 *
 * <p>An input with a damaged part is merged if nothing that counts can lie there: the index refers to nothing in it, and no
 * tombstone is needed. Otherwise the input stays as it is, and the others are merged without it.
 */
public final class Merger {
    private static final long ROUND_BYTES = 1L << 30;
    private static final int SWITCHES_PER_LOCK = 64;
    private static final int SHORT_FRACTION = 16;
    /** The edit that drops files must fit into the room that the manifest keeps for it. */
    private static final int DROPPED_AT_ONCE = 128;

    private final Store store;
    private final RecordLog log;
    private final KeyIndex index;
    private final RateLimit rateLimit;
    private final long changesRetainedBytes;
    private final ReentrantLock running = new ReentrantLock();
    private final Set<LogSegment> leftOut = new HashSet<>(); // damaged, or of doubtful death; under the lock of running
    private final Set<LogSegment> compared = new HashSet<>(); // whose key filters have no key too few; under that lock
    private volatile @Nullable Doubt doubt;
    private volatile boolean cancelled;
    private boolean isCounted; // the merge that runs; under its lock
    private final AtomicLong merges = new AtomicLong();
    private final AtomicLong mergedBytes = new AtomicLong();

    /** That merges met what the log does not say of the index; the last time. */
    private record Doubt(long firstNanos, int count, CorruptRecordException lie) {}

    public Merger(Store store, RateLimit rateLimit, long changesRetainedBytes) {
        this.store = store;
        this.log = store.log;
        this.index = store.index;
        this.rateLimit = rateLimit;
        this.changesRetainedBytes = changesRetainedBytes;
    }

    public long merges() {
        return merges.get();
    }

    public long mergedBytes() {
        return mergedBytes.get();
    }

    /** Returns what keeps files out of merges because the index does not agree with the log; null if nothing does. */
    public @Nullable Retry doubt() {
        Doubt met = doubt;
        return met == null
                ? null
                : new Retry(
                        "merging files of which the key index does not agree with the log",
                        (System.nanoTime() - met.firstNanos) / 1_000_000,
                        met.count,
                        met.lie);
    }

    /** Makes a running merge end soon without effect, and later ones not start. */
    public void cancel() {
        cancelled = true;
        rateLimit.cancel();
    }

    /** Waits until no merge runs. After {@link #cancel} none will. */
    @SuppressWarnings("LockNotBeforeTry") // nothing is done under the lock: having had it is the point
    public void awaitEnd() {
        running.lock();
        running.unlock();
    }

    /** Counts the merge that runs, with the first of its commits. */
    private void count() {
        if (!isCounted) {
            isCounted = true;
            merges.incrementAndGet();
        }
    }

    /**
     * Merges everything; over an ordered index, the records come to lie in the order of their keys.
     *
     * @throws CorruptRecordException if something that the index refers to is damaged, or the index does not agree with the
     *     log; all files are merged but those concerned
     */
    public void mergeAll() throws IOException {
        running.lock();
        try {
            store.checkOpen(); // closing waits for who came before it, and no longer
            isCounted = false;
            leftOut.clear();
            dropDead();
            leaveActive();
            log.sealLeft();
            CorruptRecordException damage = mergeInRounds(
                    withoutRetained(store.listedFiles()), index instanceof OrderedKeyIndex ordered ? ordered : null);
            if (damage != null) {
                throw damage;
            }
        } finally {
            running.unlock();
        }
    }

    /** Merges what a policy chooses, unless a merge runs already. */
    public void mergeChosen(MergePolicy policy) throws IOException {
        unlessBusy(() -> {
            List<LogSegment> files = mergeableFiles();
            mergeInRounds(withoutRetained(policy.choose(files, expiredBytes(files)::get)), null);
        });
    }

    /**
     * As {@link #mergeChosen}, if there is something expired in what the policy chooses. It is asked again and again, so it
     * must not choose the same for ever: what a merge leaves has not expired.
     */
    public void mergeExpired(MergePolicy policy) throws IOException {
        unlessBusy(() -> {
            leaveExpiredActive();
            List<LogSegment> files = mergeableFiles();
            Map<LogSegment, Long> expired = expiredBytes(files);
            List<LogSegment> chosen = withoutRetained(policy.choose(files, expired::get));
            if (chosen.stream().anyMatch(file -> expired.getOrDefault(file, 0L) > 0)) {
                mergeInRounds(chosen, null);
            }
        });
    }

    /** A merge that the engine begins by itself. */
    private interface OwnMerge {
        void run() throws IOException;
    }

    private void unlessBusy(OwnMerge merge) throws IOException {
        if (!running.tryLock()) {
            return;
        }
        try {
            if (!store.isClosed()) {
                isCounted = false;
                merge.run();
            }
        } finally {
            running.unlock();
        }
    }

    private List<LogSegment> mergeableFiles() {
        List<LogSegment> files = store.listedFiles();
        leftOut.retainAll(files);
        files.removeAll(leftOut);
        return files;
    }

    private Map<LogSegment, Long> expiredBytes(List<LogSegment> files) throws IOException {
        long removable = store.clock.removableMillis();
        Map<LogSegment, Long> expired = new HashMap<>();
        for (LogSegment file : files) {
            expired.put(file, file.isSealed() ? log.expiredBytes(file, removable) : 0);
        }
        return expired;
    }

    /** Leaves the active file when half of it has expired, unless it is so short that it does not matter. */
    private void leaveExpiredActive() throws IOException {
        boolean isLeft = false;
        store.writeLock.lock();
        try {
            store.checkWritable();
            List<LogSegment> files = store.listedFiles();
            LogSegment last = files.isEmpty() ? null : files.get(files.size() - 1);
            if (last != null
                    && !last.isSealed()
                    && last.length() * SHORT_FRACTION >= log.maxSegmentBytes()
                    && 2 * log.expiredBytes(last, store.clock.removableMillis()) >= last.length()) {
                log.leaveActive();
                isLeft = true;
            }
        } finally {
            store.writeLock.unlock();
        }
        if (isLeft) {
            log.sealLeft();
        }
    }

    /**
     * Removes the oldest files, as far as nothing in them is live: that needs no room, so it comes first on a full disk.
     * Their tombstones are not needed, for nothing is older.
     */
    private void dropDead() throws IOException {
        List<LogSegment> retained = withoutRetained(store.listedFiles());
        List<LogSegment> dead = new ArrayList<>();
        for (LogSegment file : store.listedFiles()) {
            if (!file.isSealed() || file.liveBytes() > 0 || !retained.contains(file)) {
                break;
            }
            dead.add(file);
        }
        if (!dead.isEmpty()) {
            store.loadIndex();
        }
        for (int from = 0; from < dead.size() && !cancelled; from += DROPPED_AT_ONCE) {
            new Round(dead.subList(from, Math.min(dead.size(), from + DROPPED_AT_ONCE)), null).drop();
        }
    }

    /** Merges files; returns the first damage to what the index refers to, after which the others were merged. */
    private @Nullable CorruptRecordException mergeInRounds(List<LogSegment> inputs, @Nullable OrderedKeyIndex order)
            throws IOException {
        if (!inputs.isEmpty()) {
            store.loadIndex();
        }
        CorruptRecordException damage = null;
        for (int from = 0; from < inputs.size() && !cancelled; ) {
            int to = endOfRound(inputs, from);
            try {
                CorruptRecordException met = mergeSound(inputs.subList(from, to), order);
                damage = damage == null ? met : damage;
            } catch (OutOfSpaceException e) {
                CorruptRecordException met = mergeSmallestFirst(inputs.subList(from, inputs.size()), e);
                return damage == null ? met : damage;
            }
            from = to;
        }
        return damage;
    }

    /** Merges files, without those that are damaged; returns the first damage to what the index refers to. */
    private @Nullable CorruptRecordException mergeSound(List<LogSegment> files, @Nullable OrderedKeyIndex order)
            throws IOException {
        List<LogSegment> inputs = new ArrayList<>(files);
        CorruptRecordException damage = null;
        while (!inputs.isEmpty() && !cancelled) {
            try {
                new Round(inputs, order).run();
                break;
            } catch (DamagedInputException e) {
                logger().warn("a damaged file is left out of merges until the store is reopened", e.damage);
                damage = damage == null && e.isLive ? e.damage : damage;
                leaveOut(inputs, e.input);
            } catch (UnprovedException e) {
                // Which of them the index is wrong about is not known.
                keepForDoubt(inputs, e.lie);
                return damage == null ? e.lie : damage;
            }
        }
        return damage;
    }

    /** Takes a damaged file out, and those after it that are damaged, too: since it stays, their tombstones are needed. */
    private void leaveOut(List<LogSegment> inputs, LogSegment damaged) throws IOException {
        leftOut.add(damaged);
        for (LogSegment each : inputs) {
            if (each.id() > damaged.id() && DamageCheck.isDamaged(log, each)) {
                logger().warn("a damaged file is left out of merges until the store is reopened: id={}", each.id());
                leftOut.add(each);
            }
        }
        inputs.removeAll(leftOut);
    }

    /**
     * Leaves files out of merges that the index would have dropped something of which is not known to be dead. What it was
     * filled from goes, so that the next opening fills it from the records.
     */
    private void keepForDoubt(List<LogSegment> inputs, CorruptRecordException lie) {
        Doubt before = doubt;
        doubt = before == null
                ? new Doubt(System.nanoTime(), 1, lie)
                : new Doubt(before.firstNanos, Math.min(before.count + 1, Integer.MAX_VALUE - 1), lie);
        leftOut.addAll(inputs);
        log.distrustCaches();
        logger().warn("{} files are left out of merges until the store is reopened", inputs.size(), lie);
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(Merger.class);
    }

    /**
     * Merges files one by one when there is no room for all of them: each gives back the room that the next one needs. First
     * those go that need none, then those with the fewest live bytes.
     *
     * @throws OutOfSpaceException if not even the smallest fits, or only some did
     */
    private @Nullable CorruptRecordException mergeSmallestFirst(List<LogSegment> inputs, OutOfSpaceException full)
            throws IOException {
        CorruptRecordException damage = null;
        List<LogSegment> left = new ArrayList<>();
        for (LogSegment input : inputs) {
            Round round = new Round(List.of(input), null);
            if (cancelled || !round.isUnneeded() || !round.drop()) {
                left.add(input);
            }
        }
        left.sort(Comparator.comparingLong(LogSegment::liveBytes).thenComparingLong(LogSegment::id));
        for (LogSegment input : left) {
            if (cancelled) {
                break;
            }
            CorruptRecordException met;
            try {
                met = mergeSound(List.of(input), null);
            } catch (OutOfSpaceException e) {
                Causes.add(e, full);
                giveUpAllCaches(e);
                met = mergeSound(List.of(input), null);
            }
            damage = damage == null ? met : damage;
        }
        return damage;
    }

    private void giveUpAllCaches(OutOfSpaceException full) throws IOException {
        boolean isAnyGone = false;
        while (log.giveUpCaches()) {
            isAnyGone = true;
        }
        if (!isAnyGone) {
            throw full;
        }
    }

    private void leaveActive() throws IOException {
        store.writeLock.lock();
        try {
            store.checkWritable();
            log.leaveActive();
        } finally {
            store.writeLock.unlock();
        }
    }

    /** Leaves out the newest files that together make up the bytes of changes to be kept. */
    private List<LogSegment> withoutRetained(List<LogSegment> files) {
        List<LogSegment> kept = new ArrayList<>();
        for (LogSegment file : files) {
            if (file.isSealed()) {
                kept.add(file);
            }
        }
        if (changesRetainedBytes == 0) {
            return kept;
        }
        List<LogSegment> all = store.listedFiles();
        long retained = 0;
        for (int i = all.size() - 1; i >= 0 && retained < changesRetainedBytes; i--) {
            LogSegment file = all.get(i);
            if (!file.isMerged()) {
                retained += file.length();
                kept.remove(file);
            }
        }
        return kept;
    }

    private static int endOfRound(List<LogSegment> files, int from) {
        int to = from;
        long bytes = 0;
        do {
            bytes += files.get(to).liveBytes();
            to++;
        } while (to < files.size() && bytes + files.get(to).liveBytes() <= ROUND_BYTES);
        return to;
    }

    /** One merge of some files. */
    private final class Round {
        private final List<LogSegment> inputs;
        private final @Nullable OrderedKeyIndex order;
        private final List<MergeOutput> outputs = new ArrayList<>();
        private final Set<LogSegment> withExpired = new LinkedHashSet<>();
        private final Set<LogSegment> unread = new HashSet<>(); // those of which all has expired
        private final Map<LogSegment, Long> damagedBytes = new HashMap<>(); // of inputs in which nothing is missed
        private final TombstoneFilter older;
        private final DeathProof proof;
        private @Nullable MergeOutput output;
        private final long removableMillis;
        private long nextId;
        private long lastId;
        private boolean mayBeCommitted;
        private boolean isDone;

        /** Merges files; the puts in the order of their keys, or if that is null, of the log. */
        Round(List<LogSegment> inputs, @Nullable OrderedKeyIndex order) {
            this.inputs = List.copyOf(inputs);
            this.order = order;
            this.removableMillis = store.clock.removableMillis();
            this.older = new TombstoneFilter(store, inputs, compared);
            this.proof = new DeathProof(store, inputs);
        }

        void run() throws IOException {
            MergeEvent event = StoreEvents.merge();
            try {
                merge();
            } finally {
                end(event);
            }
        }

        private void end(@Nullable MergeEvent event) {
            if (event == null) {
                return;
            }
            long after = 0;
            for (MergeOutput each : outputs) {
                after += each.segment().length();
            }
            long before = inputs.stream().mapToLong(LogSegment::length).sum();
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
                    new KeyOrder(order).copyPuts();
                }
                finishOutput();
                if (cancelled) {
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
            retireInputs();
        }

        /**
         * As {@link #run}, for inputs of which nothing is needed: no number is set aside, and nothing is written but the edit.
         * Returns whether that was done: it is not if damage leaves open whether nothing is needed, or the log does not agree.
         */
        boolean drop() throws IOException {
            MergeEvent event = StoreEvents.merge();
            try {
                return dropUnneeded();
            } finally {
                end(event);
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
            retireInputs();
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
                while (!cancelled && scanner.next()) {
                    if (scanner.isTombstone() && isNeeded(input, scanner, ahead)) {
                        return false;
                    }
                }
            } catch (CorruptRecordException | UnprovedException e) {
                return false; // what is damaged or doubtful may be needed; the merge of the file decides
            }
            return !cancelled;
        }

        private boolean isNeeded(LogSegment input, RecordScanner tombstone, LookAhead ahead) throws IOException {
            return lookup(input, tombstone, ahead) == KeyIndex.ABSENT && older.mayHaveOlder(input, tombstone);
        }

        private void commitDrop() throws IOException {
            long position;
            store.writeLock.lock();
            try {
                store.checkWritable();
                position = log.position();
            } finally {
                store.writeLock.unlock();
            }
            store.sync(position); // as in commit
            commitOutputs(inputs.get(inputs.size() - 1).id()); // listed already, so the highest number stays
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
                nextId = log.beginMerge(count);
                lastId = nextId + count - 1;
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
            while (!cancelled) {
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

        private static void seek(LogSegment input, RecordScanner scanner, long locator) throws IOException {
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

        private void copyPut(LogSegment input, RecordScanner scanner) throws IOException {
            if (store.clock.isRemovable(scanner.expiresAt(), scanner.version(), removableMillis)) {
                withExpired.add(input);
                if (older.mayHaveOlder(input, scanner)) {
                    output(scanner).copyAsTombstone(scanner);
                }
                return;
            }
            output(scanner).copy(scanner);
        }

        /**
         * Copies the puts of the inputs that an ordered index refers to, in its order, after the tombstones. None is missed:
         * nothing is appended to the inputs any more, so what the index refers to at the end it did all along.
         */
        private final class KeyOrder {
            private static final int PIECE = 256;

            private final OrderedKeyIndex walked;
            private final Map<LogSegment, RecordScanner> scanners = new HashMap<>();
            private final long[] locators = new long[PIECE];
            private final LogSegment[] files = new LogSegment[PIECE];
            private byte @Nullable [] last;
            private int count;
            private boolean atEnd;

            KeyOrder(OrderedKeyIndex walked) {
                this.walked = walked;
                for (LogSegment input : inputs) {
                    if (!unread.contains(input)) {
                        scanners.put(input, log.scan(input, input.length()));
                    }
                }
            }

            void copyPuts() throws IOException {
                while (!atEnd && !cancelled) {
                    readPiece();
                    for (int i = 0; i < count && !cancelled; i++) {
                        RecordScanner scanner = scanners.get(files[i]);
                        if (scanner != null) {
                            seek(files[i], scanner, locators[i]);
                            copyPut(files[i], scanner);
                        }
                    }
                }
            }

            /** Takes the next locators from the index, within an epoch: their files could go otherwise, and slots change. */
            private void readPiece() throws IOException {
                count = 0;
                atEnd = true; // unless the visitor stops the scan
                Session session = store.enter();
                try {
                    walked.scan(last, false, false, (key, locator) -> {
                        last = key;
                        locators[count] = locator;
                        files[count++] = log.segment(locator);
                        atEnd = count < PIECE;
                        return atEnd;
                    });
                } finally {
                    store.exit(session);
                }
            }
        }

        private MergeOutput output(RecordScanner scanner) throws IOException {
            MergeOutput current = output;
            if (current != null && !current.hasRoomFor(scanner)) {
                finishOutput();
                current = null;
            }
            if (current == null) {
                current = log.createOutput(freeId());
                outputs.add(current);
                store.snapshots.hide(current.segment());
                output = current;
            }
            rateLimit.acquire(scanner.valueLength() + scanner.keyLength());
            return current;
        }

        /** Returns the next of the numbers set aside, past what somebody put in the way of one since. */
        private long freeId() throws IOException {
            while (nextId <= lastId && !log.isFree(nextId)) {
                nextId++;
            }
            if (nextId > lastId) {
                throw new EngineException(
                        ErrorCode.UNAVAILABLE,
                        Outcome.NOT_APPLIED,
                        "a merge has no number left for its output, others may have files under them: last=" + lastId
                                + "; it takes new ones when it runs again",
                        null);
            }
            return nextId++;
        }

        private void finishOutput() throws IOException {
            MergeOutput current = output;
            output = null;
            if (current != null) {
                current.finish();
                mergedBytes.addAndGet(current.segment().length());
            }
        }

        private void commit() throws IOException {
            // Files with lower numbers than the outputs must be listed before the manifest's highest number rises.
            log.sealLeft();
            long position;
            store.writeLock.lock();
            try {
                store.checkWritable();
                position = log.position();
            } finally {
                store.writeLock.unlock();
            }
            // What supersedes a dropped record must be durable before the record goes.
            store.sync(position);
            commitOutputs(lastId);
        }

        private void commitOutputs(long lastReserved) throws IOException {
            List<LogSegment> files = segments(outputs);
            mayBeCommitted = true;
            try {
                log.commitMerge(inputs, files, lastReserved);
            } catch (OutOfSpaceException e) {
                mayBeCommitted = false; // nothing was written
                throw e;
            } catch (IOException | RuntimeException | Error e) {
                if (e instanceof EngineException own
                        && own.code() == ErrorCode.UNAVAILABLE
                        && own.outcome() == Outcome.NOT_APPLIED) {
                    mayBeCommitted = false; // nothing was written, and nothing is in doubt
                    throw own;
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

        private void switchIndex() throws IOException {
            Session session = store.take();
            LockSlices lock = new LockSlices();
            try {
                for (MergeOutput each : outputs) {
                    Switch toCopies = new Switch(session, lock);
                    each.visitCopies(toCopies::add);
                    toCopies.flush();
                }
                for (LogSegment each : withExpired) {
                    removeExpired(each, session, lock);
                }
                lock.hold();
                count(); // before the dead bytes are gone, so that who misses them sees why
                store.snapshots.replace(inputs, segments(outputs));
            } catch (IOException | RuntimeException | Error e) {
                // The manifest has the outputs, the index not all of them: what is written from now on could be lost
                // with
                // the inputs.
                throw store.failedIndexing(e);
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
                if (scanner.isPut()
                        && store.clock.isRemovable(scanner.expiresAt(), scanner.version(), removableMillis)) {
                    removeExpired(
                            scanner.buffer(),
                            scanner.keyOffset(),
                            scanner.keyLength(),
                            scanner.locator(),
                            session,
                            lock);
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
    }

    /** Brings the index from records to their copies, some at a time. */
    private final class Switch {
        private final Session session;
        private final LockSlices lock;
        private final int[] keyOffsets = new int[SWITCHES_PER_LOCK];
        private final int[] keyLengths = new int[SWITCHES_PER_LOCK];
        private final long[] oldLocators = new long[SWITCHES_PER_LOCK];
        private final long[] newLocators = new long[SWITCHES_PER_LOCK];
        private byte[] keys = new byte[4 << 10];
        private int keyBytes;
        private int count;

        Switch(Session session, LockSlices lock) {
            this.session = session;
            this.lock = lock;
        }

        void add(byte[] source, int offset, int length, long oldLocator, long newLocator) throws IOException {
            if (count == SWITCHES_PER_LOCK) {
                flush();
            }
            if (keyBytes + length > keys.length) {
                keys = Arrays.copyOf(keys, Math.max(2 * keys.length, keyBytes + length));
            }
            System.arraycopy(source, offset, keys, keyBytes, length);
            keyOffsets[count] = keyBytes;
            keyLengths[count] = length;
            oldLocators[count] = oldLocator;
            newLocators[count] = newLocator;
            keyBytes += length;
            count++;
        }

        void flush() throws IOException {
            lock.release();
            store.pin(session);
            try {
                // Before the lock is held, so that no writer is held up by the waits for memory.
                index.prefetch(keys, keyOffsets, keyLengths, count);
            } finally {
                store.unpin(session);
            }
            lock.letWritersIn();
            lock.hold();
            store.pin(session);
            try {
                for (int i = 0; i < count; i++) {
                    if (index.replace(keys, keyOffsets[i], keyLengths[i], oldLocators[i], newLocators[i])) {
                        // Record by record, so that the figures are right while a merge goes on.
                        log.markLive(newLocators[i]);
                        log.markDead(oldLocators[i]);
                    }
                }
            } finally {
                store.unpin(session);
            }
            count = 0;
            keyBytes = 0;
        }
    }

    /** Holds the write lock for a few index changes at a time, and lets waiting writers in between. */
    private final class LockSlices {
        private int changes;
        private boolean held;

        void next() {
            if (changes++ % SWITCHES_PER_LOCK == 0) {
                release();
                letWritersIn();
            }
            hold();
        }

        private void letWritersIn() {
            // The lock is not fair: without a pause the merge would take it again before a waiting writer wakes.
            for (int i = 0; i < 20 && store.writeLock.hasQueuedThreads(); i++) {
                LockSupport.parkNanos(5_000);
            }
        }

        void hold() {
            if (!held) {
                store.writeLock.lock();
                held = true;
            }
        }

        void release() {
            if (held) {
                held = false;
                store.writeLock.unlock();
            }
        }
    }
}
