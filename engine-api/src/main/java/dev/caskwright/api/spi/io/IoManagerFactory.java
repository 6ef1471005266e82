package dev.caskwright.api.spi.io;

import java.io.IOException;
import java.nio.file.Path;

/** Opens an IO manager over a directory. */
@FunctionalInterface
public interface IoManagerFactory {
    /**
     * Opens a manager over {@code directory}.
     *
     * @param create whether to create the directory (and its parents) if it is missing; if false, a missing directory is
     *     a {@link java.nio.file.NoSuchFileException}. A path that is no directory is a {@link
     *     java.nio.file.NotDirectoryException}.
     */
    IoManager open(Path directory, boolean create) throws IOException;

    /**
     * Returns whether two directories are the same, or one of them lies in the other, by whatever names: through links,
     * relative paths, mounts and names that differ in case only. Either may be missing. Nothing is changed. That a part of
     * one is mounted elsewhere is known of Linux alone.
     */
    default boolean overlap(Path one, Path other) throws IOException {
        return Directories.overlap(one, other);
    }
}
