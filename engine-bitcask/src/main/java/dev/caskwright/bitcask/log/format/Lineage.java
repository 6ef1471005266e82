package dev.caskwright.bitcask.log.format;

import java.util.Arrays;

/**
 * Which histories a store has been through: for each opening after which something was written, its random number and the
 * first version that was written then. Two copies of a store that both went on differ in it from where they parted, so a
 * moment of one can be looked up in the other. Immutable.
 *
 * <p>It keeps the last {@value #MAX_HISTORIES}. A moment before them cannot be looked up any more, and counts as foreign.
 */
public final class Lineage {
    public static final Lineage EMPTY = new Lineage(new long[0]);

    /** Takes 16 KiB of a manifest. */
    static final int MAX_HISTORIES = 1024;

    private static final int WORDS = 2;

    /** How many longs an edit with it has at most. */
    public static final int MOST_WORDS = 1 + WORDS * MAX_HISTORIES;

    private final long[] entries; // history, first version; in the order of the log

    private Lineage(long[] entries) {
        this.entries = entries;
    }

    public static boolean isPossible(long[] words) {
        boolean hasItsLength = words.length % WORDS == 1 && words.length <= MOST_WORDS;
        for (int at = WORDS; hasItsLength && at < words.length; at += WORDS) {
            if (words[at] <= (at == WORDS ? 0 : words[at - WORDS]) || words[at] > RecordFormat.LAST_VERSION) {
                return false; // versions grow
            }
        }
        return hasItsLength;
    }

    /** Reads what {@link #words} wrote, if {@link #isPossible}. */
    public static Lineage ofWords(long[] words) {
        return words.length == 1 ? EMPTY : new Lineage(Arrays.copyOfRange(words, 1, words.length));
    }

    /** Returns the words of a manifest's edit: its type, and then the entries. */
    public long[] words(int type) {
        long[] words = new long[1 + entries.length];
        words[0] = type;
        System.arraycopy(entries, 0, words, 1, entries.length);
        return words;
    }

    /** Adds a history, unless it is known or nothing was written in it. */
    public Lineage with(long history, long firstVersion) {
        if (firstVersion == 0 || find(history) >= 0) {
            return this;
        }
        int end = entries.length;
        while (end > 0 && entries[end - 1] >= firstVersion) {
            end -= WORDS; // no store of ours has such: versions grow
        }
        int from = end == WORDS * MAX_HISTORIES ? WORDS : 0;
        long[] longer = Arrays.copyOfRange(entries, from, end + WORDS);
        longer[longer.length - 2] = history;
        longer[longer.length - 1] = firstVersion;
        return new Lineage(longer);
    }

    /** Returns the history of the last record; 0 if there is no record. */
    public long last() {
        return entries.length == 0 ? 0 : entries[entries.length - WORDS];
    }

    /** Returns the history of a version; 0 if it is not known. */
    public long of(long version) {
        int at = entries.length - WORDS;
        while (at >= 0 && entries[at + 1] > version) {
            at -= WORDS;
        }
        return at < 0 ? 0 : entries[at];
    }

    /**
     * Returns whether a store with this lineage has been at a moment.
     *
     * @param history that of the last record then
     * @param version that of the last record then
     * @param lastVersion the version of the last record of the store that asks
     */
    public boolean hasBeenAt(long history, long version, long lastVersion) {
        if (version == 0) {
            return true; // all begin there
        }
        int at = find(history);
        if (at < 0 || version > lastVersion) {
            return false;
        }
        return at + WORDS == entries.length || version < entries[at + WORDS + 1];
    }

    private int find(long history) {
        for (int at = entries.length - WORDS; at >= 0; at -= WORDS) {
            if (entries[at] == history) {
                return at;
            }
        }
        return -1;
    }
}
