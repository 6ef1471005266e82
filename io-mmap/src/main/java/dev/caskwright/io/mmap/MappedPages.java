package dev.caskwright.io.mmap;

import dev.caskwright.api.spi.io.ForwardingReadableFile;
import dev.caskwright.api.spi.io.ReadableFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A file of pages that is only read, in place. */
final class MappedPages extends ForwardingReadableFile {
    MappedPages(ReadableFile file) {
        super(file);
    }

    @Override
    public boolean isMapped() {
        return true;
    }

    @Override
    public ByteBuffer map(long offset, int length) throws IOException {
        return MmapIoManager.mapForReading(delegate(), offset, length);
    }
}
