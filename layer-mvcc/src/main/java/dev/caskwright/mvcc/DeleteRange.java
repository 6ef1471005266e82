package dev.caskwright.mvcc;

/**
 * Deletes the keys of a range. Immutable.
 *
 * @param returnsPrevious whether the result has what was there before
 */
public record DeleteRange(KeyRange range, boolean returnsPrevious) implements Operation {
    /** Deletes one key. */
    public static DeleteRange of(byte[] key) {
        return new DeleteRange(KeyRange.of(key), false);
    }

    /** Deletes the keys of a range. */
    public static DeleteRange of(KeyRange range) {
        return new DeleteRange(range, false);
    }

    /** Returns this, answered with what was there before. */
    public DeleteRange returningPrevious() {
        return new DeleteRange(range, true);
    }
}
