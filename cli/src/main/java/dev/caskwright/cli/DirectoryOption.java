package dev.caskwright.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where the store is. */
final class DirectoryOption {
    @Option(names = "--dir", required = true, paramLabel = "DIR", description = "The directory of the store.")
    private Path directory = Path.of("");

    Path path() {
        return directory;
    }
}
