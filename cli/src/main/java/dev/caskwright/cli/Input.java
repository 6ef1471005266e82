package dev.caskwright.cli;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens what an argument FILE names. */
final class Input {
    private static final String STANDARD_INPUT = "-";

    private Input() {}

    /** Opens a file, or standard input for "-". Closing the stream is fine for both. */
    static InputStream open(Shell shell, String name) throws IOException {
        if (name.equals(STANDARD_INPUT)) {
            return shell.in();
        }
        Path path = Path.of(name);
        if (Files.isDirectory(path)) {
            throw new UsageException("a directory, not a file: " + name);
        }
        if (!Files.isReadable(path)) {
            throw new UsageException("cannot read the file " + name);
        }
        return new BufferedInputStream(Files.newInputStream(path));
    }
}
