package dev.caskwright.bolt.tree;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The keys and values that a write transaction has put, one after another in chunks on the heap. A place is a number: the
 * chunk in its upper half, the index in the lower one. Chunk 0 is not here: in a {@link Node} it stands for the page that the
 * node was made from.
 */
public final class Arena {
    private static final int CHUNK_LENGTH = 64 << 10;
    private static final int OWN_CHUNK_LENGTH = CHUNK_LENGTH / 4; // from this length on bytes get a chunk of their own

    private final List<ByteBuffer> chunks = new ArrayList<>();
    private int current = -1;
    private int used = CHUNK_LENGTH;
    private long bytes;

    /** Copies bytes, and returns their place. */
    long add(byte[] source, int offset, int length) {
        long place = reserve(length);
        chunk(place).put(index(place), source, offset, length);
        return place;
    }

    /** Copies bytes, and returns their place. */
    long add(ByteBuffer source, int index, int length) {
        long place = reserve(length);
        chunk(place).put(index(place), source, index, length);
        return place;
    }

    private long reserve(int length) {
        bytes += length;
        if (length >= OWN_CHUNK_LENGTH) {
            chunks.add(ByteBuffer.allocate(length));
            return place(chunks.size() - 1, 0);
        }
        if (length > CHUNK_LENGTH - used || current < 0) { // an empty value needs a place as well
            chunks.add(ByteBuffer.allocate(CHUNK_LENGTH));
            current = chunks.size() - 1;
            used = 0;
        }
        long place = place(current, used);
        used += length;
        return place;
    }

    private static long place(int chunk, int index) {
        return (long) (chunk + 1) << Integer.SIZE | index;
    }

    /** Returns the chunk of a place, which is not of chunk 0. */
    ByteBuffer chunk(long place) {
        return chunks.get((int) (place >>> Integer.SIZE) - 1);
    }

    static boolean isInArena(long place) {
        return place >>> Integer.SIZE != 0;
    }

    static int index(long place) {
        return (int) place;
    }

    /** Returns how many bytes were put. */
    public long bytes() {
        return bytes;
    }
}
