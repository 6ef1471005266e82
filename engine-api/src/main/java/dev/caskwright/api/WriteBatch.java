package dev.caskwright.api;

import dev.caskwright.api.spi.index.KeyHash;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Puts and deletes that are applied all or none. A batch belongs to one thread while it is built or written, blocks nobody,
 * and can be written more than once. The last change to a key wins. Keys and values are copied, one after the other into
 * shared blocks: a change costs no object of its own. A key of a length that no store takes is an {@link
 * IllegalArgumentException} when it is added.
 */
public final class WriteBatch {
    /**
     * One change of a batch.
     *
     * @param value the new value, or null for a delete
     * @param expiry when a put expires; its durability is ignored
     */
    @SuppressWarnings("ArrayRecordComponent") // holders of arrays are not compared
    public record Change(byte[] key, byte @Nullable [] value, WriteOptions expiry) {}

    /** Takes the changes of a batch where they are, without copies. */
    @FunctionalInterface
    public interface Visitor {
        /** The length of the value that stands for a delete. */
        int DELETE = -1;

        /**
         * Takes one change. The array belongs to the batch, and is neither kept nor changed; it has the value right after
         * the key.
         *
         * @param valueLength the length of the new value in bytes, or {@link #DELETE}
         * @param expiry when a put expires; its durability is ignored
         */
        void change(byte[] source, int keyOffset, int keyLength, int valueLength, WriteOptions expiry)
                throws IOException;
    }

    private static final int REPLACED = -2; // in place of a value's length: the key was named again later
    private static final int FIRST_CHANGES = 16;
    private static final int FIRST_BLOCK = 1 << 10;
    private static final int LARGEST_SHARED_BLOCK = 256 << 10;

    /** So much room is kept by {@link #clear}: some 36 bytes for each change. */
    private static final int MOST_KEPT_CHANGES = 1 << 14;

    private static final KeyHash HASH = new KeyHash(ThreadLocalRandom.current().nextLong());

    private byte[] block;
    private int blockUsed;

    // Of each change, in the order in which they were made; replaced ones stay until they are the most.
    private int changes;
    private int replaced;
    private byte[][] sources;
    private int[] keyOffsets;
    private int[] keyLengths;
    private int[] valueLengths;
    private int[] hashes;
    private WriteOptions[] expiries;

    /** An open-addressing table at most half full: the number of the key's last change plus 1, or 0. */
    private int[] table;

    /** Makes an empty batch. */
    public WriteBatch() {
        this(FIRST_CHANGES);
    }

    private WriteBatch(int capacity) {
        block = new byte[FIRST_BLOCK];
        sources = new byte[capacity][];
        keyOffsets = new int[capacity];
        keyLengths = new int[capacity];
        valueLengths = new int[capacity];
        hashes = new int[capacity];
        expiries = new WriteOptions[capacity];
        table = new int[Integer.highestOneBit(capacity) * 2];
    }

    /** Adds a put without expiry: the key persists, also if it would have expired. */
    public WriteBatch put(byte[] key, byte[] value) {
        return put(key, value, WriteOptions.DEFAULT);
    }

    /** Adds a put that expires as {@code expiry} says; the durability is that of the whole batch. */
    public WriteBatch put(byte[] key, byte[] value, WriteOptions expiry) {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(value, "value");
        return add(key, value, value.length, Objects.requireNonNull(expiry, "expiry"));
    }

    /** Adds a delete. */
    public WriteBatch delete(byte[] key) {
        Objects.requireNonNull(key, "key");
        return add(key, key, Visitor.DELETE, WriteOptions.DEFAULT);
    }

    /** Returns the number of keys that the batch changes. */
    public int size() {
        return changes - replaced;
    }

    /** Returns copies of the changes, one a key, in the order in which their keys were last named. */
    public List<Change> changes() {
        List<Change> all = new ArrayList<>(size());
        for (int i = 0; i < changes; i++) {
            if (valueLengths[i] != REPLACED) {
                int keyEnd = keyOffsets[i] + keyLengths[i];
                byte[] key = Arrays.copyOfRange(sources[i], keyOffsets[i], keyEnd);
                boolean isDelete = valueLengths[i] == Visitor.DELETE;
                byte[] value = isDelete ? null : Arrays.copyOfRange(sources[i], keyEnd, keyEnd + valueLengths[i]);
                all.add(new Change(key, value, expiries[i]));
            }
        }
        return all;
    }

    /** Shows the changes, one a key, in the order in which their keys were last named. */
    public void visit(Visitor visitor) throws IOException {
        for (int i = 0; i < changes; i++) {
            if (valueLengths[i] != REPLACED) {
                visitor.change(sources[i], keyOffsets[i], keyLengths[i], valueLengths[i], expiries[i]);
            }
        }
    }

    /** Forgets all changes. Keeps the memory for as many, up to some thousand; what was needed beyond is given back. */
    public void clear() {
        if (keyOffsets.length > MOST_KEPT_CHANGES) {
            become(new WriteBatch(FIRST_CHANGES));
            return;
        }
        Arrays.fill(sources, 0, changes, null);
        Arrays.fill(expiries, 0, changes, null);
        Arrays.fill(table, 0);
        changes = 0;
        replaced = 0;
        blockUsed = 0;
        if (block.length > LARGEST_SHARED_BLOCK) {
            block = new byte[FIRST_BLOCK];
        }
    }

    private WriteBatch add(byte[] key, byte[] value, int valueLength, WriteOptions expiry) {
        if (key.length == 0 || key.length > StorageEngine.MAX_KEY_LENGTH) {
            throw new IllegalArgumentException(
                    "key length out of range: length=" + key.length + ", allowed=1.." + StorageEngine.MAX_KEY_LENGTH);
        }
        if (changes == keyOffsets.length) {
            makeRoom();
        }
        // From the copy on, the caller's key no longer counts: it may change meanwhile.
        int offset = store(key, value, Math.max(0, valueLength));
        int hash = (int) HASH.hash(block, offset, key.length);
        int place = find(offset, key.length, hash);
        if (table[place] != 0) {
            valueLengths[table[place] - 1] = REPLACED;
            replaced++;
        }
        sources[changes] = block;
        keyOffsets[changes] = offset;
        keyLengths[changes] = key.length;
        valueLengths[changes] = valueLength;
        hashes[changes] = hash;
        expiries[changes] = expiry;
        table[place] = ++changes;
        return this;
    }

    /** Returns the place in the table of the key in the current block, or the free one where it belongs. */
    private int find(int offset, int length, int hash) {
        int mask = table.length - 1;
        int place = hash & mask;
        while (table[place] != 0 && !isKey(table[place] - 1, offset, length, hash)) {
            place = place + 1 & mask;
        }
        return place;
    }

    private boolean isKey(int change, int offset, int length, int hash) {
        int from = keyOffsets[change];
        return hashes[change] == hash
                && Arrays.equals(sources[change], from, from + keyLengths[change], block, offset, offset + length);
    }

    /** Copies a slice into the current block, or into a new one, and returns where it begins. */
    private int store(byte[] source, int from, int length) {
        int offset = reserve(length);
        System.arraycopy(source, from, block, offset, length);
        return offset;
    }

    /** Copies key and value into the current block, or into a new one, and returns where they begin. */
    private int store(byte[] key, byte[] value, int valueLength) {
        int offset = reserve((long) key.length + valueLength);
        System.arraycopy(key, 0, block, offset, key.length);
        System.arraycopy(value, 0, block, offset + key.length, valueLength);
        return offset;
    }

    private int reserve(long needed) {
        if (needed > block.length - blockUsed) {
            if (needed > Integer.MAX_VALUE - Long.BYTES) {
                throw new IllegalArgumentException(
                        "key and value are too long: length=" + needed + "; split the value over several keys");
            }
            block = new byte[(int) Math.max(needed, Math.min(LARGEST_SHARED_BLOCK, 2L * block.length))];
            blockUsed = 0;
        }
        int offset = blockUsed;
        blockUsed = offset + (int) needed;
        return offset;
    }

    /**
     * Drops what was replaced if that is the most; otherwise doubles the room for changes. All memory is taken before
     * anything is changed: a batch that finds none is as before.
     */
    private void makeRoom() {
        boolean isDropping = replaced > changes / 2;
        WriteBatch next = new WriteBatch(isDropping ? keyOffsets.length : Math.multiplyExact(2, changes));
        if (isDropping) {
            for (int i = 0; i < changes; i++) {
                if (valueLengths[i] != REPLACED) {
                    int offset = next.store(sources[i], keyOffsets[i], keyLengths[i] + Math.max(0, valueLengths[i]));
                    next.take(this, i, next.block, offset);
                }
            }
        } else {
            next.block = block;
            next.blockUsed = blockUsed;
            for (int i = 0; i < changes; i++) {
                next.take(this, i, sources[i], keyOffsets[i]);
            }
        }
        become(next);
    }

    /** Adds a change of another batch, or one that was replaced there, whose bytes are in place. There is room. */
    private void take(WriteBatch other, int change, byte[] source, int offset) {
        sources[changes] = source;
        keyOffsets[changes] = offset;
        keyLengths[changes] = other.keyLengths[change];
        valueLengths[changes] = other.valueLengths[change];
        hashes[changes] = other.hashes[change];
        expiries[changes] = other.expiries[change];
        changes++;
        if (other.valueLengths[change] == REPLACED) {
            replaced++;
            return;
        }
        int place = hashes[changes - 1] & table.length - 1;
        while (table[place] != 0) {
            place = place + 1 & table.length - 1;
        }
        table[place] = changes;
    }

    private void become(WriteBatch next) {
        block = next.block;
        blockUsed = next.blockUsed;
        changes = next.changes;
        replaced = next.replaced;
        sources = next.sources;
        keyOffsets = next.keyOffsets;
        keyLengths = next.keyLengths;
        valueLengths = next.valueLengths;
        hashes = next.hashes;
        expiries = next.expiries;
        table = next.table;
    }
}
