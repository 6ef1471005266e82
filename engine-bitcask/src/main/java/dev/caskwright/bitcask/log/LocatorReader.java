package dev.caskwright.bitcask.log;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.RecordReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Fetches one record after another, verifies it, and gives access to its parts. Reused from read to read, so that a read
 * allocates only what it returns; for one thread at a time, inside a read epoch.
 *
 * <p>A record is fetched whole with one read of the size in its locator. Only the long values of a mapped file are left
 * where they are and copied straight to where the caller wants them. When records are asked for in the order in which they
 * lie, as a walk along the keys does after a full merge, more and more of what follows is fetched with each: records do not
 * change.
 *
 * <pre>
 * buffer   | ...  | header | key | value |  ...  |
 *                 ^ at     ^ keyStart            ^ buffered
 * file            ^ offset               ^ nextOffset
 * </pre>
 */
final class LocatorReader implements RecordReader {
    private static final int KEPT_BUFFER = 64 << 10;
    private static final int LONG_MAPPED_RECORD = 4 << 10;
    private static final int SHORTEST_AHEAD = 1 << 10;
    private static final int LONGEST_AHEAD = 16 << 10;

    private final SegmentedLog log;
    private final CRC32C crc = new CRC32C();
    private byte[] buffer = new byte[1024];
    private DataFile file;
    private long offset;
    private long nextOffset = -1;
    private int ahead;
    private int at;
    private int buffered;
    private int keyStart;
    private int keyLength;
    private int valueLength;

    @SuppressWarnings("NullAway.Init") // there is no file before the first read
    LocatorReader(SegmentedLog log) {
        this.log = log;
    }

    @Override
    public void read(long locator) throws IOException {
        DataFile fileBefore = file;
        long offsetBefore = offset;
        file = log.file(locator);
        offset = Locator.offset(locator);
        long size = Locator.size(locator);
        boolean isNext = offset == nextOffset && file == fileBefore;
        nextOffset = offset + size;
        long left = file.length() - offset;
        int wanted = (int) Math.min(size, left);
        if (isNext && offset - offsetBefore + size <= buffered - at) {
            at += (int) (offset - offsetBefore);
            openRecord();
            return;
        }
        ReadableFile handle = file.handle();
        if (wanted > LONG_MAPPED_RECORD && handle.isMapped()) {
            nextOffset = -1;
            fetchHead(handle, wanted);
            return;
        }
        ahead = isNext ? Math.min(LONGEST_AHEAD, Math.max(SHORTEST_AHEAD, 2 * ahead)) : 0;
        fetch(handle, (int) Math.min(left, Math.max(wanted, ahead)));
    }

    @Override
    public void readKey(long locator, int expectedKeyLength) throws IOException {
        file = log.file(locator);
        offset = Locator.offset(locator);
        nextOffset = -1;
        long size = Math.min(Locator.size(locator), (long) RecordFormat.LONG_HEADER + expectedKeyLength);
        fetch(file.handle(), (int) Math.min(size, file.length() - offset));
    }

    private void fetchHead(ReadableFile handle, int size) throws IOException {
        fetch(handle, Math.min(size, 256));
        int head = keyStart + keyLength;
        if (head > buffered) {
            fetch(handle, head);
        }
    }

    private void fetch(ReadableFile handle, int length) throws IOException {
        if (length < 0) {
            throw file.corrupt("locator leads behind its file", offset, "length=" + file.length());
        }
        if (buffer.length < length) {
            buffer = new byte[Math.max(length, 2 * Math.min(buffer.length, KEPT_BUFFER))];
        }
        at = 0;
        buffered = 0; // unless the read succeeds
        buffered = handle.read(offset, buffer, 0, length);
        openRecord();
    }

    private void openRecord() throws IOException {
        if (!RecordFormat.isHeaderSound(buffer, at, buffered - at, file.mask(offset), crc)) {
            throw file.corrupt("bad header checksum", offset, "read=" + (buffered - at) + " bytes");
        }
        keyStart = at + RecordFormat.headerLength(RecordFormat.kind(buffer, at));
        keyLength = RecordFormat.keyLength(buffer, at);
        valueLength = RecordFormat.valueLength(buffer, at);
    }

    @Override
    public boolean hasKey(byte[] key, int keyOffset, int length) {
        return length == keyLength
                && keyStart + keyLength <= buffered
                && Arrays.equals(buffer, keyStart, keyStart + keyLength, key, keyOffset, keyOffset + length);
    }

    @Override
    public long version() {
        return RecordFormat.version(buffer, at);
    }

    @Override
    public long expiresAt() {
        return RecordFormat.expiresAt(buffer, at);
    }

    @Override
    public CorruptRecordException wrongKey() {
        return file.corrupt("record has another key", offset, "");
    }

    @Override
    public int valueLength() {
        return valueLength;
    }

    @Override
    public byte[] value() throws IOException {
        int start = keyStart + keyLength;
        byte[] value;
        if (start + valueLength <= buffered) {
            verifyBody();
            value = Arrays.copyOfRange(buffer, start, start + valueLength);
        } else {
            checkExtent();
            value = new byte[valueLength];
            int read = file.handle().read(offset + start - at, value, 0, valueLength);
            crc.reset();
            crc.update(buffer, keyStart, keyLength);
            crc.update(value, 0, read);
            verifyBodyChecksum();
        }
        dropLargeBuffer();
        return value;
    }

    @Override
    public void copyValue(ByteBuffer target) throws IOException {
        int start = keyStart + keyLength;
        if (start + valueLength > buffered) {
            checkExtent();
            fetchRest();
        }
        verifyBody();
        target.put(buffer, start, valueLength);
        dropLargeBuffer();
    }

    @Override
    public void verify() throws IOException {
        if (keyStart + keyLength + valueLength > buffered) {
            checkExtent();
            fetchRest();
        }
        verifyBody();
        dropLargeBuffer();
    }

    private void checkExtent() throws IOException {
        if (offset + RecordFormat.recordLength(buffer, at) > file.length()) {
            throw file.corrupt("record ends behind its file", offset, "length=" + file.length());
        }
    }

    private void fetchRest() throws IOException {
        fetch(file.handle(), keyStart - at + keyLength + valueLength);
        if (buffered < keyStart + keyLength + valueLength) {
            throw file.corrupt("record is cut short", offset, "read=" + buffered + " bytes");
        }
    }

    private void verifyBody() throws IOException {
        crc.reset();
        crc.update(buffer, keyStart, keyLength + valueLength);
        verifyBodyChecksum();
    }

    private void verifyBodyChecksum() throws IOException {
        int expected = RecordFormat.bodyChecksum(buffer, at);
        if ((int) crc.getValue() != expected) {
            throw file.corrupt(
                    "bad checksum",
                    offset,
                    "expected=" + Integer.toHexString(expected) + ", found="
                            + Integer.toHexString((int) crc.getValue()));
        }
    }

    /** One huge value must not leave its buffer with the thread for ever. */
    private void dropLargeBuffer() {
        if (buffer.length > 16 * KEPT_BUFFER) {
            buffer = new byte[KEPT_BUFFER];
            buffered = 0;
            at = 0;
            keyLength = 0;
        }
    }
}
