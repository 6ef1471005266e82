package dev.caskwright.io.standard;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.spi.io.IoManager;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The lock of one file, for engines whose store is a file: that of {@code flock(2)}, as other programs that share the file take
 * it; on Windows, where there is none, that of the system. Within this process a table says who has which file, since neither
 * lock tells threads of one process apart.
 */
final class SingleFileLock implements IoManager.Lock {
    private static final boolean WINDOWS = System.getProperty("os.name", "").startsWith("Windows");
    private static final Map<Object, Holding> HOLDINGS = new HashMap<>(); // by the identity of the file

    private static final class Holding {
        final boolean isExclusive;
        final AutoCloseable lock;
        int holders = 1;

        Holding(boolean isExclusive, AutoCloseable lock) {
            this.isExclusive = isExclusive;
            this.lock = lock;
        }
    }

    private final Object identity;
    private boolean isClosed;

    private SingleFileLock(Object identity) {
        this.identity = identity;
    }

    /** Takes the lock of a file. Readers of other processes are given time to go. */
    static SingleFileLock take(Path file, boolean exclusive, Access access) throws IOException {
        return WriterWish.take(file, access, () -> {
            if (!exclusive) {
                WriterWish.refuseReader(file);
            }
            return attempt(file, exclusive);
        });
    }

    private static SingleFileLock attempt(Path file, boolean exclusive)
            throws IOException, WriterWish.ReadersException {
        synchronized (HOLDINGS) {
            Object identity = identity(file);
            Holding held = HOLDINGS.get(identity);
            if (held != null) {
                if (exclusive || held.isExclusive) {
                    throw refusal(file, "this process");
                }
                held.holders++;
                return new SingleFileLock(identity);
            }
            AutoCloseable lock = systemLock(file, exclusive);
            if (lock == null) {
                EngineLockedException refusal = refusal(file, "another process");
                AutoCloseable shared = exclusive ? systemLock(file, false) : null;
                if (shared == null) {
                    throw refusal;
                }
                release(shared);
                throw new WriterWish.ReadersException(refusal);
            }
            HOLDINGS.put(identity, new Holding(exclusive, lock));
            return new SingleFileLock(identity);
        }
    }

    private static Object identity(Path file) throws IOException {
        BasicFileAttributes attributes =
                Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!attributes.isRegularFile()) {
            throw new FileSystemException(file.toString(), null, "not a regular file");
        }
        Object key = attributes.fileKey();
        return key != null ? key : file.toRealPath();
    }

    private static @Nullable AutoCloseable systemLock(Path file, boolean exclusive) throws IOException {
        return WINDOWS ? windowsLock(file, exclusive) : Flock.take(file, exclusive);
    }

    private static @Nullable AutoCloseable windowsLock(Path file, boolean exclusive) throws IOException {
        FileChannel channel = exclusive
                ? FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)
                : FileChannel.open(file, StandardOpenOption.READ);
        try {
            // At the very end of what offsets can name, where no bytes are, as other programs do.
            FileLock lock = channel.tryLock(Long.MAX_VALUE - 1, 1, !exclusive);
            if (lock != null) {
                return channel;
            }
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
        channel.close();
        return null;
    }

    private static EngineLockedException refusal(Path file, String owner) {
        return new EngineLockedException("file in use: file=" + file + ", owner=" + owner);
    }

    @Override
    public void close() throws IOException {
        synchronized (HOLDINGS) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            Holding held = HOLDINGS.get(identity);
            if (held != null && --held.holders == 0) {
                HOLDINGS.remove(identity);
                release(held.lock);
            }
        }
    }

    private static void release(AutoCloseable lock) throws IOException {
        try {
            lock.close();
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("the lock could not be given up: " + e, e);
        }
    }
}
