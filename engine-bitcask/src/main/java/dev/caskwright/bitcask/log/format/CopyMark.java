package dev.caskwright.bitcask.log.format;

/**
 * Says in a manifest that its directory is a copy, and of which moment: the history and the version of the last record that
 * its source had then. As long as it is not finished, the directory is no store yet. One that is finished is void as soon as
 * something is written to the store.
 */
public record CopyMark(Kind kind, boolean finished, long history, long version) {
    /** What a copy is or, as long as it is not finished, will be. */
    public enum Kind {
        BACKUP(1, "this backup was cut short and is not whole; make it again, in this directory or in another"),
        CHECKPOINT(2, "this checkpoint was cut short and is not whole; make it again, in this directory or in another"),
        RESTORED(3, "restoring into this directory was cut short; delete it, and restore again"),
        SALVAGED(4, "salvaging into this directory was cut short; delete it, and salvage again");

        private final int code;
        private final String unfinished;

        Kind(int code, String unfinished) {
            this.code = code;
            this.unfinished = unfinished;
        }
    }

    private static final int WORDS = 5;

    public static boolean isPossible(long[] words) {
        return words.length == WORDS && words[1] >= 1 && words[1] <= Kind.values().length;
    }

    /** Reads what {@link #words} wrote, if {@link #isPossible}. */
    public static CopyMark ofWords(long[] words) {
        return new CopyMark(Kind.values()[(int) words[1] - 1], words[2] != 0, words[3], words[4]);
    }

    /** Returns the words of a manifest's edit, its type first. */
    public long[] words(int type) {
        return new long[] {type, kind.code, finished ? 1 : 0, history, version};
    }

    /** Says for an error why the directory is no store, and what to do. */
    public String unfinished() {
        return kind.unfinished;
    }
}
