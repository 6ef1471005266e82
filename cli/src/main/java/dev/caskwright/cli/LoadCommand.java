package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Stores the entries of JSON Lines one by one, so that the lines before a malformed one are kept. */
@Command(
        name = "load",
        description = {
            "Store the entries of JSON Lines, as dump writes them. Makes the store if there is none.",
            "Lines are stored one by one, and made to survive a power loss at the end. A malformed line ends the"
                    + " load with exit code 1: its number is reported, and the lines before it are stored."
        })
final class LoadCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private DirectoryOption directory = new DirectoryOption();

    @Mixin
    private CreateOption create = new CreateOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    @Mixin
    private EncodingOption text = new EncodingOption();

    @Parameters(paramLabel = "FILE", description = "The file to read; - is standard input.")
    private String file = "";

    LoadCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        try (InputStream in = Input.open(shell, file);
                StorageEngine store = shell.stores().open(directory.path(), backends, create.access());
                Progress progress = shell.progress("loaded", "entries")) {
            JsonLineReader lines = new JsonLineReader(in, text.encoding(), JsonLine.Format.ENTRY);
            try {
                load(lines, store, progress);
            } catch (MalformedLineException e) {
                store.sync();
                throw new MalformedLineException(e.lineNumber(), e.reason() + "; the lines before it are stored");
            }
            store.sync();
            progress.finish();
        }
        return ExitCode.OK;
    }

    private static void load(JsonLineReader lines, StorageEngine store, Progress progress) throws IOException {
        for (JsonLine line = lines.next(); line != null; line = lines.next()) {
            // A line of this format always has a value.
            store.put(line.key(), Objects.requireNonNull(line.value()), line.options());
            progress.step();
        }
    }
}
