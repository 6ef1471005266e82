package dev.caskwright.server.raft;

import dev.caskwright.server.CaskServer;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replication;
import java.nio.file.Path;

/** A member in a process of its own, to be killed. */
public final class MemberProcess {
    private MemberProcess() {}

    /** Takes a directory and a configuration file. */
    public static void main(String[] arguments) throws Exception {
        ServerConfig config = new ServerConfig().read(Path.of(arguments[1]));
        try (Replication group =
                        new RaftReplicationProvider().open(Path.of(arguments[0]), config, CaskServer.newReplay());
                CaskServer server = CaskServer.start(group, config)) {
            server.awaitShutdown();
        }
    }
}
