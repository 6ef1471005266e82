package dev.caskwright.api;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A durable, embedded key-value store.
 *
 * <p><b>Threads.</b> Every method may be called by any number of threads. Reads take no lock that a writer or a merge can
 * hold. Writes are applied one after another; each is atomic and visible to all reads that start after it returned. A
 * thread that is interrupted spoils at most its own call.
 *
 * <p><b>Durability.</b> Every write has a {@link Durability}: the one in its {@link WriteOptions}, or the store's. The
 * answer of a conditional write, a delete, {@link #expire} or a commit that changed nothing is as durable as that of one
 * that did: at {@link Durability#SYNC}, what the answer rests on survives a power loss.
 *
 * <p><b>Arrays.</b> Keys and values are not kept. A caller that changes an array during a call spoils at most that write.
 *
 * <p><b>Limits.</b> Keys are 1 to 65,535 bytes long and values up to {@link #MAX_VALUE_LENGTH}; others are an {@link
 * IllegalArgumentException}, thrown before anything is written.
 *
 * <p><b>Errors.</b> Each {@link EngineException} tells with {@link EngineException#outcome()} what became of the write.
 * After a failed force (or a failed write other than for want of space) the engine throws {@link EngineFailedException}
 * for every write until it is reopened; reads go on.
 */
public interface StorageEngine extends ReadView, AutoCloseable {
    /** The greatest length of a key, in bytes. */
    int MAX_KEY_LENGTH = 0xFFFF;

    /** The greatest length of a value, in bytes: 2 GiB less 128 KiB, so that one record and its file fit a mapping. */
    int MAX_VALUE_LENGTH = Integer.MAX_VALUE - (128 << 10);

    /** Stores a value under a key, in place of one that may be there, with the store's durability. */
    default void put(byte[] key, byte[] value) throws IOException {
        put(key, value, WriteOptions.DEFAULT);
    }

    /** Stores a value under a key, in place of one that may be there. */
    void put(byte[] key, byte[] value, WriteOptions options) throws IOException;

    /** Removes a key with the store's durability; returns whether it was there. */
    default boolean delete(byte[] key) throws IOException {
        return delete(key, WriteOptions.DEFAULT);
    }

    /** Removes a key; returns whether it was there. If it was not, nothing is written. */
    boolean delete(byte[] key, WriteOptions options) throws IOException;

    /** Stores a value only if the key is absent; returns whether it was. Linearizable. */
    boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException;

    /** Stores a value only if the present one equals {@code expected}; returns whether it did. Linearizable. */
    boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException;

    /** Stores a value only if the present one has this {@link Entry#version()}; returns whether it had. Linearizable. */
    boolean replaceVersion(byte[] key, long expectedVersion, byte[] value, WriteOptions options) throws IOException;

    /** Removes a key only if its value equals {@code expected}; returns whether it did. Linearizable. */
    boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException;

    /**
     * Gives the entry another expiry and the same value: that of {@code options}, or none, which makes it persist.
     * Returns whether the key was there.
     */
    boolean expire(byte[] key, WriteOptions options) throws IOException;

    /**
     * Applies all changes of a batch or none: after any crash all of them are there, or none. Snapshots and iterations
     * see all or none; single gets that run meanwhile may see some before others.
     *
     * @throws IllegalArgumentException if the batch's records need more than one file can hold (just under 2 GiB)
     */
    void write(WriteBatch batch, WriteOptions options) throws IOException;

    /** Starts an optimistic transaction. On a closed engine its reads and its commit fail, not the start. */
    Transaction transaction();

    /**
     * Opens a snapshot of this moment.
     *
     * @throws EngineException with {@link ErrorCode#TOO_MANY_SNAPSHOTS} if as many are open as the store allows
     */
    Snapshot snapshot() throws IOException;

    /**
     * Visits the writes after {@code version} in the order of their commit, up to the last one at the time of the call.
     * Versions start at 1, so 0 means from the start. Writes are visited whether they are durable yet or not: a crash may
     * take some that were visited and give their versions anew, so a follower that must not differ takes a new copy then.
     *
     * @return the version of the last change visited, to continue from, or {@code version} if there was none
     * @throws EngineException with {@link ErrorCode#CHANGES_GONE} if a merge has dropped changes after {@code version};
     *     take a copy of the store and start from its {@link Snapshot#version()}
     */
    long changes(long version, ChangeVisitor visitor) throws IOException;

    /**
     * Returns the number of keys, at no cost, unless the store has just been opened after a crash: it may take as long as
     * loading the index then. Keys that have expired and were not yet reclaimed by a merge count;
     * visiting the entries counts exactly. After {@link #close} it is 0.
     */
    long size();

    /** Makes every write that returned before this call survive a power loss. */
    void sync() throws IOException;

    /**
     * Merges now: copies what is live out of every sealed file, and gives back the space of the rest. Writes and reads go
     * on. Returns when done, or when {@link #close()} cancels it.
     */
    void merge() throws IOException;

    /**
     * Writes a consistent copy of the store, as of some moment during the call, into {@code target}: an empty or missing
     * directory, or one that holds an earlier backup of this store, to which only what is new is added. The copy shares no
     * file with the store, is verified by checksum and can be opened as a store. A store that can be read can be backed
     * up, also one that is open read-only or refuses writes.
     *
     * @throws UnsupportedFormatException if the target is something else, was written to since it was a backup, or has
     *     another history than this store; nothing there was changed
     * @throws IllegalArgumentException if the target is the store's directory, lies in it or has it in it
     */
    void backup(Path target) throws IOException;

    /**
     * Makes a consistent view of the store, as of some moment during the call, in {@code target}, which can be opened as a
     * store of its own: as {@link #backup} does, but quickly and with little space. Where the file system has hard links,
     * it shares the files of the store. So it guards against wrong writes and deletes, and not against a bad disk: what
     * damages a file of the store damages its checkpoints. It is as good as a backup only when it has been copied
     * elsewhere.
     *
     * <p>An engine that shares no files makes a backup.
     */
    default void checkpoint(Path target) throws IOException {
        backup(target);
    }

    /**
     * Returns figures about the store, consistent to within the writes that go on. After {@link #close} those of keys and
     * index are 0.
     */
    EngineStats stats();

    /**
     * Returns the first failure that made the engine refuse writes until it is reopened, in a call or in the background;
     * null if there was none. Trouble that passes is no failure: see {@link #retries}.
     */
    @Nullable Throwable health();

    /**
     * Returns the background work that failed before it changed anything, or was refused by the executor, and is tried
     * again. Reads and writes go on meanwhile; if it never succeeds, space is not given back or opening takes longer.
     */
    default List<Retry> retries() {
        return List.of();
    }

    /**
     * Closes the engine: everything acknowledged is made to survive a power loss, the index is released and the
     * directory is unlocked. Closing twice is fine. Calls that are under way end normally or with {@link
     * EngineClosedException}.
     */
    @Override
    void close() throws IOException;
}
