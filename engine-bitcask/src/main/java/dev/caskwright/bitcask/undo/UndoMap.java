package dev.caskwright.bitcask.undo;

import dev.caskwright.api.spi.index.KeyHash;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/*
 * Why a reader finds what was saved before a change that it saw: the writer writes the entry, then releases the word that
 * leads to it, and only then changes the index. The reader reads the index first. If it sees the change, all that the
 * writer did before has happened before; so the table and the word that it then reads are those, or later ones. Words are
 * never taken back and entries never changed, so a later table has the entry, too, with the same locator.
 *
 * A reader beside a save that has not changed the index yet may find the entry or not: both give the same locator.
 */
/**
 * The locators that keys had before they changed for the first time since a snapshot: what is saved first for a key
 * counts.
 *
 * <p>A hash table over {@link UndoEntries}, in segments that grow by themselves, so that no writer waits long:
 *
 * <pre>
 * word | tag: 24 | reference: 40 |      0: none. A word's home is its tag as a fraction of the segment's length.
 * </pre>
 *
 * <p>So a segment grows from left to right without looking at keys. Collisions go on to the next word. A key takes its
 * own length and about 23 bytes.
 *
 * <p><b>Threads.</b> One writer at a time: who holds the write lock while this is the newest snapshot's map, and afterwards
 * who closes a snapshot. Any number of readers, who wait for nobody; those of {@link #addTo} only for each other.
 */
public final class UndoMap {
    /** The answer for a key that has not changed. No locator has this value: it would lie in a file's header. */
    public static final long UNCHANGED = 1;

    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int SEGMENT_BITS = 8;
    private static final int SEGMENTS = 1 << SEGMENT_BITS;
    private static final int SMALLEST_LENGTH = 8;
    private static final int TAG_BITS = Long.SIZE - UndoEntries.REFERENCE_BITS;
    private static final int TAG_MASK = (1 << TAG_BITS) - 1;
    private static final long REFERENCE_MASK = (1L << UndoEntries.REFERENCE_BITS) - 1;

    /** What is there from the first save on: most snapshots are closed before anything changes. */
    private static final class Saved {
        final UndoEntries entries = new UndoEntries();
        final UndoOrder order = new UndoOrder(entries);
        final AtomicReferenceArray<long @Nullable []> segments = new AtomicReferenceArray<>(SEGMENTS);
        final int[] counts = new int[SEGMENTS]; // the writer's
    }

    private final KeyHash hash;
    private volatile @Nullable Saved saved;

    UndoMap(KeyHash hash) {
        this.hash = hash;
    }

    /** Saves a locator, unless one is saved for the key. The writer only. */
    public void save(byte[] key, int offset, int length, long locator) {
        Saved all = saved;
        if (all == null) {
            all = new Saved();
            saved = all;
        }
        long hashed = hash.hash(key, offset, length);
        int segment = segment(hashed);
        long tag = tag(hashed);
        long[] words = all.segments.getPlain(segment);
        if (words == null || isFull(words, all.counts[segment])) {
            words = grown(words, segment);
            all.segments.setRelease(segment, words);
        }
        int position = home(tag, words.length);
        for (long word = words[position]; word != 0; word = words[position]) {
            if (word >>> UndoEntries.REFERENCE_BITS == tag
                    && all.entries.hasKey(word & REFERENCE_MASK, key, offset, length)) {
                return;
            }
            position = next(position, words.length);
        }
        long reference = all.entries.add(key, offset, length, locator);
        WORD.setRelease(words, position, tag << UndoEntries.REFERENCE_BITS | reference);
        all.counts[segment]++;
    }

    /**
     * Saves what another map has from a place on, unless it is here. The writer only; the other map's may go on.
     *
     * @param from 0, or what an earlier call returned
     * @return the place up to which everything is saved
     */
    long saveAll(UndoMap other, long from) {
        return other.visit(from, this::save);
    }

    /** Receives what was saved for a key, a slice of {@code source}. */
    @FunctionalInterface
    public interface Visitor {
        void visit(byte[] source, int offset, int length, long locator);
    }

    /** Visits what was saved so far, in the order of saving. */
    public void visit(Visitor visitor) {
        visit(0, visitor);
    }

    private long visit(long from, Visitor visitor) {
        Saved all = saved;
        if (all == null) {
            return from;
        }
        UndoEntries entries = all.entries;
        long end = entries.end();
        for (long place = from == 0 ? UndoEntries.start() : from; place != end; ) {
            long reference = entries.at(place);
            visitor.visit(
                    entries.chunk(reference),
                    entries.keyOffset(reference),
                    entries.keyLength(reference),
                    entries.locator(reference));
            place = entries.next(reference);
        }
        return end;
    }

    /** Returns what was saved for the key, or {@link #UNCHANGED}. */
    long get(byte[] key, int offset, int length) {
        Saved all = saved;
        if (all == null) {
            return UNCHANGED;
        }
        long hashed = hash.hash(key, offset, length);
        long[] words = all.segments.getAcquire(segment(hashed));
        if (words == null) {
            return UNCHANGED;
        }
        long tag = tag(hashed);
        int position = home(tag, words.length);
        while (true) {
            long word = (long) WORD.getAcquire(words, position);
            if (word == 0) {
                return UNCHANGED;
            }
            long reference = word & REFERENCE_MASK;
            if (word >>> UndoEntries.REFERENCE_BITS == tag && all.entries.hasKey(reference, key, offset, length)) {
                return all.entries.locator(reference);
            }
            position = next(position, words.length);
        }
    }

    /** Adds what was saved for the keys of a piece. */
    public void addTo(KeyPiece piece) {
        Saved all = saved;
        if (all != null) {
            all.order.addTo(piece);
        }
    }

    /** Returns the memory of keys, words and their order, in bytes. */
    public long memoryBytes() {
        Saved all = saved;
        if (all == null) {
            return 0;
        }
        long bytes = all.entries.memoryBytes() + all.order.memoryBytes();
        for (int segment = 0; segment < SEGMENTS; segment++) {
            long[] words = all.segments.get(segment);
            bytes += words == null ? 0 : (long) Long.BYTES * words.length;
        }
        return bytes;
    }

    private static boolean isFull(long[] words, int count) {
        return count >= words.length - words.length / 4;
    }

    /** Returns a segment of twice the length with the same words. */
    private static long[] grown(long @Nullable [] words, int segment) {
        if (words == null) {
            // Segments start at different lengths, so that they do not grow all at once.
            return new long[SMALLEST_LENGTH + SMALLEST_LENGTH * segment / SEGMENTS];
        }
        long[] grown = new long[2 * words.length];
        for (long word : words) {
            if (word != 0) {
                int position = home(word >>> UndoEntries.REFERENCE_BITS, grown.length);
                while (grown[position] != 0) {
                    position = next(position, grown.length);
                }
                grown[position] = word;
            }
        }
        return grown;
    }

    private static int segment(long hashed) {
        return (int) (hashed >>> (Long.SIZE - SEGMENT_BITS));
    }

    private static long tag(long hashed) {
        return hashed & TAG_MASK;
    }

    private static int home(long tag, int length) {
        return (int) (tag * length >>> TAG_BITS);
    }

    private static int next(int position, int length) {
        return position + 1 == length ? 0 : position + 1;
    }
}
