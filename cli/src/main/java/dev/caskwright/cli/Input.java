package dev.caskwright.cli;

import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Set;

/** Opens what an argument FILE names: a file, a pipe, or standard input. */
final class Input {
    /** By whatever name: the system could not open it a second time if it is a socket, or another user's terminal. */
    private static final Set<String> STANDARD_INPUT = Set.of("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0");

    private Input() {}

    /** Opens a file, or standard input for "-". Closing the stream is fine for both. */
    static InputStream open(Shell shell, String name) throws IOException {
        if (STANDARD_INPUT.contains(name)) {
            return shell.in();
        }
        try {
            Path path = Path.of(name);
            if (Files.isDirectory(path)) {
                throw new UsageException("this is a directory, not a file: " + name);
            }
            // Not through a channel, whose stream asks for its position: a pipe has none.
            return new BufferedInputStream(new FileInputStream(path.toFile()));
        } catch (FileNotFoundException e) {
            throw new UsageException("cannot read the file " + e.getMessage()); // which is its name and the reason
        } catch (InvalidPathException e) {
            throw new UsageException("this cannot be the name of a file: " + name);
        }
    }
}
