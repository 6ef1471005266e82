package dev.caskwright.io.mmap;

import dev.caskwright.api.spi.io.ReadableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A sealed file, mapped whole. Holds no descriptor.
 *
 * <p>In the page where somebody cut the file a mapping shows zeros up to the end of the page, and no fault. So where a read of
 * a few bytes ends with zeros, and the page goes on with nothing else, the next page is asked whether it is there. Longer
 * reads are of what has a checksum, which zeros do not pass; to look at the end of each costs a get 25 ns.
 */
final class MappedFile implements ReadableFile {
    /** Tells how long the file under the name is now. */
    @FunctionalInterface
    interface Length {
        long get() throws IOException;
    }

    private static final int PAGE = 4 << 10;
    private static final int CACHE_LINE = 64;

    private final String name;
    private final Length lengthNow;
    private final int length;
    private final MappedMemory memory;
    private volatile @Nullable ByteBuffer mapping;

    MappedFile(String name, MappedMemory memory, ByteBuffer mapping, Length lengthNow) {
        this.name = name;
        this.lengthNow = lengthNow;
        this.memory = memory;
        this.mapping = mapping;
        this.length = mapping.capacity();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public boolean isMapped() {
        return true;
    }

    @Override
    public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
        Objects.checkFromIndexSize(targetOffset, length, target.length);
        ByteBuffer source = mapping;
        if (source == null) {
            throw new IOException("file is closed: file=" + name);
        }
        if (offset >= this.length) {
            return 0;
        }
        if (offset < 0) {
            throw new IllegalArgumentException("negative offset: offset=" + offset);
        }
        int position = (int) offset;
        int count = Math.min(length, this.length - position);
        MappedMemory.load(source, position, target, targetOffset, count, this, offset);
        if (count < MappedMemory.SHORTEST_COPY
                && count > 0
                && target[targetOffset + count - 1] == 0
                && isCut(source, position + count)) {
            throw new IOException(
                    "read failed, file has become shorter: file=" + name + ", offset=" + offset + ", length=" + length);
        }
        return count;
    }

    @Override
    public int touch(long offset, int length) {
        ByteBuffer source = mapping;
        int sum = 0;
        if (source != null && offset >= 0 && length > 0 && offset <= this.length - length) {
            int end = (int) offset + length;
            for (int at = (int) offset; at < end; at += CACHE_LINE) {
                sum += source.get(at);
            }
            sum += source.get(end - 1);
        }
        return sum;
    }

    /** Returns whether the file ends in the page that ends after {@code end}, if there are only zeros up to there. */
    private boolean isCut(ByteBuffer source, int end) {
        int pageEnd = (int) Math.min((end + (long) PAGE - 1) & -PAGE, length);
        for (int at = end; at < pageEnd; at++) {
            if (source.get(at) != 0) {
                return false;
            }
        }
        if (pageEnd < length) {
            return !MappedMemory.isThere(source, pageEnd);
        }
        try {
            return lengthNow.get() < length;
        } catch (IOException e) {
            return false; // the name is gone, or the directory: then nobody can cut the file by it either
        }
    }

    @Override
    public void close() throws IOException {
        mapping = null; // first: a read that comes from now on finds nothing to touch
        memory.unmap();
    }
}
