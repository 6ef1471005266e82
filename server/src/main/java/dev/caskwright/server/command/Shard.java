package dev.caskwright.server.command;

import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.util.List;

/**
 * A group that a server is a member of, and what of its store commands look at. If there are several groups, one of these stands for
 * all of them, for commands that name no keys.
 *
 * @param keyspace what commands look at; of the shard that stands for all, that of the first group
 * @param led says which keyspaces commands without keys look at, now
 */
public record Shard(Replication replication, Keyspace keyspace, Led led) {
    /** Returns keyspaces that are looked at. */
    @FunctionalInterface
    public interface Led {
        List<Keyspace> keyspaces();
    }

    /** Takes note of databases that others have emptied. Under the lock. */
    public void reload() throws IOException {
        for (Keyspace each : led.keyspaces()) {
            each.reload();
        }
    }
}
