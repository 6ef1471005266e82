package dev.caskwright.api.spi;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A file of pages over a file that grows by what is appended: it writes the zeros it grows by. */
final class AppendedPagedFile implements PagedFile {
    private static final byte[] ZEROS = new byte[64 << 10];

    private final WritableFile file;

    AppendedPagedFile(WritableFile file) {
        this.file = file;
    }

    @Override
    public void grow(long length) throws IOException {
        long before = file.length();
        try {
            for (long end = before; end < length; ) {
                int count = (int) Math.min(ZEROS.length, length - end);
                file.write(end, ZEROS, 0, count);
                end += count;
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

    @Override
    public String name() {
        return file.name();
    }

    @Override
    public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
        return file.read(offset, target, targetOffset, length);
    }

    @Override
    public long length() throws IOException {
        return file.length();
    }

    @Override
    public boolean isMapped() {
        return file.isMapped();
    }

    @Override
    public @Nullable ByteBuffer map(long offset, int length) throws IOException {
        return file.map(offset, length);
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
        file.write(offset, source, sourceOffset, length);
    }

    @Override
    public void reserve(long length) throws IOException {
        file.reserve(length);
    }

    @Override
    public void force() throws IOException {
        file.force();
    }

    @Override
    public void endAccess() throws IOException {
        file.endAccess();
    }

    @Override
    public void truncate(long length) throws IOException {
        file.truncate(length);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
