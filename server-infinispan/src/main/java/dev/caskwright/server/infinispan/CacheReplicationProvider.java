package dev.caskwright.server.infinispan;

import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replay;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.replication.ReplicationProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** Opens nodes for {@code mode cache}. */
public final class CacheReplicationProvider implements ReplicationProvider {
    /** Called by {@link java.util.ServiceLoader}. */
    public CacheReplicationProvider() {}

    @Override
    public String mode() {
        return "cache";
    }

    /** Opens a node; returns when it serves keys, which may have to wait for other nodes. */
    @Override
    public Replication open(Path directory, ServerConfig config, Replay replay) throws IOException {
        CacheNode node = CacheNode.open(directory, NodeOptions.of(config));
        return new CacheReplication(node, replay, InstantSource.system());
    }
}
