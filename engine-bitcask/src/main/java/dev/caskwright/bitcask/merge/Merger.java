package dev.caskwright.bitcask.merge;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Retry;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.bitcask.store.DamageCheck;
import dev.caskwright.bitcask.store.Store;
import dev.caskwright.bitcask.write.WritePace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
 * <p>This class chooses the files and puts them into rounds; {@link MergeRound} merges those of one. One merge runs at a time. It can be cancelled between records.
 *
 * <p>An input with a damaged part is merged if nothing that counts can lie there: the index refers to nothing in it, and no
 * tombstone is needed. Otherwise the input stays as it is, and the others are merged without it.
 */
public final class Merger {
    private static final long ROUND_BYTES = 1L << 30;
    /** Of merges that the engine begins by itself: what a round copies takes room until the round ends. */
    private static final int OWN_ROUND_FILES = 2;

    private static final int SHORT_FRACTION = 16;
    /** The edit that drops files must fit into the room that the manifest keeps for it. */
    private static final int DROPPED_AT_ONCE = 128;

    private final Store store;
    private final RecordLog log;
    private final KeyIndex index;
    private final MergeState state;
    private final long changesRetainedBytes;
    private final ReentrantLock running = new ReentrantLock();
    private final Set<LogSegment> leftOut = new HashSet<>(); // damaged, or of doubtful death; under the lock of running
    private volatile @Nullable Doubt doubt;

    /** That merges met what the log does not say of the index; the last time. */
    private record Doubt(long firstNanos, int count, CorruptRecordException lie) {}

    public Merger(Store store, RateLimit rateLimit, long changesRetainedBytes, WritePace pace) {
        this.store = store;
        this.log = store.log;
        this.index = store.index;
        this.state = new MergeState(rateLimit, pace);
        this.changesRetainedBytes = changesRetainedBytes;
    }

    public long merges() {
        return state.merges();
    }

    public long mergedBytes() {
        return state.mergedBytes();
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
        state.cancel();
    }

    /** Waits until no merge runs. After {@link #cancel} none will. */
    @SuppressWarnings("LockNotBeforeTry") // nothing is done under the lock: having had it is the point
    public void awaitEnd() {
        running.lock();
        running.unlock();
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
            state.begin();
            leftOut.clear();
            dropDead();
            leaveActive();
            log.sealLeft();
            CorruptRecordException damage = mergeInRounds(
                    withoutRetained(store.listedFiles()),
                    ROUND_BYTES,
                    index instanceof OrderedKeyIndex ordered ? ordered : null);
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
            List<LogSegment> chosen = withoutRetained(policy.choose(files, expiredBytes(files)::get));
            mergeInRounds(chosen, ownRoundBytes(chosen), null);
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
                mergeInRounds(chosen, ownRoundBytes(chosen), null);
            }
        });
    }

    /**
     * Returns how much a round of a merge that the engine begins by itself may copy: little, if all files were written since the
     * store was opened. What the index says of others it may have from caches that lie, which the proof of a round finds in the
     * files of the round alone; so they go together.
     */
    private long ownRoundBytes(List<LogSegment> chosen) {
        for (LogSegment file : chosen) {
            if (file.id() <= store.lastFoundId) {
                return ROUND_BYTES;
            }
        }
        return Math.min(ROUND_BYTES, OWN_ROUND_FILES * log.maxSegmentBytes());
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
                state.begin();
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
        for (int from = 0; from < dead.size() && !state.isCancelled(); from += DROPPED_AT_ONCE) {
            new MergeRound(store, state, dead.subList(from, Math.min(dead.size(), from + DROPPED_AT_ONCE)), null)
                    .drop();
        }
    }

    /** Merges files; returns the first damage to what the index refers to, after which the others were merged. */
    private @Nullable CorruptRecordException mergeInRounds(
            List<LogSegment> inputs, long roundBytes, @Nullable OrderedKeyIndex order) throws IOException {
        if (!inputs.isEmpty()) {
            store.loadIndex();
        }
        CorruptRecordException damage = null;
        for (int from = 0; from < inputs.size() && !state.isCancelled(); ) {
            int to = endOfRound(inputs, from, roundBytes);
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
        while (!inputs.isEmpty() && !state.isCancelled()) {
            try {
                new MergeRound(store, state, inputs, order).run();
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
            MergeRound round = new MergeRound(store, state, List.of(input), null);
            if (state.isCancelled() || !round.isUnneeded() || !round.drop()) {
                left.add(input);
            }
        }
        left.sort(Comparator.comparingLong(LogSegment::liveBytes).thenComparingLong(LogSegment::id));
        for (LogSegment input : left) {
            if (state.isCancelled()) {
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

    private static int endOfRound(List<LogSegment> files, int from, long roundBytes) {
        int to = from;
        long bytes = 0;
        do {
            bytes += files.get(to).liveBytes();
            to++;
        } while (to < files.size() && bytes + files.get(to).liveBytes() <= roundBytes);
        return to;
    }
}
