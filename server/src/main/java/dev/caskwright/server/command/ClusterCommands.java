package dev.caskwright.server.command;

import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.resp.Reply;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * The group as clients of Redis Cluster want to see it: one shard that has all slots, whose leader is the master and whose other
 * members are replicas. So such clients find the leader by themselves, also after it has changed.
 */
final class ClusterCommands {
    private static final String GROUP = "cluster";
    private static final int LAST_SLOT = HashSlot.SLOTS - 1;

    /** Redis' nodes talk to each other at a port that is greater by this. Clients do not use it. */
    private static final int BUS_OFFSET = 10_000;

    private ClusterCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("CLUSTER", -2, Subcommands::unknown)
                .doc(GROUP, "3.0.0", "A container for commands about the group, as of a cluster.")
                .with(
                        command(
                                "INFO",
                                2,
                                ClusterCommands::info,
                                "3.0.0",
                                "Returns whether there is a leader, and sizes."),
                        command("KEYSLOT", 3, ClusterCommands::keySlot, "3.0.0", "Returns the slot of a key."),
                        command("MYID", 2, ClusterCommands::myId, "3.0.0", "Returns the node id of this member."),
                        command("NODES", 2, ClusterCommands::nodes, "3.0.0", "Returns the members, a line each."),
                        command("SHARDS", 2, ClusterCommands::shards, "7.0.0", "Returns the slots and their members."),
                        command("SLOTS", 2, ClusterCommands::slots, "3.0.0", "Returns the slots and their members.")));
        commands.add(readMode("READONLY", "Does nothing: whether members that do not lead serve reads is configured."));
        commands.add(
                readMode("READWRITE", "Does nothing: whether members that do not lead serve reads is configured."));
    }

    private static Command command(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler).flags(LOADING, STALE).doc(GROUP, since, summary);
    }

    private static Command readMode(String name, String summary) {
        return new Command(name, 1, call -> call.reply().ok())
                .flags(FAST, LOADING, STALE)
                .in(Category.CONNECTION)
                .doc(GROUP, "3.0.0", summary);
    }

    /** A member that clients can reach. */
    private record Node(String id, String host, int port, boolean isLeader, boolean isSelf) {}

    /** Returns the members that clients can reach, the leader first; none if there is no leader. */
    private static List<Node> nodesOf(Call call) {
        Replication group = GroupCommands.group(call);
        List<Node> nodes = new ArrayList<>();
        boolean hasLeader = false;
        for (Replication.Member member : group.members()) {
            int colon = member.clientAddress().lastIndexOf(':');
            if (colon > 0) {
                boolean isLeader = member.role().equals("leader");
                Node node = new Node(
                        nodeId(member.id()),
                        member.clientAddress().substring(0, colon),
                        Integer.parseInt(member.clientAddress().substring(colon + 1)),
                        isLeader,
                        member.id().equals(group.id()));
                nodes.add(isLeader ? 0 : nodes.size(), node);
                hasLeader |= isLeader;
            }
        }
        return hasLeader ? nodes : List.of();
    }

    /** Returns 40 hexadecimal digits, as Redis' nodes have them. */
    private static String nodeId(String id) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest(id.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-1", e);
        }
    }

    private static void info(Call call) {
        List<Node> nodes = nodesOf(call);
        boolean isOk = !nodes.isEmpty();
        call.reply()
                .verbatim("cluster_enabled:1\r\ncluster_state:" + (isOk ? "ok" : "fail")
                        + "\r\ncluster_slots_assigned:" + HashSlot.SLOTS
                        + "\r\ncluster_slots_ok:" + (isOk ? HashSlot.SLOTS : 0)
                        + "\r\ncluster_known_nodes:"
                        + GroupCommands.group(call).members().size()
                        + "\r\ncluster_size:1\r\n");
    }

    private static void keySlot(Call call) {
        call.reply().integer(HashSlot.of(call.request().bytes(2)));
    }

    private static void myId(Call call) {
        call.reply().bulk(nodeId(GroupCommands.group(call).id()));
    }

    private static void nodes(Call call) {
        List<Node> nodes = nodesOf(call);
        StringBuilder text = new StringBuilder();
        for (Node node : nodes) {
            text.append(node.id()).append(' ').append(node.host()).append(':').append(node.port());
            text.append('@').append(node.port() + BUS_OFFSET).append(' ');
            text.append(node.isSelf() ? "myself," : "");
            text.append(node.isLeader() ? "master - " : "slave " + nodes.get(0).id() + " ");
            text.append("0 0 1 connected")
                    .append(node.isLeader() ? " 0-" + LAST_SLOT : "")
                    .append('\n');
        }
        call.reply().verbatim(text.toString());
    }

    private static void slots(Call call) {
        List<Node> nodes = nodesOf(call);
        Reply reply = call.reply();
        reply.array(nodes.isEmpty() ? 0 : 1);
        if (nodes.isEmpty()) {
            return;
        }
        reply.array(2L + nodes.size());
        reply.integer(0);
        reply.integer(LAST_SLOT);
        for (Node node : nodes) {
            reply.array(4);
            reply.bulk(node.host());
            reply.integer(node.port());
            reply.bulk(node.id());
            reply.array(0);
        }
    }

    private static void shards(Call call) {
        List<Node> nodes = nodesOf(call);
        Reply reply = call.reply();
        reply.array(nodes.isEmpty() ? 0 : 1);
        if (nodes.isEmpty()) {
            return;
        }
        reply.map(2);
        reply.bulk("slots");
        reply.array(2);
        reply.integer(0);
        reply.integer(LAST_SLOT);
        reply.bulk("nodes");
        reply.array(nodes.size());
        for (Node node : nodes) {
            reply.map(7);
            reply.bulk("id");
            reply.bulk(node.id());
            reply.bulk("port");
            reply.integer(node.port());
            reply.bulk("ip");
            reply.bulk(node.host());
            reply.bulk("endpoint");
            reply.bulk(node.host());
            reply.bulk("role");
            reply.bulk(node.isLeader() ? "master" : "replica");
            reply.bulk("replication-offset");
            reply.integer(0);
            reply.bulk("health");
            reply.bulk("online");
        }
    }
}
