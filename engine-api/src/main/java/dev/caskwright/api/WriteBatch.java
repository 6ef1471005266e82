package dev.caskwright.api;

import dev.caskwright.api.spi.KeyHash;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Puts and deletes that are applied all or none. A batch belongs to one thread while it is built or written, blocks nobody,
 * and can be written more than once. The last change to a key wins. Keys and values are copied, one behind the other into
 * shared blocks: a change costs no object of its own.
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
         * Takes one change. The array belongs to the batch, and is neither kept nor changed; it has the value right behind
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
    private static final KeyHash HASH = new KeyHash(ThreadLocalRandom.current().nextLong());

    private byte[] block = new byte[FIRST_BLOCK];
    private int blockUsed;

    // Of each change, in the order in which they were made; replaced ones stay until they are the most.
    private int changes;
    private int replaced;
    private byte[][] sources = new byte[FIRST_CHANGES][];
    private int[] keyOffsets = new int[FIRST_CHANGES];
    private int[] keyLengths = new int[FIRST_CHANGES];
    private int[] valueLengths = new int[FIRST_CHANGES];
    private int[] hashes = new int[FIRST_CHANGES];
    private WriteOptions[] expiries = new WriteOptions[FIRST_CHANGES];

    /** An open-addressing table at most half full: the number of the key's last change plus 1, or 0. */
    private int[] table = new int[2 * FIRST_CHANGES];

    /** Makes an empty batch. */
    public WriteBatch() {}

    /** Adds a put without expiry. */
    public WriteBatch put(byte[] key, byte[] value) {
        return put(key, value, WriteOptions.DEFAULT);
    }

    /** Adds a put that expires as {@code expiry} says; the durability is that of the whole batch. */
    public WriteBatch put(byte[] key, byte[] value, WriteOptions expiry) {
        return add(key, value, value.length, Objects.requireNonNull(expiry));
    }

    /** Adds a delete. */
    public WriteBatch delete(byte[] key) {
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

    /** Forgets all changes, and keeps what memory the next ones need if they are as many. */
    public void clear() {
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

    /** Copies key and value into the current block, or into a new one, and returns where they begin. */
    private int store(byte[] key, byte[] value, int valueLength) {
        long needed = (long) key.length + valueLength;
        if (needed > block.length - blockUsed) {
            if (needed > Integer.MAX_VALUE - Long.BYTES) {
                throw new IllegalArgumentException(
                        "key and value are too long: length=" + needed + "; split the value over several keys");
            }
            block = new byte[(int) Math.max(needed, Math.min(LARGEST_SHARED_BLOCK, 2L * block.length))];
            blockUsed = 0;
        }
        int offset = blockUsed;
        System.arraycopy(key, 0, block, offset, key.length);
        System.arraycopy(value, 0, block, offset + key.length, valueLength);
        blockUsed = offset + (int) needed;
        return offset;
    }

    /** Drops what was replaced if that is the most; otherwise doubles the room for changes. */
    private void makeRoom() {
        if (replaced > changes / 2) {
            dropReplaced();
        } else {
            int capacity = Math.multiplyExact(2, changes);
            sources = Arrays.copyOf(sources, capacity);
            keyOffsets = Arrays.copyOf(keyOffsets, capacity);
            keyLengths = Arrays.copyOf(keyLengths, capacity);
            valueLengths = Arrays.copyOf(valueLengths, capacity);
            hashes = Arrays.copyOf(hashes, capacity);
            expiries = Arrays.copyOf(expiries, capacity);
        }
        int[] larger = new int[Integer.highestOneBit(keyOffsets.length) * 2];
        for (int i = 0; i < changes; i++) {
            if (valueLengths[i] != REPLACED) {
                int place = hashes[i] & larger.length - 1;
                while (larger[place] != 0) {
                    place = place + 1 & larger.length - 1;
                }
                larger[place] = i + 1;
            }
        }
        table = larger;
    }

    /** Moves the changes together that still count, their bytes into new blocks. */
    private void dropReplaced() {
        int count = changes;
        block = new byte[FIRST_BLOCK];
        blockUsed = 0;
        changes = 0;
        replaced = 0;
        for (int i = 0; i < count; i++) {
            if (valueLengths[i] != REPLACED) {
                int to = changes++;
                keyOffsets[to] = moved(i);
                sources[to] = block;
                keyLengths[to] = keyLengths[i];
                valueLengths[to] = valueLengths[i];
                hashes[to] = hashes[i];
                expiries[to] = expiries[i];
            }
        }
        Arrays.fill(sources, changes, count, null);
        Arrays.fill(expiries, changes, count, null);
    }

    private int moved(int change) {
        int keyEnd = keyOffsets[change] + keyLengths[change];
        byte[] key = Arrays.copyOfRange(sources[change], keyOffsets[change], keyEnd);
        int valueLength = Math.max(0, valueLengths[change]);
        byte[] value = Arrays.copyOfRange(sources[change], keyEnd, keyEnd + valueLength);
        return store(key, value, valueLength);
    }
}
