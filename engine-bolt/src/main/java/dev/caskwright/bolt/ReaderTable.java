package dev.caskwright.bolt;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The read transactions that are open, and the state that each reads. A reader says which state it is going to read and then
 * looks whether that is still the current one; a writer makes a state current and then looks who reads. So either the reader
 * sees the newer state, or the writer sees the reader. No reader waits for anybody.
 */
final class ReaderTable {
    private static final int PIECE_LENGTH = 64;

    private final int maxReaders;
    private volatile AtomicReferenceArray<@Nullable Reader>[] pieces;

    /** One open read transaction. */
    static final class Reader {
        final long openedNanos;
        final Thread openedBy;
        private final AtomicReferenceArray<@Nullable Reader> piece;
        private final int place;
        volatile long state = Long.MAX_VALUE; // not known yet: no state that a writer could free
        volatile long highWater; // of that state; set before it
        volatile @Nullable BoltTransaction transaction; // null until it has begun

        private Reader(AtomicReferenceArray<@Nullable Reader> piece, int place, long nowNanos) {
            this.piece = piece;
            this.place = place;
            this.openedNanos = nowNanos;
            this.openedBy = Thread.currentThread();
        }

        void close() {
            piece.compareAndSet(place, this, null);
        }
    }

    ReaderTable(int maxReaders) {
        this.maxReaders = maxReaders;
        this.pieces = pieces(1);
        pieces[0] = new AtomicReferenceArray<>(Math.min(PIECE_LENGTH, maxReaders));
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static AtomicReferenceArray<@Nullable Reader>[] pieces(int count) {
        return new AtomicReferenceArray[count];
    }

    /** Adds a reader, or returns null if there are as many as allowed. */
    @Nullable Reader add(long nowNanos) {
        int start = (int) Thread.currentThread().getId() & Integer.MAX_VALUE;
        while (true) {
            AtomicReferenceArray<@Nullable Reader>[] known = pieces;
            for (AtomicReferenceArray<@Nullable Reader> piece : known) {
                int length = piece.length();
                for (int i = 0, place = start % length; i < length; i++, place = (place + 1) % length) {
                    if (piece.get(place) == null) {
                        Reader reader = new Reader(piece, place, nowNanos);
                        if (piece.compareAndSet(place, null, reader)) {
                            return reader;
                        }
                    }
                }
            }
            if (known.length * PIECE_LENGTH >= maxReaders) {
                return null;
            }
            grow(known);
        }
    }

    private synchronized void grow(AtomicReferenceArray<@Nullable Reader>[] known) {
        if (pieces == known) {
            AtomicReferenceArray<@Nullable Reader>[] more = pieces(known.length + 1);
            System.arraycopy(known, 0, more, 0, known.length);
            more[known.length] =
                    new AtomicReferenceArray<>(Math.min(PIECE_LENGTH, maxReaders - known.length * PIECE_LENGTH));
            pieces = more;
        }
    }

    /** Returns the states that are read, ascending, each once. */
    long[] states() {
        // Looked at once: a reader in a piece that is added later sees the newer state.
        AtomicReferenceArray<@Nullable Reader>[] known = pieces;
        long[] states = new long[known.length * PIECE_LENGTH];
        int count = 0;
        for (AtomicReferenceArray<@Nullable Reader> piece : known) {
            for (int i = 0; i < piece.length(); i++) {
                Reader reader = piece.get(i);
                if (reader != null && reader.state != Long.MAX_VALUE) {
                    states[count++] = reader.state;
                }
            }
        }
        Arrays.sort(states, 0, count);
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (kept == 0 || states[kept - 1] != states[i]) {
                states[kept++] = states[i];
            }
        }
        return Arrays.copyOf(states, kept);
    }

    /** Returns the greatest high-water mark of a state that is read, 0 if there is none. */
    long highWater() {
        long highest = 0;
        for (AtomicReferenceArray<@Nullable Reader> piece : pieces) {
            for (int i = 0; i < piece.length(); i++) {
                Reader reader = piece.get(i);
                if (reader != null && reader.state != Long.MAX_VALUE) {
                    highest = Math.max(highest, reader.highWater);
                }
            }
        }
        return highest;
    }

    /** Returns the reader that was opened first, or null if there is none. */
    @Nullable Reader oldest() {
        Reader oldest = null;
        for (AtomicReferenceArray<@Nullable Reader> piece : pieces) {
            for (int i = 0; i < piece.length(); i++) {
                Reader reader = piece.get(i);
                if (reader != null && (oldest == null || reader.openedNanos - oldest.openedNanos < 0)) {
                    oldest = reader;
                }
            }
        }
        return oldest;
    }

    /** Cuts all readers off that have begun. */
    void cutOff() {
        for (AtomicReferenceArray<@Nullable Reader> piece : pieces) {
            for (int i = 0; i < piece.length(); i++) {
                Reader reader = piece.get(i);
                BoltTransaction transaction = reader == null ? null : reader.transaction;
                if (transaction != null) {
                    transaction.cutOff();
                }
            }
        }
    }

    int count() {
        int count = 0;
        for (AtomicReferenceArray<@Nullable Reader> piece : pieces) {
            for (int i = 0; i < piece.length(); i++) {
                if (piece.get(i) != null) {
                    count++;
                }
            }
        }
        return count;
    }
}
