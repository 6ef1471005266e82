package dev.caskwright.index.hashmap;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSink;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One segment of the index, or a part of one: an open-addressing table of fixed capacity, with the bytes of its keys.
 *
 * <pre>
 * slots     | word 0: tag (32) | reference (32) | word 1: locator (64) | word 0 of the next slot ...
 * keyBytes  | length | key | length | key ...      a length is one byte, or 0xFF and two bytes
 * </pre>
 *
 * <p>A reference is the offset in {@code keyBytes} plus 1. A slot's home position is its tag as a fraction of the
 * capacity; so capacity can be any number, and a table is copied into a larger one from left to right without looking at
 * the keys. Collisions go on to the next slot.
 *
 * <p><b>Threads.</b> One writer (the holder of the segment's lock) beside any number of readers. A writer fills the locator
 * before the word that makes the slot visible, and never moves a slot. A removed slot becomes a tombstone that a later key
 * may take. Key bytes are only appended, so that a word is never seen twice with different meanings: a reader that finds
 * the same word before and after it read the locator has read the locator of that key.
 */
final class Table {
    /** The first word of a slot that no key has used. Ends a search. */
    static final long EMPTY = 0;
    /** The first word of a slot whose key was removed. Does not end a search. */
    static final long TOMBSTONE = 0xFFFFFFFFL;
    /** Of 16 slots, how many may be used. Above this, searches for absent keys become long. */
    static final int MAX_LOAD_SIXTEENTHS = 12;

    static final int NOT_FOUND = -1;
    static final int MAX_CAPACITY = 1 << 29;
    static final int MAX_KEY_BYTES = Integer.MAX_VALUE - 16;

    /** A table for a segment without keys. */
    static final Table NONE = new Table(1, new byte[0]);

    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int LONG_LENGTH = 0xFF;
    private static final int MAX_LENGTH_BYTES = 3;
    /** A table is sparse if fewer slots than this part of all have keys: a growing one has half. */
    private static final int SPARSE = 6;

    private static final int SMALLEST_TO_SHRINK = 16;
    private static final int ARRAY_HEADER = 16;
    private static final int OBJECT_BYTES = 48;

    private final long[] slots;
    private final int capacity;
    private volatile byte[] keyBytes;
    private int keyBytesUsed;
    private int keyBytesDead;
    private int tombstones;
    private int live;

    private Table(int capacity, byte[] keyBytes) {
        this(new long[2 * capacity], keyBytes);
    }

    private Table(long[] slots, byte[] keyBytes) {
        this.slots = slots;
        this.capacity = slots.length / 2;
        this.keyBytes = keyBytes;
    }

    /** Returns how many keys a table of that capacity takes. */
    static int limit(int capacity) {
        return (int) ((long) capacity * MAX_LOAD_SIXTEENTHS / 16);
    }

    /** Returns the capacity of a table for that many keys. */
    static int capacityFor(long keys) {
        return (int) Math.min(MAX_CAPACITY, keys * 16 / MAX_LOAD_SIXTEENTHS + 1);
    }

    /** Returns the bytes that a key takes in {@code keyBytes}. */
    static int encodedLength(int keyLength) {
        return keyLength < LONG_LENGTH ? 1 + keyLength : MAX_LENGTH_BYTES + keyLength;
    }

    int capacity() {
        return capacity;
    }

    /** Returns the number of keys. The writer only. */
    int live() {
        return live;
    }

    long memoryBytes() {
        return this == NONE
                ? 0
                : OBJECT_BYTES + arrayBytes((long) slots.length * Long.BYTES) + arrayBytes(keyBytes.length);
    }

    /** Reads the first word at the key's home, so that it is in the cache when it is needed. */
    long touch(int tag) {
        return slots[2 * home(tag)];
    }

    /** Reads a byte of the first key with this tag, so that it is in the cache when it is needed. Readers. */
    long touchKey(int tag) {
        long[] slots = this.slots;
        int position = 2 * home(tag);
        while (true) {
            long word = (long) WORD.getAcquire(slots, position);
            if (word == EMPTY) {
                return 0;
            }
            if ((int) (word >>> 32) == tag && word != TOMBSTONE) {
                return keyBytes[reference(word) - 1];
            }
            position += 2;
            if (position == slots.length) {
                position = 0;
            }
        }
    }

    /** Returns the locator of the first slot with this tag, without comparing keys. Readers. */
    long candidate(int tag) {
        long[] slots = this.slots;
        int position = 2 * home(tag);
        while (true) {
            long word = (long) WORD.getAcquire(slots, position);
            if (word == EMPTY) {
                return KeyIndex.ABSENT;
            }
            if ((int) (word >>> 32) == tag && word != TOMBSTONE) {
                return (long) WORD.getAcquire(slots, position + 1);
            }
            position += 2;
            if (position == slots.length) {
                position = 0;
            }
        }
    }

    /** Returns the locator of the key. Readers. */
    long get(int tag, byte[] key, int offset, int length) {
        long[] slots = this.slots;
        int position = 2 * home(tag);
        while (true) {
            long word = (long) WORD.getAcquire(slots, position);
            if (word == EMPTY) {
                return KeyIndex.ABSENT;
            }
            if ((int) (word >>> 32) == tag && word != TOMBSTONE && keyEquals(word, key, offset, length)) {
                long locator = (long) WORD.getAcquire(slots, position + 1);
                if ((long) WORD.getAcquire(slots, position) == word) {
                    return locator;
                }
                // The key was removed meanwhile. It may come again further on, or at a tombstone that we have passed; a
                // key that is absent at a moment of the search may be called absent.
            }
            position += 2;
            if (position == slots.length) {
                position = 0;
            }
        }
    }

    /** Returns the position of the key's slot, or {@link #NOT_FOUND}. The writer only. */
    int find(int tag, byte[] key, int offset, int length) {
        long[] slots = this.slots;
        int position = 2 * home(tag);
        while (true) {
            long word = slots[position];
            if (word == EMPTY) {
                return NOT_FOUND;
            }
            if ((int) (word >>> 32) == tag && word != TOMBSTONE && keyEquals(word, key, offset, length)) {
                return position;
            }
            position += 2;
            if (position == slots.length) {
                position = 0;
            }
        }
    }

    long locator(int position) {
        return slots[position + 1];
    }

    void setLocator(int position, long locator) {
        WORD.setRelease(slots, position + 1, locator);
    }

    /** Returns whether another key finds a slot. */
    boolean hasFreeSlot() {
        return live + tombstones < limit(capacity);
    }

    /** Adds a key that is not there. There must be a free slot, and room for its bytes. The writer only. */
    void insert(int tag, byte[] key, int offset, int length, long locator) {
        int reference = append(key, offset, length) + 1;
        int position = 2 * home(tag);
        while (slots[position] != EMPTY && slots[position] != TOMBSTONE) {
            position = next(position);
        }
        if (slots[position] == TOMBSTONE) {
            tombstones--;
        }
        WORD.setRelease(slots, position + 1, locator);
        WORD.setRelease(slots, position, word(tag, reference));
        live++;
    }

    /** Removes the key of a slot. The writer only. */
    void remove(int position) {
        keyBytesDead += encodedLength(keyLength(keyBytes, reference(slots[position]) - 1));
        live--;
        if (slots[next(position)] != EMPTY) {
            tombstones++;
            WORD.setRelease(slots, position, TOMBSTONE);
            return;
        }
        // No search goes on after this slot, so it and the tombstones before it can end searches again.
        WORD.setRelease(slots, position, EMPTY);
        int before = previous(position);
        while (slots[before] == TOMBSTONE) {
            tombstones--;
            WORD.setRelease(slots, before, EMPTY);
            before = previous(before);
        }
    }

    /** Returns whether a table for the keys that are left would take far less memory. */
    boolean isSparse() {
        return (live < capacity / SPARSE && capacity > SMALLEST_TO_SHRINK)
                || (keyBytesDead > keyBytesUsed / SPARSE * (SPARSE - 1) && keyBytesDead > 256);
    }

    /** Returns whether so many key bytes are dead that a copy of this table pays. */
    boolean isWasteful() {
        return keyBytesDead > keyBytesUsed / 3 && keyBytesDead > 256;
    }

    /** Makes room for the bytes of a key. The writer only. */
    void ensureKeyBytes(int keyLength) {
        long needed = (long) keyBytesUsed + encodedLength(keyLength);
        if (needed <= keyBytes.length) {
            return;
        }
        if (needed > MAX_KEY_BYTES) {
            throw new OutOfMemoryError("the keys of a segment need more than an array holds: bytes=" + needed);
        }
        keyBytes = Arrays.copyOf(keyBytes, (int) Math.min(MAX_KEY_BYTES, needed + needed / 4));
    }

    /** Returns a table of another capacity with the same keys, without tombstones and dead bytes. The writer only. */
    Table copy(int newCapacity, int roomForKeyBytes) {
        boolean compacting = keyBytesDead > 0 || this == NONE;
        // Without dead bytes the copy shares the key bytes: they are only appended to, and readers of this table look
        // at
        // none that come later.
        byte[] bytes = compacting ? new byte[keyBytesUsed - keyBytesDead + roomForKeyBytes] : keyBytes;
        Table copy = new Table(newCapacity, bytes);
        copy.keyBytesUsed = compacting ? 0 : keyBytesUsed;
        for (int position = 0; position < slots.length; position += 2) {
            long word = slots[position];
            if (word != EMPTY && word != TOMBSTONE) {
                copy.take(this, word, slots[position + 1], compacting);
            }
        }
        copy.live = live;
        return copy;
    }

    /** Takes a key where it is. */
    @FunctionalInterface
    interface KeyVisitor {
        void key(int tag, byte[] bytes, int offset, int length, long locator);
    }

    /** Shows all keys. The writer only. */
    void visit(KeyVisitor visitor) {
        for (int position = 0; position < slots.length; position += 2) {
            long word = slots[position];
            if (word != EMPTY && word != TOMBSTONE) {
                int start = reference(word) - 1;
                int length = keyLength(keyBytes, start);
                int offset = start + encodedLength(length) - length;
                visitor.key((int) (word >>> 32), keyBytes, offset, length, slots[position + 1]);
            }
        }
    }

    int keyBytesUsed() {
        return keyBytesUsed;
    }

    /** Returns a copy that {@link #writeTo} writes, without key bytes of its own. The writer only. */
    Table snapshot() {
        Table snapshot = new Table(slots.clone(), keyBytes);
        snapshot.keyBytesUsed = keyBytesUsed;
        return snapshot;
    }

    /** Writes the capacity, the length of the key bytes, the slots and the key bytes. Nobody may change this table. */
    void writeTo(ImageSink sink, byte[] buffer) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(buffer).order(ByteOrder.LITTLE_ENDIAN);
        sink.write(buffer, 0, bytes.putInt(capacity).putInt(keyBytesUsed).position());
        LongBuffer longs = bytes.rewind().asLongBuffer();
        for (int done = 0; done < slots.length; ) {
            int count = Math.min(longs.capacity(), slots.length - done);
            longs.put(0, slots, done, count);
            sink.write(buffer, 0, count * Long.BYTES);
            done += count;
        }
        sink.write(keyBytes, 0, keyBytesUsed);
    }

    /** Returns the table that was written, or null if it is none. */
    static @Nullable Table readFrom(ImageSource source, byte[] buffer) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(buffer).order(ByteOrder.LITTLE_ENDIAN);
        source.read(buffer, 0, 2 * Integer.BYTES);
        int capacity = bytes.getInt();
        int used = bytes.getInt();
        // Compared with what is there before anything is allocated.
        if (capacity <= 0
                || capacity > MAX_CAPACITY
                || used < 0
                || used > MAX_KEY_BYTES
                || 2L * Long.BYTES * capacity + used > source.remaining()) {
            return null;
        }
        long[] slots = new long[2 * capacity];
        LongBuffer longs = bytes.rewind().asLongBuffer();
        for (int done = 0; done < slots.length; ) {
            int count = Math.min(longs.capacity(), slots.length - done);
            source.read(buffer, 0, count * Long.BYTES);
            longs.get(0, slots, done, count);
            done += count;
        }
        byte[] keyBytes = new byte[used];
        source.read(keyBytes, 0, used);
        Table table = new Table(slots, keyBytes);
        table.keyBytesUsed = used;
        if (!table.count()) {
            return null;
        }
        return table.live == 0 && capacity == 1 ? NONE : table;
    }

    /** Counts keys, tombstones and dead bytes; returns whether all references lead to keys, and searches end. */
    private boolean count() {
        long liveBytes = 0;
        for (int position = 0; position < slots.length; position += 2) {
            long word = slots[position];
            if (word == TOMBSTONE) {
                tombstones++;
            } else if (word != EMPTY) {
                long start = (word & 0xFFFFFFFFL) - 1;
                if (start < 0 || start >= keyBytesUsed || slots[position + 1] == KeyIndex.ABSENT) {
                    return false;
                }
                boolean isLong = (keyBytes[(int) start] & 0xFF) == LONG_LENGTH;
                if (isLong && start + MAX_LENGTH_BYTES > keyBytesUsed) {
                    return false;
                }
                int keyLength = keyLength(keyBytes, (int) start);
                int length = encodedLength(keyLength);
                if (isLong != keyLength >= LONG_LENGTH || start + length > keyBytesUsed) {
                    return false;
                }
                liveBytes += length;
                live++;
            }
        }
        keyBytesDead = (int) (keyBytesUsed - liveBytes);
        return keyBytesDead >= 0 && live + tombstones < capacity;
    }

    private void take(Table source, long word, long locator, boolean compacting) {
        int tag = (int) (word >>> 32);
        int reference = reference(word);
        if (compacting) {
            int encoded = encodedLength(keyLength(source.keyBytes, reference - 1));
            System.arraycopy(source.keyBytes, reference - 1, keyBytes, keyBytesUsed, encoded);
            reference = keyBytesUsed + 1;
            keyBytesUsed += encoded;
        }
        int position = 2 * home(tag);
        while (slots[position] != EMPTY) {
            position = next(position);
        }
        slots[position] = word(tag, reference);
        slots[position + 1] = locator;
    }

    private int home(int tag) {
        return (int) (((tag & 0xFFFFFFFFL) * capacity) >>> 32);
    }

    private int next(int position) {
        return position + 2 == slots.length ? 0 : position + 2;
    }

    private int previous(int position) {
        return position == 0 ? slots.length - 2 : position - 2;
    }

    private static long word(int tag, int reference) {
        return ((long) tag << 32) | reference;
    }

    private static int reference(long word) {
        return (int) word;
    }

    /** Appends a key, and returns its offset. */
    private int append(byte[] key, int offset, int length) {
        byte[] bytes = keyBytes;
        int start = keyBytesUsed;
        int position = start;
        if (length < LONG_LENGTH) {
            bytes[position++] = (byte) length;
        } else {
            bytes[position++] = (byte) LONG_LENGTH;
            bytes[position++] = (byte) length;
            bytes[position++] = (byte) (length >>> 8);
        }
        System.arraycopy(key, offset, bytes, position, length);
        keyBytesUsed = position + length;
        return start;
    }

    private boolean keyEquals(long word, byte[] key, int offset, int length) {
        // Read after the word: an array that is older than the word might lack the key.
        byte[] bytes = keyBytes;
        int position = reference(word) - 1;
        if (keyLength(bytes, position) != length) {
            return false;
        }
        int start = position + encodedLength(length) - length;
        return Arrays.equals(bytes, start, start + length, key, offset, offset + length);
    }

    private static int keyLength(byte[] bytes, int position) {
        int first = bytes[position] & 0xFF;
        return first < LONG_LENGTH ? first : (bytes[position + 1] & 0xFF) | ((bytes[position + 2] & 0xFF) << 8);
    }

    private static long arrayBytes(long contentBytes) {
        return (ARRAY_HEADER + contentBytes + 7) & ~7L;
    }
}
