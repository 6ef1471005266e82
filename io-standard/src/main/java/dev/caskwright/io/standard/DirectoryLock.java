package dev.caskwright.io.standard;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.IoManager;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The right to use a directory: alone, or together with other readers.
 *
 * <p>It is the system's lock on the file {@link #LOCK_FILE}, exclusive or shared, so it ends with the process however
 * that ends, and a file left behind means nothing. A reader changes nothing in the directory: where there is no lock
 * file there never was a writer, and so no store.
 *
 * <p><b>Within a JVM</b> that is not enough. On Linux the lock belongs to the process and is lost as soon as <i>any</i>
 * descriptor of the file is closed, and so by the mere attempt of a second opener. Hence a registry is asked before the
 * file is touched, and while a lock is held the file is opened once, however many readers share it. The registry knows a
 * holder by two names: the directory's real path, and device and inode of the lock file, which are the same through
 * another mount of the directory and cannot be used again while the file is open.
 *
 * <p>A second class loader with a copy of this class has another registry. For its sake each entry is also a system
 * property: a text, as properties that are not break programs that print them. Such a neighbour counts as a stranger,
 * also among readers. If somebody cleared the properties, the JDK's own table of locks, which spans class loaders, says
 * {@link OverlappingFileLockException}; then the descriptor just opened is kept for good, as closing it would drop the
 * neighbour's lock.
 *
 * <p>Who holds the lock stands in another file, {@link #OWNER_FILE}, so that it can be read without touching the first.
 * It is for the message only and decides nothing.
 */
final class DirectoryLock implements IoManager.Lock {
    static final String LOCK_FILE = "LOCK";
    static final String OWNER_FILE = "OWNER";

    private static final int MAX_OWNER_LENGTH = 512; // bytes of an owner file that a message shows
    private static final String PROPERTY_PREFIX = "dev.caskwright.lock:";
    private static final Object MONITOR = "dev.caskwright.lock".intern(); // the same object in every class loader
    private static final Map<String, Holding> HOLDINGS = new HashMap<>();
    private static final List<FileChannel> NEVER_CLOSED = new ArrayList<>();

    /** One locked directory, and how many share it. */
    private static final class Holding {
        final Path directory;
        final boolean exclusive;
        final FileChannel channel;
        final List<String> keys;
        int holders = 1;

        Holding(Path directory, boolean exclusive, FileChannel channel, List<String> keys) {
            this.directory = directory;
            this.exclusive = exclusive;
            this.channel = channel;
            this.keys = keys;
        }
    }

    private final Holding holding;
    private boolean closed; // guarded by MONITOR

    private DirectoryLock(Holding holding) {
        this.holding = holding;
    }

    /** Takes the lock of a directory, given by its real path. */
    static DirectoryLock acquire(Path directory, boolean exclusive) throws IOException {
        Path file = directory.resolve(LOCK_FILE);
        synchronized (MONITOR) {
            for (String key : keys(directory, file)) {
                Holding holding = HOLDINGS.get(key);
                if (holding != null) {
                    if (exclusive || holding.exclusive) {
                        throw refusal(directory, "this process, " + System.getProperty(key, describeThisProcess()));
                    }
                    holding.holders++;
                    return new DirectoryLock(holding);
                }
                String stranger = System.getProperty(key);
                if (stranger != null) {
                    throw refusal(directory, "this process, in another class loader, " + stranger);
                }
            }
            return new DirectoryLock(lock(directory, file, exclusive));
        }
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
                if (holding.exclusive) {
                    // While we still hold the lock: later it would be the next owner's.
                    Files.deleteIfExists(holding.directory.resolve(OWNER_FILE));
                }
            } finally {
                for (String key : holding.keys) {
                    HOLDINGS.remove(key);
                    System.clearProperty(key);
                }
                holding.channel.close();
            }
        }
    }

    private static Holding lock(Path directory, Path file, boolean exclusive) throws IOException {
        FileChannel channel = open(file, exclusive);
        boolean held = false;
        try {
            FileLock lock = channel.tryLock(0, Long.MAX_VALUE, !exclusive);
            if (lock == null) {
                throw refusal(directory, otherProcess(channel, directory, exclusive));
            }
            Holding holding = new Holding(directory, exclusive, channel, keys(directory, file));
            if (exclusive) {
                writeOwner(directory.resolve(OWNER_FILE));
            }
            for (String key : holding.keys) {
                HOLDINGS.put(key, holding);
                System.setProperty(key, describeThisProcess());
            }
            held = true;
            return holding;
        } catch (OverlappingFileLockException e) {
            NEVER_CLOSED.add(channel);
            held = true;
            throw refusal(directory, "this process, in another class loader");
        } finally {
            if (!held) {
                channel.close();
            }
        }
    }

    private static FileChannel open(Path file, boolean exclusive) throws IOException {
        if (exclusive) {
            Set<OpenOption> options = Set.of(
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    LinkOption.NOFOLLOW_LINKS);
            try {
                return FileChannel.open(file, options, OwnerOnly.file(file));
            } catch (IOException e) {
                throw Failures.ofNameChange("lock failed", file, e);
            }
        }
        try {
            return FileChannel.open(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
        } catch (NoSuchFileException e) {
            throw new UnsupportedFormatException("not a store, or never opened for writing: directory="
                    + file.getParent() + ", missing=" + LOCK_FILE);
        }
    }

    private static List<String> keys(Path directory, Path file) throws IOException {
        List<String> keys = new ArrayList<>();
        keys.add(PROPERTY_PREFIX + directory);
        try {
            Object identity = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
            if (identity != null) {
                keys.add(PROPERTY_PREFIX + identity);
            }
        } catch (NoSuchFileException e) {
            return keys; // not there yet, so nobody has it open
        }
        return keys;
    }

    private static EngineLockedException refusal(Path directory, String owner) {
        return new EngineLockedException("directory is in use: directory=" + directory + ", owner=" + owner);
    }

    private static String otherProcess(FileChannel channel, Path directory, boolean exclusive) throws IOException {
        // The owner file is a writer's. Whether one holds the lock shows by asking for a share of it, which closing
        // the channel gives back.
        if (exclusive && channel.tryLock(0, Long.MAX_VALUE, true) != null) {
            return "readers in other processes";
        }
        String owner = readOwner(directory.resolve(OWNER_FILE));
        return owner == null ? "another process" : owner;
    }

    private static @Nullable String readOwner(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            String text = new String(in.readNBytes(MAX_OWNER_LENGTH), StandardCharsets.UTF_8).strip();
            return text.isEmpty() ? null : text.replaceAll("\\p{Cntrl}", "?");
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private static void writeOwner(Path file) throws IOException {
        try {
            Files.deleteIfExists(file);
            Files.createFile(file, OwnerOnly.file(file));
            Files.writeString(file, describeThisProcess(), StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        } catch (IOException e) {
            // A full disk must not keep anyone from opening the store: the message is poorer then, the lock is not.
            if (!(Failures.ofNameChange("owner not written", file, e) instanceof OutOfSpaceException)) {
                throw e;
            }
        }
    }

    private static String describeThisProcess() throws IOException {
        ProcessHandle process = ProcessHandle.current();
        // As a number: the classes that write a date out take a JVM that has just started 10 ms.
        long startMillis =
                process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
        return "pid=" + process.pid() + ", host=" + host() + ", processStartMillis=" + startMillis;
    }

    /** Returns the host's name where it costs no question to the network. */
    private static String host() throws IOException {
        Path file = Path.of("/proc/sys/kernel/hostname");
        return Files.isReadable(file) ? Files.readString(file).strip() : "unknown";
    }
}
