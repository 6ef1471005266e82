package dev.caskwright.server.command;

import dev.caskwright.api.EngineStats;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.store.Gate;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The figures of INFO, and of the store, in the text format of Prometheus, version 0.0.4. No figure is named after anything that
 * clients choose, so there is a bound to their number: some for each command that was called, and for each code of an error. Nothing
 * of keys, values, users, addresses or the configuration is told.
 *
 * <p>Names and units are as Prometheus wants them: seconds and bytes, {@code _total} for what only grows. Figures of the store have
 * the names that {@code metrics-micrometer} gives them in a registry of Prometheus.
 */
public final class Metrics {
    private static final String PREFIX = "caskwright_";
    private static final String LAG_OF = "raft_lag_entries_of_";
    private static final double MILLIS_PER_SECOND = 1e3;
    private static final double MICROS_PER_SECOND = 1e6;
    private static final double NANOS_PER_SECOND = 1e9;

    private final Host host;
    private final StringBuilder text = new StringBuilder();

    private Metrics(Host host) {
        this.host = host;
    }

    /** Returns the text, each line ended. Takes the keyspace's lock for a moment. For any thread. */
    public static String text(Host host) throws IOException {
        Metrics metrics = new Metrics(host);
        StorageEngine engine = host.keyspace().engine();
        metrics.store(engine.stats());
        metrics.health(engine);
        metrics.process();
        host.keyspace().lock().lock();
        try {
            metrics.clients();
            metrics.persistence();
            metrics.statistics();
            metrics.commands();
            metrics.errors();
            metrics.databases();
        } finally {
            host.keyspace().lock().unlock();
        }
        metrics.replication();
        return metrics.text.toString();
    }

    // ---------------------------------------------------------------- the format

    private void gauge(String name, String help, long value) {
        head(name, help, "gauge");
        sample(name, value);
    }

    private void gauge(String name, String help, double value) {
        head(name, help, "gauge");
        text.append(PREFIX).append(name).append(' ').append(value).append('\n');
    }

    private void counter(String name, String help, long value) {
        head(name, help, "counter");
        sample(name, value);
    }

    private void head(String name, String help, String type) {
        text.append("# HELP ")
                .append(PREFIX)
                .append(name)
                .append(' ')
                .append(help)
                .append('\n');
        text.append("# TYPE ")
                .append(PREFIX)
                .append(name)
                .append(' ')
                .append(type)
                .append('\n');
    }

    private void sample(String name, long value) {
        text.append(PREFIX).append(name).append(' ').append(value).append('\n');
    }

    private void sample(String name, String label, String labelValue, Object value) {
        text.append(PREFIX).append(name).append('{');
        label(label, labelValue);
        text.append("} ").append(value).append('\n');
    }

    private void label(String name, String value) {
        text.append(name).append("=\"");
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '\\' -> text.append("\\\\");
                case '"' -> text.append("\\\"");
                case '\n' -> text.append("\\n");
                default -> text.append(Character.isISOControl(c) || Character.isSurrogate(c) ? '?' : c);
            }
        }
        text.append('"');
    }

    // ---------------------------------------------------------------- the store

    private void store(EngineStats stats) {
        gauge("keys", "Keys in the store, those of the server's own included.", stats.keys());
        gauge("version", "Version of the last write.", stats.lastVersion());
        gauge("snapshots", "Open snapshots.", stats.snapshots());
        gauge("files", "Data files.", stats.space().files());
        gauge("disk_bytes", "Length of all files of the store.", stats.space().diskBytes());
        gauge(
                "disk_live_bytes",
                "Bytes that the index refers to.",
                stats.space().liveBytes());
        gauge(
                "disk_dead_bytes",
                "Bytes that a merge would give back.",
                stats.space().deadBytes());
        gauge(
                "disk_pinned_bytes",
                "Bytes kept for open snapshots.",
                stats.space().pinnedBytes());
        gauge("disk_amplification", "Disk bytes per live byte.", stats.space().amplification());
        gauge("memory_index_bytes", "Memory of the index.", stats.memory().indexBytes());
        gauge(
                "memory_snapshots_bytes",
                "Memory of open snapshots.",
                stats.memory().snapshotBytes());
        gauge("memory_buffers_bytes", "Memory of idle buffers.", stats.memory().bufferBytes());
        gauge("memory_log_bytes", "Memory of the log.", stats.memory().logBytes());
        counter(
                "written_bytes_total",
                "Bytes that writers have appended.",
                stats.writes().writtenBytes());
        counter("merges_total", "Merges that took place.", stats.merging().merges());
        counter(
                "merged_bytes_total",
                "Bytes that merges have written.",
                stats.merging().mergedBytes());
        counter(
                "images_total",
                "Images of the index that were saved.",
                stats.images().saved());
        counter(
                "clock_jumps_total",
                "Jumps of the clock by more than a minute.",
                stats.clock().jumps());
        gauge("cache_size", "Cached values.", stats.cache().entries());
        gauge("cache_memory_bytes", "Memory of the cache.", stats.cache().bytes());
        counter(
                "cache_hits_total",
                "Reads answered from the cache.",
                stats.cache().hits());
        counter(
                "cache_misses_total",
                "Reads not answered from the cache.",
                stats.cache().misses());
        counter(
                "cache_evictions_total",
                "Values that others took the room of.",
                stats.cache().evictions());
        gauge(
                "opening_seconds",
                "How long the last opening took.",
                stats.opening().millis() / MILLIS_PER_SECOND);
        gauge(
                "opening_from_image",
                "Whether the index was filled from its image: 1 or 0.",
                flag(stats.opening().fromImage()));
        gauge(
                "opening_replayed_records",
                "Entries of the log that were read to open the store.",
                stats.opening().replayedRecords());
        gauge(
                "opening_torn_bytes",
                "Bytes cut off at the end of the log when the store was opened.",
                stats.opening().tornBytesCut());
    }

    private void health(StorageEngine engine) {
        gauge("healthy", "1, or 0 once the store refuses writes until it is reopened.", flag(engine.health() == null));
        gauge(
                "retries",
                "Background work that fails and is tried again.",
                engine.retries().size());
    }

    // ---------------------------------------------------------------- the server

    private void process() {
        head("server_info", "What runs; always 1.", "gauge");
        String own = Metrics.class.getPackage().getImplementationVersion();
        text.append(PREFIX).append("server_info{");
        label("version", own == null ? "unknown" : own);
        text.append(',');
        label("mode", host.topology() != null ? "cluster" : host.replication() == null ? "single" : "raft");
        text.append(',');
        label("java", Runtime.version().toString());
        text.append("} 1\n");
        gauge(
                "server_start_time_seconds",
                "When the process began, in seconds since 1970.",
                ManagementFactory.getRuntimeMXBean().getStartTime() / MILLIS_PER_SECOND);
        Runtime runtime = Runtime.getRuntime();
        gauge("server_heap_used_bytes", "Heap in use.", runtime.totalMemory() - runtime.freeMemory());
        gauge("server_heap_committed_bytes", "Heap taken from the system.", runtime.totalMemory());
        gauge("server_heap_limit_bytes", "Heap that may be taken.", runtime.maxMemory());
        gauge(
                "server_direct_memory_bytes",
                "Memory off the heap for connections.",
                PlatformDependent.usedDirectMemory());
    }

    private void clients() {
        Clients.Totals totals = host.clients().totals();
        gauge("server_clients", "Connected clients.", host.clients().count());
        gauge("server_clients_limit", "How many there may be.", host.config().number("maxclients"));
        gauge("server_subscribed_clients", "Clients that subscribe to channels.", totals.subscribers());
        gauge("server_watching_clients", "Clients that watch keys.", totals.watchers());
        gauge(
                "server_watched_keys",
                "Keys that are watched.",
                host.keyspace().changes().watchedKeys());
        gauge("server_input_buffers_bytes", "Requests that have not wholly come.", totals.inputBytes());
        gauge("server_output_buffers_bytes", "Replies that have not gone.", totals.outputBytes());
        gauge(
                "server_held_replies_bytes",
                "Replies that wait for a force.",
                host.statistics().heldBytes());
    }

    private void persistence() {
        Gate gate = host.keyspace().gate();
        counter("server_forces_total", "Forces of the store.", gate.forces());
        gauge("server_last_force_seconds", "How long the last force took.", gate.lastForceMicros() / MICROS_PER_SECOND);
        gauge("server_unforced_changes", "Changes that a power loss can take.", gate.lastChange() - gate.durable());
        gauge("server_force_failed", "Whether the last force failed: 1 or 0.", flag(gate.failure() != null));
        gauge(
                "server_backup_running",
                "Whether a backup is being made: 1 or 0.",
                flag(host.saving().isUnderWay()));
        gauge(
                "server_last_backup_time_seconds",
                "When the last backup was made, in seconds since 1970.",
                host.saving().lastSeconds());
        gauge(
                "server_last_backup_failed",
                "Whether the last backup failed: 1 or 0.",
                flag(host.saving().hasFailed()));
    }

    private void statistics() {
        Statistics statistics = host.statistics();
        counter("server_connections_total", "Connections that came.", statistics.connections());
        counter("server_refused_connections_total", "Connections that were refused.", statistics.refusedConnections());
        counter(
                "server_limit_disconnections_total",
                "Connections closed because they exceeded a limit.",
                statistics.closedForLimits());
        counter("server_commands_total", "Commands that were run.", statistics.commands());
        counter("server_received_bytes_total", "Bytes that came from clients.", statistics.inputBytes());
        counter("server_sent_bytes_total", "Bytes that went to clients.", statistics.outputBytes());
        counter("server_keyspace_hits_total", "Reads of keys that were there.", statistics.hits());
        counter("server_keyspace_misses_total", "Reads of keys that were not there.", statistics.misses());
        counter("server_error_replies_total", "Replies that were errors.", statistics.errorReplies());
        gauge(
                "server_channels",
                "Channels that are subscribed to.",
                host.pubSub().channelCount());
        gauge(
                "server_patterns",
                "Patterns of channels that are subscribed to.",
                host.pubSub().patternCount());
        gauge(
                "server_slow_log_entries",
                "Entries in the slow log.",
                host.slowLog().size());
        gauge("server_scans", "Scans that are open.", host.scans().open());
    }

    private void commands() {
        List<Command> called = new ArrayList<>();
        for (Command command : host.commands().all()) {
            if (command.calls() > 0 || command.rejections() > 0) {
                called.add(command);
            }
        }
        perCommand(called, "server_command_calls_total", "Calls of the command.", Command::calls);
        perCommand(
                called,
                "server_command_seconds_total",
                "Time that the calls took together.",
                command -> command.nanos() / NANOS_PER_SECOND);
        perCommand(called, "server_command_failures_total", "Calls that ended with an error.", Command::failures);
        perCommand(
                called, "server_command_rejections_total", "Calls that were not allowed to run.", Command::rejections);
    }

    private void perCommand(List<Command> called, String name, String help, Function<Command, Object> figure) {
        head(name, help, "counter");
        for (Command command : called) {
            sample(name, "command", command.fullName(), figure.apply(command));
        }
    }

    private void errors() {
        head("server_errors_total", "Replies that were errors, by their first word.", "counter");
        host.statistics().errors().forEach((code, count) -> sample("server_errors_total", "code", code, count));
    }

    /** Of several databases that have keys, the sizes are not kept. */
    private void databases() throws IOException {
        head("server_database_keys", "Keys of a database, if they need not be counted.", "gauge");
        for (int i = 0; i < host.keyspace().databases(); i++) {
            long keys = host.keyspace().quickSize(i);
            if (keys > 0) {
                sample("server_database_keys", "database", Integer.toString(i), keys);
            }
        }
    }

    private void replication() {
        Replication group = host.replication();
        if (group == null) {
            return;
        }
        gauge("server_leads", "Whether this member leads its group: 1 or 0.", flag(group.isLeader()));
        Map<String, String> figures = group.figures();
        figures.forEach((name, figure) -> {
            if (!name.startsWith(LAG_OF) && figure.matches("-?\\d{1,18}")) {
                gauge("server_" + name, "What INFO replication calls " + name + ".", Long.parseLong(figure));
            }
        });
        head("server_raft_member_lag_entries", "How many entries a member is behind.", "gauge");
        figures.forEach((name, figure) -> {
            if (name.startsWith(LAG_OF) && figure.matches("-?\\d{1,18}")) {
                sample(
                        "server_raft_member_lag_entries",
                        "member",
                        name.substring(LAG_OF.length()),
                        Long.parseLong(figure));
            }
        });
        String failure = figures.getOrDefault("raft_failure", "");
        gauge("server_raft_failed", "Whether this member has failed: 1 or 0.", flag(!failure.isEmpty()));
    }

    private static int flag(boolean holds) {
        return holds ? 1 : 0;
    }
}
