package dev.caskwright.cli;

import dev.caskwright.api.Integrity;
import dev.caskwright.api.VerifyReport;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Reads every byte of a store and tells what is damaged. */
@Command(
        name = "verify",
        description = "Read every byte of a store, and print what is damaged and where; exit code 1 if anything is,"
                + " and 3 if the directory has no store. Changes nothing.")
final class VerifyCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private JsonOption json = new JsonOption();

    VerifyCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        VerifyReport found;
        try (Progress progress = shell.progress("verifying")) {
            progress.watch(ReadBytes.sinceNow(), Directories.bytesIn(place.path()));
            found = place.atRest(shell).require(Integrity.class).verify();
            progress.finish("verified");
        }
        return print(found);
    }

    private int print(VerifyReport found) throws IOException {
        for (VerifyReport.Damage damage : found.damages()) {
            if (json.isOn()) {
                json.print(shell, "file", damage.file(), "offset", damage.offset(), "what", damage.what());
                continue;
            }
            shell.println("damaged: file=" + damage.file() + ", offset=" + damage.offset() + ", " + damage.what());
        }
        if (json.isOn()) {
            json.print(
                    shell,
                    "records",
                    found.records(),
                    "bytes",
                    found.bytes(),
                    "damages",
                    found.damages().size());
        } else {
            shell.println(String.format(
                    Locale.ROOT,
                    "%,d records in %,d bytes are sound, %,d places are damaged",
                    found.records(),
                    found.bytes(),
                    found.damages().size()));
        }
        return found.isSound() ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
    }
}
