package dev.caskwright.server.raft;

import dev.caskwright.api.Durability;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.server.CaskServer;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replication;
import java.io.IOException;
import java.nio.file.Path;

/** A member in a process of its own, to be killed; or a server that is alone, to be compared with. */
public final class MemberProcess {
    private MemberProcess() {}

    /** Takes a directory and a configuration file. */
    public static void main(String[] arguments) throws Exception {
        ServerConfig config = new ServerConfig().read(Path.of(arguments[1]));
        Path directory = Path.of(arguments[0]);
        if (config.text("mode").equals("single")) {
            serveAlone(directory, config);
            return;
        }
        try (Replication group = new RaftReplicationProvider().open(directory, config, CaskServer.newReplay());
                CaskServer server = CaskServer.start(group, config)) {
            server.awaitShutdown();
        }
    }

    private static void serveAlone(Path directory, ServerConfig config) throws IOException, InterruptedException {
        try (StorageEngine store = BitcaskEngine.builder(directory)
                        .index(Backends.keyIndex(config.text("raft-index")))
                        .io(Backends.ioManager(config.text("raft-io")))
                        .durability(Durability.WRITE)
                        .open();
                CaskServer server = CaskServer.start(store, config)) {
            server.awaitShutdown();
        }
    }
}
