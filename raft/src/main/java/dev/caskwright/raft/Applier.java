package dev.caskwright.raft;

import java.io.IOException;

/**
 * Makes changes of the store, and a reply, of each command of one kind. Every member runs every command, in the same order, and
 * must come to the same changes. So an applier goes by the command, the overlay and nothing else: it reads the time from {@link
 * Overlay#timeMillis}, and neither draws random numbers, nor walks an index whose order means nothing, nor looks at versions of
 * entries, which differ between members.
 *
 * <p>It is called by one thread, one command after another, and must not wait for anything.
 */
@FunctionalInterface
public interface Applier {
    /**
     * Runs a command. Its changes are those made through {@code overlay}; they are written together with the log's index, so each
     * command acts once, whatever happens.
     *
     * @return the reply, which is for whoever submitted the command and is not logged
     * @throws CommandFailedException if the command cannot be done: that is its result, and nothing of it is kept
     * @throws RuntimeException counts as the same
     * @throws IOException if the store fails: this member stops, the others go on
     */
    byte[] apply(Overlay overlay, byte[] command) throws IOException, CommandFailedException;
}
