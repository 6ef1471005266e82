package dev.caskwright.replica;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Retry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A store for reads that follows another one, its source. It begins as a backup of the source, and takes its changes from the source's
 * change feed, in their order, each batch as a whole. So it shows the source as it was a moment ago. It has no vote and no say: the
 * source does not know it, and waits for nothing.
 *
 * <p>The position in the source is a record of the replica's store, written in the same batch as the changes that led there. So each
 * change acts exactly once, whatever a crash of the replica takes. If the source cannot give the changes from there on, because merges
 * have dropped them, or since it has another history (it was put back to a backup, or lost its last writes in a power loss), a new copy
 * is made beside the store, and takes its place when it is whole. Snapshots and cursors that are open go on with the store that they
 * were opened on; the copy takes space beside it for as long.
 *
 * <p>Safe for any number of threads. {@link #close} ends it.
 */
public final class ReadReplica implements AutoCloseable {
    private static final long BYTES_PER_CHANGE = 64;
    private static final Logger LOGGER = LoggerFactory.getLogger(ReadReplica.class);

    private final ReplicaBuilder options;
    private final ReplicaSource source;
    private final ReplicaFiles files;
    private final ReplicaEngine store = new ReplicaEngine(this);
    private final SecureRandom random = new SecureRandom();

    /** Held while the source is looked at. Taken before the next. */
    private final ReentrantLock looking = new ReentrantLock();

    /** Guards what is shown of the state. */
    private final ReentrantLock showing = new ReentrantLock();

    private final Condition advanced = showing.newCondition();
    private final List<HeldCopy> replaced = new ArrayList<>(); // while looking
    private String seen = ""; // while looking
    private volatile @Nullable HeldCopy copy;
    private volatile boolean isClosed;

    private Moment position =
            Moment.START; // written while looking, under the lock of what is shown, as is all that follows
    private long sourceVersion;
    private long caughtUpNanos;
    private long copies;
    private long changes;
    private @Nullable Throwable trouble;
    private long troubleNanos;
    private int failures;

    private @Nullable Thread follower;

    private ReadReplica(ReplicaBuilder options, ReplicaFiles files) {
        this.options = options;
        this.source = options.source;
        this.files = files;
        this.caughtUpNanos = System.nanoTime();
    }

    /**
     * Starts to set up a replica.
     *
     * @param directory the replica's own: empty, missing, or that of a replica
     * @param source the store to follow. Another one than before is told from the one before by its history, and copied
     */
    public static ReplicaBuilder builder(Path directory, ReplicaSource source) {
        return new ReplicaBuilder(directory, source);
    }

    static ReadReplica open(ReplicaBuilder options) throws IOException {
        ReadReplica replica = new ReadReplica(options, ReplicaFiles.claim(options.directory));
        try {
            replica.openStore();
        } catch (IOException | RuntimeException | Error e) {
            try {
                replica.close();
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
        replica.startFollowing();
        return replica;
    }

    private void openStore() throws IOException {
        ReplicaFiles.Current current = files.current();
        files.deleteLeftovers(current);
        if (current == null) {
            catchUp();
            return;
        }
        Path directory = files.copy(current.number());
        StorageEngine engine = options.store.open(directory);
        copy = new HeldCopy(current, directory, engine);
        if (engine.require(ChangeFeed.class).moment().version()
                < current.start().version()) {
            throw new UnsupportedFormatException("the replica's store is not the copy that was made: directory="
                    + directory + "; delete the replica's directory, and make the replica anew");
        }
        position = Position.read(engine, current);
        sourceVersion = position.version();
    }

    private void startFollowing() {
        Duration interval = options.interval;
        if (interval != null) {
            Thread thread = new Thread(() -> follow(interval), "caskwright-replica");
            thread.setDaemon(true);
            follower = thread;
            thread.start();
        }
    }

    /**
     * Returns the store, to be read only: writes are refused with {@link ErrorCode#READ_ONLY}. It holds {@link Backups}, and an {@link
     * dev.caskwright.api.OrderedView} if the replica's index is ordered. It is the same for as long as the replica is open; closing
     * it does nothing.
     *
     * <p>Versions of entries are the replica's own; {@code stats().lastVersion()} and {@link
     * dev.caskwright.api.Snapshot#version()} are versions of the source. Expiry goes by the deadlines of the source and the clock of the
     * replica's store. The key 0xFF followed by "replica" is the replica's own, and not to be seen; a key of that name in the source is
     * left out. {@code stats()} has {@link ReplicaStats}; {@code retries()} tells why the source cannot be followed now, if that is so.
     */
    public StorageEngine store() {
        return store;
    }

    /**
     * Looks at the source and takes all that is new there; makes a new copy if need be. Returns the moment of the source that the store
     * shows then. Waits for a look that is under way.
     *
     * @throws IOException if the source cannot be reached, or the replica's store cannot be written to. What was taken before stays,
     *     and the next look goes on from there
     */
    public Moment catchUp() throws IOException {
        looking.lock();
        try {
            checkOpen();
            long start = System.nanoTime();
            String now = source.fingerprint();
            if (now.isEmpty() || !now.equals(seen)) {
                source.look(this::takeAll);
                seen = now; // taken before the look: what comes after it shows at the next one
            }
            showing.lock();
            try {
                checkOpen(); // a look that closing has cut short has not seen all
                caughtUpNanos = start;
                noteSuccess();
                return position;
            } finally {
                showing.unlock();
            }
        } finally {
            looking.unlock();
        }
    }

    private void takeAll(StorageEngine from) throws IOException {
        ChangeFeed feed = from.require(ChangeFeed.class);
        Backups backups = from.require(Backups.class);
        boolean isFresh = copy == null;
        if (isFresh) {
            takeCopy(backups, "the replica has no store yet");
        }
        while (true) {
            long newest = feed.moment().version();
            show(() -> sourceVersion = newest);
            String reason;
            try {
                takeChanges(feed);
                return;
            } catch (EngineException e) {
                if (e.code() != ErrorCode.CHANGES_GONE || isFresh) {
                    throw e; // merges outrun this replica: the next try comes after a pause
                }
                reason = String.valueOf(e.getMessage());
            } catch (IllegalArgumentException e) {
                if (isFresh) {
                    throw e;
                }
                reason = "a batch of the source is too long for the replica's store: " + e.getMessage();
            }
            takeCopy(backups, reason);
            isFresh = true;
        }
    }

    // ---------------------------------------------------------------- copies

    private void takeCopy(Backups backups, String reason) throws IOException {
        HeldCopy old = copy;
        long number = old == null ? 1 : old.which().number() + 1;
        Path target = files.copy(number);
        LOGGER.info("copying the source: to={}, because {}", target, reason);
        options.steps.accept("copy");
        CopyReport report = backUp(backups, target);
        if (!report.doubts().isEmpty()) {
            LOGGER.warn("the copy of the source is not all that it should be: to={}: {}", target, report.doubts());
        }
        options.steps.accept("open");
        StorageEngine engine = options.store.open(target);
        ReplicaFiles.Current next;
        try {
            next = new ReplicaFiles.Current(
                    number, random.nextLong(), engine.require(ChangeFeed.class).moment());
            options.steps.accept("switch");
            files.switchTo(next);
        } catch (IOException | RuntimeException | Error e) {
            engine.close();
            throw e;
        }
        copy = new HeldCopy(next, target, engine);
        show(() -> {
            position = next.start();
            copies++;
            advanced.signalAll();
        });
        if (old != null) {
            replaced.removeIf(each -> !each.isOpen());
            replaced.add(old);
        }
        options.steps.accept("delete");
        if (old != null) {
            old.replace();
        }
    }

    /** Makes a backup, going on with one that was cut short. What is there of another history is deleted first. */
    private static CopyReport backUp(Backups backups, Path target) throws IOException {
        try {
            return backups.backup(target);
        } catch (UnsupportedFormatException e) {
            return backUpAnew(backups, target, e);
        } catch (EngineException e) {
            if (e.code() != ErrorCode.UNSUPPORTED_FORMAT) {
                throw e;
            }
            return backUpAnew(backups, target, e); // as the owner of a store says it
        }
    }

    private static CopyReport backUpAnew(Backups backups, Path target, EngineException refusal) throws IOException {
        if (!Files.exists(target)) {
            throw refusal;
        }
        SideFiles.deleteTree(target);
        return backups.backup(target);
    }

    // ---------------------------------------------------------------- changes

    /** Changes that wait to be written. */
    private static final class Waiting {
        final WriteBatch batch = new WriteBatch();
        long bytes;
        long count;

        @Nullable Moment end; // null while the last of them is inside of a batch of the source

        void add(Moment moment, byte[] key, byte @Nullable [] value, long expiresAt, boolean isLast) {
            if (value == null) {
                batch.delete(key);
            } else {
                batch.put(key, value, expiring(expiresAt));
            }
            bytes += BYTES_PER_CHANGE + key.length + (value == null ? 0 : value.length);
            count++;
            end = isLast ? moment : null;
        }

        private static WriteOptions expiring(long expiresAt) {
            return expiresAt == Entry.NEVER
                    ? WriteOptions.DEFAULT
                    : WriteOptions.DEFAULT.expiresAt(Instant.ofEpochMilli(expiresAt));
        }
    }

    private void takeChanges(ChangeFeed feed) throws IOException {
        HeldCopy to = requireCopy();
        Waiting[] waiting = {new Waiting()};
        feed.changes(position, change -> {
            Waiting some = waiting[0];
            some.add(change.moment(), change.key(), change.value(), change.expiresAtMillis(), change.isLastOfBatch());
            if (some.bytes >= options.batchBytes && write(to, some)) {
                waiting[0] = new Waiting();
            }
            return !isClosed;
        });
        write(to, waiting[0]);
    }

    /** Writes what waits, unless it ends inside of a batch; returns whether it did. */
    private boolean write(HeldCopy to, Waiting some) throws IOException {
        Moment end = some.end;
        if (end == null) {
            return false;
        }
        // In place of a record of this key in the source, which tells of another replica.
        some.batch.put(Position.key(), Position.bytes(to.which(), end));
        to.engine().write(some.batch, WriteOptions.WRITE);
        show(() -> {
            position = end;
            changes += some.count;
            advanced.signalAll();
        });
        return true;
    }

    // ---------------------------------------------------------------- following

    private void follow(Duration interval) {
        long pauseNanos = interval.toNanos();
        while (!isClosed) {
            try {
                catchUp();
                pauseNanos = interval.toNanos();
            } catch (IOException | RuntimeException | OutOfMemoryError e) {
                if (isClosed) {
                    return;
                }
                noteFailure(e);
                pauseNanos = Math.max(
                        interval.toNanos(),
                        Math.min(options.longestPause.toNanos(), interval.toNanos() << Math.min(failures - 1, 20)));
            }
            pause(pauseNanos);
        }
    }

    private void pause(long nanos) {
        showing.lock();
        try {
            long left = nanos;
            while (left > 0 && !isClosed) {
                left = advanced.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            LOGGER.debug("interrupted in a pause"); // by close(), which has said so
        } finally {
            showing.unlock();
        }
    }

    private void noteFailure(Throwable e) {
        showing.lock();
        try {
            if (failures++ == 0) {
                troubleNanos = System.nanoTime();
                LOGGER.warn(
                        "the source cannot be followed now, trying again: replica={}: {}",
                        files.directory(),
                        e.toString());
            }
            trouble = e;
        } finally {
            showing.unlock();
        }
    }

    private void noteSuccess() {
        if (failures > 0) {
            LOGGER.info("the source is followed again: replica={}, tries={}", files.directory(), failures);
        }
        failures = 0;
        trouble = null;
    }

    // ---------------------------------------------------------------- state

    private void show(Runnable change) {
        showing.lock();
        try {
            change.run();
        } finally {
            showing.unlock();
        }
    }

    /** Returns the moment of the source that the store shows. */
    public Moment position() {
        showing.lock();
        try {
            return position;
        } finally {
            showing.unlock();
        }
    }

    /**
     * Waits until the store shows a version of the source, or a later one; returns whether it does. So a client that wrote to the
     * source can read what it wrote here: it takes {@link ChangeFeed#moment()} there after its write. Only a replica that
     * {@linkplain ReplicaBuilder#follow follows} comes there by itself.
     *
     * @throws EngineClosedException if the replica is closed before
     */
    public boolean awaitVersion(long version, Duration longest) throws IOException, InterruptedException {
        long left = TimeUnit.NANOSECONDS.convert(longest);
        showing.lockInterruptibly();
        try {
            while (position.version() < version && left > 0) {
                checkOpen();
                left = advanced.awaitNanos(left);
            }
            checkOpen();
            return position.version() >= version;
        } finally {
            showing.unlock();
        }
    }

    ReplicaStats stats() {
        showing.lock();
        try {
            return new ReplicaStats(
                    position.version(),
                    Math.max(0, sourceVersion - position.version()),
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - caughtUpNanos),
                    copies,
                    changes);
        } finally {
            showing.unlock();
        }
    }

    /** Returns why the source cannot be followed now; empty if it can. */
    List<Retry> retries() {
        showing.lock();
        try {
            Throwable cause = trouble;
            if (cause == null) {
                return List.of();
            }
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - troubleNanos);
            return List.of(new Retry("following the source", millis, failures, cause));
        } finally {
            showing.unlock();
        }
    }

    /** Returns the copy that is the store now. */
    HeldCopy requireCopy() throws EngineClosedException {
        checkOpen();
        HeldCopy now = copy;
        if (now == null) {
            throw new EngineClosedException("the replica has no store yet");
        }
        return now;
    }

    private void checkOpen() throws EngineClosedException {
        if (isClosed) {
            throw new EngineClosedException("the replica is closed: directory=" + files.directory());
        }
    }

    /**
     * Ends following, and closes the store. Snapshots and cursors over it refuse from then on. Waits for a look that is under way,
     * which may be a copy that the source makes. Closing twice is fine.
     */
    @Override
    @SuppressWarnings("try") // the directory is only given back
    public void close() throws IOException {
        showing.lock();
        try {
            isClosed = true;
            advanced.signalAll();
        } finally {
            showing.unlock();
        }
        awaitFollower();
        looking.lock();
        try (ReplicaFiles held = files) {
            for (HeldCopy each : replaced) {
                each.close();
            }
            HeldCopy last = copy;
            if (last != null) {
                last.close();
            }
        } finally {
            looking.unlock();
        }
    }

    private void awaitFollower() {
        Thread thread = follower;
        if (thread == null || thread == Thread.currentThread()) {
            return;
        }
        boolean isInterrupted = false;
        thread.interrupt(); // it may wait for an owner that does not answer
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
