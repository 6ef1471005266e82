package dev.caskwright.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the table of commands says is complete, and docs/server-commands.md says the same. */
final class CommandListTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "server-commands.md");

    private static Map<String, List<String>> commandsOfRedis() throws IOException {
        Map<String, List<String>> groups = new LinkedHashMap<>();
        try (InputStream in = CommandListTest.class.getResourceAsStream("/redis-commands.txt");
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.startsWith("#")) {
                    String[] parts = line.split(": ");
                    groups.put(parts[0], Arrays.asList(parts[1].split(" ")));
                }
            }
        }
        return groups;
    }

    static String document() throws IOException {
        CommandTable table = CommandTable.standard();
        Map<String, Command> byName =
                table.commands().stream().collect(Collectors.toMap(Command::name, command -> command));
        StringBuilder text = new StringBuilder("""
            # Commands of the server

            Made from the table of commands by `CommandListTest`; [server.md](server.md) says what differs from Redis. What is
            not there answers `-ERR unknown command`.

            | command | since | what it does |
            | --- | --- | --- |
            """);
        for (List<String> names : commandsOfRedis().values()) {
            for (String name : names) {
                Command command = byName.get(name);
                if (command != null) {
                    append(text, command);
                    command.subcommands().forEach(subcommand -> append(text, subcommand));
                }
            }
        }
        text.append("\n"
                + "## In a server that is a member of a group or a node of a cluster\n\n"
                + "`RAFT` is there only if it is a member of a group.\n\n"
                + "| command | since | what it does |\n"
                + "| --- | --- | --- |\n");
        CommandTable.replicated().commands().stream()
                .filter(command -> !byName.containsKey(command.name()))
                .forEach(command -> {
                    append(text, command);
                    command.subcommands().forEach(subcommand -> append(text, subcommand));
                });
        text.append("\n## Not there\n\n| group | commands |\n| --- | --- |\n");
        commandsOfRedis().forEach((group, names) -> {
            List<String> missing =
                    names.stream().filter(name -> !byName.containsKey(name)).toList();
            if (!missing.isEmpty()) {
                text.append("| ").append(group).append(missing.size() == names.size() ? " (none of them)" : "");
                text.append(" | ").append(String.join(", ", missing)).append(" |\n");
            }
        });
        return text.toString();
    }

    private static void append(StringBuilder text, Command command) {
        text.append("| `")
                .append(command.fullName().replace('|', ' ').toUpperCase(Locale.ROOT))
                .append("` | ")
                .append(command.since())
                .append(" | ")
                .append(command.summary())
                .append(" |\n");
    }

    /** Writes the document anew. */
    public static void main(String[] arguments) throws IOException {
        Files.writeString(Path.of(arguments[0]), document());
    }

    @Test
    void theDocumentListsAllCommandsAndAllThatAreMissing() throws IOException {
        assertThat(Files.readString(DOCUMENT))
                .as("write it anew with the main method of this class, whose argument is the file")
                .isEqualTo(document());
    }

    @Test
    void eachCommandIsOneOfRedis() throws IOException {
        TreeSet<String> known = new TreeSet<>();
        commandsOfRedis().values().forEach(known::addAll);
        assertThat(known)
                .containsAll(CommandTable.standard().commands().stream()
                        .map(Command::name)
                        .toList());
    }

    @Test
    void eachCommandSaysWhatItIs() {
        for (Command command : CommandTable.replicated().all()) {
            assertThat(command.summary()).as(command.fullName()).isNotBlank().endsWith(".");
            assertThat(command.since()).as(command.fullName()).matches("\\d+\\.\\d+\\.\\d+");
            assertThat(command.categories()).as(command.fullName()).isNotEmpty();
            assertThat(command.arity()).as(command.fullName()).isNotZero();
            boolean hasKeys = command.firstKey() > 0;
            if (hasKeys) {
                assertThat(command.keyStep()).as(command.fullName()).isPositive();
                assertThat(command.categories())
                        .as(command.fullName())
                        .containsAnyOf(Category.READ, Category.WRITE, Category.TRANSACTION);
            }
        }
    }
}
