package dev.caskwright.cli;

import dev.caskwright.api.Backups;
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
            "The copy shares no file with the store, which is only read, and opens as a store. A directory that is"
                    + " anything else, or has another history than the store, is refused and left as it is."
        })
final class BackupCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Parameters(paramLabel = "TARGET", description = "The directory for the copy; for an engine of one file, the file.")
    private Path target = Path.of("");

    @Mixin
    private JsonOption json = new JsonOption();

    BackupCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        CopyOutput.copy(
                shell,
                json,
                target,
                place.path(),
                place.backends(),
                "backing up",
                store -> store.require(Backups.class).backup(target));
        return ExitCode.OK;
    }
}
