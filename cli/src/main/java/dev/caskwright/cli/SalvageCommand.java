package dev.caskwright.cli;

import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.Salvaging;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a new store of what is sound in a damaged one. */
@Command(
        name = "salvage",
        description = {
            "Write everything that is sound in a damaged store into a new one, and print what is lost and where; exit"
                    + " code 1 if anything is. The damaged store is not changed, and must not be open for writing.",
            "Where newer records are lost, older ones decide: a key may have an earlier value, and a deleted key may be"
                    + " back. A batch of which a part is lost is left out. The new store is verified, and takes up to as"
                    + " much space as the old one until it is merged."
        })
final class SalvageCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Option(
            names = "--to",
            required = true,
            paramLabel = "NEWDIR",
            description = "The directory of the new store: empty or missing, and not in DIR.")
    private Path target = Path.of("");

    @Mixin
    private JsonOption json = new JsonOption();

    SalvageCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        if (!Directories.isEmptyOrMissing(target)) {
            throw new UsageException("the directory must be empty or missing: " + target);
        }
        SalvageReport saved;
        try (Progress progress = shell.progress("salvaging")) {
            progress.watch(() -> Directories.bytesIn(target), Directories.bytesIn(place.path()));
            saved = salvage();
            progress.finish("salvaged");
        }
        return print(saved);
    }

    private SalvageReport salvage() throws IOException {
        try {
            return place.atRest(shell).require(Salvaging.class).salvage(target);
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    private int print(SalvageReport saved) throws IOException {
        for (SalvageReport.Loss loss : saved.losses()) {
            if (json.isOn()) {
                json.print(shell, "file", loss.file(), "from", loss.from(), "to", loss.to(), "what", loss.what());
                continue;
            }
            shell.println(
                    "lost: file=" + loss.file() + ", from=" + loss.from() + ", to=" + loss.to() + ", " + loss.what());
        }
        if (json.isOn()) {
            json.print(
                    shell,
                    "records",
                    saved.records(),
                    "bytes",
                    saved.bytes(),
                    "losses",
                    saved.losses().size(),
                    "bytesLost",
                    saved.bytesLost());
            return saved.isComplete() ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
        }
        shell.println(String.format(
                Locale.ROOT,
                "%,d records in %,d bytes are saved; %,d places with %,d bytes are lost",
                saved.records(),
                saved.bytes(),
                saved.losses().size(),
                saved.bytesLost()));
        return saved.isComplete() ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
    }
}
