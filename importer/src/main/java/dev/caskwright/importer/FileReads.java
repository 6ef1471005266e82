package dev.caskwright.importer;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Reads parts of files that were there when somebody asked how long the file is. For any thread. */
public final class FileReads {
    private FileReads() {}

    /**
     * Returns {@code length} bytes from {@code offset} on.
     *
     * @param path what the error calls the file
     * @throws EOFException if they are not there: somebody makes the file shorter
     */
    public static byte[] read(FileChannel channel, Path path, long offset, int length) throws IOException {
        byte[] array = new byte[length];
        read(channel, path, offset, array, length);
        return array;
    }

    /** As the other, into the beginning of an array. */
    static void read(FileChannel channel, Path path, long offset, byte[] target, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(target, 0, length);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, offset + bytes.position()) < 0) {
                throw new EOFException("the file became shorter while it was read: " + path);
            }
        }
    }
}
