package dev.caskwright.bitcask.log.tail;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.hint.HintBuilder;
import dev.caskwright.bitcask.log.scan.FileScanner;
import java.io.IOException;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Finds the sound part of a file that writers had not left when the store was last closed or lost.
 *
 * <p>A crash leaves records, then perhaps a torn one, then perhaps pages in any order. The first place without a sound
 * record is the end of the log; what follows was never promised to survive. That is believed only if no record after it
 * says otherwise: each carries how far the log was durable when it was appended, and one that places that point after
 * the end proves that the end is damage.
 */
public final class TailRecovery {
    /** Where the sound part of the log ends although more files follow. */
    record Hole(DataFile file, long offset) {}

    private static final int CHUNK = 1 << 20;

    private final DataFile file;
    private HintBuilder hints = new HintBuilder();
    private boolean hasHints = true;
    private final CRC32C crc = new CRC32C();
    private long soundEnd;
    private long durableEnd;
    private boolean closedByWriter;
    private boolean hasRecords;
    private long records;

    public TailRecovery(DataFile file) {
        this.file = file;
        this.soundEnd = file.start();
    }

    /** Scans the file from its first record to the end of the last whole one, whole batches only. */
    public void scan(long physicalLength) throws IOException {
        FileScanner scanner = FileScanner.ofKeys(file, file.start(), physicalLength);
        int batchCount = 0;
        int batchHints = 0;
        long batchVersion = 0;
        crc.reset();
        while (!closedByWriter && scanner.tryNext()) {
            if (scanner.isInBatch()) {
                if (batchCount == 0) {
                    batchHints = hints.length();
                    batchVersion = scanner.version();
                }
                batchCount++;
                RecordFormat.updateBatchChecksum(crc, scanner.headerChecksum());
                hints.add(scanner);
                continue;
            }
            if (scanner.isBatchEnd()) {
                if (scanner.batchCount() == 0) {
                    // Nobody writes such a batch. Ends of batches are not encrypted: these could stand where records
                    // were.
                    throw file.corrupt("end of a batch that has no records", scanner.offset(), "");
                }
                if (scanner.batchCount() != batchCount || scanner.batchChecksum() != (int) crc.getValue()) {
                    break;
                }
                batchCount = 0;
                file.noteVersion(batchVersion);
                crc.reset();
            } else if (batchCount > 0) {
                break;
            } else if (scanner.isEndOfFile()) {
                closedByWriter = true;
            } else {
                hints.add(scanner);
            }
            accept(scanner);
        }
        if (batchCount > 0) {
            hints.cutTo(batchHints, batchCount);
        }
        if (!scanner.isVersionSound()) {
            // No crash makes a header whose checksum is right.
            throw file.corrupt("impossible version of a record", scanner.nextOffset(), "");
        }
    }

    private void accept(FileScanner scanner) {
        hasRecords = true;
        soundEnd = scanner.nextOffset();
        records = hints.count();
        if (!scanner.isEndOfFile()) {
            file.noteVersion(scanner.version());
        }
        durableEnd = Math.max(durableEnd, durableAt(scanner.offset(), scanner.distance()));
        file.extendTo(soundEnd);
    }

    /** Returns up to where this file was durable by the word of a record, or 0 if the record does not know. */
    private long durableAt(long offset, int distance) {
        return distance == RecordFormat.DISTANCE_UNKNOWN
                ? 0
                : Math.max(file.start(), offset - Locator.sizeOfClass(distance));
    }

    /**
     * Looks at everything after the sound part.
     *
     * @param earlier where the log already ended in an earlier file, so that nothing here may have been promised
     * @return how many bytes there are up to the last one that is not zero
     * @throws CorruptRecordException if a record proves that what is broken had been durable
     */
    public long examineRest(ReadableFile handle, long physicalLength, @Nullable Hole earlier) throws IOException {
        Hole hole = earlier == null ? new Hole(file, soundEnd) : earlier;
        long durableLimit = hole.file() == file ? hole.offset() : 0;
        long from = earlier == null ? soundEnd : 0;
        if (durableEnd > durableLimit && earlier != null) {
            throw damaged(hole, durableEnd);
        }
        byte[] chunk = new byte[(int) Math.min(CHUNK + RecordFormat.LONGEST_HEADER, Math.max(8, physicalLength))];
        long lastNonZero = from;
        for (long offset = from; offset < physicalLength; offset += CHUNK) {
            int length = handle.read(offset, chunk, 0, (int) Math.min(chunk.length, physicalLength - offset));
            for (int at = 0; at < length && at < CHUNK; at += RecordFormat.ALIGNMENT) {
                if (isZero(chunk, at, length)) {
                    continue;
                }
                lastNonZero = Math.min(physicalLength, offset + at + RecordFormat.ALIGNMENT);
                if (!RecordFormat.isHeaderSound(chunk, at, length - at, file.mask(offset + at), crc)) {
                    continue;
                }
                hasRecords = true;
                if (durableAt(offset + at, RecordFormat.distance(chunk, at)) > durableLimit) {
                    throw damaged(hole, offset + at);
                }
            }
        }
        return lastNonZero - from;
    }

    private CorruptRecordException damaged(Hole hole, long witness) {
        return hole.file()
                .corrupt(
                        "bad record in a part of the log that was durable",
                        hole.offset(),
                        "proved by " + file.name() + " at offset " + witness);
    }

    private static boolean isZero(byte[] chunk, int at, int length) {
        if (length - at >= Long.BYTES) {
            return (long) RecordFormat.LONG.get(chunk, at) == 0;
        }
        for (int i = at; i < length; i++) {
            if (chunk[i] != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Cuts the file after its sound part, and writes again and forces its header and what is not known to be durable. Pages
     * read back from the cache may never have reached the disk, and after a failed force they look clean: a mere force would
     * skip them.
     */
    public void makeDurable(WritableFile handle, long physicalLength) throws IOException {
        if (physicalLength > soundEnd) {
            handle.truncate(soundEnd);
        }
        byte[] chunk = new byte[(int) Math.min(CHUNK, soundEnd)];
        int start = file.start();
        long from = Math.max(start, Math.min(durableEnd, soundEnd));
        writeAnew(handle, 0, from == start ? soundEnd : start, chunk);
        if (from > start) {
            writeAnew(handle, from, soundEnd, chunk);
        }
        handle.force();
    }

    private static void writeAnew(WritableFile handle, long from, long to, byte[] chunk) throws IOException {
        for (long offset = from; offset < to; offset += chunk.length) {
            int length = handle.read(offset, chunk, 0, (int) Math.min(chunk.length, to - offset));
            handle.write(offset, chunk, 0, length);
        }
    }

    /** Returns whether any sound header of a record was found, also where the log does not reach any more. */
    boolean hasRecords() {
        return hasRecords;
    }

    /** Lets go of the hints, which take memory; they can be had by reading the file again. */
    public void forgetHints() {
        hints = new HintBuilder();
        hasHints = false;
    }

    public boolean hasHints() {
        return hasHints;
    }

    public long soundEnd() {
        return soundEnd;
    }

    boolean isClosedByWriter() {
        return closedByWriter;
    }

    public HintBuilder hints() {
        return hints;
    }

    public long records() {
        return records;
    }
}
