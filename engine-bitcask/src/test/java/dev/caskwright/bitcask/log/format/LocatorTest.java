package dev.caskwright.bitcask.log.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.bitcask.log.file.DataFile;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LocatorTest {
    private static final long MAX_SIZE = RecordFormat.MAX_FILE_LENGTH - DataFile.HEADER_LENGTH;

    @Test
    void sizesAreExactUpToEightKibibytes() {
        for (long size = 8; size <= 8192; size += 8) {
            assertThat(Locator.size(Locator.of(0, 64, size, false))).isEqualTo(size);
        }
    }

    @Test
    void sizesAreRoundedUpByLittle() {
        Random random = new Random(5);
        for (int i = 0; i < 200_000; i++) {
            long size = RecordFormat.align(8192 + random.nextLong(1L << 13 + i % 18));
            assertRounded(Math.min(size, MAX_SIZE));
        }
        for (int shift = 13; shift < 31; shift++) {
            for (long step = -16; step <= 16; step += 8) {
                assertRounded(Math.min((1L << shift) + step, MAX_SIZE));
            }
        }
        assertRounded(MAX_SIZE);
    }

    private static void assertRounded(long size) {
        long kept = Locator.size(Locator.of(0, 64, size, false));
        assertThat(kept).isGreaterThanOrEqualTo(size);
        assertThat(kept - size).as("size=%s", size).isLessThanOrEqualTo(size / 500);
        assertThat(Locator.sizeClass(kept)).as("size=%s", size).isEqualTo(Locator.sizeClass(size));
    }

    @Test
    void largerSizesHaveLargerClasses() {
        int previous = -1;
        for (long size = 8; size < MAX_SIZE; size += Math.max(8, (size >>> 11) & -8)) {
            int sizeClass = Locator.sizeClass(size);
            assertThat(sizeClass).isGreaterThanOrEqualTo(previous).isLessThan(1 << 15);
            previous = sizeClass;
        }
    }

    @Test
    void everyPartIsKept() {
        Random random = new Random(6);
        int[] slots = {0, 1, 77, Locator.MAX_SLOTS - 1, random.nextInt(Locator.MAX_SLOTS)};
        long[] offsets = {64, 72, 1L << 20, RecordFormat.MAX_FILE_LENGTH - 24, random.nextInt(1 << 28) * 8L & 0x7FFFFFF8
        };
        long[] sizes = {24, 8192, 1 << 20, MAX_SIZE};
        for (int slot : slots) {
            for (long offset : offsets) {
                for (long size : sizes) {
                    for (boolean expires : new boolean[] {false, true}) {
                        long locator = Locator.of(slot, offset, size, expires);
                        assertThat(locator).isNotZero();
                        assertThat(Locator.slot(locator)).isEqualTo(slot);
                        assertThat(Locator.offset(locator)).isEqualTo(offset);
                        assertThat(Locator.expires(locator)).isEqualTo(expires);
                        assertThat(Locator.size(locator)).isGreaterThanOrEqualTo(size);
                        long place = Locator.withoutSlot(locator);
                        assertThat(place).isLessThan(1L << 44).isNotNegative();
                        assertThat(Locator.withSlot(slot, place)).isEqualTo(locator);
                    }
                }
            }
        }
    }
}
