package dev.caskwright.bitcask.log.salvage;

import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.scan.FileScanner;
import dev.caskwright.bitcask.log.scan.RecordSearch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Reads a data file from start to end, goes on after damage, and tells which parts of it count: sound records, and of
 * batches those that are whole. For one thread.
 */
public final class FileSurvey {
    /** A part of the file, from its first byte to the one after its last. */
    public record Range(long from, long to) {}

    /** Receives what does not count. */
    public interface Listener {
        /** Takes a part of the file that does not count. */
        void lost(long from, long to, String what) throws IOException;
    }

    private static final int CHUNK = 1 << 20;

    private final DataFile file;
    private final long end;
    private final Listener listener;
    private final RecordSearch search;
    private final List<Range> ranges = new ArrayList<>();
    private final CRC32C batchChecksum = new CRC32C();
    private long rangeStart;
    private long batchStart = -1;
    private int batchCount;
    private boolean closedByWriter;

    /** Prepares to survey the file from its first record to {@code end}. */
    public FileSurvey(DataFile file, long end, Listener listener) {
        this.file = file;
        this.end = Math.min(end, RecordFormat.MAX_FILE_LENGTH);
        this.listener = listener;
        this.search = new RecordSearch(file, this.end);
        this.rangeStart = file.start();
    }

    /** Returns the parts of the file that count, in order: each starts with a record and ends with one. */
    public List<Range> run() throws IOException {
        FileScanner scanner = search.scanner(file.start());
        while (true) {
            while (scanner.tryNext()) {
                if (accept(scanner)) {
                    closedByWriter = true;
                    closeRange(scanner.nextOffset());
                    tellOfRest(scanner.nextOffset());
                    return ranges; // writers left the file here: what follows is no part of it
                }
            }
            long broken = scanner.nextOffset();
            dropOpenBatch(broken);
            closeRange(broken);
            if (broken >= end) {
                return ranges;
            }
            long next = search.next(broken + RecordFormat.ALIGNMENT);
            if (next < end || !isZero(broken)) { // zeros at the end are space held ready
                listener.lost(broken, next, "bad record");
            }
            rangeStart = next;
            scanner.skipTo(next);
        }
    }

    /** Takes a sound record; returns whether it is the end of the file. */
    private boolean accept(FileScanner scanner) throws IOException {
        if (scanner.isInBatch()) {
            if (batchStart < 0) {
                batchStart = scanner.offset();
                batchCount = 0;
                batchChecksum.reset();
            }
            batchCount++;
            RecordFormat.updateBatchChecksum(batchChecksum, scanner.headerChecksum());
            return false;
        }
        if (scanner.isBatchEnd()) {
            boolean isWhole = batchStart >= 0
                    && scanner.batchCount() == batchCount
                    && scanner.batchChecksum() == (int) batchChecksum.getValue();
            if (!isWhole) {
                if (batchStart < 0) {
                    batchStart = scanner.offset();
                    batchCount = 0;
                }
                dropBatch(scanner.nextOffset());
            }
            batchStart = -1;
            return false;
        }
        dropOpenBatch(scanner.offset());
        return scanner.isEndOfFile();
    }

    private void dropOpenBatch(long to) throws IOException {
        if (batchStart >= 0) {
            dropBatch(to);
        }
    }

    private void dropBatch(long to) throws IOException {
        listener.lost(batchStart, to, "batch that is not whole, left out with its sound records: " + batchCount);
        closeRange(batchStart);
        rangeStart = to;
        batchStart = -1;
    }

    private void closeRange(long to) {
        if (to > rangeStart) {
            ranges.add(new Range(rangeStart, to));
        }
        rangeStart = to;
    }

    private void tellOfRest(long from) throws IOException {
        if (search.next(from) < end) {
            listener.lost(from, end, "records past the end of the file, left out");
        }
    }

    /** Returns whether the file ends as writers leave one, by what was read. */
    boolean isClosedByWriter() {
        return closedByWriter;
    }

    private boolean isZero(long from) throws IOException {
        byte[] chunk = new byte[(int) Math.min(CHUNK, end - from)];
        for (long offset = from; offset < end; offset += chunk.length) {
            int length = file.handle().read(offset, chunk, 0, (int) Math.min(chunk.length, end - offset));
            for (int i = 0; i < length; i++) {
                if (chunk[i] != 0) {
                    return false;
                }
            }
        }
        return true;
    }
}
