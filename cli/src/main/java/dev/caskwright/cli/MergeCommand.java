package dev.caskwright.cli;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Merging;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Gives back the space of overwritten and deleted records. */
@Command(
        name = "merge",
        description = "Give back the space of overwritten, deleted and expired entries. It may be killed at any moment:"
                + " nothing is lost. No other command merges. If another process has the store open, that process is"
                + " asked to merge, and goes on with it if this command is ended.")
final class MergeCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private JsonOption json = new JsonOption();

    MergeCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        try (StorageEngine store = open();
                Progress progress = shell.progress("merging")) {
            Merging merging = store.require(Merging.class);
            long before = store.stats().space().diskBytes();
            progress.watch(
                    () -> store.stats().merging().mergedBytes(),
                    store.stats().space().liveBytes());
            merging.merge();
            long after = store.stats().space().diskBytes();
            progress.finish(String.format(Locale.ROOT, "merged: %,d bytes before, %,d after", before, after));
            json.print(shell, "bytesBefore", before, "bytesAfter", after);
        }
        return ExitCode.OK;
    }

    /** Opens the store, or asks its owner to merge. */
    private StorageEngine open() throws IOException {
        try {
            return place.open(shell, Access.WRITE);
        } catch (EngineLockedException e) {
            return shell.stores().owner(place.path(), e);
        }
    }
}
