package dev.caskwright.index.compact;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Blocks lie between bytes that must not change. */
final class BucketTest {
    private static final byte OTHER = (byte) 0xAB;
    private static final int BASE = 16;
    /** Low tags that look like free slots or borrow from their neighbours, if anything is wrong. */
    private static final int[] NASTY = {0x0001, 0x8000, 0xFFFF, 0x7FFF, 0x0100, 0x8001, 0x00FF};

    private final ByteBuffer slab = untouched();

    private static ByteBuffer untouched() {
        ByteBuffer slab = ByteBuffer.allocateDirect(1024).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < slab.capacity(); i++) {
            slab.put(i, OTHER);
        }
        return slab;
    }

    private static byte[] content(ByteBuffer slab) {
        byte[] bytes = new byte[slab.capacity()];
        slab.get(0, bytes);
        return bytes;
    }

    private static long locatorOf(int slot) {
        return 0x1122_3344_5566_7700L + slot;
    }

    /** A bucket with these tags in its first slots. */
    private static ByteBuffer bucket(int slots, int... tags) {
        ByteBuffer slab = untouched();
        Bucket.format(slab, BASE, slots, 0);
        for (int slot = 0; slot < tags.length; slot++) {
            Bucket.fill(slab, BASE, slots, slot, tags[slot], locatorOf(slot));
        }
        return slab;
    }

    private static int[] tags(int count) {
        int[] tags = new int[count];
        for (int slot = 0; slot < count; slot++) {
            tags[slot] = (slot * 5 & 0xFF) << 16 | NASTY[slot % NASTY.length];
        }
        return tags;
    }

    @Test
    void aTagIsTheLowBitsOfTheHashAndItsLowHalfIsNeverZero() {
        assertThat(Bucket.tag(0x1234_5678_9ABC_DEF0L)).isEqualTo(0xBC_DEF0);
        assertThat(Bucket.tag(0xFFFF_FFFF_FF01_0001L)).isEqualTo(0x01_0001);
        assertThat(Bucket.tag(0x00FF_0000)).isEqualTo(0xFF_0001);
        assertThat(Bucket.tag(0x00FF_8000)).isEqualTo(0xFF_8000);
        assertThat(Bucket.tag(0)).isEqualTo(1);
    }

    @Test
    void aSlotTakesElevenBytesAndABlockAMultipleOfEight() {
        assertThat(Bucket.lengthInBytes(4)).isEqualTo(48);
        assertThat(Bucket.lengthInBytes(8)).isEqualTo(88);
        assertThat(Bucket.lengthInBytes(12)).isEqualTo(136);
        assertThat(Bucket.lengthInBytes(64)).isEqualTo(704);
    }

    @Test
    void aWordSaysAddressSlotsAndDepthAndHowOftenItWasReplaced() {
        long first = Bucket.word(0, 4, 0, Bucket.NO_BUCKET);
        assertThat(first).isEqualTo(1L << 40 | 1L << 51);
        long second = Bucket.word(5, 64, 23, first);
        assertThat(second).isEqualTo(5 | 16L << 40 | 23L << 46 | 2L << 51);
        long last = (1L << 40) - 1;
        for (int slots = 4; slots <= 64; slots += 4) {
            for (int depth = 0; depth <= Bucket.MAX_DEPTH; depth++) {
                for (long address : new long[] {0, 1, last}) {
                    long word = Bucket.word(address, slots, depth, second);
                    assertThat(Bucket.address(word)).isEqualTo(address);
                    assertThat(Bucket.slots(word)).isEqualTo(slots);
                    assertThat(Bucket.depth(word)).isEqualTo(depth);
                }
            }
        }
        // Only after so many changes does a word come again.
        long word = first;
        for (int i = 1; i < 1 << 13; i++) {
            word = Bucket.word(0, 4, 0, word);
            assertThat(word).isNotEqualTo(first);
        }
        assertThat(Bucket.word(0, 4, 0, word)).isEqualTo(first);
    }

    @Test
    void aFilledSlotIsWhereTheLayoutSays() {
        for (int slots : new int[] {4, 12}) {
            ByteBuffer bucket = bucket(slots);
            byte[] expected = content(bucket);
            for (int slot = slots - 1; slot >= 0; slot--) {
                int tag = tags(slots)[slot];
                Bucket.fill(bucket, BASE, slots, slot, tag, locatorOf(slot));
                ByteBuffer.wrap(expected)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(BASE + 8 * slot, locatorOf(slot))
                        .putShort(BASE + 8 * slots + 2 * slot, (short) tag)
                        .put(BASE + 10 * slots + slot, (byte) (tag >> 16));
                assertThat(content(bucket)).isEqualTo(expected);
                assertThat(Bucket.tagOf(bucket, BASE, slots, slot)).isEqualTo(tag);
                assertThat(Bucket.locator(bucket, BASE, slot)).isEqualTo(locatorOf(slot));
            }
        }
    }

    @Test
    void aNewLocatorTakesThePlaceOfTheOldAndAClearedSlotKeepsItsOwn() {
        ByteBuffer bucket = bucket(8, tags(8));
        byte[] expected = content(bucket);
        Bucket.setLocator(bucket, BASE, 6, -3);
        ByteBuffer.wrap(expected).order(ByteOrder.LITTLE_ENDIAN).putLong(BASE + 8 * 6, -3);
        assertThat(content(bucket)).isEqualTo(expected);
        Bucket.clear(bucket, BASE, 8, 5);
        ByteBuffer.wrap(expected).putShort(BASE + 8 * 8 + 2 * 5, (short) 0);
        assertThat(content(bucket)).isEqualTo(expected);
    }

    @Test
    void formattingFreesTheSlotsFromOneOnAndTouchesNothingElse() {
        for (int slots : new int[] {4, 12, 64}) {
            for (int first = 0; first <= slots; first++) {
                ByteBuffer block = untouched();
                Bucket.format(block, BASE, slots, first);
                byte[] expected = content(slab);
                Arrays.fill(expected, BASE + 8 * slots + 2 * first, BASE + 10 * slots, (byte) 0);
                assertThat(content(block))
                        .as("slots=%s, first=%s", slots, first)
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void freeSlotsAreSeenBesideAnyTag() {
        for (int pattern = 0; pattern < 1 << 12; pattern++) {
            ByteBuffer bucket = bucket(12);
            int lowest = Bucket.NO_SLOT;
            for (int slot = 11; slot >= 0; slot--) {
                if ((pattern >> slot & 1) != 0) {
                    Bucket.fill(bucket, BASE, 12, slot, NASTY[(slot + pattern) % NASTY.length], 1);
                } else {
                    lowest = slot;
                }
            }
            assertThat(Bucket.liveSlots(bucket, BASE, 12)).isEqualTo(Integer.bitCount(pattern));
            assertThat(Bucket.freeSlot(bucket, BASE, 12)).isEqualTo(lowest);
            for (int slot = 0; slot < 12; slot++) {
                assertThat(Bucket.isFree(bucket, BASE, 12, slot)).isEqualTo((pattern >> slot & 1) == 0);
            }
        }
    }

    @Test
    void fourTagsAreComparedAtOnce() {
        int[] values = {0, 0x0001, 0x8000, 0xFFFF, 0x7FFF, 0x0100};
        for (int number = 0; number < 6 * 6 * 6 * 6; number++) {
            int[] lane = {values[number % 6], values[number / 6 % 6], values[number / 36 % 6], values[number / 216]};
            long lanes = lane[0] | (long) lane[1] << 16 | (long) lane[2] << 32 | (long) lane[3] << 48;
            long tops = Bucket.zeroLanes(lanes);
            int first = 0;
            while (first < 4 && lane[first] != 0) {
                first++;
            }
            if (first == 4) {
                assertThat(tops).isZero();
            } else {
                assertThat(Bucket.firstLane(tops)).isEqualTo(first);
            }
            for (int i = 0; i < 4; i++) {
                assertThat(Bucket.isZeroLane(lanes, i)).isEqualTo(lane[i] == 0);
                assertThat(lane[i] == 0 && (tops >>> (16 * i + 15) & 1) == 0).isFalse();
            }
            assertThat(tops & ~0x8000_8000_8000_8000L).isZero();
        }
        assertThat(Bucket.pattern(0xAB_8001)).isEqualTo(0x8001_8001_8001_8001L);
        ByteBuffer bucket = bucket(8, 0x10001, 0x20002, 0x30003, 0x40004, 0x50005, 0x60006, 0x70007, 0x80008);
        assertThat(Bucket.lanes(bucket, BASE, 8, 0)).isEqualTo(0x0004_0003_0002_0001L);
        assertThat(Bucket.lanes(bucket, BASE, 8, 4)).isEqualTo(0x0008_0007_0006_0005L);
    }

    @Test
    void aBucketHasFourToSixtyFourSlotsAndADepthThatTagsHave() {
        for (int slots = -8; slots <= 72; slots++) {
            boolean isPossible = slots == 4 || slots == 8 || slots == 12 || slots > 12 && slots <= 64 && slots % 4 == 0;
            assertThat(Bucket.isPossible(slots, 0)).as("slots=%s", slots).isEqualTo(isPossible);
            assertThat(Bucket.isPossible(slots, 23)).as("slots=%s", slots).isEqualTo(isPossible);
            assertThat(Bucket.isPossible(slots, 24)).isFalse();
            assertThat(Bucket.isPossible(slots, -1)).isFalse();
        }
    }

    @Test
    void keysCountIfTheirTagsBeginAlikeAndTheyHaveLocators() {
        int[] tags = {0xA0_0001, 0xAF_8000, 0xA5_FFFF, 0xA1_0100, 0xA2_0001};
        ByteBuffer bucket = bucket(8, tags);
        assertThat(Bucket.keysOf(bucket, BASE, 8, 4, 0xA)).isEqualTo(5);
        assertThat(Bucket.keysOf(bucket, BASE, 8, 3, 0x5)).isEqualTo(5);
        assertThat(Bucket.keysOf(bucket, BASE, 8, 0, 0)).isEqualTo(5);
        assertThat(Bucket.keysOf(bucket, BASE, 8, 4, 0xB)).isEqualTo(Bucket.NOT_OF);
        assertThat(Bucket.keysOf(bucket, BASE, 8, 5, 0x14)).isEqualTo(Bucket.NOT_OF);
        Bucket.clear(bucket, BASE, 8, 2);
        assertThat(Bucket.keysOf(bucket, BASE, 8, 4, 0xA)).isEqualTo(4);
        Bucket.setLocator(bucket, BASE, 2, 0);
        assertThat(Bucket.keysOf(bucket, BASE, 8, 4, 0xA))
                .as("that of a free slot does not matter")
                .isEqualTo(4);
        Bucket.setLocator(bucket, BASE, 3, 0);
        assertThat(Bucket.keysOf(bucket, BASE, 8, 4, 0xA)).isEqualTo(Bucket.NOT_OF);
        assertThat(Bucket.keysOf(bucket(8), BASE, 8, 4, 0xA)).isZero();
        assertThat(Bucket.keysOf(bucket(8, tags(8)), BASE, 8, 0, 0)).isEqualTo(8);
    }

    private static List<String> keys(ByteBuffer slab, int base, int slots) {
        List<String> keys = new ArrayList<>();
        for (int slot = 0; slot < slots; slot++) {
            keys.add(
                    Bucket.isFree(slab, base, slots, slot)
                            ? "free"
                            : Integer.toHexString(Bucket.tagOf(slab, base, slots, slot)) + "="
                                    + Bucket.locator(slab, base, slot));
        }
        return keys;
    }

    /** Asserts that outside of the block nothing changed. */
    private void assertOnlyBlockChanged(ByteBuffer target, int base, int slots) {
        byte[] found = content(target);
        Arrays.fill(found, base, base + Bucket.lengthInBytes(slots), OTHER);
        assertThat(found).isEqualTo(content(slab));
    }

    @Test
    void aLargerCopyHasTheSameSlotsAndFreeOnes() {
        for (int slots : new int[] {12, 64}) {
            ByteBuffer bucket = bucket(8, tags(8));
            Bucket.clear(bucket, BASE, 8, 3);
            List<String> expected = keys(bucket, BASE, 8);
            while (expected.size() < slots) {
                expected.add("free");
            }
            ByteBuffer target = untouched();
            Bucket.copy(bucket, BASE, 8, target, 32, slots);
            assertThat(keys(target, 32, slots)).isEqualTo(expected);
            assertOnlyBlockChanged(target, 32, slots);
        }
    }

    @Test
    void aCopyThatIsNotLargerHasTheKeysInFront() {
        for (int slots : new int[] {8, 12}) {
            ByteBuffer bucket = bucket(12, tags(12));
            for (int slot : new int[] {0, 4, 5, 9, 11}) {
                Bucket.clear(bucket, BASE, 12, slot);
            }
            List<String> expected = keys(bucket, BASE, 12);
            expected.removeIf("free"::equals);
            assertThat(expected).hasSize(7);
            while (expected.size() < slots) {
                expected.add("free");
            }
            ByteBuffer target = untouched();
            Bucket.copy(bucket, BASE, 12, target, 32, slots);
            assertThat(keys(target, 32, slots)).isEqualTo(expected);
            assertOnlyBlockChanged(target, 32, slots);
        }
    }

    @Test
    void aFullBucketIsDividedByOneBit() {
        int[] tags = tags(64);
        ByteBuffer bucket = bucket(64, tags);
        List<String> all = keys(bucket, BASE, 64);
        for (int bit : new int[] {1 << 23, 1 << 16, 1 << 15, 1}) {
            long slots = 0;
            List<String> expected = new ArrayList<>();
            for (int slot = 0; slot < 64; slot++) {
                if ((tags[slot] & bit) != 0) {
                    slots |= 1L << slot;
                    expected.add(all.get(slot));
                }
            }
            assertThat(Bucket.slotsWith(bucket, BASE, bit)).isEqualTo(slots);
            int room = Math.min(64, expected.size() / 4 * 4 + 4);
            while (expected.size() < room) {
                expected.add("free");
            }
            ByteBuffer target = untouched();
            Bucket.take(bucket, BASE, slots, target, 32, room);
            assertThat(keys(target, 32, room)).isEqualTo(expected);
            assertOnlyBlockChanged(target, 32, room);
        }
    }
}
