package dev.caskwright.server.command;

import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.NO_MULTI;
import static dev.caskwright.server.command.Flag.READONLY;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.cluster.ClusterNode;
import dev.caskwright.server.cluster.ClusterView;
import dev.caskwright.server.cluster.HashSlot;
import dev.caskwright.server.cluster.SlotRange;
import dev.caskwright.server.cluster.Topology;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What clients of Redis Cluster ask to find the node that has a key. A group that has no {@link Topology} is to them one shard that
 * has all slots, whose leader is the master and whose other members are replicas.
 */
final class ClusterCommands {
    private static final String GROUP = "cluster";

    /** Redis' nodes talk to each other at a port that is greater by this. Clients do not use it. */
    private static final int BUS_OFFSET = 10_000;

    private static final int MAX_PORT = 0xFFFF;

    private ClusterCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("CLUSTER", -2, Subcommands::unknown)
                .doc(GROUP, "3.0.0", "A container for commands about the nodes and slots of a cluster.")
                .with(
                        ofSlot("COUNTKEYSINSLOT", 3, ClusterCommands::countKeys, "Counts the keys here of a slot."),
                        ofSlot(
                                "GETKEYSINSLOT",
                                4,
                                ClusterCommands::getKeys,
                                "Returns some of the keys here of a slot."),
                        command("INFO", 2, ClusterCommands::info, "3.0.0", "Returns whether all slots are served."),
                        command("KEYSLOT", 3, ClusterCommands::keySlot, "3.0.0", "Returns the slot of a key."),
                        command("MYID", 2, ClusterCommands::myId, "3.0.0", "Returns the node id of this server."),
                        command("NODES", 2, ClusterCommands::nodes, "3.0.0", "Returns the nodes, a line each."),
                        command("REPLICAS", 3, ClusterCommands::replicas, "5.0.0", "Returns the replicas of a node."),
                        command("SHARDS", 2, ClusterCommands::shards, "7.0.0", "Returns the slots and their nodes."),
                        command("SLOTS", 2, ClusterCommands::slots, "3.0.0", "Returns the slots and their nodes.")));
        commands.add(mode(
                "ASKING", call -> {}, "Does nothing: a slot changes hands at once, so that no client is sent to ask."));
        commands.add(mode(
                "READONLY",
                call -> call.session().readOnly(true),
                "Has a node of a cluster serve reads of slots that it is a replica of."));
        commands.add(mode("READWRITE", call -> call.session().readOnly(false), "Ends READONLY."));
    }

    private static Command command(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler).flags(LOADING, STALE).doc(GROUP, since, summary);
    }

    private static Command ofSlot(String name, int arity, Command.Handler handler, String summary) {
        return command(name, arity, handler, "3.0.0", summary).flags(READONLY, NO_MULTI);
    }

    /** Sets something for a connection. */
    private static Command mode(String name, Command.Handler setting, String summary) {
        return new Command(name, 1, call -> {
                    setting.run(call);
                    call.reply().ok();
                })
                .flags(FAST, LOADING, STALE)
                .in(Category.CONNECTION)
                .doc(GROUP, "3.0.0", summary);
    }

    private static ClusterView view(Call call) {
        Topology topology = call.host().topology();
        return topology == null ? view(GroupCommands.group(call)) : topology.view();
    }

    /** Returns a group as a cluster: of its members those that clients can reach. */
    private static ClusterView view(Replication group) {
        List<ClusterNode> nodes = new ArrayList<>();
        ClusterNode leader = null;
        ClusterNode self = null;
        for (Replication.Member member : group.members()) {
            ClusterNode node = node(member);
            if (node != null) {
                nodes.add(node);
                leader = member.role().equals("leader") ? node : leader;
                self = member.id().equals(group.id()) ? node : self;
            }
        }
        if (self == null) {
            throw new CommandException("CLUSTERDOWN this member does not know where clients reach it");
        }
        List<ClusterNode> replicas = new ArrayList<>(nodes);
        replicas.remove(leader);
        return new ClusterView(1, self, nodes, List.of(new SlotRange(0, HashSlot.SLOTS - 1, leader, replicas)));
    }

    private static @Nullable ClusterNode node(Replication.Member member) {
        String address = member.clientAddress();
        int colon = address.lastIndexOf(':');
        if (colon < 0) {
            return null;
        }
        boolean isBracketed = address.startsWith("[");
        String host = address.substring(isBracketed ? 1 : 0, isBracketed ? colon - 1 : colon);
        return new ClusterNode(member.id(), host, Integer.parseInt(address.substring(colon + 1)));
    }

    /** Returns 40 hexadecimal digits, as Redis' nodes have them. */
    private static String nodeId(ClusterNode node) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest(node.id().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-1", e);
        }
    }

    /** The slots of one master, and the nodes that have some of them, too. */
    private record Shard(List<SlotRange> ranges, Set<ClusterNode> replicas) {}

    /** Returns the slots of each master, in the order of their first slots. */
    private static Map<ClusterNode, Shard> shards(ClusterView view) {
        Map<ClusterNode, Shard> shards = new LinkedHashMap<>();
        for (SlotRange range : view.ranges()) {
            ClusterNode master = range.master();
            if (master != null) {
                Shard shard =
                        shards.computeIfAbsent(master, key -> new Shard(new ArrayList<>(), new LinkedHashSet<>()));
                shard.ranges().add(range);
                shard.replicas().addAll(range.replicas());
            }
        }
        return shards;
    }

    private static void info(Call call) {
        ClusterView view = view(call);
        boolean isWhole = view.servedSlots() == HashSlot.SLOTS;
        int assigned = 0;
        for (SlotRange range : view.ranges()) {
            assigned += range.last() - range.first() + 1;
        }
        call.reply()
                .verbatim("cluster_state:" + (isWhole ? "ok" : "fail")
                        + "\r\ncluster_slots_assigned:" + assigned
                        + "\r\ncluster_slots_ok:" + view.servedSlots()
                        + "\r\ncluster_slots_pfail:0"
                        + "\r\ncluster_slots_fail:" + (assigned - view.servedSlots())
                        + "\r\ncluster_known_nodes:" + view.nodes().size()
                        + "\r\ncluster_size:" + shards(view).size()
                        + "\r\ncluster_current_epoch:" + view.epoch()
                        + "\r\ncluster_my_epoch:" + view.epoch()
                        + "\r\ncluster_stats_messages_sent:0"
                        + "\r\ncluster_stats_messages_received:0\r\n");
    }

    private static void keySlot(Call call) {
        call.reply().integer(call.request().hashSlot(2));
    }

    private static void myId(Call call) {
        call.reply().bulk(nodeId(view(call).self()));
    }

    private static void nodes(Call call) {
        ClusterView view = view(call);
        Map<ClusterNode, Shard> shards = shards(view);
        StringBuilder text = new StringBuilder();
        view.nodes().forEach(node -> text.append(line(view, shards, node)).append('\n'));
        call.reply().verbatim(text.toString());
    }

    /** Returns the line of a node. One that has slots of its own is a master, even if it is a replica of others, too. */
    private static String line(ClusterView view, Map<ClusterNode, Shard> shards, ClusterNode node) {
        Shard own = shards.get(node);
        StringBuilder text = new StringBuilder()
                .append(nodeId(node))
                .append(' ')
                .append(node.address())
                .append('@')
                .append(Math.min(MAX_PORT, node.port() + BUS_OFFSET))
                .append(' ')
                .append(node.equals(view.self()) ? "myself," : "")
                .append(own == null ? "slave " + masterOf(shards, node) : "master -")
                .append(" 0 0 ")
                .append(view.epoch())
                .append(" connected");
        if (own != null) {
            for (SlotRange range : own.ranges()) {
                text.append(' ').append(range.first());
                text.append(range.first() == range.last() ? "" : "-" + range.last());
            }
        }
        return text.toString();
    }

    private static String masterOf(Map<ClusterNode, Shard> shards, ClusterNode replica) {
        for (Map.Entry<ClusterNode, Shard> shard : shards.entrySet()) {
            if (shard.getValue().replicas().contains(replica)) {
                return nodeId(shard.getKey());
            }
        }
        return "-";
    }

    private static void replicas(Call call) {
        ClusterView view = view(call);
        Map<ClusterNode, Shard> shards = shards(view);
        String wanted = call.request().text(2);
        for (ClusterNode node : view.nodes()) {
            if (nodeId(node).equals(wanted)) {
                Shard shard = shards.get(node);
                if (shard == null) {
                    throw new CommandException("ERR The specified node is not a master");
                }
                call.reply().array(shard.replicas().size());
                shard.replicas().forEach(replica -> call.reply().bulk(line(view, shards, replica)));
                return;
            }
        }
        throw new CommandException("ERR Unknown node " + call.request().printable(2));
    }

    private static void slots(Call call) {
        Reply reply = call.reply();
        List<SlotRange> served = view(call).ranges().stream()
                .filter(range -> range.master() != null)
                .toList();
        reply.array(served.size());
        for (SlotRange range : served) {
            reply.array(3L + range.replicas().size());
            reply.integer(range.first());
            reply.integer(range.last());
            ClusterNode master = range.master();
            if (master != null) {
                slotsNode(reply, master);
            }
            range.replicas().forEach(replica -> slotsNode(reply, replica));
        }
    }

    private static void slotsNode(Reply reply, ClusterNode node) {
        reply.array(4);
        reply.bulk(node.host());
        reply.integer(node.port());
        reply.bulk(nodeId(node));
        reply.map(0);
    }

    private static void shards(Call call) {
        Map<ClusterNode, Shard> shards = shards(view(call));
        Reply reply = call.reply();
        reply.array(shards.size());
        shards.forEach((master, shard) -> {
            reply.map(2);
            reply.bulk("slots");
            reply.array(2L * shard.ranges().size());
            for (SlotRange range : shard.ranges()) {
                reply.integer(range.first());
                reply.integer(range.last());
            }
            reply.bulk("nodes");
            reply.array(1L + shard.replicas().size());
            shardsNode(reply, master, "master");
            shard.replicas().forEach(replica -> shardsNode(reply, replica, "replica"));
        });
    }

    private static void shardsNode(Reply reply, ClusterNode node, String role) {
        reply.map(7);
        reply.bulk("id");
        reply.bulk(nodeId(node));
        reply.bulk("port");
        reply.integer(node.port());
        reply.bulk("ip");
        reply.bulk(node.host());
        reply.bulk("endpoint");
        reply.bulk(node.host());
        reply.bulk("role");
        reply.bulk(role);
        reply.bulk("replication-offset");
        reply.integer(0);
        reply.bulk("health");
        reply.bulk("online");
    }

    private static void countKeys(Call call) throws IOException {
        int slot = SlotJudge.slotArgument(call, 2);
        Keyspace keyspace = call.host().isSharded() ? call.host().shard(slot).keyspace() : call.keyspace();
        byte database = keyspace.slot(0);
        keyspace.gate().readEverything();
        call.defer(reply -> {
            long[] count = {0};
            keyspace.visit(database, new byte[0], (key, stored) -> {
                count[0] += HashSlot.of(key, 1, key.length) == slot ? 1 : 0;
                return true;
            });
            reply.integer(count[0]);
        });
    }

    private static void getKeys(Call call) throws IOException {
        int slot = SlotJudge.slotArgument(call, 2);
        long most = call.integer(3, 0, Integer.MAX_VALUE, "ERR Invalid number of keys");
        Keyspace keyspace = call.host().isSharded() ? call.host().shard(slot).keyspace() : call.keyspace();
        byte database = keyspace.slot(0);
        keyspace.gate().readEverything();
        call.defer(reply -> {
            List<byte[]> found = new ArrayList<>();
            long[] bytes = {0};
            if (most > 0) {
                keyspace.visit(database, new byte[0], (key, stored) -> {
                    if (HashSlot.of(key, 1, key.length) == slot) {
                        found.add(key);
                        bytes[0] += key.length;
                    }
                    return found.size() < most && bytes[0] <= reply.limit();
                });
            }
            if (bytes[0] > reply.limit()) {
                throw new CommandException("ERR too many keys for one reply; ask for fewer");
            }
            reply.array(found.size());
            found.forEach(key -> reply.bulk(key, 1, key.length - 1));
        });
    }
}
