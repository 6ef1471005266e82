package dev.caskwright.server;

import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.server.config.ServerConfig;
import java.nio.file.Path;

/** A server in a process of its own, to be killed. */
public final class KilledServer {
    private KilledServer() {}

    public static void main(String[] arguments) throws Exception {
        ServerConfig config =
                new ServerConfig().set("port", "0").set("bind", "127.0.0.1").set("appendfsync", arguments[1]);
        try (BitcaskEngine store = BitcaskEngine.builder(Path.of(arguments[0]))
                        .io(MmapIoManager::open)
                        .open();
                CaskServer server = CaskServer.start(store, config)) {
            System.out.println(server.port());
            server.awaitShutdown();
        }
    }
}
