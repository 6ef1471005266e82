package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Writes all entries as JSON Lines. */
@Command(
        name = "dump",
        description = {
            "Write all entries to standard output as JSON Lines: {\"key\":\"...\",\"value\":\"...\"}.",
            "Loading a dump gives the same content. An entry that expires has \"expiresAt\", in milliseconds since"
                    + " 1970. A line whose bytes are not UTF-8 is in base64 and has \"encoding\":\"base64\"; with"
                    + " --encoding base64 every line is. The order means nothing."
        })
final class DumpCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private EncodingOption text = new EncodingOption();

    DumpCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        try (StorageEngine store = place.open(shell, Access.READ);
                Progress progress = shell.progress("dumped", "entries")) {
            try (JsonLineWriter writer = new JsonLineWriter(shell.out(), text.encoding())) {
                store.visit(entry -> {
                    writer.entry(entry, true);
                    progress.step();
                    return true;
                });
            }
            progress.finish();
        }
        return ExitCode.OK;
    }
}
