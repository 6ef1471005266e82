package dev.caskwright.mvcc.backend;

import dev.caskwright.mvcc.map.PersistentMap;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes that become visible together, and that are committed together. It sees what it wrote. It is ended by {@link #commit}, or by
 * {@link #close}, which forgets what it wrote.
 *
 * <p>For the thread that began it.
 */
public final class WriteTransaction implements AutoCloseable {
    private final BatchedBackend backend;
    private final Overlay before;
    private PersistentMap.@Nullable Editor<byte[]>[] editors;
    private long changes;
    private long bytes;
    private boolean isEnded;

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of them cannot be made otherwise
    WriteTransaction(BatchedBackend backend, Overlay before) {
        this.backend = backend;
        this.before = before;
        this.editors = new PersistentMap.Editor[before.maps().length];
        this.changes = before.changes();
        this.bytes = before.bytes();
    }

    private PersistentMap.Editor<byte[]> editor(Bucket bucket) {
        if (!backend.isOpen(this)) {
            throw new IllegalStateException("the transaction has ended, or belongs to another thread");
        }
        PersistentMap.Editor<byte[]> editor = editors[bucket.index()];
        if (editor == null) {
            editor = before.map(bucket).edit();
            editors[bucket.index()] = editor;
        }
        return editor;
    }

    /** Puts a value, in place of one that may be there. The arrays are kept: the caller does not change them. */
    public void put(Bucket bucket, byte[] key, byte[] value) {
        // An empty array of the caller's may be the one that stands for a removed key.
        editor(bucket).put(key, value.length == 0 ? new byte[0] : value);
        changes++;
        bytes += key.length + value.length;
    }

    /** Removes a key that may be there. The array is kept. */
    public void delete(Bucket bucket, byte[] key) {
        editor(bucket).put(key, Overlay.REMOVED);
        changes++;
        bytes += key.length;
    }

    /**
     * Removes all keys from {@code from} on to before {@code to}; returns how many there were. What is removed is held in memory
     * until the commit, so remove very many in several transactions.
     */
    public long deleteRange(Bucket bucket, byte[] from, byte @Nullable [] to) throws IOException {
        long removed = 0;
        try (BackendView view = view();
                OrderedStore.Cursor cursor = view.range(bucket, from, to, false)) {
            while (cursor.next()) {
                delete(bucket, cursor.key());
                removed++;
            }
        }
        return removed;
    }

    /** Returns a key's value, or null if there is none. Not to be changed. */
    public byte @Nullable [] get(Bucket bucket, byte[] key) throws IOException {
        byte[] own = editor(bucket).get(key);
        if (own != null) {
            return own == Overlay.REMOVED ? null : own;
        }
        try (BackendView view = backend.view(before)) {
            return view.get(bucket, key);
        }
    }

    /** Opens a view of everything that this transaction sees now; later writes do not show. The caller closes it. */
    public BackendView view() throws IOException {
        return backend.view(written());
    }

    private Overlay written() {
        if (changes == before.changes()) {
            return before;
        }
        PersistentMap<byte[]>[] maps = Arrays.copyOf(before.maps(), before.maps().length);
        for (int i = 0; i < maps.length; i++) {
            PersistentMap.Editor<byte[]> editor = editors[i];
            if (editor != null) {
                maps[i] = editor.freeze();
            }
        }
        return new Overlay(maps, changes, bytes);
    }

    /** Returns how many bytes of keys and values this transaction has written so far. */
    public long writtenBytes() {
        return bytes - before.bytes();
    }

    /**
     * Makes the writes visible and ends the transaction.
     *
     * @return tells when they are durable; for a transaction that wrote nothing, when what it read is
     */
    public CommitToken commit() {
        return commit(token -> {});
    }

    /**
     * As {@link #commit()}; does something when the writes are visible, before the next transaction begins.
     *
     * @param published takes the token that is returned; it does not throw
     */
    public CommitToken commit(Consumer<CommitToken> published) {
        if (isEnded || !backend.isOpen(this)) {
            throw new IllegalStateException("the transaction has ended, or belongs to another thread");
        }
        Overlay written = written();
        isEnded = true;
        return backend.publish(written, published);
    }

    /** Ends the transaction, if it is open, and forgets what it wrote. */
    @Override
    public void close() {
        if (!isEnded) {
            isEnded = true;
            backend.end();
        }
    }
}
