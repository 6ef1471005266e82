package dev.caskwright.server.replication;

import dev.caskwright.server.config.ServerConfig;
import java.io.IOException;
import java.nio.file.Path;

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
}
