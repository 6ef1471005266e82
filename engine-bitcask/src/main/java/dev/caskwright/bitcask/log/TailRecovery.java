package dev.caskwright.bitcask.log;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.WritableFile;
import java.io.IOException;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Finds the sound part of a file that writers had not left when the store was last closed or lost.
 *
 * <p>A crash leaves records, then perhaps a torn one, then perhaps pages in any order. The first place without a sound
 * record is the end of the log; what follows was never promised to survive. That is believed only if no record behind it
 * says otherwise: each carries how far the log was durable when it was appended, and one that places that point behind
 * the end proves that the end is damage.
 */
final class TailRecovery {
    /** Where the sound part of the log ends although more files follow. */
    record Hole(DataFile file, long offset) {}

    private static final int CHUNK = 1 << 20;

    private final DataFile file;
    private final HintFile.Builder hints = new HintFile.Builder();
    private final CRC32C crc = new CRC32C();
    private long soundEnd = DataFile.HEADER_LENGTH;
    private long durableEnd;
    private boolean closedByWriter;
    private long records;

    TailRecovery(DataFile file) {
        this.file = file;
    }

    /** Scans the file from its first record to the end of the last whole one, whole batches only. */
    void scan(long physicalLength) throws IOException {
        FileScanner scanner = new FileScanner(file, DataFile.HEADER_LENGTH, physicalLength);
        int batchCount = 0;
        int batchHints = 0;
        crc.reset();
        while (!closedByWriter && scanner.tryNext()) {
            if (scanner.isInBatch()) {
                if (batchCount == 0) {
                    batchHints = hints.length();
                }
                batchCount++;
                RecordFormat.updateBatchChecksum(crc, scanner.headerChecksum());
                hints.add(scanner);
                continue;
            }
            if (scanner.isBatchEnd()) {
                if (scanner.batchCount() != batchCount || scanner.batchChecksum() != (int) crc.getValue()) {
                    break;
                }
                batchCount = 0;
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
    }

    private void accept(FileScanner scanner) {
        soundEnd = scanner.nextOffset();
        records = hints.count();
        if (!scanner.isEndOfFile()) {
            file.noteVersion(scanner.version());
        }
        durableEnd = Math.max(durableEnd, durableAt(scanner.offset(), scanner.distance()));
        file.extendTo(soundEnd);
    }

    /** Returns up to where this file was durable by the word of a record, or 0 if the record does not know. */
    private static long durableAt(long offset, int distance) {
        return distance == RecordFormat.DISTANCE_UNKNOWN
                ? 0
                : Math.max(DataFile.HEADER_LENGTH, offset - Locator.sizeOfClass(distance));
    }

    /**
     * Looks at everything behind the sound part.
     *
     * @param earlier where the log already ended in an earlier file, so that nothing here may have been promised
     * @return how many bytes there are up to the last one that is not zero
     * @throws CorruptRecordException if a record proves that what is broken had been durable
     */
    long examineRest(ReadableFile handle, long physicalLength, @Nullable Hole earlier) throws IOException {
        Hole hole = earlier == null ? new Hole(file, soundEnd) : earlier;
        long durableLimit = hole.file() == file ? hole.offset() : 0;
        long from = earlier == null ? soundEnd : 0;
        if (durableEnd > durableLimit && earlier != null) {
            throw damaged(hole, durableEnd);
        }
        byte[] chunk = new byte[(int) Math.min(CHUNK + RecordFormat.LONG_HEADER, Math.max(8, physicalLength))];
        long lastNonZero = from;
        for (long offset = from; offset < physicalLength; offset += CHUNK) {
            int length = handle.read(offset, chunk, 0, (int) Math.min(chunk.length, physicalLength - offset));
            for (int at = 0; at < length && at < CHUNK; at += RecordFormat.ALIGNMENT) {
                if (isZero(chunk, at, length)) {
                    continue;
                }
                lastNonZero = Math.min(physicalLength, offset + at + RecordFormat.ALIGNMENT);
                if (RecordFormat.isHeaderSound(chunk, at, length - at, file.mask(offset + at), crc)
                        && durableAt(offset + at, RecordFormat.distance(chunk, at)) > durableLimit) {
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
     * Cuts the file behind its sound part, and writes anew and forces what is not known to be durable. Pages read back
     * from the cache may never have reached the disk, and after a failed force they look clean: a mere force would skip
     * them.
     */
    void makeDurable(WritableFile handle, long physicalLength) throws IOException {
        if (physicalLength > soundEnd) {
            handle.truncate(soundEnd);
        }
        byte[] chunk = new byte[(int) Math.min(CHUNK, soundEnd)];
        for (long offset = Math.min(durableEnd, soundEnd); offset < soundEnd; offset += CHUNK) {
            int length = handle.read(offset, chunk, 0, (int) Math.min(chunk.length, soundEnd - offset));
            handle.write(offset, chunk, 0, length);
        }
        handle.force();
    }

    long soundEnd() {
        return soundEnd;
    }

    boolean isClosedByWriter() {
        return closedByWriter;
    }

    HintFile.Builder hints() {
        return hints;
    }

    long records() {
        return records;
    }
}
