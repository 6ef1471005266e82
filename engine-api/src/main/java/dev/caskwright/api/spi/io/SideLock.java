package dev.caskwright.api.spi.io;

import dev.caskwright.api.EngineLockedException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One holder at a time for a directory with stores in it: it locks a file beside them before it looks at anything there. For keepers of
 * several stores; safe for any number of threads.
 *
 * <p>Nothing but a regular file of this name is opened. A link could lead to the lock of a store: to open and close that here would drop
 * the lock that the system has on it.
 */
public final class SideLock implements AutoCloseable {
    /** The file's name. */
    public static final String NAME = "lock";

    /** Those held in this JVM, since opening and closing such a file here would drop the lock. */
    private static final Set<Path> HELD = new HashSet<>();

    /** Files that others in this JVM have locked, under another name: closing them would drop those locks. */
    private static final List<FileChannel> NEVER_CLOSED = new ArrayList<>();

    private final Path directory;
    private final FileChannel channel;

    private SideLock(Path directory, FileChannel channel) {
        this.directory = directory;
        this.channel = channel;
    }

    /**
     * Holds a directory until the lock is closed.
     *
     * @param holder what holds it, for messages: "replica", say
     * @throws EngineLockedException if another one has the directory
     * @throws dev.caskwright.api.UnsupportedFormatException if what has the file's name is none that could be locked
     */
    public static SideLock hold(Path directory, String holder) throws IOException {
        Path real = directory.toRealPath();
        Path file = real.resolve(NAME);
        synchronized (HELD) {
            if (HELD.contains(real)) {
                throw new EngineLockedException("another " + holder + " of this process has the directory: directory="
                        + real + "; close it first");
            }
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                SideFiles.requireRegular(file);
            }
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            if (!lock(channel)) {
                throw new EngineLockedException(
                        "a " + holder + " of another process has the directory: directory=" + real + "; end it first");
            }
            HELD.add(real);
            return new SideLock(real, channel);
        }
    }

    /** Locks a file; returns false if another one has it locked, after closing it if that can be done. */
    private static boolean lock(FileChannel channel) throws IOException {
        FileLock lock = null;
        boolean isToBeClosed = true;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            NEVER_CLOSED.add(channel);
            isToBeClosed = false;
        } finally {
            if (lock == null && isToBeClosed) {
                channel.close();
            }
        }
        return lock != null;
    }

    /** Lets others have the directory. Closing twice is fine. */
    @Override
    public void close() throws IOException {
        synchronized (HELD) {
            if (channel.isOpen()) {
                HELD.remove(directory);
                channel.close();
            }
        }
    }
}
