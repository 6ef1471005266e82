package dev.caskwright.server.infinispan;

import dev.caskwright.server.CaskServer;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replication;
import java.io.IOException;
import java.nio.file.Path;

/** A node in a process of its own, to be killed: a directory, and options as {@code name=value}. Prints a line once it serves. */
final class NodeProcess {
    private NodeProcess() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        ServerConfig config = new ServerConfig();
        for (int i = 1; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            config.set(arguments[i].substring(0, equals), arguments[i].substring(equals + 1));
        }
        try (Replication node =
                        new CacheReplicationProvider().open(Path.of(arguments[0]), config, CaskServer.newReplay());
                CaskServer server = CaskServer.start(node, config)) {
            System.out.println("ready");
            server.awaitShutdown();
        }
    }
}
