package dev.caskwright.io.standard;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * A second descriptor of a file, which no interrupt closes. Of the JDK's ways to have one, this is the one that does not
 * follow links: an asynchronous channel, whose work is done in the calling thread.
 */
final class Spare implements Closeable {
    private static final AbstractExecutorService CALLER = new Caller();

    private final AsynchronousFileChannel channel;

    private Spare(AsynchronousFileChannel channel) {
        this.channel = channel;
    }

    /** Opens an existing file. */
    static Spare open(Path path, Set<OpenOption> options) throws IOException {
        return new Spare(AsynchronousFileChannel.open(path, options, CALLER));
    }

    /** Reads into the buffer from an offset of the file on; returns how many bytes, or -1 past the end. */
    int read(ByteBuffer target, long offset) throws IOException {
        return result(channel.read(target, offset));
    }

    /** Writes all of the buffer. */
    void write(ByteBuffer source, long offset) throws IOException {
        for (long end = offset; source.hasRemaining(); ) {
            end += result(channel.write(source, end));
        }
    }

    void force() throws IOException {
        channel.force(false);
    }

    long length() throws IOException {
        return channel.size();
    }

    /** Shortens the file, if it is longer. */
    void truncate(long length) throws IOException {
        channel.truncate(length);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static int result(Future<Integer> done) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return done.get();
                } catch (InterruptedException e) {
                    interrupted = true; // where the system works in a thread of its own: it goes on, so we wait
                } catch (ExecutionException e) {
                    throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Runs everything at once, in the thread that asks. */
    private static final class Caller extends AbstractExecutorService {
        @Override
        public void execute(Runnable work) {
            work.run();
        }

        @Override
        public void shutdown() {}

        @Override
        public List<Runnable> shutdownNow() {
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return false;
        }

        @Override
        public boolean isTerminated() {
            return false;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return false;
        }
    }
}
