package dev.caskwright.bitcask.log.check;

import dev.caskwright.api.spi.io.ForwardingReadableFile;
import dev.caskwright.api.spi.io.ReadableFile;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A file on a disk that may refuse some of its blocks: what cannot be read is zeros, which are never taken for a record.
 * For one thread. Closing it closes the disk's file.
 */
public final class LenientFile extends ForwardingReadableFile {
    private static final int BLOCK = 4096;

    private @Nullable IOException failure;

    public LenientFile(ReadableFile file) {
        super(file);
    }

    /** Returns the last failure since the last call of this method, or null if everything could be read since then. */
    public @Nullable IOException takeFailure() {
        IOException last = failure;
        failure = null;
        return last;
    }

    @Override
    public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
        try {
            return super.read(offset, target, targetOffset, length);
        } catch (IOException e) {
            return readBlocks(offset, target, targetOffset, length, e);
        }
    }

    private int readBlocks(long offset, byte[] target, int targetOffset, int length, IOException cause)
            throws IOException {
        int wanted = (int) Math.max(0, Math.min(length, length() - offset));
        for (int done = 0; done < wanted; ) {
            if (Thread.currentThread().isInterrupted()) {
                throw cause; // perhaps there is nothing wrong with the disk
            }
            int block = (int) Math.min(wanted - done, BLOCK - (offset + done) % BLOCK);
            Arrays.fill(target, targetOffset + done, targetOffset + done + block, (byte) 0);
            try {
                super.read(offset + done, target, targetOffset + done, block);
            } catch (IOException e) {
                Arrays.fill(target, targetOffset + done, targetOffset + done + block, (byte) 0);
                failure = e;
            }
            done += block;
        }
        return wanted;
    }
}
