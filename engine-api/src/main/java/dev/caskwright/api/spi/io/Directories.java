package dev.caskwright.api.spi.io;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** Compares directories as the files that they are, not by their names. */
final class Directories {
    private Directories() {}

    static boolean overlap(Path one, Path other) throws IOException {
        return overlap(one, other, Mounts.read());
    }

    static boolean overlap(Path one, Path other, Mounts mounts) throws IOException {
        return isWithin(one, other, mounts) || isWithin(other, one, mounts);
    }

    /** Returns whether a directory, which may be missing, is {@code outer} or lies in it, at whatever depth. */
    private static boolean isWithin(Path directory, Path outer, Mounts mounts) throws IOException {
        Path outermost = real(outer);
        Object outerKey = key(outermost);
        for (Mounts.Name name : mounts.names(real(directory))) {
            if (isAnother(name)) {
                continue;
            }
            for (Path path = name.path(); path != null; path = path.getParent()) {
                if (path.equals(outermost) || (outerKey != null && outerKey.equals(keyIfReached(path)))) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Returns whether a name that mounts tell of leads to another file than the real one. One that does not lead there any more,
     * since something else is mounted over it, or that may not be looked at, is not another for that.
     */
    private static boolean isAnother(Mounts.Name name) throws IOException {
        Object key = keyIfReached(name.above());
        Object real = keyIfReached(name.aboveReal());
        return key != null
                && real != null
                && !key.equals(real)
                && Files.getAttribute(name.above(), "unix:dev")
                        .equals(Files.getAttribute(name.aboveReal(), "unix:dev"));
    }

    /** As {@link #key}, or null if the system does not let this path be looked at: others' directories may lie above it. */
    private static @Nullable Object keyIfReached(Path path) throws IOException {
        try {
            return key(path);
        } catch (FileSystemException e) {
            return null;
        }
    }

    /** Returns what the system knows a file by, whatever its name: on Linux its device and inode. Null if it is missing. */
    private static @Nullable Object key(Path path) throws IOException {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** Returns the real path of what is there, with the rest of the name after it. */
    private static Path real(Path path) throws IOException {
        Path absolute = path.toAbsolutePath();
        try {
            return absolute.toRealPath();
        } catch (NoSuchFileException e) {
            Path normal = absolute.normalize();
            Path parent = normal.getParent();
            Path name = normal.getFileName();
            return parent == null || name == null ? normal : real(parent).resolve(name);
        }
    }
}
