package dev.caskwright.bitcask.undo;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Keys with a locator each, one after the other in chunks of memory, in the order in which they were added. Nothing is
 * moved or changed later, so a <i>reference</i>, the place of an entry, stays good.
 *
 * <pre>
 * chunk     | locator: 64 | keyLength: 16 | key ... | locator | keyLength | key ... | zeros
 * reference | chunk: 22 | offset: 18 |
 * </pre>
 *
 * <p>No reference is 0. No key has length 0, so a zero length says that a chunk ends there.
 *
 * <p><b>Threads.</b> One writer beside any number of readers. A reader may look at an entry if it has the reference from
 * somewhere that the writer released it to after {@link #add} had returned, or if the entry lies before {@link #end}.
 */
final class UndoEntries {
    static final int REFERENCE_BITS = 40;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.nativeOrder());
    private static final VarHandle END;
    private static final int OFFSET_BITS = 18;
    private static final int OFFSET_MASK = (1 << OFFSET_BITS) - 1;
    private static final int MAX_CHUNKS = 1 << (REFERENCE_BITS - OFFSET_BITS);
    private static final int FIRST_CHUNK = 1 << 10;
    private static final int LARGEST_CHUNK = 1 << OFFSET_BITS; // more than the longest entry
    private static final int LENGTH_OFFSET = Long.BYTES;
    private static final int KEY_OFFSET = LENGTH_OFFSET + Short.BYTES;
    private static final long FIRST = 1;

    static {
        try {
            END = MethodHandles.lookup().findVarHandle(UndoEntries.class, "end", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** A chunk is put in before a reference into it is released. */
    private volatile byte[][] chunks = {new byte[FIRST_CHUNK]};

    private int lastChunk;
    private int used = (int) FIRST; // of the last chunk
    private long end = FIRST;

    /** Adds an entry and returns its reference. The writer only. */
    long add(byte[] key, int offset, int length, long locator) {
        int needed = KEY_OFFSET + length;
        if (used + needed > chunks[lastChunk].length) {
            addChunk(needed);
        }
        byte[] chunk = chunks[lastChunk];
        LONG.set(chunk, used, locator);
        SHORT.set(chunk, used + LENGTH_OFFSET, (short) length);
        System.arraycopy(key, offset, chunk, used + KEY_OFFSET, length);
        long reference = reference(lastChunk, used);
        used += needed;
        END.setRelease(this, reference(lastChunk, used));
        return reference;
    }

    private void addChunk(int needed) {
        int next = lastChunk + 1;
        if (next == MAX_CHUNKS) {
            throw new OutOfMemoryError("too many keys changed under a snapshot: bytes=" + end);
        }
        byte[][] all = chunks;
        int size = Math.max(needed, Math.min(LARGEST_CHUNK, 2 * all[lastChunk].length));
        byte[] chunk = new byte[size];
        if (next == all.length) {
            all = Arrays.copyOf(all, 2 * all.length);
            chunks = all;
        }
        all[next] = chunk;
        lastChunk = next;
        used = 0;
    }

    private static long reference(int chunk, int offset) {
        return ((long) chunk << OFFSET_BITS) + offset;
    }

    /** Returns where the entries end that can be walked through, as {@link #next} counts. */
    long end() {
        return (long) END.getAcquire(this);
    }

    /** Returns where {@link #end} was before the first entry. */
    static long start() {
        return FIRST;
    }

    /** Returns the reference of the entry at a place, or after it in the next chunk. The place is before the end. */
    long at(long place) {
        byte[] chunk = chunk(place);
        int offset = offset(place);
        boolean isEnd = offset + KEY_OFFSET > chunk.length || keyLength(chunk, offset) == 0;
        return isEnd ? reference((int) (place >>> OFFSET_BITS) + 1, 0) : place;
    }

    /** Returns the place after an entry. */
    long next(long reference) {
        return reference + KEY_OFFSET + keyLength(reference);
    }

    long locator(long reference) {
        return (long) LONG.get(chunk(reference), offset(reference));
    }

    /** Returns the array that has the key, from {@link #keyOffset} on. */
    byte[] chunk(long reference) {
        return chunks[(int) (reference >>> OFFSET_BITS)];
    }

    int keyOffset(long reference) {
        return offset(reference) + KEY_OFFSET;
    }

    int keyLength(long reference) {
        return keyLength(chunk(reference), offset(reference));
    }

    long memoryBytes() {
        long bytes = 0;
        for (byte[] chunk : chunks) {
            bytes += chunk == null ? 0 : chunk.length;
        }
        return bytes;
    }

    /** Returns a copy of the key of an entry. */
    byte[] key(long reference) {
        int start = keyOffset(reference);
        return Arrays.copyOfRange(chunk(reference), start, start + keyLength(reference));
    }

    /** Compares the key of an entry with another, unsigned and bytewise. */
    int compare(long reference, byte[] key, int offset, int length) {
        int start = keyOffset(reference);
        byte[] chunk = chunk(reference);
        return Arrays.compareUnsigned(chunk, start, start + keyLength(reference), key, offset, offset + length);
    }

    boolean hasKey(long reference, byte[] key, int offset, int length) {
        byte[] chunk = chunk(reference);
        int at = offset(reference);
        int start = at + KEY_OFFSET;
        return keyLength(chunk, at) == length
                && Arrays.equals(chunk, start, start + length, key, offset, offset + length);
    }

    private static int offset(long reference) {
        return (int) reference & OFFSET_MASK;
    }

    private static int keyLength(byte[] chunk, int offset) {
        return Short.toUnsignedInt((short) SHORT.get(chunk, offset + LENGTH_OFFSET));
    }
}
