package dev.caskwright.api;

import java.io.IOException;

/** The writes of a store, in the order of their commit. */
public interface ChangeFeed extends Facet {
    /**
     * A moment of a store: that after one of its writes. Two copies of a store that both went on have other histories from
     * where they parted, so a moment of one can be told from a moment of the other, though the versions be the same.
     *
     * @param history the history that the write belongs to: a number that is drawn at random whenever a store is opened and
     *     written to
     * @param version the version of the write
     */
    record Moment(long history, long version) {
        /** The moment before any write. All stores have been at it. */
        public static final Moment START = new Moment(0, 0);

        @Override
        public String toString() {
            return "version=" + version + ", history=" + Long.toHexString(history);
        }
    }

    /**
     * Visits the writes after {@code version} in the order of their commit, up to the last one at the time of the call.
     * Versions start at 1, so 0 means from the start. Writes are visited whether they are durable yet or not: a crash may
     * take some that were visited and give their versions again. A follower that must not differ goes on from {@linkplain
     * #changes(Moment, ChangeVisitor) a moment} instead.
     *
     * @return the version of the last change visited, to continue from, or {@code version} if there was none
     * @throws EngineException with {@link ErrorCode#CHANGES_GONE} if changes after {@code version} have been dropped;
     *     take a copy of the store and start from its {@link #moment()}
     */
    long changes(long version, ChangeVisitor visitor) throws IOException;

    /**
     * As {@link #changes(long, ChangeVisitor)}, after a moment that this store has been at. A follower that takes its moments
     * from here never goes on with the changes of another history: those of a store that lost its last writes in a crash, was
     * put back to an earlier backup, or is a copy that went on by itself.
     *
     * @return the moment of the last change visited, to continue from, or {@code after} if there was none
     * @throws EngineException with {@link ErrorCode#CHANGES_GONE} if changes after {@code after} have been dropped, or the
     *     store has not been at it as far as it knows: it keeps more than a thousand openings; take a copy of the store and
     *     start from its {@link #moment()}
     */
    Moment changes(Moment after, ChangeVisitor visitor) throws IOException;

    /** Returns the moment after the last write. That of a copy is the moment of which it is a copy, until it is written to. */
    Moment moment() throws IOException;
}
