package dev.caskwright.cli;

import dev.caskwright.api.spi.engine.EngineSettings.Access;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows on real data that the store keeps what it is given. */
@Command(
        name = "demo",
        description = {
            "Store every class file and resource of the running JDK, read all back and compare digests, change a"
                    + " third, delete a tenth, merge, close, reopen and compare again. Exit code 1 on any mismatch.",
            "Needs about 400 MB of disk for less than a minute."
        })
final class DemoCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private BackendOptions backends = new BackendOptions();

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description =
                    "The directory of the store, empty or missing; it is kept. Without this option, a temporary directory"
                            + " is used, and deleted at the end.")
    private @Nullable Path directory;

    DemoCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        if (directory != null) {
            if (!Directories.isEmptyOrMissing(directory)) {
                throw new UsageException("the directory must be empty or missing: " + directory);
            }
            return run(directory);
        }
        Path temporary = Files.createTempDirectory("caskwright-demo");
        // Reached by Ctrl-C too, which a finally is not. An engine that is still at work may beat it to a file or two.
        Thread cleaner = new Thread(() -> deleteQuietly(temporary));
        Runtime.getRuntime().addShutdownHook(cleaner);
        try {
            return run(temporary);
        } finally {
            SideFiles.deleteTree(temporary);
        }
    }

    private int run(Path storeDirectory) throws IOException {
        Demo demo = new Demo(
                () -> shell.stores().open(storeDirectory, backends, Access.CREATE), RuntimeImage.files(), shell);
        Demo.Result result = demo.run();
        print(result);
        return result.mismatches() == 0 ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
    }

    private void print(Demo.Result result) throws IOException {
        row("entries", "%,d", result.entries());
        row("bytes", "%,d", result.bytes());
        row("puts/s", "%,.0f", result.putsPerSecond());
        row("gets/s", "%,.0f", result.getsPerSecond());
        row("reopen ms", "%,.1f", result.reopenMillis());
        row("space amplification before merge", "%.3f", result.amplificationBeforeMerge());
        row("space amplification after merge", "%.3f", result.amplificationAfterMerge());
        row("mismatches", "%,d", result.mismatches());
    }

    private void row(String name, String format, Object figure) throws IOException {
        shell.println(String.format(Locale.ROOT, "%-34s %14s", name, String.format(Locale.ROOT, format, figure)));
    }

    private void deleteQuietly(Path temporary) {
        try {
            SideFiles.deleteTree(temporary);
        } catch (IOException e) {
            shell.complain("could not delete " + temporary + ": " + Failures.describe(e));
        }
    }
}
