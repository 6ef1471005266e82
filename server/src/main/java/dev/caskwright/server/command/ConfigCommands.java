package dev.caskwright.server.command;

import static dev.caskwright.server.command.Flag.ADMIN;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.NOSCRIPT;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.config.Option;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.resp.Glob;
import dev.caskwright.server.resp.Printable;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.AppendFsync;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** CONFIG: what the options are, and others for those that may change. */
final class ConfigCommands {
    private static final String GROUP = "server";

    private ConfigCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("CONFIG", -2, Subcommands::unknown)
                .flags(ADMIN)
                .doc(GROUP, "2.0.0", "A container for server configuration commands.")
                .with(
                        sub("GET", -3, ConfigCommands::get, "2.0.0", "Returns options and their values."),
                        sub("SET", -4, ConfigCommands::set, "2.0.0", "Changes options.")
                                .flags(Flag.SKIP_SLOWLOG),
                        sub("RESETSTAT", 2, ConfigCommands::resetStatistics, "2.0.0", "Sets what is counted to 0."),
                        sub("REWRITE", 2, ConfigCommands::rewrite, "2.8.0", "Writes the options to their file.")));
    }

    private static Command sub(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler)
                .flags(ADMIN, NOSCRIPT, LOADING, STALE)
                .doc(GROUP, since, summary);
    }

    private static void get(Call call) {
        Map<String, String> found = new LinkedHashMap<>();
        for (int i = 2; i < call.count(); i++) {
            Glob glob = CommandException.glob(
                    call.request().text(i).toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8));
            for (Option option : call.host().config().options()) {
                if (glob.matches(option.name().getBytes(StandardCharsets.UTF_8), 0)) {
                    found.put(option.name(), option.text());
                }
            }
        }
        call.reply().map(found.size());
        found.forEach((name, value) -> {
            call.reply().bulk(name);
            call.reply().bulk(value);
        });
    }

    private static void set(Call call) {
        if (call.count() % 2 != 0) {
            throw new CommandException("ERR wrong number of arguments for 'config|set' command");
        }
        Request request = call.request();
        ServerConfig config = call.host().config();
        Map<Option, String> old = new LinkedHashMap<>();
        List<String> names = new ArrayList<>();
        for (int i = 2; i < call.count(); i += 2) {
            Option option = config.find(request.text(i));
            if (option == null) {
                throw new CommandException(
                        "ERR Unknown option or number of arguments for CONFIG SET - '" + request.printable(i) + "'");
            }
            if (!config.isChangeable(option, isLocal(call))) {
                throw failed(option.name(), "can't set immutable or protected config");
            }
            if (old.put(option, option.text()) != null) {
                throw failed(option.name(), "duplicate parameter");
            }
            names.add(option.name());
        }
        int i = 3;
        try {
            for (Option option : old.keySet()) {
                config.set(option.name(), request.text(i));
                i += 2;
            }
            apply(call, names);
        } catch (IllegalArgumentException | IOException e) {
            // All are set or none.
            old.forEach((option, value) -> config.set(option.name(), value));
            throw failed(
                    request.printable(i < call.count() ? i - 1 : 2), Printable.line(String.valueOf(e.getMessage())));
        }
        call.reply().ok();
    }

    private static boolean isLocal(Call call) {
        String address = call.session().link().remoteAddress();
        return address.startsWith("127.") || address.startsWith("[::1]") || address.startsWith("[0:0:0:0:0:0:0:1]");
    }

    private static CommandException failed(String name, String why) {
        return new CommandException("ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why);
    }

    private static void apply(Call call, List<String> names) throws IOException {
        Host host = call.host();
        ServerConfig config = host.config();
        if (names.stream().anyMatch(name -> name.startsWith("tls-"))) {
            host.control().reloadCertificates();
        }
        for (String name : names) {
            switch (name) {
                case "appendfsync" ->
                    call.keyspace()
                            .gate()
                            .policy(AppendFsync.valueOf(config.appendFsync().toUpperCase(Locale.ROOT)));
                case "strict-reads" -> call.keyspace().gate().strictReads(config.isStrictReads());
                case "requirepass" -> host.acl().defaultPassword(config.text("requirepass"));
                default -> {
                    // Looked at when it matters.
                }
            }
        }
    }

    private static void resetStatistics(Call call) {
        call.host().statistics().reset();
        call.host().commands().all().forEach(Command::resetStatistics);
        call.reply().ok();
    }

    private static void rewrite(Call call) throws IOException {
        ServerConfig config = call.host().config();
        try {
            boolean hasUserFile = !config.text("aclfile").isEmpty();
            boolean hasUsers = !call.host().acl().isPlain();
            config.rewrite(hasUserFile || !hasUsers ? null : call.host().acl().lines());
        } catch (IllegalStateException e) {
            throw new CommandException("ERR " + Printable.line(String.valueOf(e.getMessage())));
        }
        call.reply().ok();
    }
}
