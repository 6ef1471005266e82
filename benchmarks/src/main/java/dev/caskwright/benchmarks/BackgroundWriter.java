package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A thread that writes a file from its start to its end, forces it, and begins again: the least that a store does which
 * merges, or compacts, in the background. What it costs beside it is what this machine makes of any such work.
 */
final class BackgroundWriter implements AutoCloseable {
    private static final int BLOCK = 1 << 20;
    private static final int BLOCKS = 64;

    private final Path file;
    private final Thread thread;
    private volatile boolean isOver;
    private volatile @Nullable IOException failure;

    /** Writes nothing yet. */
    BackgroundWriter(Path file) {
        this.file = file;
        this.thread = new Thread(this::run, "background-writer");
    }

    void start() {
        thread.start();
    }

    private void run() {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        try {
            while (!isOver) {
                try (FileChannel channel =
                        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                    for (int i = 0; i < BLOCKS && !isOver; i++) {
                        channel.write(block.clear());
                    }
                    channel.force(false);
                }
                Files.delete(file);
            }
        } catch (IOException e) {
            failure = e;
        }
    }

    /**
     * Stops the thread and waits for it.
     *
     * @throws IOException if it could not write all the time
     */
    @Override
    public void close() throws IOException {
        isOver = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while measuring", e);
        }
        if (failure != null) {
            throw new IOException("the background writer failed: file=" + file, failure);
        }
    }
}
