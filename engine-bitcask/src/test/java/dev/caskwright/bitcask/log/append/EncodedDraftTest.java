package dev.caskwright.bitcask.log.append;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.bitcask.log.format.RecordFormat;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** What a draft holds of a record before it has a place: all of it but a long value, padded with zeros. */
final class EncodedDraftTest {
    private static final int MASK = 0x1234_5678;

    private final Random random = new Random(9);
    private final EncodedDraft draft = new EncodedDraft();

    private byte[] random(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Returns the record as a file would get it. */
    private byte[] written() {
        byte[] record = Arrays.copyOf(draft.bytes(), draft.copiedLength());
        if (draft.longValueLength() > 0) {
            record = Arrays.copyOf(record, (int) draft.length());
            System.arraycopy(
                    draft.longValue(), draft.longValueOffset(), record, draft.copiedLength(), draft.longValueLength());
        }
        assertThat(record).hasSize((int) draft.length());
        return record;
    }

    private static void assertPut(byte[] record, int at, byte[] key, byte[] value, long expiry) {
        assertThat(RecordFormat.isHeaderSound(record, at, record.length - at, MASK, new CRC32C()))
                .isTrue();
        assertThat(RecordFormat.kind(record, at) & RecordFormat.KIND_MASK).isEqualTo(RecordFormat.PUT);
        assertThat(RecordFormat.expiresAt(record, at)).isEqualTo(expiry);
        assertThat(RecordFormat.keyLength(record, at)).isEqualTo(key.length);
        assertThat(RecordFormat.valueLength(record, at)).isEqualTo(value.length);
        int body = at + RecordFormat.headerLength(RecordFormat.kind(record, at));
        assertThat(Arrays.copyOfRange(record, body, body + key.length)).isEqualTo(key);
        int valueAt = body + key.length;
        assertThat(Arrays.copyOfRange(record, valueAt, valueAt + value.length)).isEqualTo(value);
        CRC32C crc = new CRC32C();
        crc.update(record, body, key.length + value.length);
        assertThat(RecordFormat.bodyChecksum(record, at)).isEqualTo((int) crc.getValue());
        int end = at + (int) RecordFormat.recordLength(record, at);
        assertThat(Arrays.copyOfRange(record, valueAt + value.length, end))
                .as("padding")
                .containsOnly(new byte[end - valueAt - value.length]);
    }

    @Test
    void recordsOfAllLengthsAreEncodedOneAfterTheOther() {
        int longest = EncodedDraft.MAX_COPIED_VALUE;
        for (int length : new int[] {longest + 9, 0, 70_000, 1, 2, 7, 8, 9, 100, longest - 1, longest, longest + 1}) {
            for (int keyLength : new int[] {1, 8, 300}) {
                for (long expiry : new long[] {0, 77}) {
                    byte[] key = random(keyLength);
                    byte[] value = random(length);
                    draft.put(key, value, expiry);
                    draft.place(5, 6, MASK);
                    assertThat(draft.isTombstone()).isFalse();
                    assertThat(draft.longValueLength() > 0).isEqualTo(length > longest);
                    byte[] record = written();
                    assertPut(record, 0, key, value, expiry);
                    assertThat(RecordFormat.version(record, 0)).isEqualTo(5);
                    assertThat(RecordFormat.distance(record, 0)).isEqualTo(6);
                    assertThat(record.length).isEqualTo((int) RecordFormat.recordLength(record, 0));
                }
            }
        }
        draft.delete(random(3));
        draft.place(5, 6, MASK);
        assertThat(draft.isTombstone()).isTrue();
        assertThat(draft.length()).isEqualTo(RecordFormat.SHORT_HEADER + 8);
        assertThat(draft.longValueLength()).isZero();
        assertThat(Arrays.copyOfRange(draft.bytes(), RecordFormat.SHORT_HEADER + 3, draft.copiedLength()))
                .containsOnly(0);
    }

    @Test
    void severalRecordsLieInARow() {
        byte[] first = random(11);
        byte[] second = random(5_000);
        draft.clear();
        draft.add(RecordFormat.PUT, first, 2, 3, first, 5, 6, 0);
        int at = draft.copiedLength();
        draft.add(RecordFormat.PUT, second, 1, 300, second, 301, 4_699, 9);
        draft.place(0, 1, 0, MASK);
        draft.place(at, 2, 0, MASK);
        byte[] records = written();
        assertPut(records, 0, Arrays.copyOfRange(first, 2, 5), Arrays.copyOfRange(first, 5, 11), 0);
        assertPut(records, at, Arrays.copyOfRange(second, 1, 301), Arrays.copyOfRange(second, 301, 5_000), 9);
        assertThat(RecordFormat.version(records, at)).isEqualTo(2);
    }

    @Test
    void thereIsRoomUpToTheLimitAndNoneBehindALongValue() {
        draft.put(random(8), random(32), 0);
        assertThat(draft.length()).isEqualTo(64);
        assertThat(draft.hasRoom(100, 164)).isTrue();
        assertThat(draft.hasRoom(101, 164)).isFalse();
        draft.put(random(8), random(EncodedDraft.MAX_COPIED_VALUE + 1), 0);
        assertThat(draft.hasRoom(0, Integer.MAX_VALUE)).isFalse();
        draft.clear();
        assertThat(draft.hasRoom(100, 100)).isTrue();
        assertThat(draft.length()).isZero();
    }
}
