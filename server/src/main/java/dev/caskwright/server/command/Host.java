package dev.caskwright.server.command;

import dev.caskwright.server.cluster.Topology;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** What all clients of a server share. Its parts are used under the keyspace's lock, but for what says otherwise. */
public final class Host {
    private final ServerConfig config;
    private final Keyspace keyspace;
    private final CommandTable commands;
    private final Acl acl;
    private final PubSub pubSub = new PubSub();
    private final Clients clients = new Clients();
    private final Statistics statistics = new Statistics();
    private final SlowLog slowLog = new SlowLog();
    private final Latency latency = new Latency();
    private final Scans scans;
    private final Saving saving;
    private final Cleaner cleaner;
    private final Set<Session> monitors = new LinkedHashSet<>();
    private final Executor workers;
    private final Control control;
    private final @Nullable Replication replication;
    private final @Nullable Topology topology;

    /** What a command may ask of the process. */
    public interface Control {
        /** Ends the server, after what it does now. */
        void shutdown();

        /** Takes certificates anew; throws if they cannot be used. */
        void reloadCertificates() throws IOException;
    }

    /**
     * Makes what the clients of a server share.
     *
     * @param replication the group that the server is a member of, or null if it is alone
     * @param topology who has which slots, if the server is a node of a cluster, or null
     */
    public Host(
            ServerConfig config,
            Keyspace keyspace,
            Executor workers,
            Control control,
            @Nullable Replication replication,
            @Nullable Topology topology) {
        this.replication = replication;
        this.topology = topology;
        this.config = config;
        this.keyspace = keyspace;
        this.workers = workers;
        this.control = control;
        commands = replication != null
                ? CommandTable.replicated()
                : topology != null ? CommandTable.clustered() : CommandTable.standard();
        acl = new Acl(commands, config);
        scans = new Scans(keyspace);
        cleaner = new Cleaner(keyspace, workers, replication);
        saving = new Saving(keyspace, config, workers);
    }

    /** Makes what commands need that come from a log. */
    static Host ofReplay(ServerConfig config, Keyspace keyspace) {
        return new Host(
                config,
                keyspace,
                task -> {},
                new Control() {
                    @Override
                    public void shutdown() {}

                    @Override
                    public void reloadCertificates() {}
                },
                null,
                null);
    }

    /** Returns the group that the server is a member of, or null if it is alone. */
    public @Nullable Replication replication() {
        return replication;
    }

    /** Returns who has which slots, if the server is a node of a cluster, or null. */
    @Nullable Topology topology() {
        return topology;
    }

    /** Returns the configuration. */
    public ServerConfig config() {
        return config;
    }

    /** Returns the databases. */
    public Keyspace keyspace() {
        return keyspace;
    }

    /** Returns the commands. */
    public CommandTable commands() {
        return commands;
    }

    /** Returns the users. */
    public Acl acl() {
        return acl;
    }

    /** Returns the clients. */
    public Clients clients() {
        return clients;
    }

    /** Returns what is counted. */
    public Statistics statistics() {
        return statistics;
    }

    PubSub pubSub() {
        return pubSub;
    }

    SlowLog slowLog() {
        return slowLog;
    }

    Latency latency() {
        return latency;
    }

    Scans scans() {
        return scans;
    }

    /** Returns what removes the keys of databases that were emptied. */
    public Cleaner cleaner() {
        return cleaner;
    }

    Saving saving() {
        return saving;
    }

    Set<Session> monitors() {
        return monitors;
    }

    /** Returns what runs slow commands. */
    public Executor workers() {
        return workers;
    }

    Control control() {
        return control;
    }

    /** Gives up scans that nobody goes on with. */
    public void expireScans() {
        scans.expire();
    }

    /** Closes what clients may have left open. */
    public void close() {
        scans.close();
    }
}
