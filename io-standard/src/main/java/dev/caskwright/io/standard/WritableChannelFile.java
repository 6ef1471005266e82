package dev.caskwright.io.standard;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
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
 * <p><b>Reserved space.</b> {@link ReservedSpace} alone says how far the file is taken: written, zeroed, or claimed by a
 * write, be it done or refused. Reads do not see past the length, and {@link #close} cuts there. A force is an fdatasync,
 * which records a new length of the file if there is one: with space reserved there is none, and no journal to wait for.
 */
final class WritableChannelFile extends ChannelFile implements WritableFile {
    private static final boolean DESCRIPTORS_REMEMBER_ERRORS =
            System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux");

    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(BufferPool.BUFFER_LENGTH);
    private static final int PIECE = 1 << 20; // of zeros

    private final ReservedSpace space;
    private volatile boolean longerThanReserved; // zeros that failed may have left some past the end
    private volatile @Nullable IOException failedForce;

    WritableChannelFile(StandardIoManager manager, Path path, FileChannel channel, BasicFileAttributes attributes)
            throws IOException {
        super(manager, path, true, channel, attributes);
        this.space = new ReservedSpace(attributes.size());
        spare();
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
        checkRange(offset, source, sourceOffset, length);
        checkOpen();
        long end = length();
        if (offset > end) {
            throw new IllegalArgumentException(
                    "write past the end: file=" + path() + ", offset=" + offset + ", fileLength=" + end);
        }
        long newEnd = offset + length;
        long spaceBefore = space.claim(newEnd);
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
            IOException failure = Failures.ofChange("write failed", path(), offset, length, e);
            if (newEnd > spaceBefore && failure instanceof OutOfSpaceException) {
                giveBack(newEnd, spaceBefore, failure); // others may need what it took in vain
            }
            throw failure;
        } finally {
            BufferPool.give(buffer);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        if (newEnd > end) {
            setLength(newEnd); // after the bytes, so that no reader sees the length without them
        }
    }

    /** Zeroes piece by piece, so that a writer who goes beyond waits for one of them only. */
    @Override
    public void reserve(long length) throws IOException {
        checkOpen();
        while (space.extend(length, PIECE, this::zero)) {
            checkOpen();
        }
    }

    private void zero(long from, long to) throws IOException {
        checkOpen();
        boolean interrupted = false;
        ByteBuffer zeros = ZEROS.duplicate();
        try {
            for (long end = from; end < to; end += zeros.limit()) {
                interrupted |= Thread.interrupted();
                zeros.clear().limit((int) Math.min(to - end, zeros.capacity()));
                FileChannel current = channel();
                try {
                    drain(current, zeros, end);
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    writeSpare(recover(current), end, new byte[zeros.limit()], 0, zeros.limit());
                }
            }
        } catch (IOException e) {
            IOException failure = Failures.ofChange("reserve failed", path(), from, to - from, e);
            longerThanReserved = true;
            try {
                cut(from);
            } catch (IOException again) {
                failure.addSuppressed(again);
            }
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
        // After the force: a second owner that came before this has read what is forced.
        manager().checkOwnedPatiently();
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
            space.cut(length, this::cut);
        } catch (IOException e) {
            setLength(end);
            throw Failures.ofChange("truncate failed", path(), length, end - length, e);
        }
    }

    @Override
    void beforeClose() throws IOException {
        space.close(length(), longerThanReserved, this::cut);
    }

    private void giveBack(long claimed, long end, IOException failure) {
        try {
            space.giveBack(claimed, end, this::cut);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /** Shortens the file to {@code length}, if it is longer. Called where nothing else moves the end of the space. */
    private void cut(long length) throws IOException {
        boolean interrupted = Thread.interrupted();
        FileChannel current = channel();
        try {
            current.truncate(length);
        } catch (ClosedChannelException e) {
            interrupted |= Thread.interrupted();
            recover(current).truncate(length);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        longerThanReserved = false;
    }

    private void forceSpare(Spare spare, ClosedChannelException interruption) throws IOException {
        if (!DESCRIPTORS_REMEMBER_ERRORS) {
            throw forceFailed(interruption);
        }
        try {
            spare.force();
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

    private static void writeSpare(Spare target, long offset, byte[] source, int sourceOffset, int length)
            throws IOException {
        target.write(ByteBuffer.wrap(source, sourceOffset, length), offset);
    }
}
