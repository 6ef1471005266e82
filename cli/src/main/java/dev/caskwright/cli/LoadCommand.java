package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.owner.OwnerSocket;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Stores the entries of JSON Lines one by one, so that the lines before a malformed one are kept. */
@Command(
        name = "load",
        description = {
            "Store the entries of JSON Lines, as dump writes them. Makes the store if there is none.",
            "Lines are stored one by one, and made to survive a power loss at the end. A malformed line ends the"
                    + " load with exit code 1: its number is reported, and the lines before it are stored. How many were stored"
                    + " is told at the end, also of a load that is interrupted (SIGINT, SIGTERM)."
        })
final class LoadCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private CreateOption create = new CreateOption();

    @Mixin
    private EncodingOption text = new EncodingOption();

    @Parameters(paramLabel = "FILE", description = "The file to read; - is standard input.")
    private String file = "";

    @Mixin
    private OwnerSocketOption ownerSocket = new OwnerSocketOption();

    @Mixin
    private JsonOption json = new JsonOption();

    LoadCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    @SuppressWarnings("try") // the socket is only held
    public Integer call() throws IOException {
        try (CountedInput in = new CountedInput(Input.open(shell, file));
                StorageEngine store = place.open(shell, create.access());
                @Nullable OwnerSocket socket = ownerSocket.open(shell, store, place.path());
                Progress progress = shell.progress("loaded", "entries")) {
            progress.watch(in::count, Directories.bytesIn(Path.of(file)));
            JsonLineReader lines = new JsonLineReader(in, text.encoding(), JsonLine.Format.ENTRY);
            try (Interruption interruption = new Interruption(() -> tellLate(progress))) {
                try {
                    load(lines, store, progress, interruption);
                } catch (MalformedLineException e) {
                    store.sync();
                    throw new MalformedLineException(
                            e.lineNumber(),
                            String.format(
                                    Locale.ROOT,
                                    "%s; the lines before it are stored: %,d entries",
                                    e.reason(),
                                    progress.done()));
                } catch (IOException e) {
                    if (progress.done() > 0) {
                        shell.complain(String.format(
                                Locale.ROOT, "%,d entries were stored before what ends the load", progress.done()));
                    }
                    throw e;
                }
                store.sync();
                progress.finish();
                tell(progress);
                if (interruption.hasCome()) {
                    shell.complain("interrupted; what was loaded is stored");
                    store.close();
                    shell.out().flush();
                    return ExitCode.STORE_ERROR;
                }
            }
        }
        return ExitCode.OK;
    }

    /** Tells how many entries are stored, on standard error, or as JSON. */
    private void tell(Progress progress) throws IOException {
        if (json.isOn()) {
            json.print(shell, "entries", progress.done());
        } else if (!shell.showsProgress()) {
            shell.err().println(String.format(Locale.ROOT, "loaded %,d entries", progress.done()));
        }
    }

    /** Of a load that waits for its input when the process ends; its writes survive that. */
    private void tellLate(Progress progress) {
        shell.complain(String.format(
                Locale.ROOT, "interrupted while waiting; %,d entries were loaded and are stored", progress.done()));
    }

    private static void load(JsonLineReader lines, StorageEngine store, Progress progress, Interruption interruption)
            throws IOException {
        for (JsonLine line = lines.next(); line != null && !interruption.hasCome(); line = lines.next()) {
            // A line of this format always has a value.
            store.put(line.key(), Objects.requireNonNull(line.value()), line.options());
            progress.step();
        }
    }
}
