package dev.caskwright.cli;

import dev.caskwright.api.CopyReport;
import dev.caskwright.api.StoreAtRest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** Makes copies, and tells what they hold. */
final class CopyOutput {
    private CopyOutput() {}

    /** Copies a store in one of the ways that it offers. */
    @FunctionalInterface
    interface Copy {
        CopyReport of(StoreAtRest store) throws IOException;
    }

    /** Copies the store at {@code source} with a line of progress, and says what is in doubt. */
    static void copy(
            Shell shell, JsonOption json, Path target, Path source, BackendOptions backends, String verb, Copy copy)
            throws IOException {
        StoreAtRest store = shell.stores().atRest(source, backends);
        try (Progress progress = shell.progress(verb)) {
            long there = Directories.bytesIn(target);
            progress.watch(() -> Directories.bytesIn(target) - there, Directories.bytesIn(source) - there);
            CopyReport copied = copy.of(store);
            for (String doubt : copied.doubts()) {
                shell.complain(doubt);
            }
            progress.finish(String.format(
                    Locale.ROOT,
                    "%,d files with %,d bytes, up to version %,d; %,d files with %,d bytes are new",
                    copied.files(),
                    copied.bytes(),
                    copied.lastVersion(),
                    copied.filesBrought(),
                    copied.bytesBrought()));
            json.print(
                    shell,
                    "lastVersion",
                    copied.lastVersion(),
                    "files",
                    copied.files(),
                    "bytes",
                    copied.bytes(),
                    "filesBrought",
                    copied.filesBrought(),
                    "bytesBrought",
                    copied.bytesBrought(),
                    "doubts",
                    copied.doubts().size());
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }
}
