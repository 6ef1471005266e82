package dev.caskwright.api;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A durable, embedded key-value store: what every engine does. What only some do are facets; {@link #facet} tells whether
 * this store holds one, and {@link #require} names those that would. An engine implements the facets that it always holds,
 * so that whoever holds the engine by its own type calls them directly.
 *
 * <p><b>Threads.</b> Every method may be called by any number of threads. Reads take no lock that a writer or a merge can
 * hold. Writes are applied one after another; each is atomic and visible to all reads that start after it returned. A
 * thread that is interrupted spoils at most its own call.
 *
 * <p><b>Durability.</b> Every write has a {@link Durability}: the one in its {@link WriteOptions}, or the store's. The
 * answer of a delete, a conditional write, a change of expiry or a commit that changed nothing is as durable as that of
 * one that did: at {@link Durability#SYNC}, what the answer rests on survives a power loss.
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

    /** Stores a value under a key, in place of one that may be there, with the store's durability and no expiry. */
    default void put(byte[] key, byte[] value) throws IOException {
        put(key, value, WriteOptions.DEFAULT);
    }

    /**
     * Stores a value under a key, in place of one that may be there. The entry expires as the options say, or never: a put
     * without an expiry makes a key persist that would have expired.
     */
    void put(byte[] key, byte[] value, WriteOptions options) throws IOException;

    /**
     * As {@link #put(byte[], byte[], WriteOptions)}, for a key and a value between the positions and limits of buffers, which
     * stay as they are. A part of an array is {@code ByteBuffer.wrap(array, offset, length)}.
     */
    default void put(ByteBuffer key, ByteBuffer value, WriteOptions options) throws IOException {
        put(Slices.copy(key), Slices.copy(value), options);
    }

    /** As {@link #put(ByteBuffer, ByteBuffer, WriteOptions)}, with the store's durability and no expiry. */
    default void put(ByteBuffer key, ByteBuffer value) throws IOException {
        put(key, value, WriteOptions.DEFAULT);
    }

    /** As {@link #delete(byte[], WriteOptions)}, for a key between a buffer's position and limit, which stay as they are. */
    default boolean delete(ByteBuffer key, WriteOptions options) throws IOException {
        return delete(Slices.copy(key), options);
    }

    /** As {@link #delete(ByteBuffer, WriteOptions)}, with the store's durability. */
    default boolean delete(ByteBuffer key) throws IOException {
        return delete(key, WriteOptions.DEFAULT);
    }

    /** Removes a key with the store's durability; returns whether it was there. */
    default boolean delete(byte[] key) throws IOException {
        return delete(key, WriteOptions.DEFAULT);
    }

    /** Removes a key; returns whether it was there. If it was not, nothing is written. */
    boolean delete(byte[] key, WriteOptions options) throws IOException;

    /**
     * Applies all changes of a batch or none: after any crash all of them are there, or none. Snapshots and iterations
     * see all or none; single gets that run meanwhile may see some before others.
     *
     * @throws IllegalArgumentException if the batch's records need more than one file can hold (just under 2 GiB)
     */
    void write(WriteBatch batch, WriteOptions options) throws IOException;

    /** Applies all changes of a batch or none, with the store's durability. */
    default void write(WriteBatch batch) throws IOException {
        write(batch, WriteOptions.DEFAULT);
    }

    /**
     * Opens a snapshot of this moment.
     *
     * @throws EngineException with {@link ErrorCode#TOO_MANY_SNAPSHOTS} if as many are open as the store allows
     */
    Snapshot snapshot() throws IOException;

    /** Takes a snapshot, which lasts as long as the cursor. */
    @Override
    default Cursor cursor() throws IOException {
        return SnapshotCursor.open(this);
    }

    /**
     * Returns the number of keys. An engine with an index answers at once, unless the store has just been opened after a
     * crash: it may take as long as loading the index then. An engine without one counts. Keys that have expired and were
     * not yet reclaimed count; visiting the entries counts exactly. After {@link #close} it is 0.
     */
    long size() throws IOException;

    /** Makes every write that returned before this call survive a power loss. */
    void sync() throws IOException;

    /**
     * Makes every write that returned before this call survive a power loss, without a thread that waits. The future ends
     * after a force that covers those writes, with the version up to which every write is durable; calls that come while a
     * force is under way share the next. If the force fails, each of its futures ends with the error that {@link #sync} would
     * have thrown. What depends on the future runs in a thread of the engine: it must be short, and must not close the store;
     * use the {@code ...Async} methods of the future for more.
     *
     * <p>An engine that cannot wait without a thread forces within the call.
     */
    default CompletableFuture<Long> syncAsync() {
        try {
            long version = stats().lastVersion();
            sync();
            return CompletableFuture.completedFuture(version);
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /**
     * Returns a version up to which every write is known to survive a power loss. It may lag behind what is durable, never be
     * ahead of it, and does not go back. 0 if nothing is known.
     */
    default long durableVersion() {
        return 0;
    }

    /** Returns this store with keys and values of other types. */
    default <K, V> TypedStore<K, V> as(Codec<K> keys, Codec<V> values) {
        return new TypedStore<>(this, keys, values);
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
     * again, and what is left undone until the store is reopened. Reads and writes go on meanwhile; if it never succeeds,
     * space is not given back or opening takes longer.
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
