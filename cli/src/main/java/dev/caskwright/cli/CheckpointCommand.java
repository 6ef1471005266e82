package dev.caskwright.cli;

import dev.caskwright.api.Backups;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Makes a second store of hard links to the files of a store. */
@Command(
        name = "checkpoint",
        description = {
            "Make a second store of the moment in TARGET, quickly: an empty or missing directory, or one with an"
                    + " earlier checkpoint of this store, to which only what is new is added. Its files are hard links"
                    + " where the file system can.",
            "So it guards against wrong writes and deletes, but not against a bad disk: what damages a file of the store"
                    + " damages its checkpoints. Use 'backup' for a copy with files of its own."
        })
final class CheckpointCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Parameters(paramLabel = "TARGET", description = "The directory for the copy.")
    private Path target = Path.of("");

    @Mixin
    private JsonOption json = new JsonOption();

    CheckpointCommand(Shell shell) {
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
                "making a checkpoint",
                store -> store.require(Backups.class).checkpoint(target));
        return ExitCode.OK;
    }
}
