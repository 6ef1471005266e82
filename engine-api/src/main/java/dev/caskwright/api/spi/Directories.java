package dev.caskwright.api.spi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** Compares directories as the files that they are, not by their names. */
final class Directories {
    private Directories() {}

    static boolean overlap(Path one, Path other) throws IOException {
        Mounts mounts = Mounts.read();
        return isWithin(one, other, mounts) || isWithin(other, one, mounts);
    }

    /** Returns whether a directory, which may be missing, is {@code outer} or lies in it, at whatever depth. */
    private static boolean isWithin(Path directory, Path outer, Mounts mounts) throws IOException {
        Path outermost = real(outer);
        for (Path name : mounts.names(real(directory))) {
            for (Path path = name; path != null; path = path.getParent()) {
                if (isSame(path, outermost)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isSame(Path one, Path other) throws IOException {
        if (one.equals(other)) {
            return true;
        }
        Object key = key(one);
        return key != null && key.equals(key(other));
    }

    /** Returns what the system knows a file by, whatever its name: on Linux its device and inode. Null if it is missing. */
    private static @Nullable Object key(Path path) throws IOException {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** Returns the real path of what is there, with the rest of the name behind it. */
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
