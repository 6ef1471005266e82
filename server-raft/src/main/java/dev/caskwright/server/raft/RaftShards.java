package dev.caskwright.server.raft;

import dev.caskwright.raft.RaftGroups;
import dev.caskwright.raft.RaftMember;
import dev.caskwright.raft.RaftNode;
import dev.caskwright.raft.RaftState;
import dev.caskwright.server.cluster.HashSlot;
import dev.caskwright.server.cluster.Shards;
import dev.caskwright.server.cluster.Topology;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replication;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The groups of a server that has several. While {@code raft-spread-leaders} is on, each has a member whose turn it is to lead it, as
 * its number says; whoever leads instead gives it the lead once it is there and has nearly all that was agreed on.
 */
final class RaftShards implements Shards {
    private static final Logger LOG = LoggerFactory.getLogger(RaftShards.class);
    private static final long PERIOD_MILLIS = 1_000;

    /** A member that is further behind would hold up commands while it takes the lead. */
    private static final long MOST_LAG = 100;

    private final RaftGroups opened;
    private final List<RaftReplication> groups;
    private final RaftTopology topology;
    private final ServerConfig config;
    /** For each group, when its lead is given away: each attempt holds up its commands, and may fail for as long as a line is cut. */
    private final List<Attempts> attempts;

    private final byte[] groupOfSlot = new byte[HashSlot.SLOTS];
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "caskwright-raft-spread");
        thread.setDaemon(true);
        return thread;
    });

    @SuppressWarnings("FutureReturnValueIgnored") // the timer ends with this
    RaftShards(RaftGroups opened, List<RaftReplication> groups, RaftTopology topology, ServerConfig config) {
        this.opened = opened;
        this.groups = groups;
        this.topology = topology;
        this.config = config;
        this.attempts = groups.stream().map(group -> new Attempts()).toList();
        for (int i = 0; i < groups.size(); i++) {
            groups.get(i).over(opened.nodes().get(i));
            int end = RaftTopology.firstSlot(i + 1, groups.size());
            for (int slot = RaftTopology.firstSlot(i, groups.size()); slot < end; slot++) {
                groupOfSlot[slot] = (byte) i;
            }
        }
        topology.begin(groups);
        timer.scheduleWithFixedDelay(this::spread, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void spread() {
        try {
            for (int i = 0;
                    i < groups.size() && config.option("raft-spread-leaders").isYes();
                    i++) {
                spread(i);
            }
        } catch (RuntimeException e) {
            LOG.warn("the lead of a group could not be given away, is tried again", e);
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // its end is handled
    private void spread(int number) {
        RaftNode node = opened.nodes().get(number);
        if (!node.isLeader()) {
            return;
        }
        RaftState state = node.state();
        List<RaftMember> members = state.members();
        String turn = members.get(number % members.size()).id();
        boolean isNear = state.lags().stream().anyMatch(lag -> lag.id().equals(turn) && lag.entries() <= MOST_LAG);
        if (!turn.equals(state.id())
                && isNear
                && node.isAnswering(turn)
                && attempts.get(number).begin()) {
            Duration patience = Duration.ofMillis(2 * config.number("raft-election-timeout"));
            node.transferLeadership(turn, patience).whenComplete((done, failed) -> {
                attempts.get(number).ended(failed != null);
                if (failed != null) {
                    LOG.info(
                            "group {}: the lead was not given to {}, is tried again: {}",
                            number,
                            turn,
                            failed.toString());
                }
            });
        }
    }

    @Override
    public List<Replication> groups() {
        return List.copyOf(groups);
    }

    @Override
    public int groupOf(int slot) {
        return groupOfSlot[slot];
    }

    @Override
    public Topology topology() {
        return topology;
    }

    @Override
    public void close() {
        timer.shutdownNow();
        topology.close();
        groups.forEach(RaftReplication::close);
        try {
            opened.close();
        } catch (IOException e) {
            LOG.error("the members could not be closed in order", e);
        }
    }
}
