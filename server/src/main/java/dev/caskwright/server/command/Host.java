package dev.caskwright.server.command;

import dev.caskwright.server.cluster.Shards;
import dev.caskwright.server.cluster.Topology;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
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
    private final Set<Session> monitors = new LinkedHashSet<>();
    private final Executor workers;
    private final Control control;
    private final @Nullable Replication replication;
    private final @Nullable Topology topology;
    private final @Nullable Shards shards;
    private final List<Shard> parts = new ArrayList<>();
    private final List<Cleaner> cleaners = new ArrayList<>();

    /** What a command may ask of the process. */
    public interface Control {
        /** Ends the server, after what it does now. */
        void shutdown();

        /** Takes certificates anew; throws if they cannot be used. */
        void reloadCertificates() throws IOException;
    }

    /**
     * Makes what the clients of a server share that is a member of several groups.
     *
     * @param keyspaces those of the groups, in their order, under one lock
     */
    public Host(ServerConfig config, List<Keyspace> keyspaces, Executor workers, Control control, Shards shards) {
        this(
                config,
                keyspaces.get(0),
                workers,
                control,
                new AllGroups(shards.groups()),
                shards.topology(),
                shards,
                keyspaces);
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
        this(config, keyspace, workers, control, replication, topology, null, List.of(keyspace));
    }

    private Host(
            ServerConfig config,
            Keyspace keyspace,
            Executor workers,
            Control control,
            @Nullable Replication replication,
            @Nullable Topology topology,
            @Nullable Shards shards,
            List<Keyspace> keyspaces) {
        this.shards = shards;
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
        scans = new Scans();
        for (int i = 0; i < keyspaces.size(); i++) {
            Replication group = shards == null ? replication : shards.groups().get(i);
            Keyspace own = keyspaces.get(i);
            cleaners.add(new Cleaner(own, workers, group));
            if (group != null) {
                parts.add(new Shard(group, own, () -> List.of(own)));
            }
        }
        if (shards != null && replication != null) {
            parts.add(new Shard(replication, keyspace, this::ledKeyspaces));
        }
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

    /** Returns the keyspaces that commands without keys look at: those of the groups that this server leads, if there are several. */
    List<Keyspace> ledKeyspaces() {
        if (shards == null) {
            return List.of(keyspace);
        }
        return parts.stream()
                .limit(parts.size() - 1)
                .filter(part -> part.replication().isLeader())
                .map(Shard::keyspace)
                .toList();
    }

    /** Returns the groups, if there are several, or none. */
    List<Replication> groups() {
        return shards == null ? List.of() : shards.groups();
    }

    /** Returns the group that has a slot, or what stands for all of them if it is none. There must be a group. */
    Shard shard(int slot) {
        return parts.get(shards == null ? 0 : slot < 0 ? parts.size() - 1 : shards.groupOf(slot));
    }

    /** Returns which groups this server leads: a bit for each, the first the lowest. */
    public long leads() {
        long leads = 0;
        for (int i = 0; i < cleaners.size() && i < parts.size(); i++) {
            leads |= parts.get(i).replication().isLeader() ? 1L << i : 0;
        }
        return leads;
    }

    /** Returns whether there are several groups. */
    boolean isSharded() {
        return shards != null;
    }

    /** Returns what the keys of a request are in. */
    Keyspace keyspace(Command command, Request request) {
        return shards == null
                ? keyspace
                : shard(SlotJudge.slotOf(command, request)).keyspace();
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

    /** Removes the keys of databases that were emptied; of several groups, in those that this server leads. */
    public void clean() {
        for (int i = 0; i < cleaners.size(); i++) {
            if (shards == null || parts.get(i).replication().isLeader()) {
                cleaners.get(i).run();
            }
        }
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
