package dev.caskwright.io.mmap;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel.MapMode;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A file that is written by copying into mappings of it.
 *
 * <pre>
 * 0              stored from        length          mapped         zeroed
 * |   as found   |     written      |     zeros     |    zeros     |
 * |--- window ---|--- window ---|--- window ---|
 * </pre>
 *
 * <p>Under it is a channel file, whose length is how far zeros (or more) were really written: {@code zeroed}. When a
 * write comes to the end of that, zeros are written up to the next multiple of the window's length, and the window is
 * mapped. So the system has found room on the disk for every page that is ever stored to, and says through the channel
 * if it has not. What was in the file when it was opened may have holes: there, writes go through the channel, too,
 * which Linux and macOS keep coherent with mappings.
 *
 * <p><b>How zeros are written.</b> The kernel keeps a file in pieces as long as the writes that made them, up to a whole
 * window, where the file system can do that. A window in one piece is one entry of the page table: reads at random
 * wait less for memory, and stores meet one page fault. But what was stored through a mapping is forced by whole pieces.
 * So a window is zeroed at one go, or, while writers force, page by page.
 *
 * <p>A new file gets its next window ahead of its writer, in another thread, up to the length that was expected of it; the
 * writer then finds pages that are written, mapped and touched. While that goes on, the other thread alone has the end
 * of the channel file; the writer settles it before it touches that itself.
 *
 * <p>All windows have one length, a power of two, and adjacent ones are one mapping to the kernel. On a full disk, or at
 * the end of a file that was there before, a window may be mapped in part, and is mapped again when there is more;
 * readers may be in the old mapping, so it stays until the file is closed. So it is with the first window of a new file,
 * unless a file of the same manager has filled one before: it begins with a few pages and doubles, and a small store takes
 * little disk.
 *
 * <p><b>Long writes.</b> A long write costs more through a mapping than through the channel: its bytes are written twice,
 * as zeros and as what they are. So while writes are long, on average over the window before, they go through the channel.
 * So do reads of the last window; a window is mapped when the next one is begun.
 *
 * <p><b>Length.</b> The writer stores bytes, then windows, then the length with release order; a reader loads the length
 * with acquire order, then the windows. So whoever sees the length can read up to it.
 *
 * <p><b>Cutting.</b> {@link #truncate} does not take pages away from under a mapping that the windows still show: it
 * overwrites with zeros up to the end of the window, and shortens the file only after it. Close cuts at the length.
 */
final class MappedWritableFile implements WritableFile {
    private static final int MIN_WINDOW_LENGTH = 4 << 10;
    private static final int MAX_WINDOW_LENGTH = 2 << 20; // what a processor translates by one entry of its page table
    private static final int PAGE = 4 << 10; // or a part of one
    private static final long FIRST_SPACE = 4 * PAGE;
    private static final int UNKNOWN_WINDOW_LENGTH = 256 << 10;
    private static final byte[] ZEROS = new byte[MAX_WINDOW_LENGTH];
    /** Fewer forces than this while a window is filled, such as those of a timer, do not count. */
    private static final int FORCES_OF_SYNCED_WRITES = 2;

    /**
     * Writes of so many bytes on average go through the channel. Shorter ones do not: the kernel keeps what they wrote in
     * pieces as short, and gets of small records at random then wait longer for the address translation.
     */
    private static final int LONG_WRITE = 48 << 10;

    /** But not where fewer bytes are written between forces: after zeros, a force has no new length to record. */
    private static final int LONG_BETWEEN_FORCES = 512 << 10;

    private static final VarHandle LENGTH;

    static {
        try {
            LENGTH = MethodHandles.lookup().findVarHandle(MappedWritableFile.class, "length", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final WritableFile file;
    private final MappedMemory memory = MappedMemory.allocate();
    private final int windowShift;
    private final int windowMask;
    private final long storedFrom;
    private final long aheadTo;
    private final WindowsAhead windowsAhead;
    private boolean growsBySteps; // the writer's: the file was shorter than a window at first
    private @Nullable Future<ByteBuffer> ahead; // the writer's: the window from mapped on, on its way
    private long length; // through LENGTH
    private long mapped; // the writer's
    private long directTo; // the writer's: after what is mapped and up to here, writes go through the channel
    private long writes; // the writer's, since it was last decided how to go on
    private long writtenBytes;
    private volatile ByteBuffer @Nullable [] windows = {}; // null when access has ended
    private final byte[] scratch = new byte[2 * MappedMemory.SHORTEST_COPY]; // the writer's
    private final AtomicInteger forces = new AtomicInteger(); // since the window was begun
    private boolean closed;

    /** Takes over an open file. If this throws, the caller closes it. */
    MappedWritableFile(WritableFile file, long expectedLength, WindowsAhead windowsAhead) throws IOException {
        this.file = file;
        this.windowsAhead = windowsAhead;
        this.windowShift = windowShift(expectedLength);
        this.windowMask = (1 << windowShift) - 1;
        this.storedFrom = file.length();
        this.length = storedFrom;
        this.aheadTo = storedFrom == 0 ? expectedLength : 0;
        try {
            map(storedFrom);
        } catch (Throwable e) {
            memory.unmap();
            throw e;
        }
    }

    @Override
    public String name() {
        return file.name();
    }

    @Override
    public long length() {
        return (long) LENGTH.getAcquire(this);
    }

    @Override
    public boolean isMapped() {
        return true;
    }

    @Override
    public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
        Objects.checkFromIndexSize(targetOffset, length, target.length);
        if (offset < 0) {
            throw new IllegalArgumentException("negative offset: offset=" + offset);
        }
        long end = (long) LENGTH.getAcquire(this);
        ByteBuffer[] windows = openWindows();
        if (offset >= end) {
            return 0;
        }
        int count = (int) Math.min(length, end - offset);
        for (int done = 0; done < count; ) {
            long place = offset + done;
            int window = (int) (place >>> windowShift);
            int position = (int) place & windowMask;
            int there = window < windows.length ? windows[window].capacity() : 0;
            if (position >= there || there < MappedMemory.SHORTEST_COPY) {
                // Written through the channel, found with a few bytes, or cut off since we looked at the length.
                return done + file.read(place, target, targetOffset + done, count - done);
            }
            int chunk = Math.min(count - done, there - position);
            ByteBuffer mapping = windows[window];
            MappedMemory.load(mapping, position, target, targetOffset + done, chunk, this, place);
            done += chunk;
        }
        return count;
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
        Objects.checkFromIndexSize(sourceOffset, length, source.length);
        long end = this.length;
        if (offset < 0 || offset > end) {
            throw new IllegalArgumentException(
                    "write past the end: file=" + name() + ", offset=" + offset + ", fileLength=" + end);
        }
        openWindows();
        long newEnd = offset + length;
        writes++;
        writtenBytes += length;
        if (newEnd > mapped && newEnd > directTo) {
            makeRoom(newEnd);
        }
        int done = 0;
        if (offset < storedFrom) {
            done = (int) Math.min(length, storedFrom - offset);
            file.write(offset, source, sourceOffset, done);
        }
        ByteBuffer[] windows = openWindows();
        while (done < length) {
            long place = offset + done;
            if (place >= mapped) {
                file.write(place, source, sourceOffset + done, length - done);
                break;
            }
            int position = (int) place & windowMask;
            ByteBuffer window = windows[(int) (place >>> windowShift)];
            int chunk = Math.min(length - done, window.capacity() - position);
            MappedMemory.store(window, position, source, sourceOffset + done, chunk, scratch, this, place);
            done += chunk;
        }
        if (newEnd > end) {
            LENGTH.setRelease(this, newEnd);
        }
    }

    /** Does nothing: a file that is written gets windows ahead of its writer anyway. */
    @Override
    public void reserve(long length) throws IOException {
        openWindows();
    }

    @Override
    public void force() throws IOException {
        forces.incrementAndGet();
        file.force(); // an fdatasync covers what was stored through mappings, and costs less than an msync
    }

    @Override
    public void truncate(long length) throws IOException {
        settle();
        ByteBuffer[] windows = openWindows();
        long end = this.length;
        if (length < 0 || length > end) {
            throw new IllegalArgumentException(
                    "cannot cut: file=" + name() + ", length=" + length + ", fileLength=" + end);
        }
        LENGTH.setRelease(this, length);
        try {
            cut(windows, length, end);
        } catch (IOException e) {
            LENGTH.setRelease(this, end); // as the file below: what is not cut wholly is as long as it was
            throw e;
        }
    }

    private void cut(ByteBuffer[] windows, long length, long end) throws IOException {
        long windowEnd = windowEnd(length);
        for (long offset = length; offset < Math.min(end, windowEnd); ) {
            int count = (int) Math.min(ZEROS.length, Math.min(end, windowEnd) - offset);
            file.write(offset, ZEROS, 0, count);
            offset += count;
        }
        if (file.length() > windowEnd) {
            this.windows = Arrays.copyOf(windows, Math.min(windows.length, (int) (windowEnd >>> windowShift)));
            mapped = Math.min(mapped, windowEnd);
            file.truncate(windowEnd);
        }
    }

    /**
     * Unmaps the file, so that a force finds no page that is mapped for writing: each of those it would write-protect, and
     * interrupt all processors that run threads of this process to make it known.
     */
    @Override
    public void endAccess() throws IOException {
        settle();
        windows = null; // first: a read that comes from now on finds nothing to touch
        memory.unmap();
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            endAccess();
        } finally {
            try {
                file.truncate(length);
            } finally {
                file.close();
            }
        }
    }

    private ByteBuffer[] openWindows() throws IOException {
        ByteBuffer[] open = windows;
        if (open == null) {
            throw new IOException("file is closed: file=" + name());
        }
        return open;
    }

    /** Has what comes up to {@code end} go through the channel, if writes are long, or maps the file that far. */
    private void makeRoom(long end) throws IOException {
        boolean isFirst = mapped == storedFrom && directTo == 0;
        int forced = forces.getAndSet(0);
        if (directTo > 0 || !isFirst && (mapped & windowMask) == 0) {
            windowsAhead.learn(forced >= FORCES_OF_SYNCED_WRITES, windowMask + 1 == MAX_WINDOW_LENGTH);
        }
        boolean areLong = windowMask + 1 == MAX_WINDOW_LENGTH
                && (isFirst
                        ? windowsAhead.areWritesLong()
                        : writtenBytes >= LONG_WRITE * writes && writtenBytes >= (long) LONG_BETWEEN_FORCES * forced);
        if (writtenBytes > windowMask / 2) {
            windowsAhead.learnLength(areLong);
        }
        writes = 0;
        writtenBytes = 0;
        if (areLong) {
            settle(); // if it could not be prepared, nothing is lost: the channel tells why when it is written to
            map(this.length & ~(long) windowMask); // readers of what is whole need no system calls
            directTo = windowEnd(end);
        } else {
            extend(end);
        }
    }

    /** Makes the file mapped up to {@code end} at least. */
    private void extend(long end) throws IOException {
        Throwable failedAhead = settle();
        if (mapped < end) {
            try {
                extendNow(end);
                growsBySteps |= (mapped & windowMask) != 0;
            } catch (IOException e) {
                if (failedAhead != null) {
                    e.addSuppressed(failedAhead);
                }
                throw e;
            }
        }
        // A file that grows step by step has filled its first window before it gets one ahead: small stores stay small.
        boolean isLong = !growsBySteps || end > windowMask + 1;
        if (isLong && mapped < aheadTo && (mapped & windowMask) == 0) {
            long start = mapped;
            ahead = windowsAhead.prepare(() -> prepareWindow(start));
        }
    }

    /** In the other thread. */
    private ByteBuffer prepareWindow(long start) throws IOException {
        zero(start + windowMask + 1);
        ByteBuffer window = MmapIoManager.map(file, memory, MapMode.READ_WRITE, start, windowMask + 1);
        byte[] scratchOfThisThread = new byte[2 * MappedMemory.SHORTEST_COPY];
        for (int position = 0; position <= windowMask; position += PAGE) {
            MappedMemory.store(window, position, ZEROS, 0, 1, scratchOfThisThread, this, start + position);
        }
        return window;
    }

    /**
     * Takes the window that was prepared ahead, if one was. Returns why it could not be prepared, if so: the writer then
     * tries itself, and meets the error if it is still there.
     */
    private @Nullable Throwable settle() {
        Future<ByteBuffer> prepared = ahead;
        if (prepared == null) {
            return null;
        }
        ahead = null;
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    append(prepared.get(), (int) (mapped >>> windowShift));
                    mapped += windowMask + 1;
                    return null;
                } catch (InterruptedException e) {
                    interrupted = true; // a window is a millisecond's work, and the writer has nothing without it
                } catch (ExecutionException e) {
                    return e.getCause();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void extendNow(long end) throws IOException {
        if (file.length() < end) {
            try {
                zero(spaceEnd(end));
            } catch (OutOfSpaceException e) {
                zero(end); // the last bytes of a disk
            }
        }
        map(end);
    }

    /** Writes zeros up to {@code end}, or gives back what it took. */
    private void zero(long end) throws IOException {
        long before = file.length();
        int atOnce = windowsAhead.areWritesForced() ? PAGE : ZEROS.length;
        try {
            for (long offset = before; offset < end; ) {
                int count = (int) Math.min(atOnce, end - offset);
                file.write(offset, ZEROS, 0, count);
                offset += count;
            }
        } catch (IOException e) {
            try {
                file.truncate(before);
            } catch (IOException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
    }

    private void map(long end) throws IOException {
        while (mapped < end) {
            int window = (int) (mapped >>> windowShift);
            long start = (long) window << windowShift;
            long stop = Math.min(file.length(), start + windowMask + 1);
            ByteBuffer mapping = MmapIoManager.map(file, memory, MapMode.READ_WRITE, start, stop - start);
            append(mapping, window);
            mapped = stop;
        }
    }

    private void append(ByteBuffer mapping, int window) {
        ByteBuffer[] before = windows;
        if (before == null) {
            throw new IllegalStateException("file is closed: file=" + name());
        }
        ByteBuffer[] more = Arrays.copyOf(before, window + 1);
        more[window] = mapping;
        windows = more;
    }

    /** Returns up to where a file that has to hold {@code end} bytes is made longer. */
    private long spaceEnd(long end) {
        long windowEnd = windowEnd(end);
        boolean isWhole = windowMask + 1 == MAX_WINDOW_LENGTH && windowsAhead.isAnyWindowFilled();
        if (windowEnd > windowMask + 1 || isWhole) {
            return windowEnd;
        }
        long space = FIRST_SPACE;
        while (space < end) {
            space *= 2;
        }
        return Math.min(space, windowEnd);
    }

    private long windowEnd(long length) {
        return (length + windowMask) & ~(long) windowMask;
    }

    private static int windowShift(long expectedLength) {
        if (expectedLength == 0) {
            return Integer.numberOfTrailingZeros(UNKNOWN_WINDOW_LENGTH);
        }
        long length = Math.max(MIN_WINDOW_LENGTH, Math.min(MAX_WINDOW_LENGTH, expectedLength));
        return Long.SIZE - Long.numberOfLeadingZeros(length - 1);
    }
}
