package dev.caskwright.bitcask.log.hint;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.scan.FileScanner;
import java.io.IOException;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What holds for the records of a sealed file beyond each being sound: batches are whole, and nothing follows an end of
 * file. Whoever reads such a file from start to end asks here, so that all judge alike. For one thread.
 */
public final class SealedScan {
    private final CRC32C batchChecksum = new CRC32C();
    private long batchStart = -1;
    private int batchCount;
    private boolean isEnded;

    /** Returns the hints of a sealed file, made of its records. */
    public static HintBuilder hints(DataFile file) throws IOException {
        HintBuilder hints = new HintBuilder();
        SealedScan scan = new SealedScan();
        FileScanner scanner = FileScanner.ofKeys(file, file.start(), file.length());
        while (scanner.next()) {
            String problem = scan.accept(scanner);
            if (problem != null) {
                throw file.corrupt(problem, scanner.offset(), "");
            }
            if (scanner.isPut() || scanner.isTombstone()) {
                hints.add(scanner);
            }
        }
        scan.end(file);
        return hints;
    }

    /** Takes the next record; returns what is wrong with it at this place, or null. */
    public @Nullable String accept(FileScanner scanner) {
        if (isEnded) {
            return "record behind the end of the file";
        }
        if (scanner.isInBatch()) {
            if (batchStart < 0) {
                batchStart = scanner.offset();
                batchCount = 0;
                batchChecksum.reset();
            }
            batchCount++;
            RecordFormat.updateBatchChecksum(batchChecksum, scanner.headerChecksum());
            return null;
        }
        boolean isOpen = batchStart >= 0;
        batchStart = -1;
        if (scanner.isBatchEnd()) {
            boolean isWhole = isOpen
                    && scanner.batchCount() == batchCount
                    && scanner.batchChecksum() == (int) batchChecksum.getValue();
            return isWhole ? null : "end of a batch that is not whole";
        }
        isEnded = scanner.isEndOfFile();
        return isOpen ? "batch without its end before this record" : null;
    }

    /** Forgets an open batch: there was damage, which was reported. */
    public void skip() {
        batchStart = -1;
    }

    /** Returns whether the records end within a batch. */
    public boolean isInBatch() {
        return batchStart >= 0;
    }

    /** Says that there are no more records. */
    public void end(DataFile file) throws CorruptRecordException {
        if (batchStart >= 0) {
            throw file.corrupt("batch without its end", batchStart, "length=" + file.length());
        }
    }
}
