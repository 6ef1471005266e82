package dev.caskwright.cli;

import dev.caskwright.api.Merging;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.EngineSettings.Access;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Gives back the space of overwritten and deleted records. */
@Command(
        name = "merge",
        description = "Give back the space of overwritten, deleted and expired entries. It may be killed at any moment:"
                + " nothing is lost. No other command merges.")
final class MergeCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private DirectoryOption directory = new DirectoryOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    MergeCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        try (StorageEngine store = shell.stores().open(directory.path(), backends, Access.WRITE);
                Progress progress = shell.progress("merging")) {
            Merging merging = store.require(Merging.class);
            long before = store.stats().space().diskBytes();
            merging.merge();
            progress.finish(String.format(
                    Locale.ROOT,
                    "merged: %,d bytes before, %,d after",
                    before,
                    store.stats().space().diskBytes()));
        }
        return ExitCode.OK;
    }
}
