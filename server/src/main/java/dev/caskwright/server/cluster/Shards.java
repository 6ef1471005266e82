package dev.caskwright.server.cluster;

import dev.caskwright.server.replication.Replication;
import java.util.List;

/**
 * Several groups of the same servers, each of which agrees on the order of changes of a part of the slots, as one of the servers sees
 * them. Each server is a member of each group; the leader of a group is the master of its slots.
 *
 * <p>Safe for any number of threads.
 */
public interface Shards extends AutoCloseable {
    /** Returns the groups, always in the same order. They refuse what is proposed to a member that does not lead. */
    List<Replication> groups();

    /** Returns the place in {@link #groups} of the group that has a slot; always the same. */
    int groupOf(int slot);

    /** Returns who leads, slot by slot. */
    Topology topology();

    /** Closes all groups. */
    @Override
    void close();
}
