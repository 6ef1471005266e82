package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.DANGEROUS;
import static dev.caskwright.server.command.Flag.ADMIN;
import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.NOSCRIPT;
import static dev.caskwright.server.command.Flag.NO_MULTI;
import static dev.caskwright.server.command.Flag.READONLY;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.store.Data;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** How the server is, and what it does. */
final class MonitoringCommands {
    private static final String GROUP = "server";
    private static final long NANOS_PER_MICRO = 1_000;
    private static final long MILLIS_PER_SECOND = 1_000;

    /** What a key costs beside its own bytes, roughly: an entry of the index and the header of its record. */
    private static final int ENTRY_BYTES = 64;

    private MonitoringCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("INFO", -1, MonitoringCommands::info)
                .flags(LOADING, STALE)
                .in(DANGEROUS)
                .doc(GROUP, "1.0.0", "Returns figures about the server."));
        commands.add(new Command("TIME", 1, MonitoringCommands::time)
                .flags(FAST, LOADING, STALE)
                .doc(GROUP, "2.6.0", "Returns the server's time: seconds and microseconds."));
        commands.add(new Command("ROLE", 1, MonitoringCommands::role)
                .flags(FAST, NOSCRIPT, LOADING, STALE)
                .in(Category.ADMIN, DANGEROUS)
                .doc(GROUP, "2.8.12", "Returns whether this is a master, or which one it is a replica of."));
        commands.add(new Command("MONITOR", 1, MonitoringCommands::monitor)
                .flags(ADMIN, NOSCRIPT, LOADING, STALE, NO_MULTI)
                .doc(GROUP, "1.0.0", "Shows each command that the server runs."));
        commands.add(new Command("SLOWLOG", -2, Subcommands::unknown)
                .doc(GROUP, "2.2.12", "A container for slow log commands.")
                .with(
                        admin(
                                "GET",
                                -2,
                                MonitoringCommands::slow,
                                "2.2.12",
                                "Returns the latest commands that took long."),
                        admin(
                                "LEN",
                                2,
                                call -> call.reply()
                                        .integer(call.host().slowLog().size()),
                                "2.2.12",
                                "Counts them."),
                        admin("RESET", 2, MonitoringCommands::clearSlow, "2.2.12", "Forgets them.")));
        commands.add(new Command("LATENCY", -2, Subcommands::unknown)
                .doc(GROUP, "2.8.13", "A container for latency commands.")
                .with(
                        admin(
                                "LATEST",
                                2,
                                MonitoringCommands::latest,
                                "2.8.13",
                                "Returns the last slow event of each kind."),
                        admin(
                                "HISTORY",
                                3,
                                MonitoringCommands::history,
                                "2.8.13",
                                "Returns the slow events of a kind."),
                        admin("RESET", -2, MonitoringCommands::resetLatency, "2.8.13", "Forgets slow events.")));
        commands.add(new Command("MEMORY", -2, Subcommands::unknown)
                .doc(GROUP, "4.0.0", "A container for memory commands.")
                .with(new Command("USAGE", -3, MonitoringCommands::usage)
                        .flags(READONLY)
                        .keys(2, 2, 1, Command.KeyUse.READ)
                        .doc(GROUP, "4.0.0", "Estimates the bytes of a key and its value.")));
    }

    private static Command admin(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler).flags(ADMIN, LOADING, STALE).doc(GROUP, since, summary);
    }

    private static void info(Call call) throws IOException {
        Set<String> sections = new HashSet<>();
        for (int i = 1; i < call.count(); i++) {
            sections.add(call.request().text(i).toLowerCase(Locale.ROOT));
        }
        call.reply().verbatim(new Info(call.host()).text(sections));
    }

    private static void time(Call call) {
        long millis = call.nowMillis();
        long micros = System.nanoTime() / NANOS_PER_MICRO % MILLIS_PER_SECOND;
        call.reply().array(2);
        call.reply().bulk(Long.toString(millis / MILLIS_PER_SECOND));
        call.reply().bulk(Long.toString(millis % MILLIS_PER_SECOND * MILLIS_PER_SECOND + micros));
    }

    private static void role(Call call) {
        Replication group = call.host().replication();
        if (group != null && !group.isLeader()) {
            String leader = group.leaderAddress();
            int colon = leader == null ? -1 : leader.lastIndexOf(':');
            call.reply().array(5);
            call.reply().bulk("slave");
            call.reply().bulk(leader == null ? "" : leader.substring(0, colon));
            call.reply().integer(leader == null ? 0 : Long.parseLong(leader.substring(colon + 1)));
            call.reply().bulk(leader == null ? "connect" : "connected");
            call.reply().integer(0);
            return;
        }
        call.reply().array(3);
        call.reply().bulk("master");
        call.reply().integer(0);
        call.reply().array(0);
    }

    private static void monitor(Call call) {
        call.session().monitor(true);
        call.host().monitors().add(call.session());
        call.reply().ok();
    }

    private static void slow(Call call) {
        long count = 10;
        if (call.count() == 3) {
            count = call.integer(2, -1, Integer.MAX_VALUE, "ERR count should be greater than or equal to -1");
        } else if (call.count() > 3) {
            throw CommandException.syntax();
        }
        List<SlowLog.Slow> entries = call.host().slowLog().latest(count);
        Reply reply = call.reply();
        reply.array(entries.size());
        for (SlowLog.Slow entry : entries) {
            reply.array(6);
            reply.integer(entry.id());
            reply.integer(entry.atMillis() / MILLIS_PER_SECOND);
            reply.integer(entry.micros());
            reply.array(entry.arguments().size());
            entry.arguments().forEach(reply::bulk);
            reply.bulk(entry.client());
            reply.bulk(entry.name());
        }
    }

    private static void clearSlow(Call call) {
        call.host().slowLog().clear();
        call.reply().ok();
    }

    private static void latest(Call call) {
        Map<String, Latency.Series> all = call.host().latency().all();
        call.reply().array(all.size());
        all.forEach((event, series) -> {
            call.reply().array(4);
            call.reply().bulk(event);
            call.reply().integer(series.last().atSeconds());
            call.reply().integer(series.last().millis());
            call.reply().integer(series.max());
        });
    }

    private static void history(Call call) {
        Latency.Series series = call.host().latency().all().get(call.request().text(2));
        call.reply().array(series == null ? 0 : series.samples().size());
        if (series != null) {
            for (Latency.Sample sample : series.samples()) {
                call.reply().array(2);
                call.reply().integer(sample.atSeconds());
                call.reply().integer(sample.millis());
            }
        }
    }

    private static void resetLatency(Call call) {
        Set<String> events = new HashSet<>();
        for (int i = 2; i < call.count(); i++) {
            events.add(call.request().text(i));
        }
        call.reply().integer(call.host().latency().reset(events));
    }

    private static void usage(Call call) throws IOException {
        if (call.count() > 3 && (call.count() != 5 || !call.request().is(3, "SAMPLES"))) {
            throw CommandException.syntax();
        }
        Data.Stored stored = call.data().entry(call.key(2));
        if (stored == null) {
            call.reply().nil();
        } else {
            call.reply().integer((long) stored.length() + call.request().length(2) + ENTRY_BYTES);
        }
    }
}
