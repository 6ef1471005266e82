package dev.caskwright.io.standard;

import dev.caskwright.api.spi.io.ReadableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A file that is read through a channel, one system call a read.
 *
 * <p><b>Interrupts.</b> A {@link FileChannel} closes itself, for everybody, when a thread that uses it is interrupted.
 * Here nobody notices, by four rules:
 *
 * <ol>
 *   <li>A call begins by clearing its thread's interrupt flag and ends by setting it again. An interrupt from before the
 *       call therefore never meets the channel.
 *   <li>An interrupt that arrives within the call does close the channel. Every thread that is then inside, or comes
 *       later, gets a {@link ClosedChannelException} and calls {@link #recover}. The first of them opens a new channel
 *       under the file's name, having made sure that the name still means this file.
 *   <li>The call itself is done again on the <i>spare</i>: a {@link Spare}, which no interrupt closes. So one
 *       repetition is enough, and there is no loop that a hail of interrupts could keep turning. To repeat is harmless,
 *       as reads change nothing and a write puts the same bytes in the same place. (For forces, where it is not, see
 *       {@link WritableChannelFile}.)
 *   <li>A file that loses its name while it is open cannot be opened again. So the manager opens the spare of every open
 *       file just before it deletes the name ({@link #keepWithoutName}); if an interrupt comes then, the spare serves
 *       from there on, slower but right.
 * </ol>
 *
 * <p>A sealed file has no spare until it needs one, and so costs one descriptor.
 *
 * <p><b>Length.</b> It is kept here, not asked of the system: it bounds reads, so that they need not probe for the end,
 * and what a writer holds ready after it stays out of sight. It is written after the bytes that it covers.
 */
class ChannelFile implements ReadableFile {
    private final StandardIoManager manager;
    private final boolean writable;
    private final @Nullable Object identity; // device and inode, where the file system has them
    private final Object closing = new Object();
    private final Object recovery = new Object(); // taken after all other locks

    private volatile Path path;
    private volatile FileChannel channel;
    private volatile long length;
    private volatile boolean closed;
    private @Nullable Spare spare; // guarded by recovery

    /** Takes over an open channel on {@code path}. */
    ChannelFile(
            StandardIoManager manager,
            Path path,
            boolean writable,
            FileChannel channel,
            BasicFileAttributes attributes) {
        this.manager = manager;
        this.path = path;
        this.writable = writable;
        this.channel = channel;
        this.identity = attributes.fileKey();
        this.length = attributes.size();
    }

    /** Returns the options for opening an existing file. */
    static Set<OpenOption> openOptions(boolean writable) {
        Set<OpenOption> options = new HashSet<>(EnumSet.of(StandardOpenOption.READ));
        options.add(LinkOption.NOFOLLOW_LINKS);
        if (writable) {
            options.add(StandardOpenOption.WRITE);
        }
        return options;
    }

    @Override
    public final String name() {
        return path.getFileName().toString();
    }

    @Override
    public final long length() {
        return length;
    }

    @Override
    public final boolean isMapped() {
        return false;
    }

    @Override
    public final int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
        checkRange(offset, target, targetOffset, length);
        long end = this.length;
        if (closed) {
            throw closedFailure();
        }
        if (offset >= end) {
            return 0;
        }
        int count = (int) Math.min(length, end - offset);
        boolean interrupted = false;
        ByteBuffer buffer = BufferPool.take();
        try {
            for (int done = 0; done < count; ) {
                interrupted |= Thread.interrupted();
                int chunk = Math.min(count - done, BufferPool.BUFFER_LENGTH);
                FileChannel current = channel;
                try {
                    fill(current, buffer, offset + done, chunk);
                    buffer.get(0, target, targetOffset + done, chunk);
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    readSpare(recover(current), offset + done, target, targetOffset + done, chunk);
                }
                done += chunk;
            }
        } finally {
            BufferPool.give(buffer);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        return count;
    }

    @Override
    public final void close() throws IOException {
        manager.forget(this);
        synchronized (closing) {
            if (closed) {
                return;
            }
            try {
                beforeClose();
            } finally {
                synchronized (recovery) {
                    closed = true;
                    closeDescriptors();
                }
            }
        }
    }

    /** What a writable file does before its descriptors go. It may wait for calls that are in {@link #recover}. */
    void beforeClose() throws IOException {}

    /**
     * Runs {@code call} on the channel, again if an interrupt closed it meanwhile, so it must do the same each time.
     *
     * @throws IOException if the channel was closed and the file has no name any more
     */
    final <T> T call(StandardIoManager.ChannelCall<T> call) throws IOException {
        boolean interrupted = false;
        try {
            // A repetition needs a further interrupt within the few microseconds of the call: the bound is for those
            // who
            // interrupt without end.
            for (int attempt = 0; attempt < 1_000; attempt++) {
                interrupted |= Thread.interrupted();
                FileChannel current = channel;
                try {
                    return call.on(current);
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    recover(current);
                    if (!channel.isOpen() && channel == current) {
                        throw new IOException("interrupted on a file that was deleted: file=" + path, e);
                    }
                }
            }
            throw new IOException("interrupted without end: file=" + path);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Follows a change of the file's name. Called under the manager's lock. */
    final void renamed(Path to) {
        path = to;
    }

    /** Makes the file last when its name goes. Called under the manager's lock, while the name is still there. */
    final void keepWithoutName() throws IOException {
        synchronized (recovery) {
            if (!closed) {
                spare();
            }
        }
    }

    /**
     * Opens a new channel if {@code failed} is still the current one and the name is still this file's, and returns the
     * spare, on which the caller repeats its work.
     *
     * @throws IOException if the file was closed by its owner
     */
    final Spare recover(FileChannel failed) throws IOException {
        synchronized (recovery) {
            if (closed) {
                throw closedFailure();
            }
            Spare result = spare();
            if (channel == failed && isNamed()) {
                FileChannel fresh = FileChannel.open(path, openOptions(writable));
                if (isNamed()) {
                    channel = fresh;
                } else {
                    fresh.close(); // it may be another file's: the spare serves from here on
                }
            }
            return result;
        }
    }

    final FileChannel channel() {
        return channel;
    }

    final StandardIoManager manager() {
        return manager;
    }

    final Path path() {
        return path;
    }

    final void setLength(long length) {
        this.length = length;
    }

    final IOException closedFailure() {
        return new IOException("file is closed: file=" + path);
    }

    final void checkOpen() throws IOException {
        if (closed) {
            throw closedFailure();
        }
    }

    static void checkRange(long offset, byte[] array, int arrayOffset, int length) {
        Objects.checkFromIndexSize(arrayOffset, length, array.length);
        if (offset < 0) {
            throw new IllegalArgumentException("negative offset: offset=" + offset);
        }
    }

    /** Opens the spare, unless it is open. The caller holds {@link #recovery}, or is the only one to know the file. */
    final Spare spare() throws IOException {
        Spare open = spare;
        if (open == null) {
            if (!isNamed()) {
                throw lostName();
            }
            open = Spare.open(path, openOptions(writable));
            if (!isNamed()) {
                open.close();
                throw lostName();
            }
            spare = open;
        }
        return open;
    }

    private void closeDescriptors() throws IOException {
        try {
            if (spare != null) {
                spare.close();
            }
        } finally {
            channel.close();
        }
    }

    private NoSuchFileException lostName() {
        return new NoSuchFileException(path.toString(), null, "the name is gone, or is another file's");
    }

    /** Returns whether the name is still this file's. */
    final boolean isNamed() throws IOException {
        try {
            BasicFileAttributes attributes =
                    Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return attributes.isRegularFile() && Objects.equals(identity, attributes.fileKey());
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private void fill(FileChannel source, ByteBuffer buffer, long offset, int length) throws IOException {
        buffer.clear().limit(length);
        do {
            int count;
            try {
                count = source.read(buffer, offset + buffer.position());
            } catch (ClosedChannelException e) {
                throw e;
            } catch (IOException e) {
                throw Failures.ofRead(path, offset, length, e);
            }
            if (count < 0) {
                throw shrunk(offset + buffer.position());
            }
        } while (buffer.hasRemaining());
    }

    private void readSpare(Spare source, long offset, byte[] target, int targetOffset, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(target, targetOffset, length);
        try {
            while (buffer.hasRemaining()) {
                long place = offset + buffer.position() - targetOffset;
                if (source.read(buffer, place) < 0) {
                    throw shrunk(place);
                }
            }
        } catch (IOException e) {
            throw Failures.ofRead(path, offset, length, e);
        }
    }

    private IOException shrunk(long end) {
        return new IOException("file has become shorter: file=" + path + ", expectedLength=" + length + ", end=" + end);
    }
}
