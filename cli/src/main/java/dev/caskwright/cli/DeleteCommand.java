package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Removes a key. */
@Command(name = "delete", description = "Remove a key; exit code 1 if it was not there.")
final class DeleteCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private EncodingOption text = new EncodingOption();

    @Parameters(paramLabel = "KEY", description = "The key.")
    private String key = "";

    DeleteCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        byte[] keyBytes = text.encoding().keyArgument(key);
        try (StorageEngine store = place.open(shell, Access.WRITE)) {
            if (!store.delete(keyBytes)) {
                shell.complain("no such key");
                return ExitCode.NOT_FOUND_OR_DAMAGE;
            }
            return ExitCode.OK;
        }
    }
}
