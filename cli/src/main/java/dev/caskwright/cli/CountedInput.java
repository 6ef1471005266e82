package dev.caskwright.cli;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Input that counts what was read of it. One thread reads, any may ask. */
final class CountedInput extends FilterInputStream {
    private volatile long count;

    CountedInput(InputStream in) {
        super(in);
    }

    long count() {
        return count;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // by the thread that reads only
    public int read() throws IOException {
        int read = super.read();
        count += read < 0 ? 0 : 1;
        return read;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // by the thread that reads only
    public int read(byte[] target, int offset, int length) throws IOException {
        int read = super.read(target, offset, length);
        count += Math.max(0, read);
        return read;
    }
}
