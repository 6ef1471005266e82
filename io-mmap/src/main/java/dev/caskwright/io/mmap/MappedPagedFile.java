package dev.caskwright.io.mmap;

import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.PagedFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A file of pages that is written by calls of the system and can be read in place. */
final class MappedPagedFile extends ForwardingWritableFile implements PagedFile {
    private final PagedFile file;

    MappedPagedFile(PagedFile file) {
        super(file);
        this.file = file;
    }

    @Override
    public void grow(long length) throws IOException {
        file.grow(length);
    }

    @Override
    public boolean isMapped() {
        return true;
    }

    @Override
    public ByteBuffer map(long offset, int length) throws IOException {
        return MmapIoManager.mapForReading(file, offset, length);
    }
}
