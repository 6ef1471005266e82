package dev.caskwright.cli;

import dev.caskwright.api.spi.IoManagerProvider;
import dev.caskwright.cli.Stores.Damage;
import dev.caskwright.cli.Stores.Verification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Makes a store of a backup. */
@Command(
        name = "restore",
        description = {
            "Copy a backup into the directory of a store, which must be empty or missing, and read every byte of the"
                    + " copy. If anything is damaged, the exit code is 1 and nothing is restored.",
            "The backup stays as it is, and shares no files with the store. The copy is made in a directory beside"
                    + " the store's, DIR.restoring, and then renamed."
        })
final class RestoreCommand implements Callable<Integer> {
    private static final String STAGING_SUFFIX = ".restoring";

    private final Shell shell;

    @Mixin
    private DirectoryOption directory = new DirectoryOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    @Parameters(paramLabel = "SOURCE", description = "The directory of the backup.")
    private Path source = Path.of("");

    RestoreCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        if (!Directories.isEmptyOrMissing(directory.path())) {
            throw new UsageException("the directory must be empty or missing: " + directory.path());
        }
        Verification found = restore();
        if (!found.damages().isEmpty()) {
            Damage first = found.damages().get(0);
            shell.complain("the backup is damaged and was not restored: file=" + first.file() + ", offset="
                    + first.offset() + ", " + first.what() + "; verify it to see all");
            return ExitCode.NOT_FOUND_OR_DAMAGE;
        }
        return ExitCode.OK;
    }

    private Verification restore() throws IOException {
        IoManagerProvider io = backends.io();
        Path target = directory.path().toAbsolutePath();
        Path staging = target.resolveSibling(target.getFileName() + STAGING_SUFFIX);
        Path parent = Objects.requireNonNull(staging.getParent(), "an absolute path with a name has a parent");
        // What is there was left by a restore that was killed.
        Directories.deleteTree(staging);
        try (Progress progress = shell.progress("restoring")) {
            StoreCopy.copy(io, source, staging);
            Verification found = shell.stores().verify(staging, backends);
            if (found.damages().isEmpty()) {
                // In one step, and only when all is there, durable and sound: there is never half a store.
                Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
                StoreCopy.syncDirectory(io, parent);
                progress.finish("restored and verified");
            }
            return found;
        } finally {
            Directories.deleteTree(staging);
        }
    }
}
