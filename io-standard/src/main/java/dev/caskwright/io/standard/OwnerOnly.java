package dev.caskwright.io.standard;

import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/** Permissions for the owner alone, given at creation, so that there is no moment without them. */
final class OwnerOnly {
    private static final FileAttribute<?>[] DIRECTORY = {
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
    };
    private static final FileAttribute<?>[] FILE = {
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
    };
    private static final FileAttribute<?>[] NONE = {};

    private OwnerOnly() {}

    /** Returns the attributes for a new directory, none where the file system has no such permissions. */
    static FileAttribute<?>[] directory(Path path) {
        return isPosix(path) ? DIRECTORY : NONE;
    }

    /** Returns the attributes for a new file, none where the file system has no such permissions. */
    static FileAttribute<?>[] file(Path path) {
        return isPosix(path) ? FILE : NONE;
    }

    private static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }
}
