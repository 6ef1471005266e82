package dev.caskwright.bitcask.log.scan;

import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.zip.CRC32C;

/**
 * Searches a data file for the next place at which a whole sound record starts. For one thread.
 *
 * <p>The work is in proportion to the bytes searched, however many headers in them are sound and claim bodies of whatever
 * length that are not: the checksum of a long body is put together from those of the file's blocks, each of which is read
 * once ({@link BlockChecksums}).
 */
public final class RecordSearch {
    private static final int FIRST_CHUNK = 4 << 10;
    private static final int LAST_CHUNK = 1 << 20;
    private static final int SHORT_BODY = 2 << 10;

    private final DataFile file;
    private final long end;
    private final CRC32C crc = new CRC32C();
    private final BlockChecksums blocks;
    private byte[] chunk = {};
    private long chunkAt;
    private int chunkSize; // so much was asked for
    private int chunkLength; // and so much was there

    /** Prepares to search a file up to an offset. */
    public RecordSearch(DataFile file, long end) {
        this.file = file;
        this.end = end;
        this.blocks = new BlockChecksums(file.handle(), end);
    }

    /** Returns the first offset from {@code from} on at which a whole sound record starts, or the end. */
    public long next(long from) throws IOException {
        // Damage is short as a rule, and there may be much of it: what is read ahead is in proportion to what was
        // searched, and what was read for one damaged record serves the next.
        int wanted = FIRST_CHUNK;
        for (long offset = from; offset < end; offset = chunkAt + usable()) {
            if (offset < chunkAt || offset >= chunkAt + usable()) {
                load(offset, wanted);
                wanted = Math.min(LAST_CHUNK, 2 * wanted);
            }
            for (int at = (int) (offset - chunkAt);
                    at < Math.min(usable(), chunkLength);
                    at += RecordFormat.ALIGNMENT) {
                if (isSound(at)) {
                    return chunkAt + at;
                }
            }
        }
        return end;
    }

    private void load(long offset, int wanted) throws IOException {
        chunkAt = offset;
        chunkSize = (int) Math.min(wanted, end - offset);
        if (chunk.length < chunkSize) {
            chunk = new byte[chunkSize];
        }
        chunkLength = 0;
        chunkLength = Math.max(0, file.handle().read(offset, chunk, 0, chunkSize));
    }

    /** The last places of a chunk are looked at again with what follows them, unless nothing does. */
    private int usable() {
        return chunkAt + chunkSize < end ? chunkSize - RecordFormat.LONGEST_HEADER : chunkSize;
    }

    /** Returns a scanner from an offset on that is to meet damage, which this search then skips. */
    public FileScanner scanner(long from) {
        return new FileScanner(file, from, end, blocks);
    }

    private boolean isSound(int at) throws IOException {
        long offset = chunkAt + at;
        int available = chunkLength - at;
        if (!RecordFormat.isHeaderSound(chunk, at, available, file.mask(offset), crc)
                || RecordFormat.recordLength(chunk, at) > end - offset) {
            return false;
        }
        int header = RecordFormat.headerLength(RecordFormat.kind(chunk, at));
        int body = (int) RecordFormat.bodyLength(chunk, at);
        return checksum(at, header, body, available) == RecordFormat.bodyChecksum(chunk, at);
    }

    private int checksum(int at, int header, int body, int available) throws IOException {
        if (body <= SHORT_BODY && header + body <= available) {
            crc.reset();
            crc.update(chunk, at + header, body);
            return (int) crc.getValue();
        }
        return blocks.checksum(chunkAt + at + header, body);
    }
}
