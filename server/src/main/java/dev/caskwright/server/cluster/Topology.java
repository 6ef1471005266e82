package dev.caskwright.server.cluster;

/**
 * Tells a server that is a node of a cluster who has which slots. A mode of the server in which each node has a part of the keys
 * provides it; the server does the rest as a node of Redis Cluster does: it executes commands on its own slots, answers {@code
 * -MOVED} for those of others, {@code -CROSSSLOT} for keys of several slots and {@code -CLUSTERDOWN} for slots that nobody has, and
 * tells clients by {@code CLUSTER} where to go. How nodes agree, and what happens to keys when slots change hands, is the mode's
 * business.
 *
 * <p>A command is judged by the view of the moment before it is executed. A mode in which slots may change hands after that must
 * see to it itself that a command that comes late does no harm.
 */
@FunctionalInterface
public interface Topology {
    /**
     * Returns what is known now. It is asked for each command that names keys, by any number of threads at once: the answer must be
     * a field to read, not something to compute or to wait for.
     */
    ClusterView view();
}
