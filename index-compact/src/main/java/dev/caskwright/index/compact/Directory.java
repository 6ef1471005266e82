package dev.caskwright.index.compact;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The directory of a segment: an array of words, each of which names a {@link Bucket}. It is indexed by the leading bits of
 * a tag, as many as its length asks for; a bucket of a lesser depth has several words, all the same.
 */
final class Directory {
    /** That of a segment without keys. */
    static final long[] NONE = {Bucket.NO_BUCKET};

    /** That of a segment which is not loaded from its image yet: it looks empty, and only then need be told apart. */
    static final long[] UNREAD = {Bucket.NO_BUCKET};

    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    private Directory() {}

    /** Returns the word of the bucket where a tag belongs. */
    static long word(long[] directory, int tag) {
        return wordAt(directory, entry(directory, tag));
    }

    static long wordAt(long[] directory, int entry) {
        return (long) WORD.getAcquire(directory, entry);
    }

    static int entry(long[] directory, int tag) {
        return tag >>> (Bucket.TAG_BITS - depth(directory));
    }

    static int depth(long[] directory) {
        return Integer.numberOfTrailingZeros(directory.length);
    }

    /** Returns how many entries of the directory name that bucket. */
    static int entriesOf(long[] directory, long word) {
        return 1 << (depth(directory) - Bucket.depth(word));
    }

    /** Sets all entries of the directory that belong to the bucket of that entry. */
    static void publish(long[] directory, int entry, long word) {
        int count = entriesOf(directory, word);
        int first = entry & -count;
        for (int i = first; i < first + count; i++) {
            WORD.setRelease(directory, i, word);
        }
    }
}
