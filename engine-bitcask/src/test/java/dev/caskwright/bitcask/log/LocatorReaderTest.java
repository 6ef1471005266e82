package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Reading by locator, of files that are mapped and of others: a long record of a mapped file is fetched in parts. */
@ParameterizedClass
@ValueSource(booleans = {false, true})
final class LocatorReaderTest {
    private static final int[] KEY_LENGTHS = {1, 200, 300, 5_000};
    private static final int[] VALUE_LENGTHS = {0, 1, 100, 4_000, 4_096, 10_000, 70_000, 1_200_000};
    private static final long EXPIRY = 1L << 41;

    private final CrashableIoManager disk = new CrashableIoManager();
    private final Random random = new Random(1);
    private final RecordLog log;
    private final RecordReader reader;
    private long version;

    LocatorReaderTest(boolean isMapped) throws IOException {
        disk.mapped(isMapped);
        RecordLogOpening opening = new SegmentedLogFactory()
                .open(
                        disk,
                        disk,
                        new RecordLogOptions(
                                256 << 20, false, true, () -> 1, Runnable::run, () -> {}, () -> {}, cause -> {}));
        opening.finish();
        log = opening.log();
        reader = log.newReader();
    }

    @AfterEach
    void close() throws IOException {
        log.close();
    }

    private byte[] random(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private long append(byte[] key, byte[] value, long expiry) throws IOException {
        RecordDraft draft = log.newDraft();
        draft.put(key, value, expiry);
        return log.append(draft, ++version, false);
    }

    private DataFile file() {
        return (DataFile) log.segments().get(0);
    }

    private WritableFile onDisk() throws IOException {
        return disk.openWritable(file().name());
    }

    private byte[] copied(int length) throws IOException {
        ByteBuffer target = ByteBuffer.allocate(length + 2).position(1);
        reader.copyValue(target);
        assertThat(target.position()).isEqualTo(length + 1);
        return Arrays.copyOfRange(target.array(), 1, length + 1);
    }

    private static void assertDamage(ThrowingCallable call, String rule) {
        assertThatThrownBy(call).isInstanceOf(CorruptRecordException.class).hasMessageContaining(rule);
    }

    @Test
    void everyWayOfReadingGivesWhatWasWritten() throws IOException {
        for (int keyLength : KEY_LENGTHS) {
            for (int valueLength : VALUE_LENGTHS) {
                byte[] key = random(keyLength);
                byte[] value = random(valueLength);
                long expiry = valueLength % 2 == 0 ? EXPIRY : 0;
                long locator = append(key, value, expiry);
                // What lies after it must not matter.
                append(random(10), random(10), 0);
                String record = "key=" + keyLength + ", value=" + valueLength;
                reader.read(locator);
                assertThat(reader.hasKey(key, 0, keyLength)).as(record).isTrue();
                assertThat(reader.version()).isEqualTo(version - 1);
                assertThat(reader.expiresAt()).isEqualTo(expiry);
                assertThat(reader.valueLength()).isEqualTo(valueLength);
                assertThat(reader.value()).as(record).isEqualTo(value);
                reader.read(locator);
                assertThat(copied(valueLength)).as(record).isEqualTo(value);
                reader.read(locator);
                reader.verify();
                reader.readKey(locator, keyLength);
                assertThat(reader.hasKey(key, 0, keyLength)).as(record).isTrue();
                reader.readKey(locator, keyLength);
                assertThat(reader.value()).as(record).isEqualTo(value);
                reader.readKey(locator, keyLength);
                reader.verify();
            }
        }
    }

    @Test
    void aKeyIsItsBytesAndTheirNumber() throws IOException {
        byte[] key = random(300);
        long locator = append(key, random(5_000), 0);
        byte[] within = random(302);
        System.arraycopy(key, 0, within, 1, 300);
        byte[] other = key.clone();
        other[299]++;
        for (boolean isKeyOnly : new boolean[] {false, true}) {
            if (isKeyOnly) {
                reader.readKey(locator, 300);
            } else {
                reader.read(locator);
            }
            assertThat(reader.hasKey(within, 1, 300)).isTrue();
            assertThat(reader.hasKey(within, 0, 300)).isFalse();
            assertThat(reader.hasKey(key, 0, 299)).isFalse();
            assertThat(reader.hasKey(within, 1, 301)).isFalse();
            assertThat(reader.hasKey(other, 0, 300)).isFalse();
        }
        // A shorter key is asked for: the record's does not fit into what was read.
        reader.readKey(locator, 10);
        assertThat(reader.hasKey(key, 0, 300)).isFalse();
        assertThat(reader.wrongKey()).hasMessageContaining("another key");
    }

    @Test
    void aChangedByteIsFoundByEveryWay() throws IOException {
        for (int valueLength : new int[] {1, 100, 5_000, 70_000}) {
            byte[] key = random(20);
            long locator = append(key, random(valueLength), 0);
            append(random(10), random(10), 0);
            long start = Locator.offset(locator) + RecordFormat.SHORT_HEADER;
            for (long at : new long[] {start, start + 19, start + 20, start + 19 + valueLength}) {
                flip(at);
                reader.read(locator);
                assertDamage(reader::value, "bad checksum");
                reader.read(locator);
                assertDamage(() -> copied(valueLength), "bad checksum");
                reader.read(locator);
                assertDamage(reader::verify, "bad checksum");
                flip(at);
                reader.read(locator);
                reader.verify();
            }
            flip(start - 1);
            assertDamage(() -> reader.read(locator), "bad header checksum");
            assertDamage(() -> reader.readKey(locator, 20), "bad header checksum");
            flip(start - 1);
        }
    }

    private void flip(long at) throws IOException {
        try (WritableFile file = onDisk()) {
            byte[] one = new byte[1];
            file.read(at, one, 0, 1);
            one[0] ^= 4;
            file.write(at, one, 0, 1);
        }
    }

    /** Records in the order in which they lie are fetched ahead; any other order, and any damage, is read as ever. */
    @Test
    void recordsInOrderAreReadAheadAndVerifiedAsEver() throws IOException {
        List<Long> locators = new ArrayList<>();
        List<byte[]> values = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            values.add(random(i % 97 == 5 ? 9_000 : i % 11 == 0 ? 3_000 : random.nextInt(200)));
            locators.add(append(KeyValues.key(i), values.get(i), i % 3 == 0 ? EXPIRY : 0));
        }
        for (int from : new int[] {0, 1, 7, 300, 599}) {
            for (int step : new int[] {1, 1, 2, 0}) {
                for (int i = from; i < Math.min(from + 400, 600); i += Math.max(1, step)) {
                    reader.read(locators.get(i));
                    assertRecord(i, values.get(i));
                    if (step == 0) {
                        reader.read(locators.get(i)); // the same again is not the next
                        assertRecord(i, values.get(i));
                        byte[] key = KeyValues.key(i);
                        reader.readKey(locators.get(i), key.length);
                        assertThat(reader.hasKey(key, 0, key.length)).isTrue();
                    }
                }
            }
        }
        for (int damaged : new int[] {1, 40, 299}) {
            long header = Locator.offset(locators.get(damaged)) + 8;
            long body = Locator.offset(locators.get(damaged)) + RecordFormat.LONG_HEADER;
            flip(header);
            assertThat(readInOrder(locators, values)).containsExactly(damaged);
            flip(header);
            flip(body);
            assertThat(readInOrder(locators, values)).containsExactly(damaged);
            flip(body);
        }
        assertThat(readInOrder(locators, values)).isEmpty();
    }

    /** The place after a record, but in another file, is not what follows it. */
    @Test
    void whatFollowsIsInTheSameFile() throws IOException {
        List<Long> locators = new ArrayList<>();
        List<byte[]> values = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            if (i == 10) {
                log.leaveActive();
            }
            values.add(random(100));
            locators.add(append(random(16), values.get(i), 0));
        }
        for (int i : new int[] {0, 1, 12, 13, 4, 15}) {
            reader.read(locators.get(i));
            assertThat(reader.value()).as("record=%s", i).isEqualTo(values.get(i));
        }
    }

    /** Returns the numbers of those that are damaged. */
    private List<Integer> readInOrder(List<Long> locators, List<byte[]> values) throws IOException {
        List<Integer> damaged = new ArrayList<>();
        RecordReader fresh = log.newReader();
        for (int i = 0; i < locators.size(); i++) {
            try {
                fresh.read(locators.get(i));
                byte[] value = fresh.value();
                assertThat(value).isEqualTo(values.get(i));
                assertThat(fresh.hasKey(KeyValues.key(i), 0, KeyValues.key(i).length))
                        .isTrue();
            } catch (CorruptRecordException e) {
                damaged.add(i);
            }
        }
        return damaged;
    }

    private void assertRecord(int number, byte[] value) throws IOException {
        byte[] key = KeyValues.key(number);
        String record = "record=" + number;
        assertThat(reader.hasKey(key, 0, key.length)).as(record).isTrue();
        assertThat(reader.version()).as(record).isEqualTo(number + 1);
        assertThat(reader.expiresAt()).as(record).isEqualTo(number % 3 == 0 ? EXPIRY : 0);
        assertThat(reader.valueLength()).as(record).isEqualTo(value.length);
        switch (number % 3) {
            case 0 -> assertThat(reader.value()).as(record).isEqualTo(value);
            case 1 -> assertThat(copied(value.length)).as(record).isEqualTo(value);
            default -> reader.verify();
        }
    }

    /** A header with a right checksum may say that the value is longer than the file: nothing is read or made for it. */
    @Test
    void aRecordThatEndsBehindItsFileIsDamage() throws IOException {
        for (int valueLength : new int[] {100, 5_000}) {
            long locator = append(random(20), random(valueLength), 0);
            long offset = Locator.offset(locator);
            long left = file().length() - offset - RecordFormat.SHORT_HEADER - 20;
            for (int longer : new int[] {(int) left + 1, 1 << 29}) {
                EncodedDraft draft = new EncodedDraft();
                draft.put(random(20), new byte[0], 0);
                RecordFormat.INT.set(draft.bytes(), RecordFormat.VALUE_LENGTH_OFFSET, longer);
                draft.place(1, 0, file().mask(offset));
                try (WritableFile file = onDisk()) {
                    file.write(offset, draft.bytes(), 0, RecordFormat.SHORT_HEADER);
                }
                reader.read(locator);
                assertDamage(reader::value, "ends past the end of its file");
                assertDamage(() -> copied(longer), "ends past the end of its file");
                assertDamage(reader::verify, "ends past the end of its file");
            }
        }
    }

    @Test
    void aFileThatWasCutIsDamage() throws IOException {
        for (int valueLength : new int[] {100, 5_000, 70_000}) {
            long locator = append(random(20), random(valueLength), 0);
            byte[] before = disk.content(file().name());
            long bodyEnd = Locator.offset(locator) + RecordFormat.SHORT_HEADER + 20 + valueLength;
            try (WritableFile file = onDisk()) {
                file.truncate(bodyEnd - 1);
                reader.read(locator);
                assertDamage(reader::value, "bad checksum");
                reader.read(locator);
                assertDamage(() -> copied(valueLength), "cut short");
                reader.read(locator);
                assertDamage(reader::verify, "cut short");
                file.truncate(Locator.offset(locator) + RecordFormat.SHORT_HEADER - 1);
                assertDamage(() -> reader.read(locator), "bad header checksum");
                file.write(0, before, 0, before.length);
            }
            reader.read(locator);
            reader.verify();
        }
    }

    /** Whatever was read, the reader keeps a small buffer. */
    @Test
    void aReaderKeepsLittle() throws IOException {
        for (int keyLength : new int[] {20, 65_535}) {
            for (int valueLength : new int[] {65_400, 100_000, 1_200_000}) {
                byte[] key = random(keyLength);
                byte[] value = random(valueLength);
                long locator = append(key, value, 0);
                for (int way = 0; way < 3; way++) {
                    String record = "key=" + keyLength + ", value=" + valueLength + ", way=" + way;
                    reader.read(locator);
                    assertThat(reader.hasKey(key, 0, keyLength)).as(record).isTrue();
                    switch (way) {
                        case 0 -> assertThat(copied(valueLength)).as(record).isEqualTo(value);
                        case 1 -> assertThat(reader.value()).as(record).isEqualTo(value);
                        default -> reader.verify();
                    }
                    assertThat(reader.memoryBytes()).as(record).isLessThanOrEqualTo(64 << 10);
                }
            }
        }
    }

    /** A value that goes to its target in pieces moves the target's position only if all of it is sound. */
    @Test
    void aTargetOfADamagedValueStaysWhereItIs() throws IOException {
        long locator = append(random(20), random(200_000), 0);
        long inValue = Locator.offset(locator) + 150_000;
        try (WritableFile file = onDisk()) {
            byte[] damage = {(byte) (disk.content(file().name())[(int) inValue] ^ 1)};
            file.write(inValue, damage, 0, 1);
        }
        ByteBuffer target = ByteBuffer.allocate(200_010).position(3);
        reader.read(locator);
        assertDamage(() -> reader.copyValue(target), "bad checksum");
        assertThat(target.position()).isEqualTo(3);
    }
}
