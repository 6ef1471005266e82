package dev.caskwright.mvcc;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.bolt.BoltBuilder;
import dev.caskwright.mvcc.MvccException.Reason;
import dev.caskwright.mvcc.backend.BackendView;
import dev.caskwright.mvcc.backend.BatchedBackend;
import dev.caskwright.mvcc.backend.Bucket;
import dev.caskwright.mvcc.backend.CommitToken;
import dev.caskwright.mvcc.backend.OrderedStore;
import dev.caskwright.mvcc.backend.WriteTransaction;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/*
 * Longer than most classes since it is the one that all requests come through; what they do is in TxnWriter, RangeReader, Compactor,
 * WatchHub and Leases. Order of what is published: the backend's overlay first, then the contents. So what the contents name is in
 * every view that is opened after they were read; and a compaction is in the contents before it removes anything.
 */
/**
 * A store that keeps each key at each revision, as an etcd server's does. Every write makes a new revision of the whole store. Reads
 * look at the latest one or an earlier one, until a compaction takes those away.
 *
 * <p>Over bolt its file is that of an etcd server, version 3.0 to 3.6: either continues what the other wrote.
 *
 * <p><b>Durability.</b> A write can be read at once, and is durable when its token says so: after some 100 ms, or 10,000 writes, or
 * {@link #commit}. When a commit fails, the tokens of all writes since the last one tell why, and those writes are gone. Watches
 * tell of nothing that is not durable.
 *
 * <p>Safe for any number of threads. Writes come one after another; transactions are linearizable. Reads wait for nobody, unless
 * writes were lost with a failed commit: then until the index is rebuilt. Ranges of very many keys give way to writers that are at
 * work all the time. Arrays that are given or returned are not to be changed.
 */
public final class MvccStore implements AutoCloseable {
    private static final Duration LEASE_TICK = Duration.ofMillis(500);
    private static final long MAX_TTL_SECONDS = 9_000_000_000L; // etcd's
    private static final int MAX_RETRY_TICKS = 128; // about a minute
    private static final long ENTRY_BYTES = 64; // of a revision, beside key and value; an estimate for the quota

    private final BatchedBackend backend;
    private final MvccBuilder.Options options;
    private final Requests requests;
    private final Leases leases;
    private final WatchHub hub = new WatchHub();
    private final Object compacting = new Object(); // held while a slice is compacted; taken before the backend's locks
    private @Nullable Compactor compactor; // guarded by compacting
    private volatile long finishedCompaction = Contents.NEVER_COMPACTED; // written within a transaction
    private final AtomicInteger compactions = new AtomicInteger(); // threads that go on with the compaction
    private final AtomicBoolean isResuming = new AtomicBoolean(); // the timer goes on with it
    private int retryTicks; // for the timer's thread: after how many ticks it is tried again, and how many are left
    private int ticksLeft;
    private final AtomicBoolean isTicking = new AtomicBoolean();
    private final AtomicLong leaseCounter = new AtomicLong();
    private final Uncommitted uncommitted = new Uncommitted(); // used within transactions
    private volatile Contents contents = Contents.empty();
    private volatile boolean hasSpaceAlarm;
    private volatile @Nullable Throwable failure; // why the index could not be rebuilt
    private volatile @Nullable Throwable lastBackgroundFailure;

    MvccStore(BatchedBackend backend, MvccBuilder.Options options, InstantSource clock) throws IOException {
        this.backend = backend;
        this.options = options;
        this.requests = new Requests(options);
        this.leases = new Leases(clock);
        load();
        hub.start(contents.revision());
        if (!options.isReadOnly()) {
            backend.onDiscard(this::discarded);
            keepTicking();
            resumeUnfinished();
        }
    }

    /** Opens a store in a file of bolt, and makes the file if it is missing. */
    public static MvccStore open(Path file) throws IOException {
        return builder(file).open();
    }

    /** Starts to say how a store in a file of bolt is opened. */
    public static MvccBuilder builder(Path file) {
        return builder(file, UnaryOperator.identity());
    }

    /** Starts to say how a store in a file of bolt is opened, and how the file is. */
    public static MvccBuilder builder(Path file, UnaryOperator<BoltBuilder> how) {
        return MvccBuilder.of(file, how);
    }

    /** Starts to say how a store is opened over another engine. It is closed with the store, also if opening fails. */
    public static MvccBuilder builder(OrderedStore over) {
        return MvccBuilder.of(over);
    }

    /** Returns the buckets that a store has. */
    public static List<Bucket> buckets() {
        return Schema.BUCKETS;
    }

    // ---------------------------------------------------------------- what is in memory

    private void load() throws IOException {
        try (BackendView view = backend.openDurableView()) {
            Loader.Loaded loaded = new Loader(view, backend::openDurableView).load();
            leases.load(loaded.stored(), loaded.leases());
            hasSpaceAlarm = loaded.hasSpaceAlarm();
            finishedCompaction = loaded.finishedCompaction();
            contents = loaded.contents();
        }
    }

    /** Goes back to what is stored after writes were lost. Nobody else writes meanwhile. */
    private void discarded(Throwable cause) {
        Uncommitted.Before before = uncommitted.takeAll();
        try {
            boolean isNotApplied = cause instanceof EngineException typed && typed.outcome() == Outcome.NOT_APPLIED;
            if (before != null && isNotApplied && before.leaseChanges() == leases.changes()) {
                hasSpaceAlarm = before.hasSpaceAlarm();
                finishedCompaction = before.finishedCompaction();
                contents = before.contents();
            } else {
                load();
            }
        } catch (IOException | RuntimeException | Error e) {
            Causes.add(e, cause);
            fail(e);
        }
        try {
            hub.discard(contents.revision());
        } catch (RuntimeException | Error e) { // some watches were told, and others not
            fail(e);
        }
    }

    /** Refuses everything from now on, since what is in memory does not go with what is stored. */
    private void fail(Throwable cause) {
        failure = cause;
        hub.wake();
    }

    /** Commits a transaction, and does in memory what goes with it. */
    private CommitToken publish(WriteTransaction transaction, Consumer<CommitToken> inMemory) {
        return transaction.commit(token -> {
            try {
                if (!token.isDone() && !uncommitted.isNoted(token)) {
                    uncommitted.note(new Uncommitted.Before(
                            token, contents, hasSpaceAlarm, finishedCompaction, leases.changes()));
                }
                inMemory.accept(token);
            } catch (RuntimeException | Error e) {
                fail(e);
                throw e;
            }
        });
    }

    private boolean later(Duration delay, Runnable task) {
        try {
            backend.later(delay, task);
            return true;
        } catch (RuntimeException | Error e) { // a timer that refuses: the next write tries again
            lastBackgroundFailure = e;
            return false;
        }
    }

    Contents contents() {
        return contents;
    }

    BackendView openView() throws IOException {
        return backend.openView();
    }

    void checkUsable() throws IOException {
        Throwable cause = failure;
        if (cause != null) {
            throw new EngineFailedException(
                    Outcome.NOT_APPLIED,
                    "what is in memory could not be kept in step with what is stored, reopen the store: " + cause,
                    cause);
        }
    }

    private WriteTransaction begin() throws IOException {
        if (options.isReadOnly()) {
            throw new EngineException(ErrorCode.READ_ONLY, Outcome.NOT_APPLIED, "the store was opened read-only", null);
        }
        WriteTransaction transaction = backend.begin();
        try {
            checkUsable();
            if (!isTicking.get()) {
                keepTicking();
            }
            return transaction;
        } catch (Throwable e) {
            transaction.close();
            throw e;
        }
    }

    /** Returns the latest revision; 1 in an empty store. */
    public long revision() {
        return contents.revision();
    }

    /** Returns the revision of the last compaction, before which nothing can be read; -1 if there was none. */
    public long compactedRevision() {
        return contents.compacted();
    }

    // ---------------------------------------------------------------- reading

    private interface Reading<T> {
        T read(Contents seen, BackendView view, long at) throws IOException;
    }

    private <T> T read(long wanted, Reading<T> reading) throws IOException {
        while (true) {
            checkUsable();
            long discards = backend.discards();
            Contents seen = contents;
            long at = seen.checkReadable(wanted);
            try (BackendView view = backend.openView()) {
                long compacted = contents.compacted();
                if (backend.discards() == discards && compacted == seen.compacted()) {
                    return reading.read(seen, view, at);
                }
            }
        }
    }

    /**
     * Returns the keys of a range.
     *
     * @throws MvccException with {@link MvccException.Reason#COMPACTED}, {@link MvccException.Reason#FUTURE_REVISION}, {@link
     *     MvccException.Reason#EMPTY_KEY} or {@link MvccException.Reason#CORRUPT}
     */
    public RangeResult range(RangeRequest request) throws IOException {
        requests.check(request.range());
        return read(
                request.revision(),
                (seen, view, at) -> new RangeReader(seen.index(), view).read(request, at, seen.revision()));
    }

    /** Returns a key with its latest value, or null if it is absent. */
    public @Nullable KeyValue get(byte[] key) throws IOException {
        List<KeyValue> found = range(RangeRequest.of(KeyRange.of(key))).entries();
        return found.isEmpty() ? null : found.get(0);
    }

    /**
     * Hashes all revisions up to one as an etcd server does.
     *
     * @param revision the last revision, or 0 for the latest
     */
    public HashResult hash(long revision) throws IOException {
        return read(
                revision, (seen, view, at) -> new HashResult(RevisionHash.of(seen, view, at), at, seen.compacted()));
    }

    // ---------------------------------------------------------------- writing

    /** Makes what was written visible: to readers, to leases, and to watches when it is durable. */
    private <R> Written<R> finish(TxnWriter writer, R result) {
        Contents after = writer.after();
        CommitToken token = publish(writer.transaction(), durable -> {
            contents = after;
            writer.attach();
            if (!writer.events().isEmpty()) {
                hub.add(after.revision(), writer.events(), durable);
            }
        });
        return new Written<>(after.revision(), result, token);
    }

    private TxnWriter writer(WriteTransaction transaction) {
        return new TxnWriter(transaction, contents, leases);
    }

    /** Puts a value. */
    public Written<PutResult> put(byte[] key, byte[] value) throws IOException {
        return put(Put.of(key, value));
    }

    /**
     * Puts a value.
     *
     * @throws MvccException with {@link MvccException.Reason#LEASE_NOT_FOUND}, {@link MvccException.Reason#KEY_NOT_FOUND}, {@link
     *     MvccException.Reason#NO_SPACE}, {@link MvccException.Reason#REQUEST_TOO_LARGE} or {@link MvccException.Reason#EMPTY_KEY}
     */
    public Written<PutResult> put(Put put) throws IOException {
        requests.check(put);
        checkSpace((long) put.key().length + put.value().length + ENTRY_BYTES);
        try (WriteTransaction transaction = begin()) {
            TxnWriter writer = writer(transaction);
            return finish(writer, writer.put(put));
        }
    }

    /** Deletes a key, if it is there. */
    public Written<DeleteResult> delete(byte[] key) throws IOException {
        return delete(DeleteRange.of(key));
    }

    /** Deletes the keys of a range, all at one revision. If there are none, there is no new revision. */
    public Written<DeleteResult> delete(DeleteRange delete) throws IOException {
        requests.check(delete.range());
        try (WriteTransaction transaction = begin()) {
            TxnWriter writer = writer(transaction);
            return finish(writer, writer.delete(delete));
        }
    }

    /**
     * Does a transaction: all of it, at one revision, or nothing.
     *
     * @throws MvccException as {@link #put(Put)} and {@link #range}, or with {@link MvccException.Reason#DUPLICATE_KEY} or {@link
     *     MvccException.Reason#TOO_MANY_OPERATIONS}
     */
    public TxnResult txn(Txn txn) throws IOException {
        long cost = requests.check(txn);
        if (cost > 0) {
            checkSpace(cost);
        }
        try (WriteTransaction transaction = begin()) {
            TxnWriter writer = writer(transaction);
            boolean isSuccess = writer.holds(txn.comparisons());
            List<OperationResult> results = new ArrayList<>();
            for (Operation operation : isSuccess ? txn.then() : txn.otherwise()) {
                results.add(apply(operation, writer));
            }
            Written<List<OperationResult>> written = finish(writer, results);
            return new TxnResult(written.revision(), isSuccess, results, written.token());
        }
    }

    private static OperationResult apply(Operation operation, TxnWriter writer) throws IOException {
        if (operation instanceof Put put) {
            return writer.put(put);
        }
        if (operation instanceof DeleteRange delete) {
            return writer.delete(delete);
        }
        return writer.range((RangeRequest) operation);
    }

    /** Returns when everything that was written before is durable. */
    public void commit() throws IOException {
        backend.commit();
    }

    // ---------------------------------------------------------------- space

    /** Refuses what needs space if there is none left, and notes so. */
    private void checkSpace(long bytes) throws IOException {
        if (!hasSpaceAlarm && !options.isReadOnly()) {
            long inUse = backend.sizeInUse();
            if (inUse + bytes <= options.quotaBytes()) {
                return;
            }
            try (WriteTransaction transaction = begin()) {
                transaction.put(Schema.ALARM, Schema.spaceAlarm(), new byte[0]);
                publish(transaction, token -> hasSpaceAlarm = true);
            }
        }
        if (hasSpaceAlarm) {
            throw new MvccException(
                    Reason.NO_SPACE,
                    "inUse=" + backend.sizeInUse() + ", quota=" + options.quotaBytes()
                            + "; delete and compact, then disarm the alarm");
        }
    }

    /** Lets puts be made again after the quota was used up. The alarm comes back if it still is. */
    public CommitToken disarmSpaceAlarm() throws IOException {
        try (WriteTransaction transaction = begin()) {
            List<byte[]> alarms = new ArrayList<>();
            try (BackendView view = transaction.view();
                    OrderedStore.Cursor cursor = view.range(Schema.ALARM, null, null, false)) {
                while (cursor.next()) {
                    if (Schema.isSpaceAlarm(cursor.key())) {
                        alarms.add(cursor.key());
                    }
                }
            }
            for (byte[] alarm : alarms) {
                transaction.delete(Schema.ALARM, alarm);
            }
            return publish(transaction, token -> hasSpaceAlarm = false);
        }
    }

    /** Gives back on disk what is not in use, in slices, beside readers and writers. */
    public void defragment() throws IOException {
        backend.defragment();
    }

    /**
     * Commits, and writes what is durable then to a stream: a database file of bolt, and its SHA-256 in 32 bytes after it, which is
     * what {@code etcdctl snapshot restore} takes. The stream is not closed. Writing goes on meanwhile.
     */
    public void snapshotTo(OutputStream target) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
        backend.copyTo(new DigestOutputStream(target, digest));
        target.write(digest.digest());
    }

    // ---------------------------------------------------------------- compaction

    /**
     * Takes away what is only needed to read before a revision, in slices, beside readers and writers. Such reads are refused from now
     * on. Returns when all is removed. One that is cut short by a failure or a crash goes on by itself, and can be waited for by asking
     * for it again.
     *
     * @throws MvccException with {@link MvccException.Reason#COMPACTED} if there was one to that revision or a later one already, or
     *     {@link MvccException.Reason#FUTURE_REVISION}
     * @throws EngineException if it was lost with a commit that failed: then ask for it again
     * @throws InterruptedIOException if the thread is interrupted; the compaction goes on in the background
     */
    public void compact(long revision) throws IOException {
        compactions.incrementAndGet();
        try {
            markCompaction(revision);
            while (compactSlice()) {
                TimeUnit.NANOSECONDS.sleep(options.compactionPause().toNanos());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted; the compaction goes on in the background");
        } finally {
            compactions.decrementAndGet();
            resumeUnfinished();
        }
        if (contents.compacted() < revision) {
            throw new EngineException(
                    ErrorCode.FAILED,
                    Outcome.NOT_APPLIED,
                    "the compaction was lost with a commit that failed, ask for it again: revision=" + revision,
                    backend.stats().lastFailure());
        }
    }

    private void markCompaction(long revision) throws IOException {
        try (WriteTransaction transaction = begin()) {
            Contents now = contents;
            if (revision > 0 && revision == now.compacted() && finishedCompaction < revision) {
                return; // it goes on
            }
            if (revision <= now.compacted()) {
                throw Contents.compacted(revision, now.compacted());
            }
            now.checkReadable(revision);
            if (revision <= 0) {
                throw new IllegalArgumentException("a revision is 1 or more: " + revision);
            }
            transaction.put(Schema.META, Schema.SCHEDULED_COMPACTION, Schema.revision(revision, 0));
            publish(transaction, token -> contents = new Contents(now.index(), now.revision(), revision));
        }
    }

    /** Does a part of the compaction that is not finished; returns whether there is more. */
    private boolean compactSlice() throws IOException {
        synchronized (compacting) {
            Contents now = contents;
            if (finishedCompaction >= now.compacted()) {
                compactor = null;
                return false;
            }
            Compactor current = compactor;
            long discards = backend.discards();
            if (current == null || !current.isFor(now.compacted(), discards)) {
                current = new Compactor(this, now.compacted(), options.compactionSlice(), discards);
                compactor = current;
            }
            current.slice();
            if (backend.stats().gathered() > options.commits().commitChanges() / 2) {
                backend.commit(); // the compaction waits for the disk, so that no put has to
            }
            return finishedCompaction < contents.compacted();
        }
    }

    /** Goes on with a compaction that nobody goes on with. */
    private void resumeUnfinished() {
        if (finishedCompaction < contents.compacted()
                && compactions.get() == 0
                && isResuming.compareAndSet(false, true)
                && !later(Duration.ZERO, this::resumeCompaction)) {
            isResuming.set(false);
        }
    }

    private void resumeCompaction() {
        boolean goesOn = false;
        try {
            goesOn = compactSlice() && later(options.compactionPause(), this::resumeCompaction);
            retryTicks = 0;
        } catch (IOException | RuntimeException | Error e) {
            lastBackgroundFailure = e;
            retryTicks = Math.min(MAX_RETRY_TICKS, 2 * retryTicks + 1); // what fails may cost much each time
            ticksLeft = retryTicks;
        } finally {
            isResuming.set(goesOn);
        }
    }

    /** Removes revisions of these keys that a compaction does not keep. */
    void removeRevisions(List<byte[]> doomed, List<byte[]> keys, long compacted, boolean isLast, long discards)
            throws IOException {
        if (doomed.isEmpty() && !isLast) {
            return;
        }
        try (WriteTransaction transaction = begin()) {
            if (contents.compacted() < compacted || backend.discards() != discards) {
                return; // its mark, or what it removed before, was lost with a commit that failed
            }
            TxnWriter writer = writer(transaction);
            writer.compact(doomed, keys, compacted);
            if (isLast) {
                transaction.put(Schema.META, Schema.FINISHED_COMPACTION, Schema.revision(compacted, 0));
            }
            Contents after = writer.after();
            publish(transaction, token -> {
                contents = after;
                if (isLast) {
                    finishedCompaction = compacted;
                }
            });
        }
    }

    // ---------------------------------------------------------------- watches

    /**
     * Watches a range of keys. The caller closes the watch.
     *
     * @throws MvccException with {@link MvccException.Reason#COMPACTED} if the first revision wanted is not after the last compaction,
     *     since a delete at that one may be gone
     */
    public Watch watch(WatchRequest request) throws IOException {
        requests.check(request.range());
        checkUsable();
        Contents now = contents;
        if (request.revision() > 0 && request.revision() <= now.compacted()) {
            throw goneForWatches(request.revision(), now.compacted());
        }
        Watch watch = new Watch(this, hub, request, request.revision() == 0 ? now.revision() + 1 : request.revision());
        hub.register(watch);
        hub.join(watch);
        return watch;
    }

    private static MvccException goneForWatches(long wanted, long compacted) {
        return new MvccException(
                Reason.COMPACTED,
                "revision=" + wanted + ", compacted=" + compacted
                        + "; read the range, and watch from a revision after that");
    }

    /** Reads durable changes that a watch wants: whole revisions, from one on. */
    WatchBatch history(Watch watch, long from, long delivered, int maxEvents) throws IOException {
        checkUsable();
        try (BackendView view = backend.openDurableView()) {
            long compacted = contents.compacted();
            if (from <= compacted) {
                throw goneForWatches(from, compacted);
            }
            return new RevisionReader(view).read(watch, from, delivered, maxEvents);
        }
    }

    /** Returns what a key was before an event, or null if it was absent or that is compacted. */
    @Nullable KeyValue previous(Event event) throws IOException {
        try {
            byte[] key = event.keyValue().key();
            return read(
                            event.revision() - 1,
                            (seen, view, at) -> Optional.ofNullable(new RangeReader(seen.index(), view).get(key, at)))
                    .orElse(null);
        } catch (MvccException e) {
            if (e.reason() == Reason.COMPACTED) {
                return null;
            }
            throw e;
        }
    }

    // ---------------------------------------------------------------- leases

    /**
     * Grants a lease.
     *
     * @param id its number, or 0 for one that the store chooses
     * @param ttlSeconds for how long it lives unless it is kept alive, at least 1
     * @throws MvccException with {@link MvccException.Reason#LEASE_EXISTS}, {@link MvccException.Reason#LEASE_TTL_TOO_LARGE} or {@link
     *     MvccException.Reason#NO_SPACE}
     */
    public Written<Lease> grantLease(long id, long ttlSeconds) throws IOException {
        if (ttlSeconds < 1) {
            throw new IllegalArgumentException("a lease lives for a second at least: " + ttlSeconds);
        }
        if (ttlSeconds > MAX_TTL_SECONDS) {
            throw new MvccException(
                    Reason.LEASE_TTL_TOO_LARGE, "seconds=" + ttlSeconds + ", allowed=" + MAX_TTL_SECONDS);
        }
        checkSpace(ENTRY_BYTES);
        try (WriteTransaction transaction = begin()) {
            long number = id == 0 ? freeLease() : id;
            if (leases.contains(number)) {
                throw new MvccException(Reason.LEASE_EXISTS, "id=" + number);
            }
            transaction.put(
                    Schema.LEASE,
                    Schema.leaseKey(number),
                    Schema.encode(new Schema.StoredLease(number, ttlSeconds, 0)));
            CommitToken token = publish(transaction, durable -> leases.grant(number, ttlSeconds, durable));
            return new Written<>(contents.revision(), new Lease(number, ttlSeconds, ttlSeconds, List.of()), token);
        }
    }

    /** Returns a number that no lease has, and hardly one had before. */
    private long freeLease() {
        while (true) {
            long mixed = (contents.revision() << 20) + leaseCounter.incrementAndGet();
            mixed = (mixed ^ mixed >>> 30) * 0xBF58476D1CE4E5B9L;
            mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
            long number = (mixed ^ mixed >>> 31) & Long.MAX_VALUE;
            if (number != 0 && !leases.contains(number)) {
                return number;
            }
        }
    }

    /**
     * Ends a lease: deletes its keys, all at one revision.
     *
     * @return how many keys went with it
     * @throws MvccException with {@link MvccException.Reason#LEASE_NOT_FOUND}
     */
    public Written<Integer> revokeLease(long id) throws IOException {
        try (WriteTransaction transaction = begin()) {
            if (!leases.contains(id)) {
                throw leaseNotFound(id);
            }
            return revoke(transaction, id);
        }
    }

    private Written<Integer> revoke(WriteTransaction transaction, long id) throws IOException {
        TxnWriter writer = writer(transaction);
        List<byte[]> keys = leases.keys(id);
        for (byte[] key : keys) {
            writer.delete(DeleteRange.of(key));
        }
        transaction.delete(Schema.LEASE, Schema.leaseKey(id));
        Contents after = writer.after();
        CommitToken token = publish(transaction, durable -> {
            contents = after;
            leases.remove(id);
            if (!writer.events().isEmpty()) {
                hub.add(after.revision(), writer.events(), durable);
            }
        });
        return new Written<>(after.revision(), keys.size(), token);
    }

    private static MvccException leaseNotFound(long id) {
        return new MvccException(Reason.LEASE_NOT_FOUND, "id=" + id);
    }

    /**
     * Lets a lease live for its whole time from now on; returns that, in seconds. Nothing is written.
     *
     * @throws MvccException with {@link MvccException.Reason#LEASE_NOT_FOUND}, also if it has ended and its keys are still there
     */
    public long keepLeaseAlive(long id) throws IOException {
        checkUsable();
        Long ttl = leases.keepAlive(id);
        if (ttl == null) {
            throw leaseNotFound(id);
        }
        return ttl;
    }

    /**
     * Returns a lease.
     *
     * @throws MvccException with {@link MvccException.Reason#LEASE_NOT_FOUND}
     */
    public Lease lease(long id) throws IOException {
        checkUsable();
        Lease found = leases.get(id);
        if (found == null) {
            throw leaseNotFound(id);
        }
        return found;
    }

    /** Returns the numbers of all leases, in order. */
    public List<Long> leases() {
        return leases.ids();
    }

    /**
     * Ends the leases whose time has come. Called twice a second by the store itself.
     *
     * @throws IOException the first failure; the other leases are ended all the same
     */
    public void endLeases() throws IOException {
        IOException first = null;
        for (Leases.Held lease : leases.ended()) {
            try {
                end(lease);
            } catch (IOException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }

    private void end(Leases.Held lease) throws IOException {
        try (WriteTransaction transaction = begin()) {
            // Meanwhile it may have been revoked, and another one granted with its number.
            if (leases.startEnding(lease)) {
                try {
                    revoke(transaction, lease.id());
                } catch (Throwable e) {
                    leases.stopEnding(lease);
                    throw e;
                }
            }
        }
    }

    private void keepTicking() {
        if (isTicking.compareAndSet(false, true) && !later(LEASE_TICK, this::tick)) {
            isTicking.set(false);
        }
    }

    private void tick() {
        try {
            endLeases();
        } catch (IOException | RuntimeException | Error e) {
            lastBackgroundFailure = e; // the next tick tries again
        }
        if (ticksLeft > 0) {
            ticksLeft--;
        } else if (backend.health() == null) {
            resumeUnfinished();
        }
        isTicking.set(false);
        keepTicking();
    }

    /** Notes what is left of each lease, so that it does not live longer for a restart. */
    private void storeLeases() throws IOException {
        if (leases.size() == 0 || options.isReadOnly() || failure != null || backend.health() != null) {
            return;
        }
        try (WriteTransaction transaction = begin()) {
            for (Schema.StoredLease lease : leases.toStore()) {
                transaction.put(Schema.LEASE, Schema.leaseKey(lease.id()), Schema.encode(lease));
            }
            transaction.commit();
        }
    }

    // ---------------------------------------------------------------- the store itself

    /** Returns figures. */
    public MvccStats stats() throws IOException {
        Contents now = contents;
        return new MvccStats(
                now.revision(),
                now.compacted(),
                now.index().size(),
                leases.size(),
                hub.size(),
                backend.size(),
                backend.sizeInUse(),
                hasSpaceAlarm,
                lastBackgroundFailure,
                backend.stats());
    }

    /** Returns the first failure that keeps the store from writing until it is opened again, or null. */
    public @Nullable Throwable health() {
        Throwable own = failure;
        return own != null ? own : backend.health();
    }

    /** Commits what was written, ends the watches, and closes what the store is kept in. Closing twice is fine. */
    @Override
    public void close() throws IOException {
        hub.close();
        try {
            storeLeases();
        } catch (EngineClosedException e) {
            return; // it is closed already
        } catch (Throwable e) {
            try {
                backend.close();
            } catch (Throwable closing) {
                Causes.add(e, closing);
            }
            throw e;
        }
        backend.close();
    }
}
