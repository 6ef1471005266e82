package dev.caskwright.bitcask.log.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.testkit.KeyValues;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

final class RecordFormatTest {
    private static final long SEED = RecordFormat.fileSeed(0x1234_5678_9ABC_DEF0L, 3);
    private static final long OFFSET = 4096;

    private final CRC32C crc = new CRC32C();

    private static byte[] record(String key, byte[] value, long expiresAt, long offset) {
        EncodedDraft draft = new EncodedDraft();
        draft.put(KeyValues.bytes(key), value, expiresAt);
        draft.place(9, 0, RecordFormat.mask(SEED, offset));
        return Arrays.copyOf(draft.bytes(), (int) draft.length());
    }

    private boolean isSound(byte[] record, long offset) {
        return RecordFormat.isHeaderSound(record, 0, record.length, RecordFormat.mask(SEED, offset), crc);
    }

    @Test
    void headersKeepTheirFields() {
        byte[] record = record("key", new byte[100], Long.MAX_VALUE, OFFSET);
        assertThat(isSound(record, OFFSET)).isTrue();
        assertThat(RecordFormat.kind(record, 0)).isEqualTo(RecordFormat.PUT | RecordFormat.EXPIRES);
        assertThat(RecordFormat.keyLength(record, 0)).isEqualTo(3);
        assertThat(RecordFormat.valueLength(record, 0)).isEqualTo(100);
        assertThat(RecordFormat.expiresAt(record, 0)).isEqualTo(Long.MAX_VALUE);
        assertThat(RecordFormat.version(record, 0)).isEqualTo(9);
        assertThat(RecordFormat.recordLength(record, 0)).isEqualTo(136).isEqualTo(record.length);
    }

    @Test
    void theGreatestFieldsFit() {
        EncodedDraft draft = new EncodedDraft();
        draft.delete(new byte[StorageEngine.MAX_KEY_LENGTH]);
        draft.place(RecordFormat.MAX_VERSION, RecordFormat.DISTANCE_UNKNOWN, 0);
        assertThat(RecordFormat.version(draft.bytes(), 0)).isEqualTo(RecordFormat.MAX_VERSION);
        assertThat(RecordFormat.kind(draft.bytes(), 0)).isEqualTo(RecordFormat.DELETE);
        assertThat(RecordFormat.distance(draft.bytes(), 0)).isEqualTo(RecordFormat.DISTANCE_UNKNOWN);
        assertThat(RecordFormat.keyLength(draft.bytes(), 0)).isEqualTo(StorageEngine.MAX_KEY_LENGTH);
        assertThat(RecordFormat.isHeaderSound(draft.bytes(), 0, 24, 0, crc)).isTrue();
    }

    @Test
    void zerosNeverParse() {
        byte[] zeros = new byte[64];
        for (long offset = 64; offset < 8 << 20; offset += 8) {
            assertThat(isSound(zeros, offset)).isFalse();
        }
        // Not even with the checksum that would be right for them.
        RecordFormat.INT.set(zeros, 0, RecordFormat.headerChecksum(zeros, 0, RecordFormat.mask(SEED, 64), crc));
        assertThat(isSound(zeros, 64)).isFalse();
    }

    @Test
    void aRecordParsesAtItsOwnPlaceOnly() {
        byte[] record = record("key", KeyValues.bytes("value"), 0, OFFSET);
        for (long offset = 0; offset < 8 << 20; offset += 8) {
            assertThat(isSound(record, offset)).as("offset=%s", offset).isEqualTo(offset == OFFSET);
        }
        for (long file = 0; file < 1000; file++) {
            long seed = RecordFormat.fileSeed(0x1234_5678_9ABC_DEF0L, file);
            assertThat(RecordFormat.isHeaderSound(record, 0, record.length, RecordFormat.mask(seed, OFFSET), crc))
                    .as("file=%s", file)
                    .isEqualTo(file == 3);
        }
    }

    @Test
    void aValueThatLooksLikeARecordDoesNotParse() {
        byte[] lookalike = record("key", KeyValues.bytes("forged"), 0, OFFSET);
        byte[] outer = record("outer key", lookalike, 0, OFFSET);
        for (int at = 8; at <= outer.length - RecordFormat.SHORT_HEADER; at += RecordFormat.ALIGNMENT) {
            int mask = RecordFormat.mask(SEED, OFFSET + at);
            assertThat(RecordFormat.isHeaderSound(outer, at, outer.length - at, mask, crc))
                    .isFalse();
        }
    }

    @Test
    void placesHaveDifferentMasks() {
        Set<Integer> masks = new HashSet<>();
        int places = 1 << 19;
        for (int i = 0; i < places; i++) {
            masks.add(RecordFormat.mask(SEED, i * 8L));
        }
        assertThat(masks.size()).as("about 32 pairs are alike by chance").isGreaterThan(places - 100);
    }

    @Test
    void kindsThatAreNotDefinedDoNotParse() {
        Set<Integer> sound = new HashSet<>();
        for (int kind = 0; kind < 256; kind++) {
            byte[] record = Arrays.copyOf(record("key", KeyValues.bytes("8 bytes!"), 0, OFFSET), 64);
            if (isSoundWith(record, RecordFormat.KIND_OFFSET, kind)) {
                sound.add(kind);
            }
        }
        assertThat(sound)
                .containsExactlyInAnyOrder(
                        RecordFormat.PUT,
                        RecordFormat.PUT | RecordFormat.EXPIRES,
                        RecordFormat.PUT | RecordFormat.IN_BATCH,
                        RecordFormat.PUT | RecordFormat.EXPIRES | RecordFormat.IN_BATCH,
                        RecordFormat.PUT | RecordFormat.ENCRYPTED,
                        RecordFormat.PUT | RecordFormat.ENCRYPTED | RecordFormat.EXPIRES,
                        RecordFormat.PUT | RecordFormat.ENCRYPTED | RecordFormat.IN_BATCH,
                        RecordFormat.PUT | RecordFormat.ENCRYPTED | RecordFormat.EXPIRES | RecordFormat.IN_BATCH);
        EncodedDraft draft = new EncodedDraft();
        draft.addBatchEnd(3, 77);
        draft.place(9, 0, RecordFormat.mask(SEED, OFFSET));
        assertThat(isSound(draft.bytes(), OFFSET)).isTrue();
        draft.endFile();
        draft.place(9, 0, RecordFormat.mask(SEED, OFFSET));
        assertThat(isSound(draft.bytes(), OFFSET)).isTrue();
        assertThat(isSoundWith(draft.bytes(), RecordFormat.KIND_OFFSET, RecordFormat.PUT))
                .as("a put without a key")
                .isFalse();
    }

    private boolean isSoundWith(byte[] record, int at, int changed) {
        record[at] = (byte) changed;
        int mask = RecordFormat.mask(SEED, OFFSET);
        RecordFormat.INT.set(record, 0, RecordFormat.headerChecksum(record, 0, mask, crc));
        return isSound(record, OFFSET);
    }

    @Test
    void impossibleLengthsDoNotParse() {
        for (int length : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, StorageEngine.MAX_VALUE_LENGTH + 1}) {
            byte[] record = record("key", KeyValues.bytes("value"), 0, OFFSET);
            RecordFormat.INT.set(record, RecordFormat.VALUE_LENGTH_OFFSET, length);
            assertThat(isSoundWith(record, RecordFormat.KIND_OFFSET, RecordFormat.PUT))
                    .as("value length=%s", length)
                    .isFalse();
        }
    }

    @Test
    void noHeaderIsReadBehindWhatThereIs() {
        byte[] record = record("key", KeyValues.bytes("value"), 5, OFFSET);
        int mask = RecordFormat.mask(SEED, OFFSET);
        for (int available = 0; available <= RecordFormat.LONG_HEADER; available++) {
            byte[] cut = Arrays.copyOf(record, available);
            assertThat(RecordFormat.isHeaderSound(cut, 0, available, mask, crc))
                    .isEqualTo(available == RecordFormat.LONG_HEADER);
        }
    }

    @Test
    void everyBitOfAHeaderCounts() {
        byte[] record = record("key", KeyValues.bytes("value"), 5, OFFSET);
        for (int bit = 0; bit < RecordFormat.LONG_HEADER * 8; bit++) {
            byte[] flipped = record.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            assertThat(isSound(flipped, OFFSET)).as("bit=%s", bit).isFalse();
        }
    }

    @Test
    void noiseDoesNotParse() {
        Random random = new Random(8);
        byte[] noise = new byte[64];
        for (int i = 0; i < 200_000; i++) {
            random.nextBytes(noise);
            noise[RecordFormat.KIND_OFFSET] = RecordFormat.PUT;
            assertThat(isSound(noise, OFFSET)).isFalse();
        }
    }

    /** Files of before have these masks in them. */
    @Test
    void theMasksOfPlacesAreThoseOfBefore() {
        assertMask(0x1234_5678_9ABC_DEF0L, 3, 4_096, 0xD6C9_A1D9_D4E4_DE24L, 0x2882_E090);
        assertMask(-1, 1, 64, 0x14BE_5A88_5FBC_D854L, 0xC68E_CE9C);
        assertMask(77, 0xFFFF_FFFFL, 8, 0x51F9_3885_D11C_9425L, 0xD59F_661A);
    }

    private static void assertMask(long storeSeed, long file, long offset, long fileSeed, int mask) {
        assertThat(RecordFormat.fileSeed(storeSeed, file)).isEqualTo(fileSeed);
        assertThat(RecordFormat.mask(fileSeed, offset)).isEqualTo(mask);
    }

    @Test
    void theChecksumOfABatchIsThatOfItsMembersLittleEndian() {
        CRC32C batch = new CRC32C();
        ByteBuffer members = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
        for (int member : new int[] {0x1234_5678, 0xFEDC_BA98, 1}) {
            RecordFormat.updateBatchChecksum(batch, member);
            members.putInt(member);
        }
        CRC32C expected = new CRC32C();
        expected.update(members.flip());
        assertThat(batch.getValue()).isEqualTo(expected.getValue());
    }

    @Test
    void theGreatestValueParses() {
        byte[] record = record("key", KeyValues.bytes("value"), 0, OFFSET);
        RecordFormat.INT.set(record, RecordFormat.VALUE_LENGTH_OFFSET, StorageEngine.MAX_VALUE_LENGTH);
        assertThat(isSoundWith(record, RecordFormat.KIND_OFFSET, RecordFormat.PUT))
                .isTrue();
        EncodedDraft draft = new EncodedDraft();
        draft.delete(new byte[0]);
        draft.place(1, 0, RecordFormat.mask(SEED, OFFSET));
        assertThat(isSound(draft.bytes(), OFFSET))
                .as("a tombstone without a key")
                .isFalse();
    }
}
