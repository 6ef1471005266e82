package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import dev.caskwright.owner.OwnerSocket;
import dev.caskwright.server.CaskServer;
import dev.caskwright.server.cluster.Shards;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.replication.ReplicationProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Serves a store to Redis clients until it is told to end. */
@Command(
        name = "serve",
        description = {
            "Serve a store to Redis clients, over the network, until SIGTERM, SIGINT or the command SHUTDOWN. The store is"
                    + " made if the directory is missing or empty.",
            "Prints a line once clients are served; PING asks later. Ends with 0 when all replies are sent and all changes"
                    + " are forced. The options of --conf and --config have the names that Redis gives them; what"
                    + " commands there are, and what differs, is in docs/server.md."
        })
final class ServeCommand implements Callable<Integer> {
    /** Read by the logger of the process when it is first used. */
    private static final String LOG_LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

    /** Read by the logger of Infinispan when it is first used: it would write to a log of its own. */
    private static final String INFINISPAN_LOGGER = "org.jboss.logging.provider";

    private final Shell shell;

    @Mixin
    private DirectoryOption directory = new DirectoryOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    @Option(
            names = "--conf",
            paramLabel = "FILE",
            description = "A configuration file, as of Redis. CONFIG REWRITE writes to it.")
    private @Nullable Path conf;

    @Option(
            names = "--config",
            paramLabel = "NAME=VALUE",
            description = "An option of the server, such as appendfsync=always. Goes before the file.")
    private Map<String, String> options = new LinkedHashMap<>();

    @Option(names = "--port", paramLabel = "N", description = "The port; 6379 by default, 0 for any that is free.")
    private @Nullable Integer port;

    @Mixin
    private OwnerSocketOption ownerSocket = new OwnerSocketOption();

    @Option(names = "--log", paramLabel = "LEVEL", description = "error, warn, info (the default) or debug.")
    private String log = "info";

    ServeCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    @SuppressWarnings("try") // the socket is only held
    public Integer call() throws IOException, InterruptedException {
        System.setProperty(LOG_LEVEL, log);
        System.setProperty(INFINISPAN_LOGGER, "slf4j");
        ServerConfig config = config();
        backends.prefer("io", "mmap");
        backends.mergeInBackground();
        CountDownLatch ended = new CountDownLatch(1);
        String mode = config.text("mode");
        if (!mode.equals("single")) {
            try {
                serveMember(mode, config, ended);
            } finally {
                ended.countDown();
            }
            return ExitCode.OK;
        }
        try (StorageEngine store = shell.stores().open(directory.path(), backends, Access.CREATE);
                @Nullable OwnerSocket socket = ownerSocket.open(shell, store, directory.path());
                CaskServer server = start(store, config)) {
            serve(server, ended);
        } finally {
            ended.countDown();
        }
        return ExitCode.OK;
    }

    private void serve(CaskServer server, CountDownLatch ended) throws IOException, InterruptedException {
        Thread ending = new Thread(() -> end(server, ended), "caskwright-end");
        Runtime.getRuntime().addShutdownHook(ending);
        shell.println("ready: port=" + server.port() + ", tls-port=" + server.tlsPort() + ", dir=" + directory.path());
        shell.out().flush();
        server.awaitShutdown();
    }

    private void serveMember(String mode, ServerConfig config, CountDownLatch ended)
            throws IOException, InterruptedException {
        ReplicationProvider provider = provider(mode, config);
        if (config.number("raft-groups") > 1) {
            try (Shards shards = openShards(provider, config);
                    CaskServer server = CaskServer.start(shards, config)) {
                serve(server, ended);
            }
            return;
        }
        try (Replication group = openMember(provider, config);
                CaskServer server = CaskServer.start(group, config)) {
            serve(server, ended);
        }
    }

    private Shards openShards(ReplicationProvider provider, ServerConfig config) throws IOException {
        try {
            return provider.openShards(directory.path(), config, CaskServer::newReplay);
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    private Replication openMember(ReplicationProvider provider, ServerConfig config) throws IOException {
        try {
            return provider.open(directory.path(), config, CaskServer.newReplay());
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    /** Returns what opens members of a mode; that is on the class path, or not. */
    private ReplicationProvider provider(String mode, ServerConfig config) {
        if (mode.equals("raft")) {
            takeStoreOptions(config);
        } else {
            refuseStoreOptions(mode);
        }
        for (ReplicationProvider provider : ServiceLoader.load(ReplicationProvider.class)) {
            if (provider.mode().equals(mode)) {
                return provider;
            }
        }
        throw new UsageException("option 'mode': nothing on the class path offers it: " + mode);
    }

    private void takeStoreOptions(ServerConfig config) {
        String meaningless = backends.meaninglessInGroups();
        if (meaningless != null) {
            throw new UsageException(meaningless + ": not for mode raft, where each change is forced by a majority of"
                    + " the members and the store of a member is a bitcask; of the options of a store, --index and --io"
                    + " may be given");
        }
        String index = backends.index();
        if (index != null) {
            config.set("raft-index", index);
        }
        String io = backends.io();
        if (io != null) {
            config.set("raft-io", io);
        }
    }

    private void refuseStoreOptions(String mode) {
        String meaningless = backends.firstForStores();
        if (meaningless != null) {
            throw new UsageException(
                    meaningless + ": not for mode " + mode + ", whose store is always a bitcask, ordered and mapped;"
                            + " whether a write survives a power loss is said by the option 'cache-sync-writes'");
        }
    }

    private ServerConfig config() throws IOException {
        ServerConfig config = new ServerConfig();
        try {
            if (conf != null) {
                config.read(conf);
            }
            options.forEach(config::set);
            if (port != null) {
                config.set("port", port.toString());
            }
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
        return config;
    }

    private static CaskServer start(StorageEngine store, ServerConfig config) throws IOException {
        try {
            return CaskServer.start(store, config);
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    /** Ends the server when the process is told to end, and has it wait until the store is closed. */
    private static void end(CaskServer server, CountDownLatch ended) {
        server.close();
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
