package dev.caskwright.api.spi.io;

import java.io.IOException;

/** A file of pages over a file that grows by what is appended: it writes the zeros that it grows by. */
final class AppendedPagedFile extends ForwardingWritableFile implements PagedFile {
    private static final byte[] ZEROS = new byte[64 << 10];

    AppendedPagedFile(WritableFile file) {
        super(file);
    }

    @Override
    public void grow(long length) throws IOException {
        long before = length();
        try {
            for (long end = before; end < length; ) {
                int count = (int) Math.min(ZEROS.length, length - end);
                write(end, ZEROS, 0, count);
                end += count;
            }
        } catch (IOException e) {
            try {
                truncate(before);
            } catch (IOException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
    }
}
