package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.cli.Stores.Verification;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Makes a store of a backup. */
@Command(
        name = "restore",
        description = {
            "Copy a backup into the directory of a store, which must be empty or missing, and read every byte of the"
                    + " copy; exit code 1 if anything is damaged.",
            "The backup stays as it is. Files are hard links where the file system can."
        })
final class RestoreCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private DirectoryOption directory = new DirectoryOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    @Parameters(paramLabel = "SOURCE", description = "The directory of the backup.")
    private Path source = Path.of("");

    RestoreCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        if (!Directories.isEmptyOrMissing(directory.path())) {
            throw new UsageException("the directory must be empty or missing: " + directory.path());
        }
        Verification found = restore();
        if (!found.damages().isEmpty()) {
            shell.complain("the copy is damaged: " + found.damages().get(0) + "; see verify for all");
            return ExitCode.NOT_FOUND_OR_DAMAGE;
        }
        return ExitCode.OK;
    }

    private Verification restore() throws IOException {
        // A backup is a store: backing it up copies it under its lock, in an order that a crash cannot spoil.
        try (StorageEngine backup = shell.stores().open(source, backends, Stores.Access.READ);
                Progress progress = shell.progress("restoring")) {
            backup.backup(directory.path());
            Verification found = shell.stores().verify(directory.path(), backends);
            progress.finish("restored and verified");
            return found;
        }
    }
}
