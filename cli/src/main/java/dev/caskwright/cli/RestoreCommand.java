package dev.caskwright.cli;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Restoring;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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
            "The backup stays as it is, and shares no files with the store. A restore that is cut short leaves a"
                    + " directory that says so and does not open."
        })
final class RestoreCommand implements Callable<Integer> {
    private static final String LOCK_FILE = "LOCK";

    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Parameters(paramLabel = "SOURCE", description = "The directory of the backup.")
    private Path source = Path.of("");

    @Mixin
    private JsonOption json = new JsonOption();

    RestoreCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        Path target = place.path();
        boolean isMissing = !Files.exists(target, LinkOption.NOFOLLOW_LINKS);
        if (!isMissing && !Directories.isEmptyOrMissing(target)) {
            throw new UsageException("the directory must be empty or missing: " + target);
        }
        boolean isDone = false;
        try {
            CopyOutput.copy(
                    shell,
                    json,
                    target,
                    source,
                    place.backends(),
                    "restoring",
                    store -> store.require(Restoring.class).restoreTo(target));
            isDone = true;
            return ExitCode.OK;
        } catch (CorruptRecordException e) {
            String message = String.valueOf(e.getMessage());
            int details = message.indexOf(": file=");
            shell.complain("the backup is damaged and was not restored: file=" + e.file() + ", offset=" + e.offset()
                    + ", " + (details < 0 ? message : message.substring(0, details))
                    + "; verify it to see all, or salvage what is sound");
            return ExitCode.NOT_FOUND_OR_DAMAGE;
        } finally {
            if (!isDone) {
                removeWhatWasMade(target, isMissing);
            }
        }
    }

    /**
     * The files of the store are gone already, and the directory was empty before. So a lock file that is alone there is of
     * this run; but if somebody made a store of the directory meanwhile, it is theirs, and has an owner or is locked.
     */
    private static void removeWhatWasMade(Path target, boolean wasMissing) throws IOException {
        if (!Files.isDirectory(target)) {
            return;
        }
        Path lock = target.resolve(LOCK_FILE);
        if (isAlone(target) && Files.isRegularFile(lock, LinkOption.NOFOLLOW_LINKS)) {
            try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
                if (channel.tryLock() != null && isAlone(target)) {
                    Files.delete(lock);
                }
            }
        }
        if (wasMissing && Directories.isEmptyOrMissing(target)) {
            Files.delete(target);
        }
    }

    private static boolean isAlone(Path target) {
        String[] names = target.toFile().list();
        return names != null && names.length == 1 && names[0].equals(LOCK_FILE);
    }
}
