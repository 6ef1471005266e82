package dev.caskwright.owner;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Lets other processes of the same user look at a store that this one has open: {@link AskedStore}, and so the command line, ask
 * it over a socket of the file system in the store's directory.
 *
 * <pre>{@code
 * try (StorageEngine store = BitcaskEngine.open(directory);
 *         OwnerSocket socket = OwnerSocket.open(store, directory)) {
 *     ...
 * }
 * }</pre>
 *
 * <p><b>Opening never fails.</b> Where there can be no socket, {@link #trouble} says why, and nobody can ask. A socket that a process
 * left behind that is gone is replaced; anything else under its name is left alone.
 *
 * <p><b>Who may ask.</b> The socket is for its owner's user only (0600, from the moment it has its name) and refuses the
 * connections of other users but the superuser. There is no other check: who may ask can also read and write the files.
 *
 * <p><b>What it costs.</b> Nothing while nobody asks: one thread, which sleeps, for all stores of the process. Otherwise a quarter
 * of one processor at most, and, at up to 16 connections of which 4 walk over entries or read a value of more than 1 MiB, 64 KiB
 * each and the entry that is being sent, which is refused if it takes more than a sixteenth of the heap; a walk over changes holds
 * a 128th of the heap, 1 to 16 MiB. Clients that are slow or silent are dropped: after 5 seconds without a request, 10 without
 * taking 64 KiB of an answer, and an hour in a walk. Merges and backups that are asked for run as if this process had asked for
 * them, one at a time.
 *
 * <p>Safe for any number of threads. Close it before the store.
 */
public final class OwnerSocket implements AutoCloseable {
    /** The socket's name in the store's directory. Of a store that is one file: the file's name, a full stop, and this. */
    public static final String NAME = SocketPath.NAME;

    private static final int BACKLOG = 16;
    private static final String NEW_SUFFIX = ".new";
    private static final String NEW_NAME = "s";

    private final Path path;
    private final @Nullable String trouble;
    private final @Nullable Door door;
    private final @Nullable OwnerThread thread;
    private final @Nullable Object identity;
    private boolean isClosed;

    private OwnerSocket(Path path, String trouble) {
        this.path = path;
        this.trouble = trouble;
        this.door = null;
        this.thread = null;
        this.identity = null;
    }

    private OwnerSocket(Path path, Door door, OwnerThread thread, @Nullable Object identity) {
        this.path = path;
        this.trouble = null;
        this.door = door;
        this.thread = thread;
        this.identity = identity;
    }

    /**
     * Opens the socket of a store that this process has open for writing. Throws nothing: see {@link #trouble}.
     *
     * @param place the directory of the store, or its file
     */
    public static OwnerSocket open(StorageEngine store, Path place) {
        Objects.requireNonNull(store, "store");
        Path path = SocketPath.of(place);
        ServerSocketChannel channel = null;
        boolean isBound = false;
        try {
            refuseForeign(path);
            channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            channel.configureBlocking(false);
            bind(channel, path);
            isBound = true;
            Door door = new Door(
                    store, channel, Files.getOwner(path, LinkOption.NOFOLLOW_LINKS), System.currentTimeMillis());
            Object identity = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
            return new OwnerSocket(path, door, OwnerThread.serve(door), identity);
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            if (channel != null) {
                Channels.close(channel);
            }
            String trouble = e.getClass().getSimpleName() + ": " + e.getMessage();
            return new OwnerSocket(path, isBound ? trouble + remove(path) : trouble);
        }
    }

    /** Removes the socket; returns what is to be told if that fails. */
    private static String remove(Path path) {
        try {
            Files.deleteIfExists(path);
            return "";
        } catch (IOException e) {
            return "; the socket could not be removed: " + e.getMessage();
        }
    }

    /**
     * Leaves alone what is no socket, and a socket that somebody listens on: this process has the store, so it is not the
     * socket of another owner.
     */
    private static void refuseForeign(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!SocketPath.isSocket(path)) {
            throw new FileAlreadyExistsException(path.toString(), null, "something that is no socket has its name");
        }
        try {
            SocketPath.use(path, Channels::connect).ifPresent(Channels::close);
        } catch (ConnectException e) {
            return; // nobody listens, and nobody can again
        }
        throw new FileAlreadyExistsException(path.toString(), null, "another program listens under its name");
    }

    /**
     * Makes the socket in a directory that is for its owner only, gives it its rights, and moves it to its name: there is no moment
     * in which others could connect.
     */
    private static void bind(ServerSocketChannel channel, Path path) throws IOException {
        Path holder = path.resolveSibling(path.getFileName() + NEW_SUFFIX);
        Path socket = holder.resolve(NEW_NAME);
        removeLeftover(holder, socket);
        Files.createDirectory(holder, SocketPath.ownerOnly());
        try {
            SocketPath.use(socket, address -> channel.bind(address, BACKLOG));
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            Files.move(socket, path, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            removeLeftover(holder, socket);
        }
    }

    /** Removes what a process left that was killed here, and nothing else: a directory with other files in it stays. */
    private static void removeLeftover(Path holder, Path socket) throws IOException {
        if (!Files.isDirectory(holder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (SocketPath.isSocket(socket)) {
            Files.delete(socket);
        }
        Files.delete(holder);
    }

    /** Returns where the socket is, or would be. */
    public Path path() {
        return path;
    }

    /** Returns why nobody can ask, or null if one can. */
    public @Nullable String trouble() {
        return trouble;
    }

    /** Ends what is being answered and removes the socket. Merges and backups that were asked for go on. Throws nothing. */
    @Override
    public synchronized void close() {
        if (isClosed || door == null || thread == null) {
            return;
        }
        isClosed = true;
        try {
            BasicFileAttributes found =
                    Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (identity != null && identity.equals(found.fileKey())) {
                Files.delete(path);
            }
        } catch (NoSuchFileException e) {
            thread.close(door); // somebody removed it, or its directory
            return;
        } catch (IOException e) {
            thread.close(door); // it stays, and is replaced by the next owner
            return;
        }
        thread.close(door);
    }
}
