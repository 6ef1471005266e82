package dev.caskwright.raft;

import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The store as a command sees it: with the changes of the commands before it, at the time of its entry. What it changes is
 * written with the whole entry, all or nothing. Only for the thread that applies, and only until the command returns.
 *
 * <p>Keys are 1 to 65,535 bytes. {@link Applied#KEY} belongs to the node: changing it is an {@link IllegalArgumentException}.
 */
public final class Overlay {
    /**
     * The most bytes of keys and values that the commands of an entry change, and the most that they reply, but for the last reply: what
     * one member has no memory for, none has, at this start and the next. More than any command has that may be submitted. All members
     * must have the same bound, so it is no option.
     */
    static final long MOST_BYTES = 96L << 20;

    /** The most bytes of values that a command reads by their keys: it may reply all of them. */
    static final long MOST_READ_BYTES = 256L << 20;

    private final ReadView store;
    private final Map<ByteBuffer, Change> done = new LinkedHashMap<>();
    private final Map<ByteBuffer, Change> own = new LinkedHashMap<>();
    private long index;
    private long timeMillis;
    private long greatestExpiry;
    private long doneBytes;
    private long ownBytes; // more than those before the command
    private long replyBytes;
    private long readBytes;
    private @Nullable Throwable storeFailure;

    /** @param value null if the key is deleted */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    private record Change(byte @Nullable [] value, long expiresAtMillis) {
        static long bytes(ByteBuffer key, @Nullable Change change) {
            return change == null ? 0 : key.remaining() + (change.value == null ? 0L : change.value.length);
        }
    }

    Overlay(ReadView store) {
        this.store = store;
    }

    /** Begins an entry. */
    void begin(long entryIndex, long entryTimeMillis, long greatestExpirySoFar) {
        done.clear();
        own.clear();
        doneBytes = 0;
        ownBytes = 0;
        replyBytes = 0;
        storeFailure = null;
        index = entryIndex;
        timeMillis = entryTimeMillis;
        greatestExpiry = greatestExpirySoFar;
    }

    /** Begins a command; it fails if those before it in the entry reply so much that its own reply may be too much. */
    void beginCommand() throws CommandFailedException {
        readBytes = 0;
        if (replyBytes > MOST_BYTES) {
            throw new CommandFailedException(
                    "the commands before it, which are logged together with it, reply too much: bytes=" + replyBytes
                            + ", allowed=" + MOST_BYTES + "; try it again");
        }
    }

    /** Keeps what the command changed. */
    void keep(int lengthOfReply) {
        for (Map.Entry<ByteBuffer, Change> change : own.entrySet()) {
            done.put(change.getKey(), change.getValue());
            greatestExpiry = Math.max(greatestExpiry, change.getValue().expiresAtMillis());
        }
        doneBytes += ownBytes;
        replyBytes += lengthOfReply;
        forget();
    }

    /** Forgets what the command changed. */
    void forget() {
        own.clear();
        ownBytes = 0;
    }

    /**
     * Fails if the store has failed under the command, whatever the command made of it: the others, whose stores are sound, come to
     * something else.
     */
    void requireStore() throws IOException {
        if (storeFailure != null) {
            throw new IOException(
                    "the store failed under a command that all members run: " + storeFailure.getMessage(),
                    storeFailure);
        }
    }

    /** Returns the latest time at which anything written so far expires. */
    long greatestExpiry() {
        return greatestExpiry;
    }

    /** Adds what was kept to a batch. */
    void addTo(WriteBatch batch) {
        for (Map.Entry<ByteBuffer, Change> change : done.entrySet()) {
            byte[] key = change.getKey().array();
            byte[] value = change.getValue().value();
            long expiry = change.getValue().expiresAtMillis();
            if (value == null) {
                batch.delete(key);
            } else if (expiry == Entry.NEVER) {
                batch.put(key, value);
            } else {
                batch.put(key, value, WriteOptions.DEFAULT.expiresAt(Instant.ofEpochMilli(expiry)));
            }
        }
    }

    /** Returns the index of the entry in the log: it grows with every entry, and is the same for the commands of one. */
    public long index() {
        return index;
    }

    /** Returns the time of the entry, in milliseconds since 1970. It never goes back. */
    public long timeMillis() {
        return timeMillis;
    }

    /** Returns the value of the key, or null if it is absent or has expired. The array is the caller's. */
    public byte @Nullable [] get(byte[] key) throws IOException {
        Entry entry = entry(key);
        return entry == null ? null : entry.value();
    }

    /** Returns whether the key is there. */
    public boolean contains(byte[] key) throws IOException {
        return entry(key) != null;
    }

    /** Returns the key's value and expiry, or null if it is absent or has expired. It has no version. */
    public @Nullable Entry entry(byte[] key) throws IOException {
        ByteBuffer wrapped = ByteBuffer.wrap(key);
        Change change = own.get(wrapped);
        if (change == null) {
            change = done.get(wrapped);
        }
        if (change != null) {
            byte[] value = change.value();
            if (value == null || hasExpired(change.expiresAtMillis())) {
                return null;
            }
            noteRead(value.length);
            return new Entry(key.clone(), value.clone(), Entry.NO_VERSION, change.expiresAtMillis());
        }
        Entry stored = stored(key);
        return stored == null || hasExpired(stored.expiresAtMillis()) ? null : unversioned(stored);
    }

    private @Nullable Entry stored(byte[] key) throws IOException {
        Entry stored;
        try {
            stored = store.entry(key);
        } catch (IOException | RuntimeException | Error e) {
            storeFailure = e;
            throw e;
        }
        if (stored != null) {
            noteRead(stored.value().length);
        }
        return stored;
    }

    private void noteRead(int bytes) {
        readBytes += bytes;
        if (readBytes > MOST_READ_BYTES) {
            throw new IllegalStateException("the command reads too much: bytes=" + readBytes + ", allowed="
                    + MOST_READ_BYTES + "; do it in several");
        }
    }

    /** Shows all entries, as {@link #entry} returns them, until the visitor has enough. It may change what it is shown. */
    public void visit(EntryVisitor visitor) throws IOException {
        Map<ByteBuffer, Change> changed = new LinkedHashMap<>(done);
        changed.putAll(own);
        boolean[] goesOn = {true};
        boolean[] isWithVisitor = {false}; // whose failures are none of the store
        try {
            store.visit(stored -> {
                if (Applied.isKey(stored.key())
                        || changed.containsKey(ByteBuffer.wrap(stored.key()))
                        || hasExpired(stored.expiresAtMillis())) {
                    return true;
                }
                isWithVisitor[0] = true;
                goesOn[0] = visitor.visit(unversioned(stored));
                isWithVisitor[0] = false;
                return goesOn[0];
            });
        } catch (IOException | RuntimeException | Error e) {
            if (!isWithVisitor[0]) {
                storeFailure = e;
            }
            throw e;
        }
        for (ByteBuffer key : changed.keySet()) {
            byte[] bytes = new byte[key.remaining()];
            key.get(0, bytes);
            Entry entry = goesOn[0] ? entry(bytes) : null;
            if (entry != null) {
                goesOn[0] = visitor.visit(entry);
            }
        }
    }

    private static Entry unversioned(Entry stored) {
        return new Entry(stored.key(), stored.value(), Entry.NO_VERSION, stored.expiresAtMillis());
    }

    /** Stores a value that does not expire. */
    public void put(byte[] key, byte[] value) {
        put(key, value, Entry.NEVER);
    }

    /**
     * Stores a value that expires at a time, in milliseconds since 1970, or {@link Entry#NEVER}. The time may have passed.
     *
     * @throws IllegalArgumentException if the key is too long or the node's own, or if the time is negative
     * @throws IllegalStateException if the command changes too much, with those that are logged together with it: more than 96 MiB
     */
    public void put(byte[] key, byte[] value, long expiresAtMillis) {
        if (expiresAtMillis < 0) {
            throw new IllegalArgumentException("a time of expiry is not negative: " + expiresAtMillis);
        }
        change(checked(key), new Change(value.clone(), expiresAtMillis));
    }

    private void change(ByteBuffer key, Change change) {
        Change before = own.get(key);
        if (before == null) {
            before = done.get(key);
        }
        long bytes = ownBytes + Change.bytes(key, change) - Change.bytes(key, before);
        if (doneBytes + bytes > MOST_BYTES) {
            throw new IllegalStateException(
                    "the command changes too much, with those that are logged together with it: bytes="
                            + (doneBytes + bytes) + ", allowed=" + MOST_BYTES + "; try it again, or do it in several");
        }
        own.put(key, change);
        ownBytes = bytes;
    }

    /** Removes a key; returns whether it was there. */
    public boolean delete(byte[] key) throws IOException {
        ByteBuffer wrapped = checked(key);
        boolean isThere = contains(key);
        if (isThere) {
            change(wrapped, new Change(null, Entry.NEVER));
        }
        return isThere;
    }

    /** Gives an entry another expiry, or none, and the same value; returns whether the key was there. */
    public boolean expire(byte[] key, long expiresAtMillis) throws IOException {
        byte[] value = get(key);
        if (value == null) {
            return false;
        }
        put(key, value, expiresAtMillis);
        return true;
    }

    private boolean hasExpired(long expiresAtMillis) {
        return expiresAtMillis != Entry.NEVER && expiresAtMillis <= timeMillis;
    }

    private static ByteBuffer checked(byte[] key) {
        if (key.length == 0 || key.length > StorageEngine.MAX_KEY_LENGTH) {
            throw new IllegalArgumentException(
                    "key length out of range: length=" + key.length + ", allowed=1.." + StorageEngine.MAX_KEY_LENGTH);
        }
        Applied.refuse(key);
        return ByteBuffer.wrap(key.clone());
    }
}
