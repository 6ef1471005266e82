package dev.caskwright.bitcask.log.read;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.bitcask.log.coding.RecordCipher;
import dev.caskwright.bitcask.log.coding.ValueCoding;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.FileSlots;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Fetches one record after another, verifies it, and gives access to its parts. Reused from read to read, so that a read
 * allocates only what it returns; for one thread at a time, inside a read epoch.
 *
 * <p>A record is fetched whole with one read of the size in its locator. Only long values (those of a mapped file from 4 KiB
 * on, others from 64 KiB) are left where they are and go straight to where the caller wants them: no value is held twice,
 * and the buffer stays small. When records are asked for in the order in which they
 * lie, as a walk along the keys does after a full merge, more and more of what follows is fetched with each: records do not
 * change.
 *
 * <pre>
 * buffer   | ...  | header | key | value |  ...  |
 *                 ^ at     ^ keyStart            ^ buffered
 * file            ^ offset               ^ nextOffset
 * </pre>
 */
public final class LocatorReader implements RecordReader {
    private static final byte[] NOTHING = {};
    private static final int FIRST_BUFFER = 1 << 10;
    private static final int KEPT_BUFFER = 64 << 10;
    private static final int LONG_MAPPED_RECORD = 4 << 10;
    private static final int LONG_RECORD = KEPT_BUFFER;
    private static final int SMALLEST_PIECE = 16 << 10;

    /** A longer value is verified before memory is taken for it. */
    private static final int LONG_VALUE = 16 << 20;

    private static final int SHORTEST_AHEAD = 1 << 10;
    private static final int LONGEST_AHEAD = 16 << 10;

    private final FileSlots slots;
    private final ValueCoding coding;
    private final CRC32C crc = new CRC32C();
    private byte[] buffer = new byte[FIRST_BUFFER];
    private byte @Nullable [] single; // the buffer, while records that were fetched together are in its place
    private @Nullable Fetched fetched;
    private DataFile file;
    private long offset;
    private long nextOffset = -1;
    private int ahead;
    private int at;
    private int buffered;
    private int keyStart;
    private int keyLength;
    private int storedLength; // of the value
    private int valueLength;
    private byte[] decoded = NOTHING; // a value that is held
    private byte[] opened = NOTHING; // takes the next record that is decrypted, and is the buffer then
    private @Nullable RecordCipher cipher; // made by the first
    private byte[] held = NOTHING; // the buffer, or what is decoded

    @SuppressWarnings("NullAway.Init") // there is no file before the first read
    public LocatorReader(FileSlots slots, ValueCoding coding) {
        this.slots = slots;
        this.coding = coding;
    }

    @Override
    public void read(long locator) throws IOException {
        DataFile fileBefore = file;
        long offsetBefore = offset;
        file = slots.file(locator);
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
        if (wanted > LONG_MAPPED_RECORD && (wanted > LONG_RECORD || handle.isMapped()) && file.key() == null) {
            nextOffset = -1;
            fetchHead(handle, wanted);
            return;
        }
        ahead = isNext ? Math.min(LONGEST_AHEAD, Math.max(SHORTEST_AHEAD, 2 * ahead)) : 0;
        fetch(handle, (int) Math.min(left, Math.max(wanted, ahead)));
    }

    @Override
    public void readKey(long locator, int expectedKeyLength) throws IOException {
        file = slots.file(locator);
        offset = Locator.offset(locator);
        nextOffset = -1;
        long size = Locator.size(locator);
        if (file.key() == null) {
            size = Math.min(size, (long) RecordFormat.LONGEST_HEADER + expectedKeyLength);
        }
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
            throw file.corrupt("locator leads past the end of its file", offset, "length=" + file.length());
        }
        if (buffer.length < length) {
            buffer = new byte[Math.max(length, Math.min(2 * buffer.length, KEPT_BUFFER))];
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
        int kind = RecordFormat.kind(buffer, at);
        if ((kind & RecordFormat.ENCRYPTED) != 0 || file.key() != null) {
            kind = decrypt(kind);
        }
        keyStart = at + RecordFormat.headerLength(kind);
        keyLength = RecordFormat.keyLength(buffer, at);
        storedLength = RecordFormat.valueLength(buffer, at);
        valueLength = storedLength;
        if ((kind & RecordFormat.CODED) != 0) {
            valueLength = RecordFormat.decodedLength(RecordFormat.coding(buffer, at));
        }
    }

    /**
     * Puts the record into the buffer as it is without encryption, whole, verified, and with nothing after it; returns its
     * kind. The array with the encrypted one takes the next record, unless it has others that were fetched with it.
     */
    private int decrypt(int kind) throws IOException {
        int type = kind & RecordFormat.KIND_MASK;
        if ((kind & RecordFormat.ENCRYPTED) == 0) {
            if (type == RecordFormat.PUT || type == RecordFormat.DELETE) {
                throw file.corrupt("a record is not encrypted, and its file is", offset, "");
            }
            return kind;
        }
        if (file.key() == null) {
            throw file.corrupt("a record is encrypted, and its file is not", offset, "");
        }
        nextOffset = -1;
        long length = RecordFormat.recordLength(buffer, at);
        byte[] source = buffer;
        int from = at;
        if (length > buffered - at) {
            source = wholeRecord(length);
            from = 0;
        }
        verifyBodyChecksum(source, from);
        int plainLength = (int) RecordCipher.plainLength(source, from);
        byte[] target = opened;
        if (target.length < plainLength) {
            target = new byte[Math.max(plainLength, Math.min(2 * target.length, KEPT_BUFFER))];
        }
        RecordCipher known = cipher;
        if (known == null) {
            known = new RecordCipher();
            cipher = known;
        }
        known.decrypt(source, from, target, file, offset);
        if (single == null) {
            opened = source.length <= KEPT_BUFFER ? source : NOTHING;
        } else {
            opened = target; // the next one comes from the array with the others
        }
        buffer = target;
        at = 0;
        buffered = plainLength;
        return kind & ~RecordFormat.ENCRYPTED;
    }

    /** Reads a record, of which the buffer has the head only, into an array of its own. */
    private byte[] wholeRecord(long length) throws IOException {
        checkExtent();
        byte[] whole = new byte[(int) length];
        int read = file.handle().read(offset, whole, 0, whole.length);
        if (read < whole.length) {
            throw file.corrupt("record is cut short", offset, "read=" + read + " bytes");
        }
        if (!RecordFormat.isHeaderSound(whole, 0, read, file.mask(offset), crc)
                || RecordFormat.recordLength(whole, 0) != length) {
            throw file.corrupt("bad header checksum", offset, "read=" + read + " bytes");
        }
        return whole;
    }

    private void verifyBodyChecksum(byte[] record, int from) throws IOException {
        crc.reset();
        int header = RecordFormat.headerLength(RecordFormat.kind(record, from));
        crc.update(record, from + header, (int) RecordFormat.bodyLength(record, from));
        int expected = RecordFormat.bodyChecksum(record, from);
        if ((int) crc.getValue() != expected) {
            throw badChecksum(expected);
        }
    }

    @Override
    public int readAll(long[] locators, int from, int count) throws IOException {
        Fetched records = fetched;
        if (records == null) {
            records = new Fetched();
            fetched = records;
        }
        int looked = records.plan(slots, locators, from, count);
        records.touch(looked);
        for (int i = 0; i < looked; i++) {
            if (records.lengths[i] > 0) {
                records.lengths[i] = records.files[i]
                        .handle()
                        .read(records.offsets[i], records.bytes, records.starts[i], records.lengths[i]);
            }
        }
        return looked;
    }

    @Override
    public boolean open(int i) throws IOException {
        Fetched records = fetched;
        if (records == null || records.lengths[i] <= 0) {
            return false;
        }
        if (single == null) {
            single = buffer;
        }
        buffer = records.bytes;
        file = records.files[i];
        offset = records.offsets[i];
        nextOffset = -1;
        at = records.starts[i];
        buffered = at + records.lengths[i];
        openRecord();
        return true;
    }

    @Override
    public void closeAll() {
        byte[] own = single;
        if (own != null) {
            buffer = own;
            single = null;
            at = 0;
            buffered = 0;
            keyStart = 0;
            keyLength = 0;
        }
        nextOffset = -1;
        if (fetched != null) {
            fetched.clear();
        }
    }

    /** Records that are fetched together, one after the other. */
    private static final class Fetched {
        private static final int RECORDS = 64;

        private final DataFile[] files = new DataFile[RECORDS];
        private final long[] offsets = new long[RECORDS];
        private final int[] starts = new int[RECORDS];
        private final int[] lengths = new int[RECORDS]; // 0 for those that are not fetched
        private byte[] bytes = {};

        @SuppressWarnings("UnusedVariable") // keeps the loads from being left out
        private int touched;

        /** Says which records are fetched, and to where; returns how many locators it looked at. */
        int plan(FileSlots slots, long[] locators, int from, int count) throws CorruptRecordException {
            int total = 0;
            int looked = 0;
            for (int most = Math.min(count, RECORDS); looked < most; looked++) {
                long locator = locators[from + looked];
                lengths[looked] = 0;
                if (locator == KeyIndex.ABSENT) {
                    continue;
                }
                DataFile file = slots.file(locator);
                long offset = Locator.offset(locator);
                long length = Math.min(Locator.size(locator), file.length() - offset);
                if (length > LONG_MAPPED_RECORD || length <= 0) {
                    continue;
                }
                if (total + length > KEPT_BUFFER) {
                    break;
                }
                files[looked] = file;
                offsets[looked] = offset;
                starts[looked] = total;
                lengths[looked] = (int) length;
                total += (int) length;
            }
            if (bytes.length < total) {
                bytes = new byte[Math.min(KEPT_BUFFER, Math.max(total, 2 * bytes.length))];
            }
            return looked;
        }

        /** Loads that do not wait for each other: a processor has many of them under way, but only a few copies. */
        void touch(int count) {
            int sum = 0;
            for (int i = 0; i < count; i++) {
                if (lengths[i] > 0) {
                    sum += files[i].handle().touch(offsets[i], lengths[i]);
                }
            }
            touched = sum;
        }

        /** Lets go of files, which may be closed from now on. */
        void clear() {
            Arrays.fill(files, null);
        }
    }

    @Override
    public boolean hasKey(byte[] key, int keyOffset, int length) {
        return length == keyLength
                && keyStart + keyLength <= buffered
                && Arrays.equals(buffer, keyStart, keyStart + keyLength, key, keyOffset, keyOffset + length);
    }

    @Override
    public boolean isPut() {
        return (RecordFormat.kind(buffer, at) & RecordFormat.KIND_MASK) == RecordFormat.PUT;
    }

    /** A tombstone's value would be an empty one that nobody wrote. */
    private void requirePut() throws CorruptRecordException {
        if (!isPut()) {
            throw file.corrupt("record is no put", offset, "kind=" + RecordFormat.kind(buffer, at));
        }
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

    /** Returns whether the value of the record, a put, is stored by a codec. */
    private boolean isCoded() throws CorruptRecordException {
        int kind = RecordFormat.kind(buffer, at) & (RecordFormat.KIND_MASK | RecordFormat.CODED);
        if (kind == RecordFormat.PUT) {
            return false;
        }
        requirePut();
        return true;
    }

    @Override
    public byte[] value() throws IOException {
        if (isCoded()) {
            return decodedValue();
        }
        int start = keyStart + keyLength;
        byte[] value;
        if (start + storedLength <= buffered) {
            verifyBody();
            value = Arrays.copyOfRange(buffer, start, start + storedLength);
        } else {
            value = longValue(start);
        }
        dropLargeBuffer();
        return value;
    }

    /** Reads a value, as it is stored, that is not in the buffer. */
    private byte[] longValue(int start) throws IOException {
        checkExtent();
        if (storedLength > LONG_VALUE) {
            readValue(null); // the header may be right and the value not there
            verifyBodyChecksum();
        }
        byte[] value = new byte[storedLength];
        int read = file.handle().read(offset + start - at, value, 0, storedLength);
        crc.reset();
        crc.update(buffer, keyStart, keyLength);
        crc.update(value, 0, read);
        verifyBodyChecksum();
        return value;
    }

    private byte[] decodedValue() throws IOException {
        long coding = RecordFormat.coding(buffer, at);
        int start = keyStart + keyLength;
        byte[] value;
        if (start + storedLength <= buffered) {
            verifyBody();
            value = this.coding.decode(coding, buffer, start, storedLength, file, offset);
        } else {
            value = this.coding.decode(coding, longValue(start), 0, storedLength, file, offset);
        }
        dropLargeBuffer();
        return value;
    }

    @Override
    public int holdValue() throws IOException {
        boolean isCoded = isCoded();
        int start = keyStart + keyLength;
        if (start + storedLength > buffered || (isCoded && valueLength > KEPT_BUFFER)) {
            return -1;
        }
        verifyBody();
        held = buffer;
        return isCoded ? holdDecoded(start) : start;
    }

    private int holdDecoded(int start) throws IOException {
        if (decoded.length < valueLength) {
            decoded = new byte[Math.max(valueLength, Math.min(2 * decoded.length, KEPT_BUFFER))];
        }
        this.coding.decode(RecordFormat.coding(buffer, at), buffer, start, storedLength, decoded, 0, file, offset);
        held = decoded;
        return 0;
    }

    @Override
    public byte[] buffer() {
        return held;
    }

    @Override
    public void copyValue(ByteBuffer target) throws IOException {
        if (isCoded()) {
            copyDecoded(target);
            return;
        }
        int start = keyStart + keyLength;
        if (start + storedLength <= buffered) {
            verifyBody();
            target.put(buffer, start, storedLength);
        } else {
            checkExtent();
            int position = target.position();
            boolean isSound = false;
            try {
                readValue(target);
                verifyBodyChecksum();
                isSound = true;
            } finally {
                if (!isSound) {
                    target.position(position);
                }
            }
        }
        dropLargeBuffer();
    }

    private void copyDecoded(ByteBuffer target) throws IOException {
        int at = holdValue();
        if (at < 0) {
            target.put(decodedValue());
        } else {
            target.put(held, at, valueLength);
        }
    }

    @Override
    public void verify() throws IOException {
        if (keyStart + keyLength + storedLength <= buffered) {
            verifyBody();
        } else {
            checkExtent();
            readValue(null);
            verifyBodyChecksum();
        }
        dropLargeBuffer();
    }

    private void checkExtent() throws IOException {
        if (offset + RecordFormat.recordLength(buffer, at) > file.length()) {
            throw file.corrupt("record ends past the end of its file", offset, "length=" + file.length());
        }
    }

    /** Reads the value in pieces after the key in the buffer, for the checksum and, if there is one, the target. */
    private void readValue(@Nullable ByteBuffer target) throws IOException {
        int start = keyStart + keyLength;
        if (buffer.length < start + SMALLEST_PIECE) {
            buffer = Arrays.copyOf(buffer, Math.max(KEPT_BUFFER, start + SMALLEST_PIECE));
        }
        buffered = start; // what is after the key from here on is not what follows it in the file
        crc.reset();
        crc.update(buffer, keyStart, keyLength);
        int piece;
        for (int done = 0; done < storedLength; done += piece) {
            piece = Math.min(buffer.length - start, storedLength - done);
            int read = file.handle().read(offset + start - at + done, buffer, start, piece);
            if (read < piece) {
                throw file.corrupt("record is cut short", offset, "read=" + (start - at + done + read) + " bytes");
            }
            crc.update(buffer, start, piece);
            if (target != null) {
                target.put(buffer, start, piece);
            }
        }
    }

    private void verifyBody() throws IOException {
        crc.reset();
        crc.update(buffer, keyStart, keyLength + storedLength);
        verifyBodyChecksum();
    }

    private void verifyBodyChecksum() throws IOException {
        int expected = RecordFormat.bodyChecksum(buffer, at);
        if ((int) crc.getValue() != expected) {
            throw badChecksum(expected);
        }
    }

    private CorruptRecordException badChecksum(int expected) {
        return file.corrupt(
                "bad checksum",
                offset,
                "expected=" + Integer.toHexString(expected) + ", found=" + Integer.toHexString((int) crc.getValue()));
    }

    @Override
    public long memoryBytes() {
        Fetched records = fetched;
        byte[] own = single;
        return (long) (own == null ? buffer : own).length
                + decoded.length
                + opened.length
                + (records == null ? 0 : records.bytes.length);
    }

    /** A long key must not leave its buffer here for ever: there are as many readers as sessions. */
    private void dropLargeBuffer() {
        if (buffer.length > KEPT_BUFFER) {
            buffer = new byte[FIRST_BUFFER];
            buffered = 0;
            at = 0;
            keyLength = 0;
        }
    }
}
