package dev.caskwright.bitcask.log.merge;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.log.MergeOutput;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.bitcask.log.coding.RecordCipher;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Unneeded;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.hint.HintBuilder;
import dev.caskwright.bitcask.log.hint.HintFile;
import dev.caskwright.bitcask.log.scan.FileScanner;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that a merge writes. Records are copied as they are, body checksum included; only the header is new, for
 * the new place. A store that recodes codes the values again. Whatever records were encrypted by, they are encrypted by
 * what this opening encrypts by, or not at all: that is how keys are changed. For one thread.
 *
 * <p>It is written in long pieces that end at multiples of their length, since the kernel keeps a file in such pieces as it
 * was written in, and reads at random from long ones wait less for memory.
 */
public final class MergedFile implements MergeOutput {
    private static final int PIECE = 2 << 20;
    /** Takes a piece and the end of a record that goes beyond it. */
    private static final int LONGEST_CHUNK = PIECE + (64 << 10);

    private final IoManager io;
    private final StoreId store;
    private final DataFile file;
    private final long maxFileBytes;
    private final HintBuilder hints;
    private final @Nullable Sources sources;
    private final @Nullable Unneeded unneeded;
    private final @Nullable Recoding recoding;
    private final CRC32C crc = new CRC32C();
    private final EncodedDraft tombstone = new EncodedDraft();
    private final @Nullable RecordCipher cipher;
    private byte[] encrypted = {}; // an encrypted record
    private byte[] chunk = new byte[4 << 10]; // grows up to LONGEST_CHUNK, or to a longer record
    private int filled;
    private long written;

    /**
     * Writes to a file that has its header and nothing else yet.
     *
     * @param recoding makes the records that are copied; null if they stay as they are
     */
    public MergedFile(
            IoManager io,
            StoreId store,
            DataFile file,
            long maxFileBytes,
            Unneeded unneeded,
            @Nullable Recoding recoding) {
        this(io, store, file, maxFileBytes, new Sources(io, file.id()), unneeded, recoding);
    }

    /** As the other one, but does not note where records were. */
    public MergedFile(IoManager io, StoreId store, DataFile file, long maxFileBytes) {
        this(io, store, file, maxFileBytes, null, null, null);
    }

    private MergedFile(
            IoManager io,
            StoreId store,
            DataFile file,
            long maxFileBytes,
            @Nullable Sources sources,
            @Nullable Unneeded unneeded,
            @Nullable Recoding recoding) {
        this.hints = new HintBuilder(io, store, file);
        this.sources = sources;
        this.unneeded = unneeded;
        this.recoding = recoding;
        this.io = io;
        this.store = store;
        this.file = file;
        this.maxFileBytes = maxFileBytes;
        this.cipher = file.key() == null ? null : new RecordCipher();
        this.written = file.start();
    }

    @Override
    public DataFile segment() {
        return file;
    }

    @Override
    public boolean hasRoomFor(RecordScanner scanner) {
        long length = written + filled;
        FileScanner record = (FileScanner) scanner;
        long added = recoding == null ? record.length() : Recoding.mostLength(record);
        if (cipher != null) {
            added += RecordCipher.MOST_ADDED;
        }
        return length == file.start() || length + added <= maxFileBytes;
    }

    @Override
    public void copy(RecordScanner record) throws IOException {
        FileScanner scanner = (FileScanner) record;
        EncodedDraft recoded = recoding == null || !scanner.isPut() ? null : recoding.recoded(scanner);
        if (recoded != null) {
            copy(recoded, scanner.locator());
            return;
        }
        int length = scanner.shownLength();
        int at = room(length);
        System.arraycopy(scanner.buffer(), scanner.recordStart(), chunk, at, length);
        int header = RecordFormat.headerLength(RecordFormat.kind(chunk, at));
        int end = at + header + (int) RecordFormat.bodyLength(chunk, at);
        Arrays.fill(chunk, end, at + length, (byte) 0); // the padding, whatever was there
        // The record stands for itself now: its batch was whole, or it would not be in the index.
        chunk[at + RecordFormat.KIND_OFFSET] &= (byte) ~RecordFormat.IN_BATCH;
        complete(at, length, scanner.locator());
    }

    private void copy(EncodedDraft record, long source) throws IOException {
        int length = (int) record.length();
        int at = room(length);
        int copied = record.copiedLength();
        System.arraycopy(record.bytes(), 0, chunk, at, copied);
        System.arraycopy(record.longValue(), record.longValueOffset(), chunk, at + copied, record.longValueLength());
        Arrays.fill(chunk, at + copied + record.longValueLength(), at + length, (byte) 0); // the padding
        record.clear();
        complete(at, length, source);
    }

    @Override
    public void copyAsTombstone(RecordScanner scanner) throws IOException {
        tombstone.delete(scanner.key());
        tombstone.place(scanner.version(), RecordFormat.DISTANCE_UNKNOWN, 0);
        int length = (int) tombstone.length();
        int at = room(length);
        System.arraycopy(tombstone.bytes(), 0, chunk, at, length);
        complete(at, length, 0);
    }

    private int room(int length) {
        if (filled + length > chunk.length) {
            chunk = Arrays.copyOf(chunk, Math.max(filled + length, Math.min(LONGEST_CHUNK, 2 * chunk.length)));
        }
        return filled;
    }

    /** Completes the record at a place of the chunk, which is not encrypted yet. */
    private void complete(int at, int plainLength, long source) throws IOException {
        long offset = written + at;
        RecordFormat.SHORT.set(chunk, at + RecordFormat.DISTANCE_OFFSET, (short) RecordFormat.DISTANCE_UNKNOWN);
        int length = plainLength;
        if (cipher == null) {
            RecordFormat.INT.set(
                    chunk,
                    at + RecordFormat.HEADER_CHECKSUM_OFFSET,
                    RecordFormat.headerChecksum(chunk, at, file.mask(offset), crc));
        } else {
            length = (int) RecordCipher.encryptedLength(chunk, at);
            encrypted = encrypted.length < length ? new byte[length] : encrypted;
            cipher.encrypt(chunk, at, encrypted, 0, file, offset);
        }
        int kind = RecordFormat.kind(chunk, at);
        boolean isPut = (kind & RecordFormat.KIND_MASK) == RecordFormat.PUT;
        long locator = Locator.of(file.slot(), offset, length, (kind & RecordFormat.EXPIRES) != 0);
        hints.add(
                isPut ? RecordFormat.PUT : RecordFormat.DELETE,
                Locator.withoutSlot(locator),
                (kind & RecordFormat.EXPIRES) == 0 ? 0 : RecordFormat.expiresAt(chunk, at),
                chunk,
                at + RecordFormat.headerLength(kind),
                RecordFormat.keyLength(chunk, at));
        file.noteVersion(RecordFormat.version(chunk, at));
        if (sources != null) {
            sources.add(source);
        }
        if (cipher != null) {
            room(length);
            System.arraycopy(encrypted, 0, chunk, at, length); // the hints have got the key
        }
        filled += length;
        long pieces = (written + filled) / PIECE * PIECE;
        if (pieces > written) {
            flush((int) (pieces - written));
        }
    }

    private void flush(int length) throws IOException {
        file.writable().write(written, chunk, 0, length);
        written += length;
        filled -= length;
        System.arraycopy(chunk, length, chunk, 0, filled);
        file.extendTo(written);
    }

    @Override
    public void finish() throws IOException {
        flush(filled);
        chunk = new byte[0]; // the outputs of a merge are many
        encrypted = chunk;
        file.writable().force();
        file.setExpiries(hints.expiries());
        try {
            hints.writeOnce(io, store, file);
        } catch (IOException e) {
            // A cache: the file counts without, and is read instead.
            logger().warn("a merged file goes without a hint file, opening may take longer: {}", e.toString());
        }
        if (sources != null) {
            sources.finish();
        }
        file.markSealed();
        // Nothing refers to the file yet, so no reader can hold the old handle.
        file.exchangeHandle(io.open(file.name()));
        file.closeWritable();
    }

    @Override
    public void visitCopies(CopyVisitor visitor) throws IOException {
        Sources from = sources;
        if (from == null) {
            throw new IllegalStateException("where records were was not noted: file=" + file.name());
        }
        from.rewind();
        long[] visited = {0};
        HintFile.EntryVisitor entries = (kind, place, source, keyOffset, keyLength) -> {
            long old = from.next();
            visited[0]++;
            if (kind == RecordFormat.PUT) {
                visitor.visit(source, keyOffset, keyLength, old, Locator.withSlot(file.slot(), place));
            }
        };
        if (!file.hasHints() || !HintFile.visitIfReadable(io, store, file, entries)) {
            visitRecords(visited[0], entries);
        }
    }

    /** Visits the records from one on, for want of a sound hint file. */
    private void visitRecords(long first, HintFile.EntryVisitor entries) throws IOException {
        FileScanner scanner = new FileScanner(file, file.start(), file.length());
        for (long record = 0; scanner.next(); record++) {
            if (record >= first) {
                entries.visit(
                        scanner.isPut() ? RecordFormat.PUT : RecordFormat.DELETE,
                        Locator.withoutSlot(scanner.locator()),
                        scanner.buffer(),
                        scanner.keyOffset(),
                        scanner.keyLength());
            }
        }
    }

    @Override
    public void close() throws IOException {
        try {
            if (!file.hasHints()) {
                hints.abandon();
            }
        } finally {
            if (sources != null && unneeded != null) {
                sources.close(unneeded);
            }
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(MergedFile.class);
    }
}
