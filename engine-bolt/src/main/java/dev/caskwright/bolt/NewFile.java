package dev.caskwright.bolt;

import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.IoManagerFactory;
import dev.caskwright.api.spi.WritableFile;
import java.io.IOException;
import java.nio.file.Path;

/** Makes files that must not exist. */
final class NewFile {
    private NewFile() {}

    /** Writes what the file has. */
    @FunctionalInterface
    interface Content {
        void write(WritableFile target) throws IOException;
    }

    /**
     * Makes a file and makes it survive a power loss; if that fails, there is none.
     *
     * @throws java.nio.file.FileAlreadyExistsException if there is such a file
     */
    static void write(IoManagerFactory io, Path target, long expectedLength, Content content) throws IOException {
        Path absolute = target.toAbsolutePath();
        Path directory = absolute.getParent();
        Path name = absolute.getFileName();
        if (directory == null || name == null) {
            throw new IllegalArgumentException("not a file: " + target);
        }
        try (IoManager targets = io.open(directory, true)) {
            WritableFile copy = targets.create(name.toString(), expectedLength);
            try (copy) {
                content.write(copy);
                copy.force();
            } catch (Throwable e) {
                targets.delete(name.toString());
                throw e;
            }
            targets.syncDirectory();
        }
    }
}
