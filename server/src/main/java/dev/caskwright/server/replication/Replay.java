package dev.caskwright.server.replication;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;

/**
 * Executes commands that a group has agreed on. What they do depends on nothing but the store, the commands, the index and the
 * time: so all members that have executed the same entries have the same content. For one thread at a time.
 */
public interface Replay {
    /**
     * Executes the commands of one proposal.
     *
     * @param store what the commands read and change; each read shows the changes of those before
     * @param commands as they were proposed
     * @param index the place of the entry in the log; never less than that of the last call
     * @param millis the time of the entry, in milliseconds since 1970: that by which keys expire
     * @return the replies, in a form that the server who proposed the commands understands
     * @throws IOException if the store failed, or the commands are of a version that is not known; the member must not go on then
     */
    byte[] apply(StorageEngine store, byte[] commands, long index, long millis) throws IOException;

    /** Forgets what is remembered of the store, since another takes its place. */
    void reset();
}
