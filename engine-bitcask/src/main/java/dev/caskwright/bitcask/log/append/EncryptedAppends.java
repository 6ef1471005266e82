package dev.caskwright.bitcask.log.append;

import dev.caskwright.bitcask.log.coding.RecordCipher;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Encrypts drafts for their places in the log, and writes them. Under the write lock: place and version of a record are known
 * only there, and its encryption is bound to them. The drafts stay as they are, since the index takes their keys.
 */
public final class EncryptedAppends {
    private static final int CHUNK = 256 << 10;
    private static final int KEPT_BUFFER = 64 << 10;
    private static final byte[] NOTHING = {};

    private final RecordCipher cipher = new RecordCipher();
    private final List<byte[]> chunks = new ArrayList<>(); // full, or all but
    private final List<Integer> lengths = new ArrayList<>();
    private byte[] chunk = NOTHING;
    private int filled;
    private int last; // where the last record starts in its chunk

    /** Returns the length that the records of a draft have in the log. */
    public static long length(EncodedDraft draft) {
        byte[] bytes = draft.bytes();
        long length = 0;
        for (long at = 0; at < draft.copiedLength(); at += RecordFormat.recordLength(bytes, (int) at)) {
            length += RecordCipher.encryptedLength(bytes, (int) at);
        }
        return length;
    }

    /** Returns the length that the records of a batch have in the log. */
    public static long length(EncodedBatch batch) {
        long length = 0;
        for (int i = 0; i < batch.chunkCount(); i++) {
            length += length(batch.chunk(i));
        }
        return length;
    }

    /** Forgets what was added, which may be more than is to be kept. Comes before the first record of an append. */
    public void clear() {
        chunks.clear();
        lengths.clear();
        filled = 0;
        if (chunk.length > KEPT_BUFFER) {
            chunk = NOTHING;
        }
    }

    /**
     * Adds a put or delete of a draft, whose header is complete but for its checksum; returns its length in the log.
     *
     * @param at where it starts in the draft
     * @param offset where it will be in the file
     */
    public long add(EncodedDraft draft, int at, DataFile file, long offset) {
        byte[] bytes = draft.bytes();
        int length = (int) RecordCipher.encryptedLength(bytes, at);
        makeRoom(length);
        boolean isValueElsewhere =
                draft.longValueLength() > 0 && at + RecordFormat.recordLength(bytes, at) > draft.copiedLength();
        if (isValueElsewhere) {
            cipher.encrypt(
                    bytes,
                    at,
                    draft.longValue(),
                    draft.longValueOffset(),
                    draft.longValueLength(),
                    chunk,
                    filled,
                    file,
                    offset);
        } else {
            cipher.encrypt(bytes, at, chunk, filled, file, offset);
        }
        last = filled;
        filled += length;
        return length;
    }

    /** Adds a mark of the log's own, which is not encrypted and complete. */
    public void addMark(EncodedDraft draft) {
        makeRoom(draft.copiedLength());
        System.arraycopy(draft.bytes(), 0, chunk, filled, draft.copiedLength());
        last = filled;
        filled += draft.copiedLength();
    }

    private void makeRoom(int length) {
        if (filled > 0 && filled + length > CHUNK) {
            chunks.add(chunk);
            lengths.add(filled);
            chunk = NOTHING;
            filled = 0;
        }
        if (filled + length > chunk.length) {
            int doubled = Math.min(CHUNK, 2 * chunk.length);
            chunk = Arrays.copyOf(chunk, Math.max(filled + length, doubled));
        }
    }

    /** Returns the header checksum of the last record that was added. */
    public int headerChecksum() {
        return RecordFormat.headerChecksum(chunk, last);
    }

    /** Writes what was added, and forgets it; returns the offset after it. */
    public long write(DataFile file, long start) throws IOException {
        try {
            long offset = start;
            for (int i = 0; i < chunks.size(); i++) {
                file.writable().write(offset, chunks.get(i), 0, lengths.get(i));
                offset += lengths.get(i);
            }
            file.writable().write(offset, chunk, 0, filled);
            return offset + filled;
        } finally {
            clear();
        }
    }
}
