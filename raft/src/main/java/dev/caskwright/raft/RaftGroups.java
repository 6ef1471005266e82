package dev.caskwright.raft;

import dev.caskwright.api.UnsupportedFormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The members that one process is in several groups, behind one port: each group agrees on an order of its own, and has a store and a
 * log of its own, while they share connections, certificates and threads. For who parts keys among groups; how, is the caller's
 * business.
 *
 * <pre>
 * groups      how many there are, and whether each has begun
 * group-0/    the directory of the member in the first group, as {@link RaftNode} has it alone
 * group-1/    ...
 * </pre>
 *
 * <p>A group that fails here stops here; the others go on. Safe for any number of threads.
 */
public final class RaftGroups implements AutoCloseable {
    private final List<RaftNode> nodes;

    private RaftGroups(List<RaftNode> nodes) {
        this.nodes = List.copyOf(nodes);
    }

    /**
     * Opens a member of each group.
     *
     * @param directory where they keep what they have, in a directory each; missing, empty, or of as many groups
     * @param groups for each group, what configures its member: group and appliers are its own; id, members, certificates, times and
     *     lengths must be the same for all
     * @throws UnsupportedFormatException if the directory has another number of groups, or lacks one that was there; nothing was
     *     changed
     * @throws IllegalArgumentException if there are no groups, or they differ in what they must have in common
     * @throws IOException as {@link RaftNodeBuilder#open}
     */
    public static RaftGroups open(Path directory, List<UnaryOperator<RaftNodeBuilder>> groups) throws IOException {
        List<RaftNodeBuilder> builders = new ArrayList<>();
        for (int i = 0; i < groups.size(); i++) {
            builders.add(groups.get(i).apply(RaftNode.builder(NodeFiles.ofGroup(directory, i))));
        }
        check(builders);
        RaftNodeBuilder first = builders.get(0);
        RaftMember self = first.self(first.checkedId());
        RaftHost host = new RaftHost(first, self);
        host.checkPort();
        NodeFiles.claimForGroups(directory, builders.size());
        List<RaftNode> nodes = new ArrayList<>();
        for (RaftNodeBuilder builder : builders) {
            nodes.add(new RaftNode(builder, builder.checkedGroup(), self, host));
        }
        RaftGroups opened = new RaftGroups(nodes);
        try {
            opened.start(directory, host);
            return opened;
        } catch (IOException | RuntimeException | Error e) {
            try {
                opened.close();
            } catch (IOException | RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    private static void check(List<RaftNodeBuilder> builders) {
        if (builders.isEmpty()) {
            throw new IllegalArgumentException("there must be a group");
        }
        RaftNodeBuilder first = builders.get(0);
        for (RaftNodeBuilder builder : builders) {
            builder.check();
            if (!first.isOnOneHostWith(builder)) {
                throw new IllegalArgumentException(
                        "groups of one process have the same id, members, certificates, times and lengths: group="
                                + builder.checkedGroup());
            }
        }
        if (builders.stream().map(RaftNodeBuilder::checkedGroup).distinct().count() < builders.size()) {
            throw new IllegalArgumentException("two groups have the same name");
        }
    }

    private void start(Path directory, RaftHost host) throws IOException {
        List<RaftHost.Part> parts = new ArrayList<>();
        for (RaftNode node : nodes) {
            parts.add(node.prepare());
        }
        NodeFiles.noteBegun(directory, nodes.size()); // before any of them votes
        host.build(parts);
        for (RaftNode node : nodes) {
            node.join();
        }
        host.start();
        nodes.forEach(RaftNode::begin);
    }

    /** Returns the members, in the order in which they were configured. They are closed with this. */
    public List<RaftNode> nodes() {
        return nodes;
    }

    /** Closes all members; see {@link RaftNode#close}. */
    @Override
    public void close() throws IOException {
        IOException first = null;
        for (RaftNode node : nodes) {
            try {
                node.close();
            } catch (IOException | RuntimeException e) {
                if (first == null) {
                    first = new IOException("a member could not be closed: " + node.self() + ": " + e.getMessage(), e);
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
