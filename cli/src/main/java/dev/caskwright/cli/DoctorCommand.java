package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Looks at a store and at the machine, and says what to change. */
@Command(
        name = "doctor",
        description = {
            "Look at a store and at the machine that it is on, and say what to change: heap, large pages, file system, space, what"
                    + " lies about in the directory, descriptors, clock, and what the owner of an open store says of its"
                    + " health.",
            "Each line is 'ok', 'note' or 'CHANGE'; the exit code is 1 if anything is to be changed. Reads only, and reads no"
                    + " values: 'verify' checks every byte."
        })
final class DoctorCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private JsonOption json = new JsonOption();

    DoctorCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        if (!Files.exists(place.path())) {
            throw new NoSuchFileException(place.path().toString());
        }
        Figures figures;
        try (StorageEngine store = place.open(shell, Access.READ)) {
            figures = Figures.of(store);
        }
        List<Diagnosis> diagnoses = new Examination(place.path(), figures, Machine.ofSystem()).all();
        boolean isWell = true;
        for (Diagnosis each : diagnoses) {
            isWell &= each.verdict() != Diagnosis.Verdict.CHANGE;
            if (json.isOn()) {
                json.print(
                        shell,
                        "verdict",
                        each.verdict().name().toLowerCase(Locale.ROOT),
                        "about",
                        each.about(),
                        "what",
                        each.what());
            } else {
                shell.println(String.format(
                        Locale.ROOT, "%-6s %-12s %s", each.verdict().text(), each.about(), each.what()));
            }
        }
        return isWell ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
    }
}
