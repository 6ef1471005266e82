package dev.caskwright.server.replication;

import dev.caskwright.server.cluster.Shards;
import dev.caskwright.server.config.ServerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Supplier;

/** Opens a member of a group for one {@code mode} of the configuration. Found with {@link java.util.ServiceLoader}. */
public interface ReplicationProvider {
    /** Returns the name of the mode. */
    String mode();

    /**
     * Opens a member.
     *
     * @param directory where it keeps its store and its log; made if it is missing
     * @param config where the options of the mode are
     * @param replay executes what was agreed
     * @throws IllegalArgumentException if the options make no sense; the message says which
     */
    Replication open(Path directory, ServerConfig config, Replay replay) throws IOException;

    /**
     * Opens a member of each of several groups, which have a part of the slots each.
     *
     * @param directory where it keeps their stores and logs; made if it is missing
     * @param config where the options of the mode are, and how many groups there are
     * @param replays makes, for each group, what executes what was agreed
     * @throws IllegalArgumentException if the options make no sense, or the directory has another number of groups; the message says
     *     which
     */
    default Shards openShards(Path directory, ServerConfig config, Supplier<Replay> replays) throws IOException {
        throw new IllegalArgumentException("mode " + mode() + " has one group only");
    }
}
