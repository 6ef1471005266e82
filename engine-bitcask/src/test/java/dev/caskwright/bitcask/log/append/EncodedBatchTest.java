package dev.caskwright.bitcask.log.append;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.bitcask.log.format.RecordFormat;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A batch is encoded in chunks that are written by one call each. */
final class EncodedBatchTest {
    private static final int CHUNK = 256 << 10;
    private static final int OVERHEAD = RecordFormat.SHORT_HEADER + 8;

    private final EncodedBatch batch = new EncodedBatch();

    /** Adds a put whose record has this length. */
    private void put(int length) {
        batch.put(new byte[length], 0, 8, length - OVERHEAD, 0);
    }

    private List<Long> lengths() {
        List<Long> lengths = new ArrayList<>();
        chunks(batch).forEach(chunk -> lengths.add(chunk.length()));
        return lengths;
    }

    private static List<EncodedDraft> chunks(EncodedBatch batch) {
        List<EncodedDraft> chunks = new ArrayList<>();
        for (int i = 0; i < batch.chunkCount(); i++) {
            chunks.add(batch.chunk(i));
        }
        return chunks;
    }

    @Test
    void aChunkIsFilledAndNotOverfilled() {
        int half = CHUNK / 8;
        for (int i = 0; i < 8; i++) {
            put(half);
        }
        // Room is asked for as if the record expired.
        assertThat(lengths()).containsExactly(7L * half, (long) half);
        batch.clear();
        for (int i = 0; i < 8; i++) {
            put(i == 7 ? half - 8 : half);
        }
        assertThat(lengths()).containsExactly(8L * half - 8);
        assertThat(batch.length()).isEqualTo(8L * half - 8);
        assertThat(batch.size()).isEqualTo(8);
    }

    @Test
    void lengthAndSizeAreThoseOfAllRecords() {
        long length = 0;
        for (int i = 0; i < 5_000; i++) {
            put(40 + i % 10 * 8);
            length += 40 + i % 10 * 8;
            batch.delete(new byte[16], 3, 8);
            length += 32;
        }
        put(70_000);
        put(40);
        length += 70_040;
        assertThat(batch.length()).isEqualTo(length);
        assertThat(batch.size()).isEqualTo(10_002);
        assertThat(lengths().stream().mapToLong(each -> each).sum()).isEqualTo(length);
        assertThat(chunks(batch).size()).isBetween((int) (length / CHUNK), (int) (length / CHUNK) + 3);
        assertThat(lengths()).allMatch(each -> each <= CHUNK + 70_000);
    }

    @Test
    void nothingFollowsALongValueInItsChunk() {
        put(40);
        put(70_000);
        put(40);
        assertThat(lengths()).containsExactly(70_040L, 40L);
        batch.clear();
        put(70_000);
        EncodedDraft end = batch.end(4_711);
        assertThat(chunks(batch)).hasSize(2).last().isSameAs(end);
        assertThat(end.length()).isEqualTo(RecordFormat.BATCH_END_LENGTH);
    }

    @Test
    void theEndTellsTheNumberOfRecords() {
        put(40);
        put(40);
        EncodedDraft end = batch.end(4_711);
        assertThat(chunks(batch)).containsExactly(end);
        int at = end.copiedLength() - RecordFormat.BATCH_END_LENGTH;
        assertThat(at).isEqualTo(80);
        assertThat(RecordFormat.kind(end.bytes(), at)).isEqualTo(RecordFormat.BATCH_END);
        int value = at + RecordFormat.SHORT_HEADER;
        assertThat((int) RecordFormat.INT.get(end.bytes(), value)).isEqualTo(2);
        assertThat((int) RecordFormat.INT.get(end.bytes(), value + Integer.BYTES))
                .isEqualTo(4_711);
    }

    @Test
    void aBatchIsUsedAgainAndKeepsFewChunks() {
        for (int chunks : new int[] {1, 3, 4, 5, 9}) {
            for (int i = 0; i < chunks; i++) {
                put(CHUNK - 8);
            }
            assertThat(chunks(batch)).hasSize(chunks);
            List<EncodedDraft> before = new ArrayList<>(chunks(batch));
            batch.clear();
            assertThat(batch.size()).isZero();
            assertThat(batch.length()).isZero();
            assertThat(chunks(batch)).isEmpty();
            for (int i = 0; i < chunks; i++) {
                put(CHUNK - 8);
            }
            assertThat(batch.length()).isEqualTo((long) chunks * (CHUNK - 8));
            for (int i = 0; i < chunks; i++) {
                boolean isKept = before.get(i) == chunks(batch).get(i);
                assertThat(isKept).as("chunk %s of %s", i, chunks).isEqualTo(i < 4);
            }
            batch.clear();
        }
    }
}
