package dev.caskwright.owner;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Where a store's socket is, and how it is reached. The system takes paths of sockets of up to some 107 bytes only; where that is
 * too short, the socket is reached through a symbolic link to its directory, in a directory of its own among the temporary files,
 * which is gone again when the call returns.
 */
final class SocketPath {
    static final String NAME = "OWNER.socket";

    /** What every system takes: macOS ends at 104 bytes, Linux at 108, each with a zero at the end. */
    private static final int MAX_LENGTH = 103;

    private static final String LINK = "d";
    private static final int FILE_TYPE = 0xF000;
    private static final int SOCKET = 0xC000;

    private SocketPath() {}

    /** Returns where the socket of a store is: in its directory, or beside it for a store that is one file. */
    static Path of(Path store) {
        Path path = store.toAbsolutePath();
        return Files.isDirectory(path) ? path.resolve(NAME) : path.resolveSibling(path.getFileName() + ".OWNER.socket");
    }

    /** Returns whether there is a socket under a name. A link to one is none. */
    static boolean isSocket(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        Object mode = Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        return mode instanceof Integer bits && (bits & FILE_TYPE) == SOCKET;
    }

    /** What is done with an address. */
    @FunctionalInterface
    interface Use<T> {
        T of(UnixDomainSocketAddress address) throws IOException;
    }

    /** Does something with the address of a socket, whatever the length of its path. */
    static <T> T use(Path socket, Use<T> use) throws IOException {
        if (length(socket) <= MAX_LENGTH) {
            return use.of(UnixDomainSocketAddress.of(socket));
        }
        Path holder = Files.createTempDirectory("cw", ownerOnly());
        Path link = holder.resolve(LINK);
        try {
            Path shorter = link.resolve(socket.getFileName());
            if (length(shorter) > MAX_LENGTH) {
                throw new IOException("the path of the socket is too long, and so is the one through the directory of"
                        + " temporary files: length=" + length(shorter) + ", limit=" + MAX_LENGTH + ", path=" + shorter
                        + "; set java.io.tmpdir to a shorter one");
            }
            Files.createSymbolicLink(link, socket.getParent());
            return use.of(UnixDomainSocketAddress.of(shorter));
        } finally {
            Files.deleteIfExists(link);
            Files.deleteIfExists(holder);
        }
    }

    static FileAttribute<Set<PosixFilePermission>> ownerOnly() {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    }

    private static int length(Path path) {
        return path.toString().getBytes(StandardCharsets.UTF_8).length;
    }
}
