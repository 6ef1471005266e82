package dev.caskwright.cli.inspect;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** A file that is read through a window, whatever its length. Numbers are little-endian. For one thread. */
public final class FileWindow implements Closeable {
    /** How many bytes are held. */
    public static final int LENGTH = 256 << 10;

    private static final int CHECKSUM_PIECE = 64 << 10;

    private final FileChannel channel;
    private final long length;
    private final byte[] bytes = new byte[LENGTH];
    private final ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    private long start;
    private int count;

    private FileWindow(FileChannel channel) throws IOException {
        this.channel = channel;
        this.length = channel.size();
    }

    /** Opens a regular file. What is appended to it later is not seen. */
    public static FileWindow open(Path file) throws IOException {
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new NoSuchFileException(file.toString());
        }
        if (!Files.isRegularFile(file)) {
            throw new IOException("not a regular file: " + file);
        }
        return new FileWindow(FileChannel.open(file, StandardOpenOption.READ));
    }

    long length() {
        return length;
    }

    /** Makes bytes of the file lie in the window; returns whether the file has them all. */
    boolean has(long offset, int wanted) throws IOException {
        if (wanted > LENGTH || offset < 0 || wanted > length - offset) {
            return false;
        }
        if (offset >= start && offset + wanted <= start + count) {
            return true;
        }
        start = offset;
        count = 0;
        ByteBuffer target = ByteBuffer.wrap(bytes);
        while (target.hasRemaining()) {
            int read = channel.read(target, start + count);
            if (read <= 0) {
                break;
            }
            count += read;
        }
        return wanted <= count;
    }

    private int at(long offset, int wanted) throws IOException {
        if (!has(offset, wanted)) {
            throw new IOException("the file became shorter while it was read: offset=" + offset);
        }
        return (int) (offset - start);
    }

    int byteAt(long offset) throws IOException {
        return bytes[at(offset, 1)] & 0xFF;
    }

    int shortAt(long offset) throws IOException {
        return Short.toUnsignedInt(view.getShort(at(offset, Short.BYTES)));
    }

    int intAt(long offset) throws IOException {
        return view.getInt(at(offset, Integer.BYTES));
    }

    long longAt(long offset) throws IOException {
        return view.getLong(at(offset, Long.BYTES));
    }

    /** Returns a copy of so many bytes, no more than the window holds and the file has. */
    byte[] copy(long offset, long wanted) throws IOException {
        int fitting = (int) Math.max(0, Math.min(Math.min(wanted, LENGTH), length - offset));
        int from = fitting == 0 ? 0 : at(offset, fitting);
        return Arrays.copyOfRange(bytes, from, from + fitting);
    }

    /** Returns the CRC-32C of bytes that the file has, however many. */
    int checksum(long offset, long wanted) throws IOException {
        CRC32C crc = new CRC32C();
        update(crc, offset, wanted);
        return (int) crc.getValue();
    }

    void update(CRC32C crc, long offset, long wanted) throws IOException {
        for (long done = 0; done < wanted; ) {
            int piece = (int) Math.min(CHECKSUM_PIECE, wanted - done);
            crc.update(bytes, at(offset + done, piece), piece);
            done += piece;
        }
    }

    /** Returns where the first byte from here on is that is not zero; the length of the file if there is none. */
    long skipZeros(long offset) throws IOException {
        long at = offset;
        while (at < length && byteAt(at) == 0) {
            at++;
        }
        return at;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
