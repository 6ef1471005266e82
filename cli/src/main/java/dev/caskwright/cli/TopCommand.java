package dev.caskwright.cli;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.owner.AskedStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows the figures of a store that runs, again and again. */
@Command(
        name = "top",
        description = {
            "Show the figures of a store that another process has open, with rates, and show them again every two seconds, until"
                    + " killed. On a terminal each picture takes the place of the one before.",
            "The process is asked over its socket in the store's directory; see 'serve'."
        })
final class TopCommand implements Callable<Integer> {
    private static final String CLEAR = "\u001b[H\u001b[2J";

    private final Shell shell;

    @Mixin
    private DirectoryOption directory = new DirectoryOption();

    @Option(
            names = "--every",
            paramLabel = "TIME",
            converter = TimeToLive.class,
            description = "How long each picture stays: 2s by default.")
    private Duration every = Duration.ofSeconds(2);

    @Option(names = "--count", paramLabel = "N", description = "End after this many pictures.")
    private long count = Long.MAX_VALUE;

    TopCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (count < 1) {
            throw new UsageException("--count must be at least 1: " + count);
        }
        if (!Files.exists(directory.path())) {
            throw new NoSuchFileException(directory.path().toString());
        }
        Figures before = null;
        long last = 0;
        for (long i = 0; i < count; i++) {
            if (i > 0) {
                shell.pause().millis(every.toMillis());
            }
            Figures now = take();
            long moment = System.nanoTime();
            print(now, before, (moment - last) / 1e9);
            before = now;
            last = moment;
        }
        return ExitCode.OK;
    }

    private Figures take() throws IOException {
        AskedStore store = shell.stores()
                .owned(directory.path())
                .orElseThrow(
                        () -> new UnsupportedFormatException("nobody who could be asked has this store open: directory="
                                + directory.path() + "; 'stat' shows a store that is not open"));
        return new Figures(store.firstReport().stats(), store.firstReport());
    }

    private void print(Figures now, @Nullable Figures before, double seconds) throws IOException {
        if (shell.printsToTerminal()) {
            shell.out().write(CLEAR.getBytes(StandardCharsets.US_ASCII));
        }
        shell.println("store              " + directory.path());
        for (String line : FigureTable.lines(now, before, seconds)) {
            shell.println(line);
        }
        if (!shell.printsToTerminal()) {
            shell.println("");
        }
        shell.out().flush();
    }
}
