package dev.caskwright.io.standard;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManager;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The right to use a directory: alone, or together with other readers.
 *
 * <p>It is the system's lock on the file {@link #LOCK_FILE}, exclusive or shared, so it ends with the process however
 * that ends, and a file left behind means nothing. A reader changes nothing in the directory: where there is no lock
 * file, as in a copy, or on a disk that is read-only, it goes without.
 *
 * <p><b>When somebody removes the file</b> as stale, though its owner lives, the system's lock keeps nobody out any more.
 * So whoever finds no lock file asks {@link OwnerFile} for a living owner first. And the owner {@linkplain #check() asks
 * again} where it matters, always after it wrote and before it says so, whether the file that it locked is still the one
 * under the name: a second owner read what was written before that, and what was written after is not acknowledged.
 *
 * <p><b>Within a JVM</b> the system's lock is not enough. On Linux it belongs to the process and is lost as soon as
 * <i>any</i> descriptor of the file is closed, and so by the mere attempt of a second opener. Hence a registry is asked
 * before the file is touched, and while a lock is held the file is opened once, however many readers share it. The
 * registry knows a holder by two names: the directory's real path, and device and inode of the lock file, which are the
 * same through another mount of the directory and cannot be used again while the file is open. Whatever fails while a
 * lock is taken leaves nothing in the registry.
 *
 * <p>A second class loader with a copy of this class has another registry. For its sake each entry is also a system
 * property: a text, as properties that are not break programs that print them. Such a neighbour counts as a stranger,
 * also among readers. If somebody cleared the properties, the JDK's own table of locks, which spans class loaders, says
 * {@link OverlappingFileLockException}; then the descriptor just opened is kept for good, as closing it would drop the
 * neighbour's lock.
 */
final class DirectoryLock implements IoManager.Lock {
    static final String LOCK_FILE = "LOCK";

    private static final int MAX_ATTEMPTS = 100; // each fails only if somebody made or removed the file meanwhile
    private static final String PROPERTY_PREFIX = "dev.caskwright.lock:";
    private static final Object MONITOR = "dev.caskwright.lock".intern(); // the same object in every class loader
    private static final Map<String, Holding> HOLDINGS = new HashMap<>();
    private static final List<FileChannel> NEVER_CLOSED = new ArrayList<>();

    /** A lock file that is open, with device and inode, where the file system has them. */
    private record LockFile(FileChannel channel, @Nullable Object identity) {}

    /** One locked directory, and how many share it. All of it is guarded by the monitor. */
    private static final class Holding {
        final Path directory;
        final boolean exclusive;
        final Set<String> keys = new HashSet<>();

        @Nullable LockFile lockFile; // null of readers where there is none

        int holders;

        Holding(Path directory, boolean exclusive) {
            this.directory = directory;
            this.exclusive = exclusive;
        }
    }

    private final Holding holding;
    private final Path file;
    private final @Nullable Object identity;
    private volatile boolean closed; // changes under MONITOR

    private DirectoryLock(Holding holding) {
        LockFile held = holding.lockFile;
        this.holding = holding;
        this.file = holding.directory.resolve(LOCK_FILE);
        this.identity = held == null ? null : held.identity();
    }

    /** Takes the lock of a directory, given by its real path. Readers of other processes are given time to go. */
    static DirectoryLock acquire(Path directory, boolean exclusive, Access access) throws IOException {
        return WriterWish.take(directory, access, () -> attempt(directory, exclusive, access));
    }

    private static DirectoryLock attempt(Path directory, boolean exclusive, Access access)
            throws IOException, WriterWish.ReadersException {
        Path file = directory.resolve(LOCK_FILE);
        synchronized (MONITOR) {
            Holding shared = null;
            for (String key : keys(directory, lockable(file))) {
                Holding holding = HOLDINGS.get(key);
                if (holding != null && holding.holders == 0) {
                    release(holding); // there was no memory to do it then
                    holding = null;
                }
                if (holding != null) {
                    if (exclusive || holding.exclusive) {
                        throw refusal(directory, "this process, " + System.getProperty(key, OwnerFile.thisProcess()));
                    }
                    shared = holding;
                    break;
                }
                String stranger = System.getProperty(key);
                if (stranger != null) {
                    throw refusal(directory, "this process, in another class loader, " + stranger);
                }
            }
            Holding holding = shared == null ? new Holding(directory, exclusive) : shared;
            try {
                // A reader without a lock file may be joined by one when there is a file, and a writer behind it.
                if (holding.lockFile == null) {
                    take(holding, file, access);
                }
                DirectoryLock lock = new DirectoryLock(holding);
                holding.holders++;
                return lock;
            } finally {
                if (holding.holders == 0) { // there was no memory for the lock
                    release(holding);
                }
            }
        }
    }

    /** Locks, and enters the lock into the registry; or throws, and has done neither. */
    private static void take(Holding holding, Path file, Access access)
            throws IOException, WriterWish.ReadersException {
        Path directory = holding.directory;
        String owner = OwnerFile.thisProcess();
        Set<String> keys = new HashSet<>();
        Set<String> added = new HashSet<>();
        LockFile lockFile = holding.exclusive ? lockAlone(file, access) : lockShared(file);
        boolean isEntered = false;
        try {
            keys.addAll(keys(directory, lockFile == null ? null : lockFile.identity()));
            added.addAll(keys);
            added.removeAll(holding.keys);
            if (holding.exclusive) {
                OwnerFile.write(directory, owner, access);
            }
            holding.keys.addAll(added); // first: whoever finds the holding in the registry can take all of it out
            for (String key : keys) {
                HOLDINGS.put(key, holding);
                System.setProperty(key, owner);
            }
            holding.lockFile = lockFile;
            isEntered = true;
        } finally {
            if (!isEntered) {
                try {
                    forget(holding, added);
                    holding.keys.removeAll(added);
                } finally {
                    if (lockFile != null) {
                        lockFile.channel().close();
                    }
                }
            }
        }
    }

    private static void forget(Holding holding, Set<String> keys) {
        for (String key : keys) {
            if (HOLDINGS.get(key) == holding) {
                System.clearProperty(key);
                HOLDINGS.remove(key); // last: as long as it is there, the next who wants the lock can do this again
            }
        }
    }

    /**
     * Makes sure that the directory is still the one that was locked, and nobody else can have taken it.
     *
     * @throws EngineLockedException if somebody removed or replaced the lock file, or the directory
     */
    void check() throws IOException {
        if (!holding.exclusive) {
            return;
        }
        BasicFileAttributes found = attributes(file);
        if (found == null || !Objects.equals(identity, found.fileKey())) {
            throw new EngineLockedException("the lock is lost, " + LOCK_FILE + " was "
                    + (found == null ? "removed" : "replaced")
                    + " or its directory was, and another process may have written since: close this store and open it"
                    + " again; what was written without being synced may be gone: directory=" + holding.directory
                    + ", owner=" + OwnerFile.read(holding.directory));
        }
    }

    /** Returns whether this lock is a writer's and is held. */
    boolean isHeldAlone() {
        return holding.exclusive && !closed;
    }

    @Override
    public void close() throws IOException {
        synchronized (MONITOR) {
            if (closed) {
                return;
            }
            closed = true;
            if (--holding.holders > 0) {
                return;
            }
            try {
                BasicFileAttributes found = holding.exclusive ? attributes(file) : null;
                if (found != null && Objects.equals(identity, found.fileKey())) {
                    // While we still hold the lock: later it would be the next owner's.
                    OwnerFile.delete(holding.directory);
                }
            } finally {
                release(holding);
            }
        }
    }

    private static void release(Holding holding) throws IOException {
        try {
            forget(holding, holding.keys);
        } finally {
            LockFile lockFile = holding.lockFile;
            if (lockFile != null) {
                lockFile.channel().close();
            }
        }
    }

    private static LockFile lockAlone(Path file, Access access) throws IOException, WriterWish.ReadersException {
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            BasicFileAttributes before = attributes(file);
            Set<OpenOption> options =
                    new HashSet<>(Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS));
            if (before == null) {
                refuseIfOwnerLives(file);
                options.add(StandardOpenOption.CREATE_NEW);
            }
            FileChannel channel;
            try {
                channel = FileChannel.open(file, options, access.file(file));
            } catch (FileAlreadyExistsException | NoSuchFileException e) {
                continue;
            } catch (IOException e) {
                throw Failures.ofNameChange("lock failed", file, e);
            }
            if (before == null) {
                // It is opened again: only of a file that was there before can it be told whether it is the one locked.
                try (channel) {
                    access.settleFile(file);
                }
                continue;
            }
            LockFile locked = lock(file, channel, before, true);
            if (locked != null) {
                return locked;
            }
        }
        throw new IOException("lock failed, somebody makes and removes the file all the time: file=" + file);
    }

    private static @Nullable LockFile lockShared(Path file) throws IOException, WriterWish.ReadersException {
        WriterWish.refuseReader(directory(file));
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            BasicFileAttributes before = attributes(file);
            if (before == null) {
                refuseIfOwnerLives(file);
                return null;
            }
            FileChannel channel;
            try {
                channel = FileChannel.open(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
            } catch (NoSuchFileException e) {
                continue;
            }
            LockFile locked = lock(file, channel, before, false);
            if (locked != null) {
                return locked;
            }
        }
        throw new IOException("lock failed, somebody makes and removes the file all the time: file=" + file);
    }

    /** Locks the file; returns null if it is not the one under the name any more. The channel is closed, then, too. */
    private static @Nullable LockFile lock(
            Path file, FileChannel channel, BasicFileAttributes before, boolean exclusive)
            throws IOException, WriterWish.ReadersException {
        boolean isKept = false;
        try {
            FileLock lock = channel.tryLock(0, Long.MAX_VALUE, !exclusive);
            if (lock == null) {
                // The owner file is a writer's. Whether one holds the lock shows by asking for a share of it, which
                // closing
                // the channel gives back.
                if (exclusive && channel.tryLock(0, Long.MAX_VALUE, true) != null) {
                    throw new WriterWish.ReadersException(refusal(directory(file), "readers in other processes"));
                }
                throw refusal(directory(file), OwnerFile.read(directory(file)));
            }
            BasicFileAttributes locked = attributes(file);
            if (locked == null || !Objects.equals(before.fileKey(), locked.fileKey())) {
                return null;
            }
            LockFile result = new LockFile(channel, locked.fileKey());
            isKept = true;
            return result;
        } catch (OverlappingFileLockException e) {
            NEVER_CLOSED.add(channel);
            isKept = true;
            throw refusal(directory(file), "this process, in another class loader");
        } finally {
            if (!isKept) {
                channel.close();
            }
        }
    }

    private static Path directory(Path file) {
        return Objects.requireNonNull(file.getParent());
    }

    /** Returns what lies under the lock file's name; null if nothing does. */
    private static @Nullable BasicFileAttributes attributes(Path file) throws IOException {
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return null;
        }
        if (!attributes.isRegularFile()) {
            // Asked before it is opened, as opening a pipe waits for its other end.
            throw new UnsupportedFormatException(
                    "not a regular file, although a store would lock it: move it away if the"
                            + " directory is a store: file=" + file);
        }
        return attributes;
    }

    /** As {@link #attributes}. Where something else lies under the name, its owner may live all the same. */
    private static @Nullable BasicFileAttributes lockable(Path file) throws IOException {
        try {
            return attributes(file);
        } catch (UnsupportedFormatException e) {
            refuseIfOwnerLives(file);
            throw e;
        }
    }

    private static List<String> keys(Path directory, @Nullable BasicFileAttributes lockFile) {
        return keys(directory, lockFile == null ? null : lockFile.fileKey());
    }

    private static List<String> keys(Path directory, @Nullable Object identity) {
        return identity == null
                ? List.of(PROPERTY_PREFIX + directory)
                : List.of(PROPERTY_PREFIX + directory, PROPERTY_PREFIX + identity);
    }

    private static void refuseIfOwnerLives(Path file) throws IOException {
        String owner = OwnerFile.readLiving(directory(file));
        if (owner != null) {
            throw new EngineLockedException("directory is in use, although somebody removed or replaced " + LOCK_FILE
                    + ": close it there first, or end that process; if that is another program, remove "
                    + OwnerFile.NAME + ": directory=" + file.getParent() + ", owner=" + owner);
        }
    }

    private static EngineLockedException refusal(Path directory, String owner) {
        return new EngineLockedException("directory is in use: close it there first, or end that process, but leave "
                + LOCK_FILE + " where it is, it is never stale: directory=" + directory + ", owner=" + owner);
    }
}
