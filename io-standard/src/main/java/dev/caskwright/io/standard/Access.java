package dev.caskwright.io.standard;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Who may use what is created: permissions given at creation, so that there is no moment without them, and where the
 * superuser works in somebody else's directory, that owner.
 */
class Access { // tests put something between its steps
    private static final Set<PosixFilePermission> FOR_OWNER = PosixFilePermissions.fromString("rw-------");
    private static final int OWNER_ALONE = 3; // permissions, at most
    private static final FileAttribute<?>[] NONE = {};
    private static final AtomicBoolean HAS_WARNED = new AtomicBoolean();

    private final Set<PosixFilePermission> forFiles;
    private final Set<PosixFilePermission> forDirectories;

    Access(Set<PosixFilePermission> forFiles) {
        this.forFiles = forFiles;
        this.forDirectories = EnumSet.copyOf(forFiles);
        // Whoever may read a file has to come to it.
        if (forFiles.contains(PosixFilePermission.OWNER_READ)) {
            forDirectories.add(PosixFilePermission.OWNER_EXECUTE);
        }
        if (forFiles.contains(PosixFilePermission.GROUP_READ)) {
            forDirectories.add(PosixFilePermission.GROUP_EXECUTE);
        }
        if (forFiles.contains(PosixFilePermission.OTHERS_READ)) {
            forDirectories.add(PosixFilePermission.OTHERS_EXECUTE);
        }
    }

    static Access ownerOnly() {
        return new Access(FOR_OWNER);
    }

    /** Returns the access that files with these permissions give, and directories so that the files can be reached. */
    static Access of(Set<PosixFilePermission> forFiles) {
        if (!forFiles.containsAll(FOR_OWNER)) {
            throw new IllegalArgumentException(
                    "the owner must be able to read and write: permissions=" + PosixFilePermissions.toString(forFiles));
        }
        return new Access(EnumSet.copyOf(forFiles));
    }

    /** Returns the attributes for a new directory, none where the file system has no such permissions. */
    FileAttribute<?>[] directory(Path path) {
        return attributes(path, forDirectories);
    }

    /** Returns the attributes for a new file, none where the file system has no such permissions. */
    FileAttribute<?>[] file(Path path) {
        return attributes(path, forFiles);
    }

    private static FileAttribute<?>[] attributes(Path path, Set<PosixFilePermission> permissions) {
        return supports(path, "posix")
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions)}
                : NONE;
    }

    /** Gives a new directory the permissions that the umask took from it. */
    void settleDirectory(Path path) throws IOException {
        settle(path, forDirectories);
    }

    /**
     * Gives a new file the permissions that the umask took from it; and if the superuser made it in the directory of
     * somebody else, that owner and group, who could not open the store any more otherwise.
     */
    void settleFile(Path path) throws IOException {
        settle(path, forFiles);
        Path directory = path.getParent();
        if (directory == null || !supports(path, "unix") || !isOfSuperuser(path) || isOfSuperuser(directory)) {
            return;
        }
        PosixFileAttributes owner = Files.readAttributes(directory, PosixFileAttributes.class);
        PosixFileAttributeView view =
                Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        try {
            view.setGroup(owner.group());
            view.setOwner(owner.owner());
        } catch (IOException e) {
            // Within a container this superuser may not be the system's. The store works, for the one who opened it.
            if (HAS_WARNED.compareAndSet(false, true)) {
                System.getLogger(Access.class.getName())
                        .log(
                                System.Logger.Level.WARNING,
                                "files made by the superuser cannot be given to the owner of the directory, who will not"
                                        + " be able to open them: file=" + path + ", owner=" + owner.owner()
                                        + ", reason="
                                        + e);
            }
        }
    }

    private static void settle(Path path, Set<PosixFilePermission> permissions) throws IOException {
        if (permissions.size() <= OWNER_ALONE || !supports(path, "posix")) {
            return; // no umask takes anything from the owner
        }
        PosixFileAttributeView view =
                Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        if (!view.readAttributes().permissions().equals(permissions)) {
            view.setPermissions(permissions);
        }
    }

    private static boolean isOfSuperuser(Path path) throws IOException {
        return Integer.valueOf(0).equals(Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS));
    }

    private static boolean supports(Path path, String view) {
        return path.getFileSystem().supportedFileAttributeViews().contains(view);
    }
}
