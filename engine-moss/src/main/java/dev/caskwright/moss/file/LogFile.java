package dev.caskwright.moss.file;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.moss.memory.LittleEndian;
import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;

/** A log file that is appended to, by one thread at a time; another may force it meanwhile. */
public final class LogFile implements Closeable {
    private static final int LONGEST_KEPT = 1 << 20;

    /** From here on, a call that writes a record costs less than fresh pages of a mapped file, and the zeros in them. */
    private static final int LONG_RECORD = 4 << 10;

    private final long storeId;
    private final long number;
    private final WritableFile file;
    private byte[] record = new byte[1 << 12];
    private long length = LogFormat.HEADER_LENGTH;
    private long lastVersion;

    /**
     * Creates a file with its header. Its name is durable after the directory was forced.
     *
     * @param expectedLength the length of the first record's body, in bytes: others are expected to be like it
     */
    public LogFile(IoManager io, long storeId, long number, int expectedLength) throws IOException {
        this.storeId = storeId;
        this.number = number;
        String name = FileNames.log(number);
        this.file = expectedLength < LONG_RECORD ? io.create(name, 0) : io.createSequential(name, 0);
        byte[] header = new byte[LogFormat.HEADER_LENGTH];
        LittleEndian.putLong(header, 0, LogFormat.MAGIC);
        LittleEndian.putInt(header, Long.BYTES, LogFormat.VERSION);
        LittleEndian.putLong(header, LogFormat.STORE_OFFSET, storeId);
        LittleEndian.putLong(header, LogFormat.NUMBER_OFFSET, number);
        int checksum = Sealed.checksum(storeId, number, 0, header, 0, LogFormat.HEADER_CHECKSUM_OFFSET);
        LittleEndian.putInt(header, LogFormat.HEADER_CHECKSUM_OFFSET, checksum);
        try {
            file.write(0, header, 0, header.length);
        } catch (Throwable e) {
            try {
                file.close();
                io.delete(name);
            } catch (IOException suppressed) {
                e.addSuppressed(suppressed);
            }
            throw e;
        }
    }

    /**
     * Appends a record. If this fails, {@link #undo} must succeed before anything else is appended.
     *
     * @param durableVersion how far the store is known to survive a power loss
     */
    public void append(byte[] body, int bodyLength, long firstVersion, long last, long durableVersion)
            throws IOException {
        int whole = Math.addExact(LogFormat.HEAD_LENGTH, bodyLength);
        if (record.length < whole) {
            record = new byte[(int) Math.min(Integer.MAX_VALUE - Long.BYTES, Math.max(whole, 2L * record.length))];
        }
        byte[] target = record;
        Arrays.fill(target, 0, LogFormat.HEAD_LENGTH, (byte) 0);
        System.arraycopy(body, 0, target, LogFormat.HEAD_LENGTH, bodyLength);
        int bodyChecksum = Sealed.checksum(storeId, number, length, target, LogFormat.HEAD_LENGTH, bodyLength);
        LittleEndian.putInt(target, LogFormat.BODY_CHECKSUM_OFFSET, bodyChecksum);
        LittleEndian.putInt(target, LogFormat.BODY_LENGTH_OFFSET, bodyLength);
        LittleEndian.putLong(target, LogFormat.FIRST_OFFSET, firstVersion);
        LittleEndian.putLong(target, LogFormat.LAST_OFFSET, last);
        LittleEndian.putLong(target, LogFormat.DURABLE_OFFSET, durableVersion);
        int headChecksum =
                Sealed.checksum(storeId, number, length, target, Integer.BYTES, LogFormat.HEAD_LENGTH - Integer.BYTES);
        LittleEndian.putInt(target, 0, headChecksum);
        file.write(length, target, 0, whole);
        length += whole;
        lastVersion = last;
        if (record.length > LONGEST_KEPT) {
            record = new byte[1 << 12];
        }
    }

    /** Cuts off what a failed append may have left, so that it does not come back when the log is read. */
    public void undo() throws IOException {
        // The file may not have grown: then there is nothing to cut.
        if (file.length() > length) {
            file.truncate(length);
        }
    }

    /** Forces what was appended before. */
    public void force() throws IOException {
        file.force();
    }

    /** Returns the file's number. */
    public long number() {
        return number;
    }

    /** Returns the file's length in bytes. */
    public long length() {
        return length;
    }

    /** Returns the version of the last write in the file, or 0. */
    public long lastVersion() {
        return lastVersion;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
