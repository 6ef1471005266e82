package dev.caskwright.cli;

import dev.caskwright.cli.Stores.Copied;
import dev.caskwright.cli.Stores.CopyForm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** Makes copies, and tells what they hold. */
final class CopyOutput {
    private CopyOutput() {}

    /** Copies a store with a line of progress, and says what is in doubt. */
    static Copied copy(Shell shell, Path source, Path target, CopyForm form, BackendOptions backends, String verb)
            throws IOException {
        try (Progress progress = shell.progress(verb)) {
            Copied copied = shell.stores().copy(source, target, form, backends);
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
            return copied;
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }
}
