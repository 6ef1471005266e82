package dev.caskwright.api;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Receives the writes of a store in the order in which they were committed. */
@FunctionalInterface
public interface ChangeVisitor {
    /** Takes one change; returns whether it wants another. */
    boolean visit(Change change) throws IOException;

    /**
     * One put or delete.
     *
     * @param history the history that the write belongs to, see {@link ChangeFeed.Moment}
     * @param version the version of the write; grows from change to change
     * @param value the value put, or null for a delete
     * @param expiresAtMillis when the put expires, or {@link Entry#NEVER}
     * @param isLastOfBatch false for every change of a batch but its last, so that a follower can apply it as one
     */
    @SuppressWarnings("ArrayRecordComponent") // the arrays are the visitor's own; changes are not compared
    record Change(
            long history,
            long version,
            byte[] key,
            byte @Nullable [] value,
            long expiresAtMillis,
            boolean isLastOfBatch) {
        /** Returns the moment after this write. */
        public ChangeFeed.Moment moment() {
            return new ChangeFeed.Moment(history, version);
        }
    }
}
