package dev.caskwright.bitcask.log;

import java.io.IOException;
import java.util.zip.CRC32C;

/**
 * Searches a data file for the next place at which a whole sound record starts. For one thread.
 *
 * <p>The work is in proportion to the bytes searched, however many headers in them are sound and claim bodies of whatever
 * length that are not: the checksum of a long body is put together from those of the file's blocks, each of which is read
 * once ({@link BlockChecksums}).
 */
final class RecordSearch {
    private static final int FIRST_CHUNK = 4 << 10;
    private static final int LAST_CHUNK = 1 << 20;

    private final DataFile file;
    private final long end;
    private final CRC32C crc = new CRC32C();
    private final BlockChecksums blocks;

    /** Prepares to search a file up to an offset. */
    RecordSearch(DataFile file, long end) {
        this.file = file;
        this.end = end;
        this.blocks = new BlockChecksums(file.handle(), end);
    }

    /** Returns the first offset from {@code from} on at which a whole sound record starts, or the end. */
    long next(long from) throws IOException {
        // Damage is short as a rule, and there may be much of it: what is read ahead is in proportion to what was
        // searched.
        int wanted = FIRST_CHUNK;
        byte[] chunk = new byte[0];
        for (long offset = from; offset < end; ) {
            int size = (int) Math.min(wanted, end - offset);
            if (chunk.length < size) {
                chunk = new byte[size];
            }
            int length = file.handle().read(offset, chunk, 0, size);
            // The last places are looked at again with what follows them, unless nothing does.
            int usable = offset + size < end ? size - RecordFormat.LONG_HEADER : size;
            for (int at = 0; at < Math.min(usable, length); at += RecordFormat.ALIGNMENT) {
                if (isSound(chunk, at, length - at, offset + at)) {
                    return offset + at;
                }
            }
            offset += usable;
            wanted = Math.min(LAST_CHUNK, 2 * wanted);
        }
        return end;
    }

    /** Returns a scanner from an offset on that is to meet damage, which this search then leads behind. */
    FileScanner scanner(long from) {
        return new FileScanner(file, from, end, blocks);
    }

    private boolean isSound(byte[] chunk, int at, int available, long offset) throws IOException {
        if (!RecordFormat.isHeaderSound(chunk, at, available, file.mask(offset), crc)
                || RecordFormat.recordLength(chunk, at) > end - offset) {
            return false;
        }
        int header = RecordFormat.headerLength(RecordFormat.kind(chunk, at));
        int body = RecordFormat.keyLength(chunk, at) + RecordFormat.valueLength(chunk, at);
        return blocks.checksum(offset + header, body) == RecordFormat.bodyChecksum(chunk, at);
    }
}
