package dev.caskwright.raft;

import dev.caskwright.api.EngineLockedException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;

/**
 * One node at a time for a directory: held before anything in it is looked at, since a swap of stores that was cut short is finished
 * first, and two nodes must not do that to each other. Closing it twice is fine.
 */
final class NodeLock implements AutoCloseable {
    static final String NAME = "lock";

    /** Those held in this JVM: to open and close such a file here would drop the lock that the system has on it. */
    private static final Set<Path> HELD = new HashSet<>();

    private final Path directory;
    private final FileChannel channel;

    private NodeLock(Path directory, FileChannel channel) {
        this.directory = directory;
        this.channel = channel;
    }

    /** @throws EngineLockedException if another node has the directory */
    static NodeLock hold(Path directory) throws IOException {
        Path real = directory.toRealPath();
        synchronized (HELD) {
            if (HELD.contains(real)) {
                throw new EngineLockedException(
                        "another node of this process has the directory: directory=" + directory);
            }
            FileChannel channel =
                    FileChannel.open(real.resolve(NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            boolean isHeld = false;
            try {
                FileLock lock = channel.tryLock();
                isHeld = lock != null;
            } finally {
                if (!isHeld) {
                    channel.close();
                }
            }
            if (!isHeld) {
                throw new EngineLockedException("a node of another process has the directory: directory=" + directory);
            }
            HELD.add(real);
            return new NodeLock(real, channel);
        }
    }

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
