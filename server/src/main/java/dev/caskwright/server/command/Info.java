package dev.caskwright.server.command;

import dev.caskwright.api.EngineStats;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.store.Gate;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Set;

/** The text of INFO: lines of {@code name:value} in sections. Of what Redis tells, what means something here; and our own. */
final class Info {
    /** The version of Redis that clients are told of: newer ones use what is here, older ones would not try RESP3. */
    static final String REDIS_VERSION = "7.2.0";

    private static final long MILLIS_PER_SECOND = 1_000;
    private static final long SECONDS_PER_DAY = 86_400;
    private static final double NANOS_PER_MICRO = 1_000;

    private final Host host;
    private final StringBuilder text = new StringBuilder();

    Info(Host host) {
        this.host = host;
    }

    /** Returns the sections asked for, or those of the default if none is. */
    String text(Set<String> sections) throws IOException {
        boolean isAll = sections.contains("all") || sections.contains("everything");
        boolean isDefault = sections.isEmpty() || sections.contains("default") || isAll;
        if (isDefault || sections.contains("server")) {
            server();
        }
        if (isDefault || sections.contains("clients")) {
            clients();
        }
        if (isDefault || sections.contains("memory")) {
            memory();
        }
        if (isDefault || sections.contains("persistence")) {
            persistence();
        }
        if (isDefault || sections.contains("stats")) {
            statistics();
        }
        if (isDefault || sections.contains("replication")) {
            replication();
        }
        if (isDefault || sections.contains("store")) {
            store();
        }
        if (isAll || sections.contains("commandstats")) {
            commands();
        }
        if (isDefault || sections.contains("errorstats")) {
            errors();
        }
        if (isDefault || sections.contains("cluster")) {
            section("Cluster");
            line("cluster_enabled", host.topology() == null ? 0 : 1);
        }
        if (isDefault || sections.contains("keyspace")) {
            keyspace();
        }
        return text.toString();
    }

    private void section(String name) {
        if (text.length() > 0) {
            text.append("\r\n");
        }
        text.append("# ").append(name).append("\r\n");
    }

    private void line(String name, Object value) {
        text.append(name).append(':').append(value).append("\r\n");
    }

    private void server() {
        section("Server");
        String own = Info.class.getPackage().getImplementationVersion();
        long seconds = ManagementFactory.getRuntimeMXBean().getUptime() / MILLIS_PER_SECOND;
        line("redis_version", REDIS_VERSION);
        line("server_name", "caskwright");
        line("caskwright_version", own == null ? "unknown" : own);
        line("redis_mode", host.topology() != null ? "cluster" : host.replication() == null ? "standalone" : "raft");
        line("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        line("java_version", Runtime.version());
        line("process_id", ProcessHandle.current().pid());
        line("tcp_port", host.config().text("port"));
        line("uptime_in_seconds", seconds);
        line("uptime_in_days", seconds / SECONDS_PER_DAY);
    }

    private void clients() {
        section("Clients");
        Clients.Totals totals = host.clients().totals();
        line("connected_clients", host.clients().count());
        line("maxclients", host.config().text("maxclients"));
        line("pubsub_clients", totals.subscribers());
        line("watching_clients", totals.watchers());
        line("total_watched_keys", host.keyspace().changes().watchedKeys());
        line("clients_input_bytes", totals.inputBytes());
        line("clients_output_bytes", totals.outputBytes());
        line("clients_held_bytes", host.statistics().heldBytes());
    }

    private void memory() {
        section("Memory");
        Runtime runtime = Runtime.getRuntime();
        long heap = runtime.totalMemory() - runtime.freeMemory();
        long store = host.keyspace().engine().stats().memory().totalBytes();
        line("used_memory", heap);
        line("used_memory_dataset", store);
        line("used_memory_direct", PlatformDependent.usedDirectMemory());
        line("total_heap_memory", runtime.totalMemory());
        line("maxmemory", 0);
        line("maxmemory_heap", runtime.maxMemory());
        line("maxmemory_policy", "noeviction");
    }

    private void persistence() {
        section("Persistence");
        Gate gate = host.keyspace().gate();
        Throwable health = host.keyspace().engine().health();
        line("loading", 0);
        line("async_loading", 0);
        line("rdb_changes_since_last_save", gate.lastChange() - gate.durable());
        line("rdb_bgsave_in_progress", host.saving().isUnderWay() ? 1 : 0);
        line("rdb_last_save_time", host.saving().lastSeconds());
        line("rdb_last_bgsave_status", host.saving().hasFailed() ? "err" : "ok");
        line("aof_enabled", 1);
        line("aof_last_write_status", health == null && gate.failure() == null ? "ok" : "err");
        line("appendfsync", host.config().appendFsync());
        line("unforced_changes", gate.lastChange() - gate.durable());
        line("forces", gate.forces());
        line("last_force_microseconds", gate.lastForceMicros());
    }

    private void statistics() {
        section("Stats");
        Statistics statistics = host.statistics();
        line("total_connections_received", statistics.connections());
        line("total_commands_processed", statistics.commands());
        line("total_net_input_bytes", statistics.inputBytes());
        line("total_net_output_bytes", statistics.outputBytes());
        line("rejected_connections", statistics.refusedConnections());
        line("client_limit_disconnections", statistics.closedForLimits());
        line("keyspace_hits", statistics.hits());
        line("keyspace_misses", statistics.misses());
        line("pubsub_channels", host.pubSub().channelCount());
        line("pubsub_patterns", host.pubSub().patternCount());
        line("total_error_replies", statistics.errorReplies());
        line("slowlog_entries", host.slowLog().size());
        line("open_scans", host.scans().open());
    }

    private void replication() {
        section("Replication");
        Replication group = host.replication();
        if (group == null) {
            line("role", "master");
            line("connected_slaves", 0);
        } else {
            line("role", group.isLeader() ? "master" : "slave");
            group.figures().forEach(this::line);
        }
    }

    private void store() {
        section("Store");
        EngineStats stats = host.keyspace().engine().stats();
        line("store_files", stats.space().files());
        line("store_disk_bytes", stats.space().diskBytes());
        line("store_live_bytes", stats.space().liveBytes());
        line("store_dead_bytes", stats.space().deadBytes());
        line("store_pinned_bytes", stats.space().pinnedBytes());
        line("store_index_bytes", stats.memory().indexBytes());
        line("store_merges", stats.merging().merges());
        line("store_snapshots", stats.snapshots());
        line("store_open_milliseconds", stats.opening().millis());
        line("store_health", host.keyspace().engine().health() == null ? "ok" : "failed");
        line("store_retries", host.keyspace().engine().retries().size());
    }

    private void commands() {
        section("Commandstats");
        for (Command command : host.commands().all()) {
            if (command.calls() > 0 || command.rejections() > 0) {
                double micros = command.nanos() / NANOS_PER_MICRO;
                line(
                        "cmdstat_" + command.fullName(),
                        String.format(
                                Locale.ROOT,
                                "calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d",
                                command.calls(),
                                (long) micros,
                                command.calls() == 0 ? 0 : micros / command.calls(),
                                command.rejections(),
                                command.failures()));
            }
        }
    }

    private void errors() {
        section("Errorstats");
        host.statistics().errors().forEach((code, count) -> line("errorstat_" + code, "count=" + count));
    }

    private void keyspace() throws IOException {
        section("Keyspace");
        for (int i = 0; i < host.keyspace().databases(); i++) {
            long keys = host.keyspace().quickSize(i);
            if (keys != 0) {
                // Of several databases that have keys, the sizes are not kept: DBSIZE counts.
                line("db" + i, "keys=" + (keys < 0 ? "unknown" : keys) + ",expires=0,avg_ttl=0");
            }
        }
    }
}
