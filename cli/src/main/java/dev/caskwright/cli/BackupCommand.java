package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Copies a store. */
@Command(
        name = "backup",
        description = {
            "Write a consistent copy of a store, verified by checksum, into TARGET: an empty or missing directory, or"
                    + " one with an earlier backup of this store, to which only what is new is added.",
            "Files are hard links where the file system can; the copy opens as a store."
        })
final class BackupCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private DirectoryOption directory = new DirectoryOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    @Parameters(paramLabel = "TARGET", description = "The directory for the copy.")
    private Path target = Path.of("");

    BackupCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        // For writing, since the file that was written last is sealed first.
        try (StorageEngine store = shell.stores().open(directory.path(), backends, Stores.Access.WRITE);
                Progress progress = shell.progress("backing up")) {
            store.backup(target);
            progress.finish("backed up");
        }
        return ExitCode.OK;
    }
}
