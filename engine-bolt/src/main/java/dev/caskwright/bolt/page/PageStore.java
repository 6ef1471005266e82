package dev.caskwright.bolt.page;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.io.ReadableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads the pages of a file: in place where the IO manager maps it, otherwise as copies.
 *
 * <p>The file is mapped in windows of 64 MiB, over bytes that exist only. When it has grown, more windows are added, and the last
 * one is mapped again if it was not whole; none is ever unmapped while the file is open. So growth waits for no reader, and no
 * reader for growth. A run that lies in two windows is copied.
 *
 * <p>Reading is safe for any number of threads; {@link #cover} and {@link #covered} are for one at a time.
 */
public final class PageStore {
    private static final int WINDOW_SHIFT = 26;
    private static final int WINDOW_MASK = (1 << WINDOW_SHIFT) - 1;

    private static final int LINE_LENGTH = 64;
    private static final int MAX_FETCHED_LENGTH = 4096;
    private static final int FIRST_FETCHED_LENGTH = 24 * LINE_LENGTH; // while the header is on its way

    private final ReadableFile file;
    private final int pageSize;
    private final ByteOrder order;
    private volatile ByteBuffer @Nullable [] windows;
    private long covered; // as cover, for one thread at a time

    public PageStore(ReadableFile file, int pageSize, ByteOrder order) {
        this.file = file;
        this.pageSize = pageSize;
        this.order = order;
    }

    /** Returns the length of a page in bytes. */
    public int pageSize() {
        return pageSize;
    }

    /** Returns the byte order of the file. */
    public ByteOrder order() {
        return order;
    }

    /** Returns the windows that the file is mapped in, null if it is not. */
    ByteBuffer @Nullable [] windows() {
        return windows;
    }

    /** Returns the window that a place in the file lies in. */
    static int window(long offset) {
        return (int) (offset >>> WINDOW_SHIFT);
    }

    /** Returns where in its window a place in the file lies. */
    static int indexInWindow(long offset) {
        return (int) offset & WINDOW_MASK;
    }

    /** Returns the name of the file. */
    public String name() {
        return file.name();
    }

    /**
     * Maps what the file has got since the last call, if its IO manager maps files. If that fails, what was covered before is still,
     * and no more.
     */
    public void cover(long length) throws IOException {
        ByteBuffer[] known = windows;
        int whole = (int) (length >>> WINDOW_SHIFT);
        int rest = (int) length & WINDOW_MASK;
        int count = whole + (rest == 0 ? 0 : 1);
        int kept = 0;
        if (known != null) {
            while (kept < Math.min(known.length, count)
                    && known[kept].capacity() == (kept < whole ? WINDOW_MASK + 1 : rest)) {
                kept++;
            }
        }
        ByteBuffer[] more = known == null ? new ByteBuffer[count] : Arrays.copyOf(known, count);
        for (int i = kept; i < count; i++) {
            ByteBuffer window = file.map((long) i << WINDOW_SHIFT, i < whole ? WINDOW_MASK + 1 : rest);
            if (window == null) {
                covered = Long.MAX_VALUE; // not a manager that maps: what exists can be read
                return;
            }
            more[i] = window.order(order);
        }
        windows = more;
        covered = length;
    }

    /** Returns up to which length of the file pages can be read. */
    public long covered() {
        return covered;
    }

    /**
     * Points at a branch or leaf page.
     *
     * @param highWater pages from this one on do not exist
     */
    public void read(long id, long highWater, Page into) throws IOException {
        if (id < 2 || id >= highWater) {
            throw into.corrupt("no such page", "wanted=" + Long.toUnsignedString(id) + ", highWater=" + highWater);
        }
        long offset = id * pageSize;
        ByteBuffer[] mapped = windows;
        if (mapped == null) {
            readCopy(id, highWater, into);
            return;
        }
        try {
            readMapped(mapped, id, highWater, into);
        } catch (InternalError e) {
            throw new IOException(
                    "file was cut short while it was open: file=" + file.name() + ", offset=" + offset, e);
        }
    }

    private void readMapped(ByteBuffer[] mapped, long id, long highWater, Page into) throws IOException {
        long offset = id * pageSize;
        ByteBuffer window = mapped[(int) (offset >>> WINDOW_SHIFT)];
        int start = (int) offset & WINDOW_MASK;
        long length = runLength(id, highWater, window.getInt(start + PageFormat.OVERFLOW_OFFSET), into);
        if (start + length <= window.capacity()) {
            into.point(window, start, (int) length, id, offset);
        } else {
            into.point(copy(offset, (int) length), 0, (int) length, id, offset);
        }
    }

    /**
     * Reads a byte of each cache line of a page that is likely to be searched, where the file is mapped.
     *
     * @param highWater pages from this one on do not exist
     * @return a number that depends on what was read, so that the reads are not left out
     */
    public long fetch(long id, long highWater) {
        ByteBuffer[] mapped = windows;
        if (mapped == null || id < 2 || id >= highWater) {
            return 0; // reading the page says what is wrong with it
        }
        long offset = id * pageSize;
        return fetch(mapped[window(offset)], indexInWindow(offset), pageSize);
    }

    /**
     * Reads a byte of each cache line at the start of a page, of a leaf up to its last value. The processor then waits for all of
     * them at once, and not for one after another as a search would. What the page says is not checked, and only decides how much
     * is read of it.
     */
    static long fetch(ByteBuffer window, int start, int pageSize) {
        int end = Math.min(start + Math.min(pageSize, MAX_FETCHED_LENGTH), window.capacity() - Long.BYTES);
        int first = Math.min(end, start + FIRST_FETCHED_LENGTH);
        long sum = 0;
        int at = start;
        for (; at < first; at += LINE_LENGTH) {
            sum ^= Bytes.getLong(window, at);
        }
        int header = (int) Bytes.getLong(window, start + PageFormat.FLAGS_OFFSET);
        int last = (header >>> Short.SIZE) * PageFormat.ELEMENT_LENGTH; // the page header is as long as an element
        if ((header & 0xFFFF) == PageFormat.LEAF && last < first - start) {
            int element = start + last;
            long lengths = Bytes.getLong(window, element + PageFormat.LEAF_KEY_LENGTH_OFFSET);
            long used = element
                    + (Bytes.getLong(window, element) >>> Integer.SIZE)
                    + (lengths & 0xFFFFFFFFL)
                    + (lengths >>> Integer.SIZE);
            end = (int) Math.min(end, used);
        }
        for (; at < end; at += LINE_LENGTH) {
            sum ^= Bytes.getLong(window, at);
        }
        return sum;
    }

    private void readCopy(long id, long highWater, Page into) throws IOException {
        long offset = id * pageSize;
        ByteBuffer first = copy(offset, pageSize);
        long length = runLength(id, highWater, first.getInt(PageFormat.OVERFLOW_OFFSET), into);
        into.point(length == pageSize ? first : copy(offset, (int) length), 0, (int) length, id, offset);
    }

    private long runLength(long id, long highWater, int overflow, Page into) throws IOException {
        long pages = (overflow & 0xFFFFFFFFL) + 1;
        if (pages > highWater - id || pages * pageSize > Integer.MAX_VALUE - 8) {
            throw into.corrupt("run is too long", "wanted=" + id + ", pages=" + pages + ", highWater=" + highWater);
        }
        return pages * pageSize;
    }

    /** Returns a copy of bytes that exist, in the byte order of the file. */
    public ByteBuffer copy(long offset, int length) throws IOException {
        byte[] bytes;
        try {
            bytes = new byte[length];
        } catch (OutOfMemoryError e) {
            throw new EngineException(
                    ErrorCode.OUT_OF_MEMORY,
                    Outcome.NOT_APPLIED,
                    "a run of pages does not fit into the heap: file=" + file.name() + ", offset=" + offset
                            + ", length=" + length + "; give the JVM a greater heap, or map the file",
                    e);
        }
        copy(offset, bytes, length);
        return ByteBuffer.wrap(bytes).order(order);
    }

    /** Copies bytes that exist to the start of an array. */
    public void copy(long offset, byte[] bytes, int length) throws IOException {
        int read = file.read(offset, bytes, 0, length);
        if (read < length) {
            throw new IOException("file was cut short: file=" + file.name() + ", offset=" + offset + ", wanted="
                    + length + ", found=" + read);
        }
    }
}
