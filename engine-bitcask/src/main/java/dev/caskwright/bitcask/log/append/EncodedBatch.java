package dev.caskwright.bitcask.log.append;

import dev.caskwright.api.spi.log.BatchDraft;
import dev.caskwright.bitcask.log.coding.ValueEncoder;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The records of a batch, encoded one after the other in chunks that are written by one call each. */
public final class EncodedBatch implements BatchDraft {
    private static final int CHUNK = 256 << 10;
    private static final int KEPT_CHUNKS = 4; // from batch to batch

    private final @Nullable ValueEncoder encoder;
    private final List<EncodedDraft> chunks = new ArrayList<>();
    private int chunksUsed;
    private int size;
    private long length;
    private volatile long keptBytes;

    /** Makes a batch of values that are stored as they are. */
    EncodedBatch() {
        this(null);
    }

    /** Makes a batch whose values may be stored by codecs. */
    public EncodedBatch(@Nullable ValueEncoder encoder) {
        this.encoder = encoder;
    }

    @Override
    public void put(
            byte[] source, int keyOffset, int keyLength, int valueLength, long expiresAtMillis, @Nullable String codec)
            throws IOException {
        EncodedDraft chunk = chunkFor((long) RecordFormat.LONGEST_HEADER + keyLength + valueLength);
        long before = chunk.length();
        chunk.addPut(
                RecordFormat.PUT | RecordFormat.IN_BATCH,
                source,
                keyOffset,
                keyLength,
                source,
                keyOffset + keyLength,
                valueLength,
                expiresAtMillis,
                codec);
        length += chunk.length() - before;
        size++;
    }

    @Override
    public void put(byte[] source, int keyOffset, int keyLength, int valueLength, long expiresAtMillis) {
        add(RecordFormat.PUT, source, keyOffset, keyLength, valueLength, expiresAtMillis);
    }

    @Override
    public void delete(byte[] source, int keyOffset, int keyLength) {
        add(RecordFormat.DELETE, source, keyOffset, keyLength, 0, 0);
    }

    private void add(int kind, byte[] source, int keyOffset, int keyLength, int valueLength, long expiresAtMillis) {
        EncodedDraft chunk = chunkFor((long) RecordFormat.LONG_HEADER + keyLength + valueLength);
        long before = chunk.length();
        chunk.add(
                kind | RecordFormat.IN_BATCH,
                source,
                keyOffset,
                keyLength,
                source,
                keyOffset + keyLength,
                valueLength,
                expiresAtMillis);
        length += chunk.length() - before;
        size++;
    }

    private EncodedDraft chunkFor(long recordLength) {
        if (chunksUsed > 0 && chunks.get(chunksUsed - 1).hasRoom(recordLength, CHUNK)) {
            return chunks.get(chunksUsed - 1);
        }
        if (chunksUsed == chunks.size()) {
            chunks.add(new EncodedDraft(encoder));
        }
        return chunks.get(chunksUsed++);
    }

    /** Adds the end of the batch, and returns the chunk whose last record it is. */
    public EncodedDraft end(int membersChecksum) {
        EncodedDraft chunk = chunkFor(RecordFormat.BATCH_END_LENGTH);
        chunk.addBatchEnd(size, membersChecksum);
        return chunk;
    }

    public int chunkCount() {
        return chunksUsed;
    }

    /** Returns a chunk; they are in the order of their records. */
    public EncodedDraft chunk(int number) {
        return chunks.get(number);
    }

    @Override
    public void visitKeys(KeyVisitor visitor) throws IOException {
        int visited = 0;
        for (int i = 0; i < chunksUsed && visited < size; i++) {
            EncodedDraft chunk = chunks.get(i);
            byte[] bytes = chunk.bytes();
            // The end of the batch, once it was added, is no member.
            for (long at = 0; at < chunk.copiedLength() && visited < size; visited++) {
                int record = (int) at;
                int kind = RecordFormat.kind(bytes, record);
                visitor.key(
                        bytes,
                        record + RecordFormat.headerLength(kind),
                        RecordFormat.keyLength(bytes, record),
                        (kind & RecordFormat.KIND_MASK) == RecordFormat.DELETE);
                at += RecordFormat.recordLength(bytes, record);
            }
        }
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public long memoryBytes() {
        return keptBytes; // counted when it was cleared: another thread must not walk the list
    }

    @Override
    public void clear() {
        if (chunks.size() > KEPT_CHUNKS) {
            chunks.subList(KEPT_CHUNKS, chunks.size()).clear();
        }
        chunks.forEach(EncodedDraft::clear);
        chunksUsed = 0;
        size = 0;
        length = 0;
        long kept = 0;
        for (EncodedDraft chunk : chunks) {
            kept += chunk.arrayBytes();
        }
        kept += encoder == null ? 0 : encoder.memoryBytes();
        keptBytes = kept;
    }
}
