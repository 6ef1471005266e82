package dev.caskwright.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the system says of itself, read from files as Linux has them. Where there is no such file, nothing is known.
 *
 * @param root where the files are found: {@code /}, or a picture of it
 */
record Machine(Path root) {
    private static final Path SYSTEM = Path.of("/");

    static Machine ofSystem() {
        return new Machine(SYSTEM);
    }

    /** Returns the text of a file such as {@code proc/meminfo}; empty if it cannot be read. */
    Optional<String> text(String path) {
        try {
            return Optional.of(Files.readString(root.resolve(path)).strip());
        } catch (IOException e) {
            return Optional.empty(); // another system, or not for this user
        }
    }

    /** Returns the number in KiB after a name in {@code proc/meminfo}, in bytes. */
    Optional<Long> memory(String name) {
        return line("proc/meminfo", name + ":").map(rest -> Long.parseLong(rest.replaceAll("[^0-9]", "")) << 10);
    }

    /** Returns what follows the start of a line of a file. */
    Optional<String> line(String path, String start) {
        return text(path)
                .flatMap(text -> text.lines()
                        .filter(line -> line.startsWith(start))
                        .map(line -> line.substring(start.length()).strip())
                        .findFirst());
    }

    /** Returns how many files lie in a directory such as {@code proc/1/fd}; empty if it cannot be listed. */
    Optional<Long> count(String path) {
        try (var entries = Files.list(root.resolve(path))) {
            return Optional.of(entries.count());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
