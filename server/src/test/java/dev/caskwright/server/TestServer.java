package dev.caskwright.server;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;

/** A server on loopback and a free port, over a store in a simulated directory, with a clock that the test moves. */
final class TestServer implements AutoCloseable {
    final CrashableIoManager disk;
    final ManualClock clock = new ManualClock();
    final StorageEngine store;
    final CaskServer server;
    private final LoopbackGroup group;

    private TestServer(CrashableIoManager disk, IoManagerFactory io, boolean isOrdered, ServerConfig config)
            throws IOException {
        this.disk = disk;
        KeyIndexFactory index = Backends.keyIndex(isOrdered ? "btree" : "hashmap");
        store = BitcaskEngine.builder(Path.of("store"))
                .io(io)
                .index(index)
                .clock(clock)
                .open();
        server = CaskServer.start(store, config.set("port", "0").set("bind", "127.0.0.1"), clock);
        group = null;
    }

    private TestServer(ServerConfig config) throws IOException {
        disk = new CrashableIoManager();
        group = new LoopbackGroup(3, clock, config);
        server = group.servers.get(0);
        store = group.members.get(0).store();
    }

    /** Starts three servers that are one; clients are those of the first. */
    static TestServer startGroup(String... options) throws IOException {
        return new TestServer(config(options));
    }

    static TestServer start(String... options) throws IOException {
        return start(true, options);
    }

    static TestServer start(boolean isOrdered, String... options) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        return start(disk, disk.factory(), isOrdered, options);
    }

    static TestServer start(CrashableIoManager disk, IoManagerFactory io, boolean isOrdered, String... options)
            throws IOException {
        return new TestServer(disk, io, isOrdered, config(options));
    }

    static ServerConfig config(String... options) {
        ServerConfig config = new ServerConfig();
        for (int i = 0; i < options.length; i += 2) {
            config.set(options[i], options[i + 1]);
        }
        return config;
    }

    RespClient client() throws IOException {
        return new RespClient(server.port());
    }

    RespClient client(int protocol) throws IOException {
        RespClient client = client();
        if (protocol == 3) {
            client.call("HELLO", "3");
        }
        return client;
    }

    @Override
    public void close() throws IOException {
        if (group != null) {
            group.close();
        } else {
            server.close();
            store.close();
        }
    }
}
