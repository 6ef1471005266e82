package dev.caskwright.server.command;

import dev.caskwright.server.resp.Request;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** All commands, found by the name in a request without making a string of it. Immutable but for what commands count. */
public final class CommandTable {
    private static final int BUCKETS = 1024;

    private final Command[][] buckets = new Command[BUCKETS][];
    private final List<Command> commands;
    private final List<Command> all = new ArrayList<>();

    CommandTable(List<Command> commands) {
        List<Command> sorted = new ArrayList<>(commands);
        sorted.sort(Comparator.comparing(Command::name));
        this.commands = Collections.unmodifiableList(sorted);
        for (Command command : sorted) {
            number(command);
            int bucket = bucket(Request.hashOf(command.name()));
            Command[] old = buckets[bucket] == null ? new Command[0] : buckets[bucket];
            Command[] longer = Arrays.copyOf(old, old.length + 1);
            longer[old.length] = command;
            buckets[bucket] = longer;
        }
    }

    private void number(Command command) {
        command.id(all.size());
        all.add(command);
        command.subcommands().forEach(this::number);
    }

    private static int bucket(int hash) {
        return (hash ^ hash >>> 16) & BUCKETS - 1;
    }

    /** Returns the table of all commands of the server. */
    public static CommandTable standard() {
        return new CommandTable(standardCommands());
    }

    /** Returns the table of all commands of a server that is a member of a group. */
    public static CommandTable replicated() {
        List<Command> commands = standardCommands();
        GroupCommands.addTo(commands);
        ClusterCommands.addTo(commands);
        return new CommandTable(commands);
    }

    /** Returns the table of all commands of a server that is a node of a cluster. */
    static CommandTable clustered() {
        List<Command> commands = standardCommands();
        ClusterCommands.addTo(commands);
        return new CommandTable(commands);
    }

    private static List<Command> standardCommands() {
        List<Command> commands = new ArrayList<>();
        ConnectionCommands.addTo(commands);
        StringCommands.addTo(commands);
        CounterCommands.addTo(commands);
        KeyCommands.addTo(commands);
        ExpiryCommands.addTo(commands);
        ScanCommands.addTo(commands);
        ClientCommands.addTo(commands);
        CommandCommands.addTo(commands);
        ConfigCommands.addTo(commands);
        MonitoringCommands.addTo(commands);
        PersistenceCommands.addTo(commands);
        TransactionCommands.addTo(commands);
        PubSubCommands.addTo(commands);
        AclCommands.addTo(commands);
        return commands;
    }

    /** Returns the command, or subcommand if the command has some, that a request names, or null. */
    @Nullable Command find(Request request) {
        Command command = find(request, 0);
        if (command == null || command.subcommands().isEmpty() || request.count() < 2) {
            return command;
        }
        for (Command subcommand : command.subcommands()) {
            if (request.is(1, subcommand.name())) {
                return subcommand;
            }
        }
        return command;
    }

    /** Returns the command that an argument names, or null. */
    @Nullable Command find(Request request, int i) {
        Command[] bucket = buckets[bucket(request.caselessHash(i))];
        if (bucket != null) {
            for (Command command : bucket) {
                if (request.is(i, command.name())) {
                    return command;
                }
            }
        }
        return null;
    }

    /** Returns the command with this name, {@code config} or {@code config|get}, or null. */
    @Nullable Command find(String fullName) {
        String lower = fullName.toLowerCase(Locale.ROOT);
        for (Command command : all) {
            if (command.fullName().equals(lower)) {
                return command;
            }
        }
        return null;
    }

    /** Returns all commands by name, without subcommands. */
    public List<Command> commands() {
        return commands;
    }

    /** Returns all commands and subcommands, by number. */
    List<Command> all() {
        return all;
    }
}
