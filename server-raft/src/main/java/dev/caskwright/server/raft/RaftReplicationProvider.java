package dev.caskwright.server.raft;

import dev.caskwright.api.spi.Backends;
import dev.caskwright.raft.RaftNode;
import dev.caskwright.raft.RaftNodeBuilder;
import dev.caskwright.raft.RaftTls;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replay;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.replication.ReplicationProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

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
        RaftNodeBuilder builder = RaftNode.builder(directory)
                .group(config.text("raft-group"))
                .id(id)
                .members(peers.stream().map(RaftPeer::member).toList())
                .joining(config.option("raft-joining").isYes())
                .electionTimeout(Duration.ofMillis(config.number("raft-election-timeout")))
                .requestTimeout(Duration.ofMillis(config.number("raft-request-timeout")))
                .maxCommandBytes((int) config.number("raft-max-command"))
                .store(options -> options.index(Backends.keyIndex(config.text("raft-index")))
                        .io(Backends.ioManager(config.text("raft-io"))));
        String certificate = config.text("raft-tls-cert-file");
        if (!certificate.isEmpty()) {
            builder.tls(new RaftTls(
                    Path.of(config.text("raft-tls-key-file")),
                    Path.of(certificate),
                    Path.of(config.text("raft-tls-ca-cert-file"))));
        }
        return new RaftReplication(builder, peers, config, replay);
    }
}
