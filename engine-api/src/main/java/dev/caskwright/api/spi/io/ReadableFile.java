package dev.caskwright.api.spi.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * An open file that is read at absolute offsets.
 *
 * <p>Any number of threads may read at once. The owner closes the file only when no read is under way and none will
 * come: the engine proves that by its read epochs, and a manager may rely on it. A read that nevertheless comes after
 * {@link #close()} is an {@link IOException}.
 */
public interface ReadableFile extends Closeable {
    /** Returns the file's name within its directory. */
    String name();

    /**
     * Copies bytes from the file to {@code target} and returns how many: {@code length}, or fewer only where the file
     * ends. Behind the end of the file it is 0.
     *
     * @throws IOException if the system refuses, or the file has become shorter behind our back
     */
    int read(long offset, byte[] target, int targetOffset, int length) throws IOException;

    /**
     * Returns the length of the file in bytes. For a file being written that is the end of the last written byte;
     * space that a manager holds ready after it does not count.
     */
    long length() throws IOException;

    /** Returns whether a read is a memory copy, so that two small reads cost no more than one. */
    boolean isMapped();

    /**
     * Brings bytes that are read next into the processor's cache, if a read is a memory copy: several of these calls wait for
     * memory at the same time, which reads do less. What it returns means nothing. It may end in an {@link InternalError}, here or
     * later, if the file has become shorter; the read of the same bytes, which must follow, reports that as its error.
     */
    default int touch(long offset, int length) {
        return 0;
    }

    /**
     * Maps bytes that the file has, to be read in place, or returns null if this manager does not map this file. Later writes to
     * those bytes are seen through the buffer. It stays readable for as long as it is referred to, also after {@link #close()}.
     *
     * @param length at most 1 GiB
     */
    default @Nullable ByteBuffer map(long offset, int length) throws IOException {
        return null;
    }
}
