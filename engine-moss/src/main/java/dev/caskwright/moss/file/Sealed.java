package dev.caskwright.moss.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.moss.memory.LittleEndian;
import java.io.IOException;
import java.util.zip.CRC32C;

/**
 * Checksums of pieces of files. Each is CRC-32C over the store's number, the file's number, the place of the piece in
 * the file, and the piece itself; so a piece of another store, another file or another place is no sound one.
 */
public final class Sealed {
    private static final int SEED_LENGTH = 3 * Long.BYTES;

    private Sealed() {}

    /** Returns the checksum of a piece. */
    static int checksum(long storeId, long fileNumber, long place, byte[] bytes, int offset, int length) {
        byte[] seed = new byte[SEED_LENGTH];
        LittleEndian.putLong(seed, 0, storeId);
        LittleEndian.putLong(seed, Long.BYTES, fileNumber);
        LittleEndian.putLong(seed, 2 * Long.BYTES, place);
        CRC32C crc = new CRC32C();
        crc.update(seed, 0, SEED_LENGTH);
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    /** Reads so many bytes, or says that the file ends before. */
    static byte[] read(ReadableFile file, long offset, int length) throws IOException {
        byte[] bytes = new byte[length];
        readFully(file, offset, bytes, length);
        return bytes;
    }

    static void readFully(ReadableFile file, long offset, byte[] target, int length) throws IOException {
        int count = file.read(offset, target, 0, length);
        if (count < length) {
            throw new CorruptRecordException(
                    "file ends too early", file.name(), offset, "needed=" + length + ", found=" + count);
        }
    }

    static CorruptRecordException damaged(String file, long offset, int expected, int found) {
        return new CorruptRecordException(
                "bad checksum", file, offset, String.format("expected=%08x, found=%08x", expected, found));
    }
}
