package dev.caskwright.bitcask.log.merge;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.bitcask.log.coding.ValueCoding;
import dev.caskwright.bitcask.log.coding.ValueEncoder;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.scan.FileScanner;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Makes of the records that a merge copies those that a write would make now: coded by the codec that the store was opened with,
 * or not at all. What cannot be decoded or encoded stays as it is stored, for a merge must lose nothing. For one thread.
 */
public final class Recoding {
    private final ValueCoding coding;
    private final EncodedDraft draft;
    private boolean hasWarned;

    public Recoding(ValueCoding coding) {
        this.coding = coding;
        this.draft = new EncodedDraft(new ValueEncoder(coding));
    }

    /** Returns the greatest length that the scanner's current record can get, padding included. */
    static long mostLength(FileScanner scanner) {
        long decoded = RecordFormat.decodedLength(scanner.coding());
        return scanner.length() + Math.max(0, decoded - scanner.valueLength());
    }

    /** Returns the scanner's current record, a put, as it would be written now; null if it is to be copied as it is. */
    @Nullable EncodedDraft recoded(FileScanner scanner) throws IOException {
        try {
            ValueCoding.Named codec = coding.forWrite(null);
            long current = scanner.coding();
            if (current == 0 ? codec == null : codec != null && codec.key() == RecordFormat.codecKey(current)) {
                return null;
            }
            if (!recode(scanner)) {
                return null;
            }
        } catch (EngineException e) {
            if (e.code() != ErrorCode.CODEC && !(e instanceof CorruptRecordException)) {
                throw e;
            }
            warn(e);
            return null;
        } catch (IllegalArgumentException e) { // the codec is none for this store
            warn(e);
            return null;
        }
        draft.place(scanner.version(), RecordFormat.DISTANCE_UNKNOWN, 0);
        return draft;
    }

    /** Makes the draft; returns false if memory is short: a few bytes may stand for a value of 64 MiB. */
    private boolean recode(FileScanner scanner) throws IOException {
        try {
            draft.put(scanner.key(), scanner.value(), scanner.expiresAt(), null);
            return true;
        } catch (OutOfMemoryError e) {
            draft.clear();
            warn(e);
            return false;
        }
    }

    private void warn(Throwable reason) {
        if (!hasWarned) {
            hasWarned = true;
            LoggerFactory.getLogger(Recoding.class)
                    .warn(
                            "a merge copies values as they are stored, which it should have recoded: {}",
                            reason.toString());
        }
    }
}
