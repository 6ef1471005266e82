package dev.caskwright.io.mmap;

import dev.caskwright.api.spi.ReadableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A sealed file, mapped whole. Holds no descriptor. */
final class MappedFile implements ReadableFile {
    private final String name;
    private final int length;
    private final MappedMemory memory;
    private volatile @Nullable ByteBuffer mapping;

    MappedFile(String name, MappedMemory memory, ByteBuffer mapping) {
        this.name = name;
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
        return count;
    }

    @Override
    public void close() throws IOException {
        mapping = null; // first: a read that comes from now on finds nothing to touch
        memory.unmap();
    }
}
