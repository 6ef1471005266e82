package dev.caskwright.importer;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.Checksum;

/** A file that is read from its start to its end, and knows where it stands. For one thread. */
final class SourceFile implements Closeable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final Path path;
    private final InputStream in;
    private final long size;
    private long position;

    private SourceFile(Path path, InputStream in, long size) {
        this.path = path;
        this.in = in;
        this.size = size;
    }

    /** Opens a file, which must be a regular one: another kind might have no end, or none that comes. */
    static SourceFile open(Path path) throws IOException {
        checkRegular(path);
        return new SourceFile(
                path, new BufferedInputStream(Files.newInputStream(path), BUFFER_BYTES), Files.size(path));
    }

    static void checkRegular(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new NoSuchFileException(path.toString());
        }
        if (!Files.isRegularFile(path)) {
            throw new IOException("not a regular file: " + path);
        }
    }

    Path path() {
        return path;
    }

    long position() {
        return position;
    }

    /** Returns how many bytes there are behind the position. */
    long left() {
        return size - position;
    }

    /** Reads {@code length} bytes; an {@link EOFException} if there are fewer, before any memory is taken. */
    byte[] read(long length) throws IOException {
        if (length < 0 || length > left()) {
            throw new EOFException("cut short: " + length + " bytes wanted, " + left() + " left");
        }
        if (length > Integer.MAX_VALUE - 8) {
            throw new IOException("longer than an array: " + length + " bytes at " + position + " of " + path);
        }
        byte[] bytes = in.readNBytes((int) length);
        position += bytes.length;
        if (bytes.length < length) {
            throw new EOFException("the file became shorter while it was read: " + path);
        }
        return bytes;
    }

    /** Sums {@code length} bytes without keeping them, so that a damaged length takes no memory; an {@link EOFException} if there are fewer. */
    void sum(long length, Checksum sum) throws IOException {
        if (length < 0 || length > left()) {
            throw new EOFException("cut short: " + length + " bytes wanted, " + left() + " left");
        }
        byte[] piece = new byte[(int) Math.min(length, BUFFER_BYTES)];
        for (long end = position + length; position < end; ) {
            int read = in.read(piece, 0, (int) Math.min(piece.length, end - position));
            if (read < 0) {
                throw new EOFException("the file became shorter while it was read: " + path);
            }
            sum.update(piece, 0, read);
            position += read;
        }
    }

    int read() throws IOException {
        int value = in.read();
        if (value < 0) {
            throw new EOFException("cut short");
        }
        position++;
        return value;
    }

    void skip(long length) throws IOException {
        if (length < 0 || length > left()) {
            throw new EOFException("cut short: " + length + " bytes wanted, " + left() + " left");
        }
        in.skipNBytes(length);
        position += length;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
