package dev.caskwright.api;

import java.io.IOException;

/** The writes of a store, in the order of their commit. */
public interface ChangeFeed extends Facet {
    /**
     * Visits the writes after {@code version} in the order of their commit, up to the last one at the time of the call.
     * Versions start at 1, so 0 means from the start. Writes are visited whether they are durable yet or not: a crash may
     * take some that were visited and give their versions anew, so a follower that must not differ takes a new copy then.
     *
     * @return the version of the last change visited, to continue from, or {@code version} if there was none
     * @throws EngineException with {@link ErrorCode#CHANGES_GONE} if changes after {@code version} have been dropped;
     *     take a copy of the store and start from its {@link Snapshot#version()}
     */
    long changes(long version, ChangeVisitor visitor) throws IOException;
}
