package dev.caskwright.bitcask.log.scan;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.log.coding.RecordCipher;
import dev.caskwright.bitcask.log.coding.ValueCoding;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads the records of one file in order, in large pieces, verifying each. For one thread; the file must stay open.
 *
 * <p>A long record is verified piece by piece before memory is taken for it: its header may be right and what it speaks of
 * not there. A scanner of keys never takes that memory.
 */
public final class FileScanner implements RecordScanner {
    private static final int CHUNK = 64 << 10;
    private static final int LONG_RECORD = 1 << 20;
    /** A record longer than this is not read whole before it is known to be sound, where damage is expected. */
    private static final int DAMAGED_RECORD = 8 << 10;

    private final DataFile file;
    private final long end;
    private final boolean keysOnly;
    private final @Nullable ValueCoding coding;
    private long readTo;
    private final CRC32C crc = new CRC32C();
    private byte[] buffer;
    private byte[] piece = {}; // of a record that is not kept whole
    private long bufferOffset;
    private int bufferLength;
    private int at;
    private long next;
    private int length;
    private int kind;
    private byte[] shown = {}; // the array with the current record, as it is without encryption
    private int shownAt;
    private byte[] opened = {}; // of an encrypted record
    private @Nullable RecordCipher cipher; // made by the first
    private boolean isVersionPossible = true;
    private long lastVersion; // of the records read one after the other
    private @Nullable BlockChecksums checksums;
    private @Nullable RecordSearch search; // after damage; made by the first
    private @Nullable ReadableFile searched;

    /**
     * Scans the records that lie between two offsets, each the start of a record or the end of the last, for a caller that asks
     * for no value but as it is stored.
     */
    public FileScanner(DataFile file, long from, long to) {
        this(file, from, to, false, null);
    }

    /** As the other, for a caller that asks for values. */
    public FileScanner(DataFile file, long from, long to, ValueCoding coding) {
        this(file, from, to, false, coding);
    }

    private FileScanner(DataFile file, long from, long to, boolean keysOnly, @Nullable ValueCoding coding) {
        this.coding = coding;
        this.file = file;
        this.end = to;
        this.keysOnly = keysOnly;
        this.readTo = to;
        this.next = from;
        this.bufferOffset = from;
        this.buffer = new byte[(int) Math.min(CHUNK, Math.max(RecordFormat.LONGEST_HEADER, to - from))];
    }

    /** As the constructor, for a caller that asks for no value: long ones are verified and not kept. */
    public static FileScanner ofKeys(DataFile file, long from, long to) {
        return new FileScanner(file, from, to, true, null);
    }

    /**
     * As {@link #ofKeys}, for files in which much may be damaged: checksums of long records are
     * taken from {@code damageAhead}, so that many that are not sound do not cost the reading of each.
     */
    FileScanner(DataFile file, long from, long to, BlockChecksums damageAhead) {
        this(file, from, to, true, null);
        this.checksums = damageAhead;
    }

    @Override
    public long skipDamage() throws IOException {
        RecordSearch known = search;
        if (known == null || searched != file.handle()) {
            searched = file.handle(); // it is exchanged when the file is sealed
            known = new RecordSearch(file, end);
            search = known;
        }
        long broken = next;
        next = known.next(broken + RecordFormat.ALIGNMENT);
        return next - broken;
    }

    @Override
    public long liveBytes() {
        return Locator.size(locator());
    }

    /** Goes on at an offset after damage. */
    public void skipTo(long offset) {
        next = offset;
    }

    @Override
    public boolean next() throws IOException {
        if (next >= end) {
            return false;
        }
        if (!tryNext()) {
            throw file.corrupt("bad record", next, "file length=" + end);
        }
        return true;
    }

    @Override
    public void seek(long locator) throws IOException {
        next = Locator.offset(locator);
        lastVersion = 0;
        bufferOffset = next;
        bufferLength = 0;
        readTo = Math.min(end, next + Locator.size(locator));
        if (!next()) {
            throw file.corrupt("record ends past the end of its file", next, "length=" + end);
        }
    }

    @Override
    public boolean nextInBuffer() throws IOException {
        if (file.key() != null) {
            return false; // each is decrypted to the same array
        }
        int start = (int) (next - bufferOffset);
        // The length is not verified yet: it only decides whether to look at the record now or by a call of next().
        // Damage
        // is left to next(), which reports it after the sound records before it.
        return start + RecordFormat.LONG_HEADER <= bufferLength
                && RecordFormat.recordLength(buffer, start) <= bufferLength - start
                && tryNext();
    }

    /** Moves to the next record if a sound one is there; otherwise stays, and {@link #nextOffset()} tells where. */
    public boolean tryNext() throws IOException {
        if (next >= end) {
            return false;
        }
        int header = (int) Math.min(RecordFormat.LONG_HEADER, end - next);
        fill(header);
        if (header == RecordFormat.LONG_HEADER
                && bufferLength - at >= header
                && (RecordFormat.kind(buffer, at) & (RecordFormat.CODED | RecordFormat.ENCRYPTED)) != 0) {
            fill((int) Math.min(RecordFormat.LONGEST_HEADER, end - next));
        }
        int available = bufferLength - at;
        if (!RecordFormat.isHeaderSound(buffer, at, available, file.mask(next), crc)) {
            return false;
        }
        long recordLength = RecordFormat.recordLength(buffer, at);
        if (recordLength > end - next) {
            return false;
        }
        isVersionPossible = hasPossibleVersion();
        boolean mayBeSound = isVersionPossible
                && (checksums == null || recordLength <= DAMAGED_RECORD || isSoundByBlocks(checksums));
        if (!mayBeSound || !fillSound((int) recordLength)) {
            return false;
        }
        kind = RecordFormat.kind(buffer, at);
        shown = buffer;
        shownAt = at;
        if ((file.key() != null || (kind & RecordFormat.ENCRYPTED) != 0) && !isDecrypted()) {
            return false;
        }
        length = (int) recordLength;
        next += length;
        if (isPut() || isTombstone()) {
            lastVersion = RecordFormat.version(buffer, at);
        }
        return true;
    }

    /**
     * Shows the record as it is without encryption. Its checksums are right: if it does not decrypt, nothing has torn it, but
     * somebody changed it. That is damage wherever it is, also at the end of the log; whoever goes on after damage passes it
     * over.
     */
    private boolean isDecrypted() throws CorruptRecordException {
        try {
            decrypt();
            return true;
        } catch (CorruptRecordException e) {
            if (checksums == null) {
                throw e;
            }
            return false;
        }
    }

    private void decrypt() throws CorruptRecordException {
        int type = kind & RecordFormat.KIND_MASK;
        boolean isEncrypted = (kind & RecordFormat.ENCRYPTED) != 0;
        boolean isEntry = type == RecordFormat.PUT || type == RecordFormat.DELETE;
        if (isEncrypted != (isEntry && file.key() != null)) {
            throw file.corrupt("a record is encrypted and its file is not, or the other way round", next, "");
        }
        if (!isEncrypted) {
            return;
        }
        RecordCipher known = cipher;
        if (known == null) {
            known = new RecordCipher();
            cipher = known;
        }
        int plainLength = (int) RecordCipher.plainLength(buffer, at);
        if (opened.length < plainLength || (opened.length > LONG_RECORD && plainLength <= LONG_RECORD)) {
            opened = new byte[Math.max(plainLength, (int) Math.min(CHUNK, end))];
        }
        known.decrypt(buffer, at, opened, file, next);
        shown = opened;
        shownAt = 0;
        kind &= ~RecordFormat.ENCRYPTED;
    }

    /** A right checksum does not make a version possible. Those that writers write grow from record to record. */
    private boolean hasPossibleVersion() {
        int type = RecordFormat.kind(buffer, at) & RecordFormat.KIND_MASK;
        if (type != RecordFormat.PUT && type != RecordFormat.DELETE) {
            return true;
        }
        long version = RecordFormat.version(buffer, at);
        return file.canHaveVersion(version) && (file.isMerged() || version > lastVersion);
    }

    /** Fetches the record whose header is in the buffer, or its head; returns whether its body is sound. */
    private boolean fillSound(int recordLength) throws IOException {
        boolean leavesValueOut = keysOnly && file.key() == null; // or the key would not decrypt
        if (recordLength > (leavesValueOut ? CHUNK : LONG_RECORD)) {
            if (!isLongBodySound()) {
                return false;
            }
            if (leavesValueOut) {
                return true;
            }
        }
        fill(recordLength);
        return bufferLength - at >= recordLength && isBodySound();
    }

    /** Verifies a body of which the buffer will have the key only. */
    private boolean isLongBodySound() throws IOException {
        int headerLength = RecordFormat.headerLength(RecordFormat.kind(buffer, at));
        int head = headerLength + RecordFormat.keyLength(buffer, at);
        fill(head);
        if (bufferLength - at < head) {
            return false;
        }
        if (piece.length == 0) {
            piece = new byte[CHUNK];
        }
        crc.reset();
        crc.update(buffer, at + headerLength, head - headerLength);
        long bodyEnd = next + headerLength + RecordFormat.bodyLength(buffer, at);
        for (long offset = next + head; offset < bodyEnd; offset += CHUNK) {
            int wanted = (int) Math.min(CHUNK, bodyEnd - offset);
            if (file.handle().read(offset, piece, 0, wanted) < wanted) {
                return false;
            }
            crc.update(piece, 0, wanted);
        }
        return (int) crc.getValue() == RecordFormat.bodyChecksum(buffer, at);
    }

    private boolean isSoundByBlocks(BlockChecksums known) throws IOException {
        int header = RecordFormat.headerLength(RecordFormat.kind(buffer, at));
        int bodyLength = (int) RecordFormat.bodyLength(buffer, at);
        return known.checksum(next + header, bodyLength) == RecordFormat.bodyChecksum(buffer, at);
    }

    private boolean isBodySound() {
        int start = at + RecordFormat.headerLength(RecordFormat.kind(buffer, at));
        int bodyLength = (int) RecordFormat.bodyLength(buffer, at);
        crc.reset();
        crc.update(buffer, start, bodyLength);
        return (int) crc.getValue() == RecordFormat.bodyChecksum(buffer, at);
    }

    /** Makes {@code wanted} bytes from the next offset on lie in the buffer, at {@code at}, if the file has them. */
    private void fill(int wanted) throws IOException {
        long position = next - bufferOffset;
        at = (int) position;
        if (position + wanted <= bufferLength) {
            return;
        }
        int kept = Math.max(0, bufferLength - at);
        byte[] target = wanted <= buffer.length ? buffer : new byte[Math.max(wanted, CHUNK)];
        if (kept > 0) {
            System.arraycopy(buffer, at, target, 0, kept);
        }
        buffer = target;
        bufferOffset = next;
        at = 0;
        if (next + wanted > readTo) {
            readTo = end; // no longer the one record that was sought
        }
        int more = (int) Math.min(buffer.length - kept, readTo - next - kept);
        bufferLength = kept + Math.max(0, file.handle().read(next + kept, buffer, kept, more));
    }

    /** Returns whether the current record lies in the buffer whole; a scanner of keys leaves long values out. */
    public boolean isWhole() {
        return shown != buffer || bufferLength - at >= length;
    }

    /** Returns whether what lies between the current record's body and the next record is zeros, as it was written. */
    public boolean isPaddingSound() throws IOException {
        int bodyEnd =
                RecordFormat.headerLength(RecordFormat.kind(buffer, at)) + (int) RecordFormat.bodyLength(buffer, at);
        byte[] source = buffer;
        int from = at + bodyEnd;
        int count = length - bodyEnd;
        if (bufferLength - at < length) {
            source = new byte[count];
            from = 0;
            file.handle().read(offset() + bodyEnd, source, 0, count);
        }
        for (int i = 0; i < count; i++) {
            if (source[from + i] != 0) {
                return false;
            }
        }
        return true;
    }

    /** Returns where the next record starts, or should. */
    public long nextOffset() {
        return next;
    }

    /** Returns where the current record starts. */
    public long offset() {
        return next - length;
    }

    /** Returns the length of the current record in the file, padding included. */
    public int length() {
        return length;
    }

    /** Returns the length of the current record in {@link #buffer}, which is shorter if it is encrypted in the file. */
    public int shownLength() {
        return shown == buffer ? length : (int) RecordFormat.recordLength(shown, shownAt);
    }

    /** Returns kind and flags of the current record, as they are without encryption. */
    public int kind() {
        return kind;
    }

    @Override
    public boolean isPut() {
        return (kind & RecordFormat.KIND_MASK) == RecordFormat.PUT;
    }

    @Override
    public boolean isTombstone() {
        return (kind & RecordFormat.KIND_MASK) == RecordFormat.DELETE;
    }

    @Override
    public boolean isInBatch() {
        return (kind & RecordFormat.IN_BATCH) != 0;
    }

    public boolean isBatchEnd() {
        return kind == RecordFormat.BATCH_END;
    }

    public boolean isEndOfFile() {
        return kind == RecordFormat.END_OF_FILE;
    }

    @Override
    public long version() {
        return RecordFormat.version(shown, shownAt);
    }

    @Override
    public long expiresAt() {
        return RecordFormat.expiresAt(shown, shownAt);
    }

    /** Returns whether the last header that was sound had a version that a record can have there. */
    public boolean isVersionSound() {
        return isVersionPossible;
    }

    public int distance() {
        return RecordFormat.distance(buffer, at);
    }

    public int headerChecksum() {
        return (int) RecordFormat.INT.get(buffer, at);
    }

    /** The first integer of a batch end's value: how many records the batch has. */
    public int batchCount() {
        return (int) RecordFormat.INT.get(buffer, at + RecordFormat.SHORT_HEADER);
    }

    /** The second integer of a batch end's value: the checksum of its records' header checksums. */
    public int batchChecksum() {
        return (int) RecordFormat.INT.get(buffer, at + RecordFormat.SHORT_HEADER + Integer.BYTES);
    }

    @Override
    public long locator() {
        return Locator.of(file.slot(), offset(), length, (kind & RecordFormat.EXPIRES) != 0);
    }

    @Override
    public byte[] buffer() {
        return shown;
    }

    public int recordStart() {
        return shownAt;
    }

    @Override
    public int keyOffset() {
        return shownAt + RecordFormat.headerLength(kind);
    }

    @Override
    public int keyLength() {
        return RecordFormat.keyLength(shown, shownAt);
    }

    @Override
    public int valueOffset() {
        return keyOffset() + keyLength();
    }

    @Override
    public int valueLength() {
        return RecordFormat.valueLength(shown, shownAt);
    }

    @Override
    public byte[] key() {
        return Arrays.copyOfRange(shown, keyOffset(), keyOffset() + keyLength());
    }

    @Override
    public long coding() {
        return RecordFormat.coding(shown, shownAt);
    }

    @Override
    public byte[] decoded(long valueCoding, byte[] source, int offset, int length, long locator) throws IOException {
        ValueCoding codecs = coding;
        if (codecs == null) {
            throw new IllegalStateException("this scanner knows no codecs");
        }
        return codecs.decode(valueCoding, source, offset, length, file, Locator.offset(locator));
    }

    @Override
    public byte[] value() throws IOException {
        long valueCoding = coding();
        if (valueCoding != 0) {
            return decoded(valueCoding, shown, valueOffset(), valueLength(), locator());
        }
        return Arrays.copyOfRange(shown, valueOffset(), valueOffset() + valueLength());
    }
}
