package dev.caskwright.bitcask.log.append;

import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Writes drafts to files. Under the write lock. */
public final class DraftWriter {
    /** Short enough to be in a cache of the processor when it is summed and written. */
    private static final int PIECE_OF_LONG_VALUE = 64 << 10;

    private static final byte[] PADDING = new byte[RecordFormat.ALIGNMENT];

    private byte @Nullable [] longValuePiece; // of a long value and its padding; made by the first

    public void write(DataFile file, long offset, EncodedDraft draft) throws IOException {
        if (draft.longValueLength() == 0) {
            file.writable().write(offset, draft.bytes(), 0, draft.copiedLength());
        } else {
            writeLong(file, offset, draft);
        }
    }

    /** Writes a chunk of a batch, whose long value is nobody's but the engine's. */
    public void writeInBatch(DataFile file, long offset, EncodedDraft draft) throws IOException {
        WritableFile handle = file.writable();
        handle.write(offset, draft.bytes(), 0, draft.copiedLength());
        if (draft.longValueLength() > 0) {
            long end = offset + draft.copiedLength();
            handle.write(end, draft.longValue(), draft.longValueOffset(), draft.longValueLength());
            end += draft.longValueLength();
            handle.write(end, PADDING, 0, (int) (offset + draft.length() - end));
        }
    }

    /**
     * Writes a record whose value is still the caller's array, a copy of one piece after the other. If the checksum of what
     * was copied is not the one in the header, the caller changed the array meanwhile, and the header is written again: the
     * value is the caller's mistake, the record is as sound as any other.
     */
    private void writeLong(DataFile file, long offset, EncodedDraft draft) throws IOException {
        WritableFile handle = file.writable();
        handle.write(offset, draft.bytes(), 0, draft.copiedLength());
        byte[] piece = longValuePiece();
        CRC32C checksum = draft.keyChecksum();
        int before = RecordFormat.bodyChecksum(draft.bytes(), 0);
        long end = offset + draft.copiedLength();
        int length = draft.longValueLength();
        for (int done = 0; done < length; ) {
            int count = Math.min(PIECE_OF_LONG_VALUE, length - done);
            System.arraycopy(draft.longValue(), draft.longValueOffset() + done, piece, 0, count);
            checksum.update(piece, 0, count);
            done += count;
            if (done == length) {
                int padding = (int) (offset + draft.length() - end - count);
                Arrays.fill(piece, count, count + padding, (byte) 0);
                count += padding;
            }
            handle.write(end, piece, 0, count);
            end += count;
        }
        if ((int) checksum.getValue() != before) {
            draft.replaceBodyChecksum((int) checksum.getValue(), file.mask(offset));
            handle.write(offset, draft.bytes(), 0, draft.copiedLength());
        }
    }

    private byte[] longValuePiece() {
        byte[] piece = longValuePiece;
        if (piece == null) {
            piece = new byte[PIECE_OF_LONG_VALUE + RecordFormat.ALIGNMENT];
            longValuePiece = piece;
        }
        return piece;
    }
}
