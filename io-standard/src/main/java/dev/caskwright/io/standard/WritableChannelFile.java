package dev.caskwright.io.standard;

import dev.caskwright.api.spi.WritableFile;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A file that is written through a channel, one system call a write.
 *
 * <p><b>Forces and interrupts.</b> An interrupt within a force closes the channel, and the exception hides what the
 * force had to say: perhaps that a page could not be written. The kernel says so once for each open descriptor and then
 * takes the page for clean, so a second force, on a newly opened channel, would report success for bytes that are lost.
 * The spare helps: it was opened together with the file and has its own memory of errors (Linux counts them per open
 * file description since 4.13). A force of the spare waits for everything written so far and fails if any write since
 * opening failed, whoever was told of it first. So
 *
 * <ol>
 *   <li>an interrupted force is finished by forcing the spare, which no interrupt can disturb;
 *   <li>the new channel is opened before that, as it does not know errors that someone saw before it was opened: those
 *       before are the spare's to report, those after are its own;
 *   <li>where the system is not Linux, an interrupted force is a failed one;
 *   <li>after a failed force every later one fails too. It would prove nothing.
 * </ol>
 *
 * <p><b>Reserved space.</b> {@code reserved} is how far the file holds zeros that we wrote, or bytes that were written
 * over them. Reads do not see past the length, and {@link #close} cuts there. A force is an fdatasync, which records a
 * new length of the file if there is one: with space reserved there is none, and no journal to wait for.
 */
final class WritableChannelFile extends ChannelFile implements WritableFile {
    private static final boolean DESCRIPTORS_REMEMBER_ERRORS =
            System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux");

    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(BufferPool.BUFFER_LENGTH);

    private final Object reserving = new Object();
    private volatile long reserved; // grows under the monitor, or in a writer who has come to it
    private volatile boolean longerThanReserved; // a failed write may have left bytes anywhere behind the length
    private volatile @Nullable IOException failedForce;

    WritableChannelFile(StandardIoManager manager, Path path, FileChannel channel, BasicFileAttributes attributes)
            throws IOException {
        super(manager, path, true, channel, attributes);
        this.reserved = attributes.size();
        spare();
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
        checkRange(offset, source, sourceOffset, length);
        checkOpen();
        long end = length();
        if (offset > end) {
            throw new IllegalArgumentException(
                    "write behind the end: file=" + path() + ", offset=" + offset + ", fileLength=" + end);
        }
        boolean interrupted = false;
        ByteBuffer buffer = BufferPool.take(length);
        try {
            for (int done = 0; done < length; ) {
                interrupted |= Thread.interrupted();
                int chunk = Math.min(length - done, buffer.capacity());
                buffer.clear();
                buffer.put(source, sourceOffset + done, chunk).flip();
                FileChannel current = channel();
                try {
                    drain(current, buffer, offset + done);
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    writeSpare(recover(current), offset + done, source, sourceOffset + done, chunk);
                }
                done += chunk;
            }
        } catch (IOException e) {
            synchronized (reserving) {
                reserved = Math.min(reserved, end);
            }
            longerThanReserved = true;
            throw Failures.ofChange("write failed", path(), offset, length, e);
        } finally {
            BufferPool.give(buffer);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        if (offset + length > end) {
            setLength(offset + length); // after the bytes, so that no reader sees the length without them
            if (reserved < offset + length) {
                reserved = offset + length;
            }
        }
    }

    @Override
    public void reserve(long length) throws IOException {
        synchronized (reserving) {
            zero(length);
        }
    }

    private void zero(long length) throws IOException {
        checkOpen();
        long before = reserved;
        long end = before;
        boolean interrupted = false;
        ByteBuffer zeros = ZEROS.duplicate();
        try {
            while (end < length) {
                interrupted |= Thread.interrupted();
                zeros.clear().limit((int) Math.min(length - end, zeros.capacity()));
                FileChannel current = channel();
                try {
                    drain(current, zeros, end);
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    writeSpare(recover(current), end, new byte[zeros.limit()], 0, zeros.limit());
                }
                end += zeros.limit();
            }
            reserved = end;
        } catch (IOException e) {
            longerThanReserved = true;
            IOException failure = Failures.ofChange("reserve failed", path(), before, length - before, e);
            giveBack(before, failure);
            throw failure;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void force() throws IOException {
        checkOpen();
        IOException earlier = failedForce;
        if (earlier != null) {
            throw new IOException("an earlier force failed: file=" + path(), earlier);
        }
        boolean interrupted = Thread.interrupted();
        FileChannel current = channel();
        try {
            current.force(false);
        } catch (ClosedChannelException e) {
            interrupted |= Thread.interrupted();
            forceSpare(recover(current), e);
        } catch (IOException e) {
            throw forceFailed(e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void truncate(long length) throws IOException {
        checkOpen();
        long end = length();
        if (length < 0 || length > end) {
            throw new IllegalArgumentException(
                    "cannot cut: file=" + path() + ", length=" + length + ", fileLength=" + end);
        }
        setLength(length); // before the cut, so that a reader does not take it for damage
        try {
            cut(length);
        } catch (IOException e) {
            setLength(end);
            throw Failures.ofChange("truncate failed", path(), length, end - length, e);
        }
    }

    @Override
    void beforeClose() throws IOException {
        if (longerThanReserved || reserved > length()) {
            cut(length());
        }
    }

    private void giveBack(long length, IOException failure) {
        try {
            cut(Math.max(length, length()));
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private void cut(long length) throws IOException {
        boolean interrupted = Thread.interrupted();
        FileChannel current = channel();
        try {
            current.truncate(length);
        } catch (ClosedChannelException e) {
            interrupted |= Thread.interrupted();
            RandomAccessFile spare = recover(current);
            synchronized (spare) {
                // Asked first, as this call also makes a file longer.
                if (spare.length() > length) {
                    spare.setLength(length);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        reserved = length;
        longerThanReserved = false;
    }

    private void forceSpare(RandomAccessFile spare, ClosedChannelException interruption) throws IOException {
        if (!DESCRIPTORS_REMEMBER_ERRORS) {
            throw forceFailed(interruption);
        }
        try {
            spare.getFD().sync();
        } catch (IOException e) {
            throw forceFailed(e);
        }
    }

    private IOException forceFailed(IOException cause) {
        // Never an OutOfSpaceException, whatever the cause says: that would mean "not applied", which nobody knows.
        IOException failure = new IOException("force failed: file=" + path() + ", length=" + length(), cause);
        failedForce = failure;
        return failure;
    }

    private static void drain(FileChannel target, ByteBuffer buffer, long offset) throws IOException {
        while (buffer.hasRemaining()) {
            target.write(buffer, offset + buffer.position());
        }
    }

    private static void writeSpare(RandomAccessFile target, long offset, byte[] source, int sourceOffset, int length)
            throws IOException {
        synchronized (target) {
            target.seek(offset);
            target.write(source, sourceOffset, length);
        }
    }
}
