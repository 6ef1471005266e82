package dev.caskwright.io.standard;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.MemoryWait;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.File;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * An IO manager that reads and writes through file channels: each read of up to 256 KiB is one positional read of the
 * system, each write one positional write.
 *
 * <p>It works on any file system that the JDK knows as its default one; the promises about power loss hold on Linux and
 * macOS. On Windows a directory cannot be forced, so {@link #syncDirectory} does nothing there and leaves it to the file
 * system's journal.
 *
 * <p>The directory may be given through symbolic links, which are resolved once, here. Inside it none is followed. Two
 * names belong to the manager and are no files to its user: {@code LOCK}, {@code OWNER} and {@code LOCK.wanted}.
 *
 * <p>Files are for their owner alone, or have the {@linkplain #withPermissions permissions} that were chosen; parents of the
 * directory follow the umask. What the superuser creates in somebody else's directory is given to its owner. A directory
 * or a lock file that is removed or replaced meanwhile is an error of the next call that opens, creates, forces, or changes
 * names.
 *
 * <p>Safe for any number of threads. Interrupting one of them fails nothing, not even its own call.
 */
public class StandardIoManager implements IoManager {
    private static final boolean WINDOWS = File.separatorChar == '\\';
    private static final int MAX_INTERRUPTIONS = 1_000; // of one call; more means that somebody does it on purpose
    private static final int COPY_LENGTH = 256 << 10;

    /** What can be done on the channel of a file, any number of times. */
    @FunctionalInterface
    protected interface ChannelCall<T> {
        /** Does it. */
        T on(FileChannel channel) throws IOException;
    }

    private final Path directory;
    private final @Nullable Object identity; // device and inode of the directory, where the file system has them
    private final Access access;
    /** The file system that the directory lies in, once that was asked: finding it reads the table of mounts. */
    private volatile @Nullable FileStore fileStore;

    private volatile @Nullable DirectoryLock lock;
    private final MemoryWait.Step ownershipCheck = this::checkOwned;
    private final Set<ChannelFile> openFiles = ConcurrentHashMap.newKeySet();
    private final Object names = new Object(); // held while a name is tied to an open file, or taken from one

    /** Opens a manager as {@link #open(Path, boolean)} does. */
    protected StandardIoManager(Path directory, boolean create) throws IOException {
        this(directory, create, Access.ownerOnly());
    }

    /** Opens a manager as one of {@link #withPermissions} does. */
    protected StandardIoManager(Path directory, boolean create, Set<PosixFilePermission> filePermissions)
            throws IOException {
        this(directory, create, Access.of(filePermissions));
    }

    private StandardIoManager(Path directory, boolean create, Access access) throws IOException {
        this.access = access;
        if (create) {
            createDirectories(directory.toAbsolutePath(), access);
        }
        this.directory = real(directory);
        BasicFileAttributes attributes = Files.readAttributes(this.directory, BasicFileAttributes.class);
        if (!attributes.isDirectory()) {
            throw new NotDirectoryException(directory.toString());
        }
        this.identity = attributes.fileKey();
    }

    /** Follows the links of the path once, after it was found to lead somewhere: so an error names what was given. */
    private static Path real(Path directory) throws IOException {
        if (!Files.readAttributes(directory, BasicFileAttributes.class).isDirectory()) {
            throw new NotDirectoryException(directory.toString());
        }
        return directory.toRealPath();
    }

    /**
     * Opens a manager over a directory.
     *
     * @param create whether to create the directory and its parents, durably, if they are missing
     * @throws NoSuchFileException if the directory is missing and {@code create} is false
     * @throws NotDirectoryException if the path is no directory
     */
    public static StandardIoManager open(Path directory, boolean create) throws IOException {
        return new StandardIoManager(directory, create);
    }

    /**
     * Returns a factory of managers whose files have these permissions, whatever the umask, and a directory that such a
     * manager creates has them as well, so that the files can be reached. Without this everything is for the owner alone.
     *
     * @throws IllegalArgumentException if the owner could not read and write
     */
    public static IoManagerFactory withPermissions(Set<PosixFilePermission> filePermissions) {
        Access access = Access.of(filePermissions);
        return (directory, create) -> new StandardIoManager(directory, create, access);
    }

    @Override
    public final List<String> list() throws IOException {
        return list(true);
    }

    @Override
    public final List<String> listObstacles() throws IOException {
        return list(false);
    }

    private List<String> list(boolean regular) throws IOException {
        checkOwned();
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (!isReserved(name) && Files.isRegularFile(entry, LinkOption.NOFOLLOW_LINKS) == regular) {
                    names.add(name);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return names;
    }

    /**
     * Returns whether a program wants to open a store for writing and waits for its readers to go: whoever only looks should close
     * it. It waits for two seconds. Any thread may ask, also of a store that it has not locked.
     *
     * @param place the directory of the store, or its file
     */
    public static boolean isWriterWaiting(Path place) {
        return WriterWish.isThere(WriterWish.file(place));
    }

    @Override
    public final Lock lock(boolean exclusive) throws IOException {
        checkDirectory();
        DirectoryLock taken = DirectoryLock.acquire(directory, exclusive, access);
        lock = taken;
        return taken;
    }

    /**
     * Makes sure that the directory is still the one that was opened, and the lock, if this manager has taken one, still
     * what keeps others out.
     */
    final void checkOwned() throws IOException {
        DirectoryLock held = lock;
        if (held != null && held.isHeldAlone()) {
            held.check(); // of the directory as well: in another one there is another lock file, or none
        } else {
            checkDirectory();
        }
    }

    /** As {@link #checkOwned}, for where it would be too late to give up: what was forced is forced. */
    final void checkOwnedPatiently() throws IOException {
        MemoryWait.retry(ownershipCheck);
    }

    private void checkDirectory() throws IOException {
        BasicFileAttributes found;
        try {
            found = Files.readAttributes(directory, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            throw new IOException("the directory was removed or renamed while it was open: directory=" + directory, e);
        }
        if (!found.isDirectory() || !Objects.equals(identity, found.fileKey())) {
            throw new IOException("the directory was replaced while it was open: directory=" + directory);
        }
    }

    @Override
    public final Lock lockFile(String name, boolean exclusive) throws IOException {
        return SingleFileLock.take(resolve(name), exclusive, access);
    }

    @Override
    public WritableFile create(String name, long expectedLength) throws IOException {
        Path path = resolve(name);
        checkOwned();
        Set<OpenOption> options = ChannelFile.openOptions(true);
        options.add(StandardOpenOption.CREATE_NEW);
        synchronized (names) {
            FileChannel channel;
            try {
                channel = FileChannel.open(path, options, access.file(path));
            } catch (IOException e) {
                throw Failures.ofNameChange("create failed", path, e);
            }
            try {
                access.settleFile(path);
                return opened(new WritableChannelFile(this, path, channel, attributes(path)));
            } catch (Throwable e) {
                try (channel) {
                    Files.deleteIfExists(path);
                }
                throw e;
            }
        }
    }

    @Override
    public WritableFile openWritable(String name) throws IOException {
        Path path = resolve(name);
        checkOwned();
        synchronized (names) {
            BasicFileAttributes attributes = attributes(path);
            FileChannel channel = FileChannel.open(path, ChannelFile.openOptions(true));
            try {
                return opened(checked(new WritableChannelFile(this, path, channel, attributes)));
            } catch (Throwable e) {
                channel.close();
                throw e;
            }
        }
    }

    @Override
    public ReadableFile open(String name) throws IOException {
        Path path = resolve(name);
        checkOwned();
        synchronized (names) {
            BasicFileAttributes attributes = attributes(path);
            FileChannel channel = FileChannel.open(path, ChannelFile.openOptions(false));
            try {
                return opened(checked(new ChannelFile(this, path, false, channel, attributes)));
            } catch (Throwable e) {
                channel.close();
                throw e;
            }
        }
    }

    @Override
    public final long length(String name) throws IOException {
        Path path = resolve(name);
        checkOwned();
        return attributes(path).size();
    }

    @Override
    public final void rename(String from, String to) throws IOException {
        Path source = resolve(from);
        Path target = resolve(to);
        checkOwned();
        synchronized (names) {
            attributes(source); // the system would rename a directory or a link as well
            List<ChannelFile> moving = openAs(source);
            if (!source.equals(target)) {
                for (ChannelFile file : openAs(target)) {
                    file.keepWithoutName();
                }
            }
            for (ChannelFile file : moving) {
                file.keepWithoutName();
            }
            try {
                Files.move(source, target, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                throw Failures.ofNameChange("rename failed", source, e);
            }
            for (ChannelFile file : moving) {
                file.renamed(target);
            }
        }
    }

    @Override
    public final void delete(String name) throws IOException {
        Path path = resolve(name);
        checkOwned();
        synchronized (names) {
            attributes(path); // the system would delete an empty directory as well
            for (ChannelFile file : openAs(path)) {
                file.keepWithoutName();
            }
            Files.delete(path);
        }
    }

    @Override
    public final void linkTo(IoManager target, String name) throws IOException {
        Path path = resolve(name);
        checkOwned();
        attributes(path);
        // A wrapper around a manager is none of ours: it gets to see the copy.
        if (target instanceof StandardIoManager neighbour) {
            try {
                Files.createLink(neighbour.resolve(name), path);
                return;
            } catch (FileAlreadyExistsException e) {
                throw e;
            } catch (FileSystemException | UnsupportedOperationException e) {
                // Another file system, or one without links. Were it something else, the copy would fail as well.
            }
        }
        copyTo(target, name);
    }

    @Override
    public final void copyTo(IoManager target, String name, long length, String newName) throws IOException {
        // A wrapper around a manager is none of ours: it gets to see the copy.
        if (target instanceof StandardIoManager neighbour) {
            Path path = resolve(name);
            Path copy = neighbour.resolve(newName);
            checkOwned();
            neighbour.checkOwned();
            attributes(path);
            FileCopy.copy(path, length, copy, neighbour.access);
        } else {
            IoManager.super.copyTo(target, name, length, newName);
        }
    }

    @Override
    public final void syncDirectory() throws IOException {
        checkOwnedPatiently();
        sync(directory);
        checkOwnedPatiently(); // as after a force
    }

    @Override
    public final long usableSpace() throws IOException {
        FileStore store = fileStore;
        if (store == null) {
            store = Files.getFileStore(directory);
            fileStore = store;
        }
        return store.getUsableSpace();
    }

    @Override
    public final String describe() {
        return directory.toString();
    }

    /** Does nothing: files and lock belong to those who asked for them. */
    @Override
    public void close() {}

    /**
     * Runs {@code call} on the channel of a file that a manager of this class opened, and once more whenever an interrupt
     * closed the channel meanwhile.
     *
     * @throws IOException if the call throws it, or the file was closed
     */
    protected static <T> T onChannel(ReadableFile file, ChannelCall<T> call) throws IOException {
        return ((ChannelFile) file).call(call);
    }

    /** Takes a closed file off the list of those that {@link #delete} cares for. */
    final void forget(ChannelFile file) {
        openFiles.remove(file);
    }

    /** Makes sure that between the question for its attributes and its opening the file was not exchanged. */
    private static <F extends ChannelFile> F checked(F file) throws IOException {
        if (!file.isNamed()) {
            throw new FileSystemException(file.path().toString(), null, "replaced while it was opened");
        }
        return file;
    }

    private <F extends ChannelFile> F opened(F file) {
        openFiles.add(file);
        return file;
    }

    private List<ChannelFile> openAs(Path path) {
        List<ChannelFile> found = new ArrayList<>();
        for (ChannelFile file : openFiles) {
            if (file.path().equals(path)) {
                found.add(file);
            }
        }
        return found;
    }

    private static boolean isPlain(String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            // The separators of all systems, so that a store can be carried from one to another.
            if (c == '/' || c == '\\' || c < ' ') {
                return false;
            }
        }
        return !name.isEmpty() && !name.equals(".") && !name.equals("..");
    }

    private Path resolve(String name) {
        if (isPlain(name) && !isReserved(name)) {
            Path path = directory.resolve(name);
            if (directory.equals(path.getParent())) {
                return path;
            }
        }
        throw new IllegalArgumentException("not a plain file name: directory=" + directory + ", name=" + name);
    }

    private static boolean isReserved(String name) {
        // Not even opened: closing any descriptor of the lock file drops the lock.
        return name.equalsIgnoreCase(DirectoryLock.LOCK_FILE)
                || name.equalsIgnoreCase(OwnerFile.NAME)
                || name.equalsIgnoreCase(WriterWish.DIRECTORY_FILE);
    }

    private static BasicFileAttributes attributes(Path path) throws IOException {
        BasicFileAttributes attributes =
                Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!attributes.isRegularFile()) {
            throw new FileSystemException(path.toString(), null, "not a regular file");
        }
        return attributes;
    }

    private void copyTo(IoManager target, String name) throws IOException {
        try (ReadableFile source = open(name);
                WritableFile copy = target.create(name, source.length())) {
            try {
                byte[] buffer = new byte[COPY_LENGTH];
                long offset = 0;
                for (int count; (count = source.read(offset, buffer, 0, buffer.length)) > 0; offset += count) {
                    copy.write(offset, buffer, 0, count);
                }
                copy.force();
            } catch (Throwable e) {
                target.delete(name);
                throw e;
            }
        }
    }

    /** Creates a directory, for those whom its files are for, and its parents as the umask says. */
    private static void createDirectories(Path directory, Access access) throws IOException {
        List<Path> missing = new ArrayList<>();
        for (Path path = directory; path != null && Files.notExists(path); path = path.getParent()) {
            missing.add(path);
        }
        try {
            if (missing.isEmpty()) {
                Files.createDirectories(directory);
            } else {
                Path parent = directory.getParent();
                if (parent != null) {
                    Files.createDirectories(parent);
                }
                createDirectory(directory, access);
            }
        } catch (FileAlreadyExistsException e) {
            NotDirectoryException failure = new NotDirectoryException(directory.toString());
            failure.initCause(e);
            throw failure;
        } catch (IOException e) {
            throw Failures.ofNameChange("create failed", directory, e);
        }
        // Otherwise a power loss could take the whole directory, with all that was forced inside.
        for (Path path : missing) {
            Path parent = path.getParent();
            if (parent != null) {
                sync(parent);
            }
        }
    }

    private static void createDirectory(Path directory, Access access) throws IOException {
        try {
            Files.createDirectory(directory, access.directory(directory));
            access.settleDirectory(directory);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) { // as a neighbour may have made it meanwhile
                throw e;
            }
        }
    }

    /**
     * Forces a directory. If an interrupt closes the channel within the force, its result is lost; the next channel, by
     * which the force is done again, is always opened before, as a channel is not told of errors that someone saw before
     * it was opened.
     */
    /** Nothing has been forced if this fails, for want of descriptors, say. So nothing is in doubt: it can be tried again. */
    private static FileChannel openToSync(Path directory) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                return FileChannel.open(directory, StandardOpenOption.READ);
            } catch (OutOfMemoryError e) {
                MemoryWait.pause(attempt, e);
            } catch (IOException e) {
                throw new EngineException(
                        ErrorCode.UNAVAILABLE,
                        Outcome.NOT_APPLIED,
                        "the directory could not be opened to force it, try again: directory=" + directory + ", " + e,
                        e);
            }
        }
    }

    private static void sync(Path directory) throws IOException {
        if (WINDOWS) {
            return;
        }
        boolean interrupted = false;
        FileChannel channel = openToSync(directory);
        try {
            for (int attempt = 0; attempt < MAX_INTERRUPTIONS; attempt++) {
                try (FileChannel current = channel) {
                    channel = openToSync(directory);
                    interrupted |= Thread.interrupted();
                    current.force(true);
                    return;
                } catch (ClosedByInterruptException e) {
                    interrupted |= Thread.interrupted();
                } catch (EngineException e) {
                    throw e;
                } catch (IOException e) {
                    throw new IOException("force failed: directory=" + directory, e);
                }
            }
            throw new IOException("force was interrupted without end: directory=" + directory);
        } finally {
            channel.close();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
