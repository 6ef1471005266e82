package dev.caskwright.api.spi.io;

import java.io.IOException;

/**
 * An open file that is written at absolute offsets, by one thread at a time, while any number of threads read what was
 * written before.
 *
 * <p>When a write returns, its bytes are with the operating system: they survive the death of the process. They survive
 * a power loss after {@link #force()}.
 *
 * <p>{@link #close()} gives back space that was held ready after the last written byte; after a crash such space may
 * remain, and reads as zeros.
 */
public interface WritableFile extends ReadableFile {
    /**
     * Writes {@code length} bytes at {@code offset}, which is at most the current {@link #length()}.
     *
     * @throws dev.caskwright.api.OutOfSpaceException if the file system is full: the bytes from {@code offset} on are
     *     undefined, everything before it is as it was, and the same offset may be written again
     */
    void write(long offset, byte[] source, int sourceOffset, int length) throws IOException;

    /**
     * Makes space past the end of the file ready by really writing zeros up to {@code length} bytes, so that the
     * forces that follow need not record a new length. It does not change {@link #length()}. A manager may do nothing.
     *
     * <p>One other thread than the writer's may call this at any time, beside reads, forces and writes. Zeros never come over
     * bytes that a write was given, whether it succeeded, failed, or is still under way: the file alone knows how far that
     * is. A write that ends after what is ready waits for no more than the piece that is being zeroed.
     *
     * @throws dev.caskwright.api.OutOfSpaceException if the file system is full; what was ready before stays so
     */
    void reserve(long length) throws IOException;

    /**
     * Makes all bytes written before this call survive a power loss. May run beside writes and reads. After an error it
     * is unknown what reached the disk, and calling again proves nothing.
     */
    void force() throws IOException;

    /**
     * Says that the file has got its last byte, and will not be read through this handle either: from now on it is only
     * forced and closed. A manager may give back what it held for writing.
     */
    default void endAccess() throws IOException {}

    /** Cuts the file to {@code length} bytes, no more than it has. */
    void truncate(long length) throws IOException;
}
