package dev.caskwright.server.raft;

import dev.caskwright.server.cluster.ClusterNode;
import dev.caskwright.server.cluster.ClusterView;
import dev.caskwright.server.cluster.HashSlot;
import dev.caskwright.server.cluster.SlotRange;
import dev.caskwright.server.cluster.Topology;
import dev.caskwright.server.replication.Replication;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who leads which group, as slots: each group has as many, one after another. What is known is looked at anew when Raft says that a
 * leader has changed, and often, since Raft does not say that one is lost.
 */
final class RaftTopology implements Topology, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RaftTopology.class);
    private static final long PERIOD_MILLIS = 100;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "caskwright-raft-topology");
        thread.setDaemon(true);
        return thread;
    });
    private volatile List<RaftReplication> groups = List.of();
    private volatile @Nullable ClusterView view;

    /** Begins to look at groups, which have been opened. */
    @SuppressWarnings("FutureReturnValueIgnored") // the timer ends with this
    void begin(List<RaftReplication> opened) {
        groups = List.copyOf(opened);
        view = newView();
        timer.scheduleWithFixedDelay(this::refresh, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Returns the first slot of a group; that of the one behind the last is the number of slots. */
    static int firstSlot(int group, int groups) {
        return (int) ((long) group * HashSlot.SLOTS / groups);
    }

    @Override
    public ClusterView view() {
        ClusterView now = view;
        if (now == null) {
            throw new IllegalStateException("the groups are being opened");
        }
        return now;
    }

    /** Looks at the leaders soon: one may have changed. */
    void refreshSoon() {
        try {
            timer.execute(this::refresh);
        } catch (RejectedExecutionException e) {
            LOG.debug("a leader changed while the groups were closed");
        }
    }

    private void refresh() {
        try {
            if (!groups.isEmpty()) {
                ClusterView next = newView();
                if (!next.ranges().equals(view().ranges()) || !next.nodes().equals(view().nodes())) {
                    view = next;
                }
            }
        } catch (RuntimeException e) {
            LOG.warn("who leads could not be found out, is tried again", e);
        }
    }

    private ClusterView newView() {
        Map<String, ClusterNode> nodes = new LinkedHashMap<>();
        long epoch = 0;
        for (RaftReplication group : groups) {
            for (Replication.Member member : group.members()) {
                ClusterNode node = node(member.id(), member.clientAddress());
                if (node != null) {
                    nodes.put(member.id(), node);
                }
            }
            epoch += group.node().state().term();
        }
        List<SlotRange> ranges = new ArrayList<>();
        for (int i = 0; i < groups.size(); i++) {
            RaftReplication group = groups.get(i);
            String leader = group.guide();
            ClusterNode master = leader == null ? null : nodes.get(leader);
            List<ClusterNode> replicas = new ArrayList<>();
            for (Replication.Member member : group.members()) {
                ClusterNode node = nodes.get(member.id());
                if (node != null && !node.equals(master)) {
                    replicas.add(node);
                }
            }
            ranges.add(
                    new SlotRange(firstSlot(i, groups.size()), firstSlot(i + 1, groups.size()) - 1, master, replicas));
        }
        String id = groups.get(0).id();
        ClusterNode self = nodes.get(id);
        if (self == null) {
            // It waits to be taken in, or has been removed from all groups; but where it is, is configured.
            self = node(id, groups.get(0).clientAddress(id));
            if (self == null) {
                throw new IllegalStateException("where clients reach this member is not configured");
            }
            nodes.put(id, self);
        }
        return new ClusterView(epoch, self, List.copyOf(nodes.values()), ranges);
    }

    private static @Nullable ClusterNode node(String id, String address) {
        int colon = address.lastIndexOf(':');
        if (colon < 0) {
            return null;
        }
        boolean isBracketed = address.startsWith("[");
        return new ClusterNode(
                id,
                address.substring(isBracketed ? 1 : 0, isBracketed ? colon - 1 : colon),
                Integer.parseInt(address.substring(colon + 1)));
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
