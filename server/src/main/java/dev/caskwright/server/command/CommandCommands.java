package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.CONNECTION;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.resp.Glob;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/** COMMAND: what commands there are. All of it comes from the table. */
final class CommandCommands {
    private static final String GROUP = "server";

    private CommandCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("COMMAND", -1, CommandCommands::all)
                .flags(LOADING, STALE)
                .in(CONNECTION)
                .doc(GROUP, "2.8.13", "Returns details of all commands.")
                .with(
                        sub("COUNT", 2, CommandCommands::count, "2.8.13", "Returns how many commands there are."),
                        sub("INFO", -2, CommandCommands::info, "2.8.13", "Returns details of some or all commands."),
                        sub("DOCS", -2, CommandCommands::docs, "7.0.0", "Returns what commands are for."),
                        sub("LIST", -2, CommandCommands::list, "7.0.0", "Returns the names of commands."),
                        sub("GETKEYS", -3, CommandCommands::keys, "2.8.13", "Returns the keys of a command.")));
    }

    private static Command sub(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler).flags(LOADING, STALE).doc(GROUP, since, summary);
    }

    private static void all(Call call) {
        if (call.count() > 1) {
            Subcommands.unknown(call);
            return;
        }
        List<Command> commands = call.host().commands().commands();
        call.reply().array(commands.size());
        commands.forEach(command -> describe(call.reply(), command));
    }

    private static void count(Call call) {
        call.reply().integer(call.host().commands().commands().size());
    }

    private static void info(Call call) {
        if (call.count() == 2) {
            List<Command> commands = call.host().commands().commands();
            call.reply().array(commands.size());
            commands.forEach(command -> describe(call.reply(), command));
            return;
        }
        call.reply().array(call.count() - 2L);
        for (int i = 2; i < call.count(); i++) {
            Command command = call.host().commands().find(call.request().text(i));
            if (command == null) {
                call.reply().nilArray();
            } else {
                describe(call.reply(), command);
            }
        }
    }

    private static void describe(Reply reply, Command command) {
        reply.array(10);
        reply.bulk(command.fullName());
        reply.integer(command.arity());
        reply.set(command.flags().size());
        command.flags().forEach(flag -> reply.simple(flag.label()));
        reply.integer(command.firstKey());
        reply.integer(command.lastKey());
        reply.integer(command.keyStep());
        reply.set(command.categories().size());
        command.categories().forEach(category -> reply.simple("@" + category.label()));
        reply.array(0); // tips
        reply.array(0); // key specifications
        reply.array(command.subcommands().size());
        command.subcommands().forEach(subcommand -> describe(reply, subcommand));
    }

    private static void docs(Call call) {
        List<Command> commands = new ArrayList<>();
        if (call.count() == 2) {
            commands.addAll(call.host().commands().commands());
        }
        for (int i = 2; i < call.count(); i++) {
            Command command = call.host().commands().find(call.request().text(i));
            if (command != null && !commands.contains(command)) {
                commands.add(command);
            }
        }
        docs(call.reply(), commands);
    }

    private static void docs(Reply reply, List<Command> commands) {
        reply.map(commands.size());
        for (Command command : commands) {
            reply.bulk(command.fullName());
            boolean hasSubcommands = !command.subcommands().isEmpty();
            reply.map(hasSubcommands ? 4 : 3);
            reply.bulk("summary");
            reply.bulk(command.summary());
            reply.bulk("since");
            reply.bulk(command.since());
            reply.bulk("group");
            reply.bulk(command.group());
            if (hasSubcommands) {
                reply.bulk("subcommands");
                docs(reply, command.subcommands());
            }
        }
    }

    private static void list(Call call) {
        Request request = call.request();
        Predicate<Command> chosen = command -> true;
        if (call.count() > 2) {
            if (call.count() != 5 || !request.is(2, "FILTERBY")) {
                throw CommandException.syntax();
            }
            String value = request.text(4).toLowerCase(Locale.ROOT);
            if (request.is(3, "ACLCAT")) {
                Category category = Category.find(value);
                chosen = command -> category != null && command.categories().contains(category);
            } else if (request.is(3, "PATTERN")) {
                Glob glob = CommandException.glob(value.getBytes(StandardCharsets.UTF_8));
                chosen = command -> glob.matches(command.fullName().getBytes(StandardCharsets.UTF_8), 0);
            } else if (request.is(3, "MODULE")) {
                chosen = command -> false;
            } else {
                throw CommandException.syntax();
            }
        }
        List<Command> matching =
                call.host().commands().all().stream().filter(chosen).toList();
        call.reply().array(matching.size());
        matching.forEach(command -> call.reply().bulk(command.fullName()));
    }

    private static void keys(Call call) {
        byte[][] arguments = new byte[call.count() - 2][];
        for (int i = 2; i < call.count(); i++) {
            arguments[i - 2] = call.request().bytes(i);
        }
        Request inner = Request.of(arguments);
        Command command = call.host().commands().find(inner);
        if (command == null) {
            throw new CommandException("ERR Invalid command specified");
        }
        if (!command.takes(inner.count())) {
            throw new CommandException("ERR Invalid number of arguments specified for command");
        }
        List<byte[]> keys = keysOf(command, inner);
        if (keys.isEmpty()) {
            throw new CommandException("ERR The command has no key arguments");
        }
        call.reply().array(keys.size());
        keys.forEach(call.reply()::bulk);
    }

    private static List<byte[]> keysOf(Command command, Request request) {
        List<byte[]> keys = new ArrayList<>();
        if (command.firstKey() > 0) {
            int last = command.lastKey(request);
            for (int i = command.firstKey(); i <= last; i += command.keyStep()) {
                keys.add(request.bytes(i));
            }
        }
        return keys;
    }
}
