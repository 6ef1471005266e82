package dev.caskwright.server.raft;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.raft.RaftGroups;
import dev.caskwright.raft.RaftNode;
import dev.caskwright.raft.RaftNodeBuilder;
import dev.caskwright.raft.RaftTls;
import dev.caskwright.server.cluster.Shards;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.config.TlsFiles;
import dev.caskwright.server.replication.Replay;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.replication.ReplicationProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Opens a member for {@code mode raft}. Stateless. */
public final class RaftReplicationProvider implements ReplicationProvider {
    /** Called by {@link java.util.ServiceLoader}. */
    public RaftReplicationProvider() {}

    @Override
    public String mode() {
        return "raft";
    }

    @Override
    public Replication open(Path directory, ServerConfig config, Replay replay) throws IOException {
        List<RaftPeer> peers = peers(config);
        RaftReplication member = new RaftReplication(peers, config, replay, false);
        RaftNodeBuilder builder = configured(RaftNode.builder(directory), config, peers);
        return member.over(
                member.applyTo(builder).group(config.text("raft-group")).open());
    }

    @Override
    public Shards openShards(Path directory, ServerConfig config, Supplier<Replay> replays) throws IOException {
        List<RaftPeer> peers = peers(config);
        for (RaftPeer peer : peers) {
            if (peer.clientPort() == 0) {
                throw new IllegalArgumentException("option 'raft-peers': with several groups clients are sent from one"
                        + " member to another, so each needs the port for clients: " + peer.member());
            }
        }
        int count = (int) config.number("raft-groups");
        List<RaftReplication> groups = new ArrayList<>();
        List<UnaryOperator<RaftNodeBuilder>> members = new ArrayList<>();
        RaftTopology topology = new RaftTopology();
        for (int i = 0; i < count; i++) {
            RaftReplication group = new RaftReplication(peers, config, replays.get(), true);
            groups.add(group);
            // The number belongs to the name: who was begun with another one must not take part.
            String name = config.text("raft-group") + " " + i + "/" + count;
            members.add(builder -> group.applyTo(configured(builder, config, peers))
                    .group(name)
                    .onChange(topology::refreshSoon));
        }
        boolean isOpen = false;
        try {
            RaftShards shards = new RaftShards(RaftGroups.open(directory, members), groups, topology, config);
            isOpen = true;
            return shards;
        } finally {
            if (!isOpen) {
                topology.close();
            }
        }
    }

    /** Returns the members, of which this is one. */
    private static List<RaftPeer> peers(ServerConfig config) {
        String id = config.text("raft-id");
        if (id.isEmpty()) {
            throw new IllegalArgumentException("option 'raft-id': mode raft needs the name of this member");
        }
        List<RaftPeer> peers;
        try {
            peers = RaftPeer.parseAll(config.text("raft-peers"));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("option 'raft-peers': " + e.getMessage(), e);
        }
        if (peers.stream().noneMatch(peer -> peer.member().id().equals(id))) {
            throw new IllegalArgumentException("option 'raft-peers': lacks this member: raft-id=" + id
                    + "; each is written as id@host:port/client-port, and spaces part them");
        }
        return peers;
    }

    /** Sets all that the options say, but which group it is. */
    private static RaftNodeBuilder configured(RaftNodeBuilder builder, ServerConfig config, List<RaftPeer> peers) {
        String id = config.text("raft-id");
        KeyIndexFactory index;
        IoManagerFactory io;
        try {
            index = Backends.keyIndex(config.text("raft-index"));
            io = Backends.ioManager(config.text("raft-io"));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("options 'raft-index', 'raft-io': " + e.getMessage(), e);
        }
        RaftPeer self = peers.stream()
                .filter(peer -> peer.member().id().equals(id))
                .findFirst()
                .orElseThrow();
        builder.id(id)
                .members(peers.stream().map(RaftPeer::member).toList())
                .joining(config.option("raft-joining").isYes())
                .electionTimeout(Duration.ofMillis(config.number("raft-election-timeout")))
                .requestTimeout(Duration.ofMillis(config.number("raft-request-timeout")))
                .maxCommandBytes((int) config.number("raft-max-command"))
                .about(self.clientAddress())
                .store(options -> options.index(index).io(io));
        TlsFiles tls = TlsFiles.of(config, "raft", "members");
        if (tls != null) {
            builder.tls(new RaftTls(tls.key(), tls.certificate(), tls.trusted()));
        }
        return builder;
    }
}
