package dev.caskwright.index.compact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class SegmentImageTest {
    private static final int SLAB = 1 << 16;

    /** Blocks of any size are cut from it until so many slabs are used. */
    private int slabsLeft = 1_000;

    private final BlockMemory memory = memory();
    private final BlockMemory other = memory();

    private BlockMemory memory() {
        return new BlockMemory(Bucket.lengthInBytes(Bucket.MAX_SLOTS), (bytes, held) -> {
            if (slabsLeft-- == 0) {
                throw new IndexMemoryException("planned", null);
            }
            return DirectMemory.allocate(bytes, held);
        });
    }

    @AfterEach
    void free() {
        memory.clear();
        other.clear();
    }

    /** The bytes of a bucket with these tags, whose locators count from 1. */
    private static byte[] bucket(int slots, int depth, int... tags) {
        ByteBuffer bytes = ByteBuffer.allocate(2 + (slots * 11 + 7) / 8 * 8).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put((byte) slots).put((byte) depth);
        for (int slot = 0; slot < tags.length; slot++) {
            bytes.putLong(2 + slot * 8, slot + 1)
                    .putShort(2 + slots * 8 + slot * 2, (short) tags[slot])
                    .put(2 + slots * 10 + slot, (byte) (tags[slot] >> 16));
        }
        return bytes.array();
    }

    /** The bytes of a segment. */
    private static byte[] segment(int length, byte[]... buckets) {
        ByteBuffer bytes = ByteBuffer.allocate(
                        4 + Arrays.stream(buckets).mapToInt(each -> each.length).sum())
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(length);
        for (byte[] bucket : buckets) {
            bytes.put(bucket);
        }
        return bytes.array();
    }

    /** Half of the tags in one bucket, and a quarter in each of two more: 8 keys. */
    private static byte[] ofThreeBuckets() {
        return segment(
                4,
                bucket(4, 1, 0x00_0001, 0x7F_FFFF, 0x40_8000),
                bucket(8, 2, 0x80_0001, 0x81_0002, 0xBF_0003, 0xBF_0004, 0x90_0005),
                bucket(12, 2));
    }

    private long[] read(byte[] image, int keys) throws IOException {
        ImageSource source = new ArrayImage(image).source(0, image.length);
        long[] directory = SegmentImage.read(source, memory, source.remaining(), keys);
        assertThat(directory).isNotNull();
        assertThat(source.remaining()).isZero();
        return directory;
    }

    @Test
    void whatWasReadIsWrittenAgain() throws Exception {
        for (byte[] image : new byte[][] {
            ofThreeBuckets(),
            segment(1, bucket(64, 0, 5, 6, 7, 8, 9, 10, 11, 12)),
            segment(4, bucket(4, 2), bucket(4, 2, 0x40_0001), bucket(8, 1, -1, -2, -3, -4, -5, -6, -7)),
            segment(2, bucket(4, 1), bucket(20, 1, 1 << 23 | 1, 1 << 23 | 2, -1, -2, -3, -4, -5, -6))
        }) {
            long[] directory = read(image, 8);
            assertThat(SegmentImage.of(memory, directory)).isEqualTo(image);
            assertThat(SegmentImage.keys(memory, directory)).isEqualTo(8);
        }
    }

    @Test
    void aDirectoryNamesTheBucketsInOrder() throws Exception {
        long[] directory = read(ofThreeBuckets(), 8);
        assertThat(directory).hasSize(4);
        assertThat(directory[0]).isEqualTo(directory[1]);
        assertThat(Arrays.stream(directory).distinct()).hasSize(3);
        assertThat(Arrays.stream(directory).mapToInt(Bucket::slots)).containsExactly(4, 4, 8, 12);
        assertThat(Arrays.stream(directory).mapToInt(Bucket::depth)).containsExactly(1, 1, 2, 2);
        long second = Bucket.address(directory[2]);
        assertThat(Bucket.tagOf(memory.slab(second), BlockMemory.offset(second), 8, 2))
                .isEqualTo(0xBF_0003);
        assertThat(Bucket.locator(memory.slab(second), BlockMemory.offset(second), 2))
                .isEqualTo(3);
    }

    @Test
    void aSegmentWithoutKeysIsFourZeros() throws Exception {
        assertThat(SegmentImage.of(memory, Directory.NONE)).isEqualTo(new byte[4]);
        assertThat(read(new byte[4], 0)).isSameAs(Directory.NONE);
        assertThat(SegmentImage.keys(memory, Directory.NONE)).isZero();
        assertThat(SegmentImage.copy(memory, Directory.NONE, other)).isSameAs(Directory.NONE);
        assertThat(SegmentImage.read(new ArrayImage(new byte[4]).source(0, 4), memory, 4, 1))
                .isNull();
        assertThat(memory.bytes()).isZero();
        SegmentImage.free(memory, Directory.NONE);
    }

    /** Asserts that so many readings leave no block behind. */
    private void assertRefused(byte[] image, int keys, String what) throws IOException {
        int read = 0;
        for (int i = 0; i <= SLAB / 48; i++) {
            ImageSource source = new ArrayImage(image).source(0, image.length);
            read += SegmentImage.read(source, memory, source.remaining(), keys) == null ? 0 : 1;
        }
        assertThat(read).as(what).isZero();
        assertThat(memory.bytes()).as(what).isLessThanOrEqualTo(SLAB);
    }

    @Test
    void whatIsNoSegmentIsRefusedAndTakesNoMemory() throws Exception {
        assertRefused(ofThreeBuckets(), 7, "more keys than there should be");
        assertRefused(ofThreeBuckets(), 9, "fewer keys than there should be");
        assertRefused(segment(3, bucket(4, 0, 1), bucket(4, 0, 1), bucket(4, 0, 1)), 3, "three entries");
        assertRefused(segment(Integer.MIN_VALUE, bucket(4, 0, 1)), 1, "less than no entries");
        assertRefused(segment(64, bucket(4, 0, 1)), 1, "more entries than bytes");
        for (int slots : new int[] {0, 3, 5, 68, -4}) {
            byte[] image = segment(1, bucket(4, 0, 1), new byte[1_000]);
            image[4] = (byte) slots;
            assertRefused(image, slots == 0 ? 0 : 1, "slots=" + slots);
        }
        assertRefused(segment(1, bucket(4, 1, 1)), 1, "a bucket deeper than the directory");
        assertRefused(segment(2, bucket(4, -1, 1)), 1, "a depth below zero");
        assertRefused(segment(2, bucket(4, 1, 1), bucket(4, 0)), 1, "a bucket that goes over the end");
        assertRefused(segment(2, bucket(4, 1), bucket(4, 0)), 0, "an empty bucket that goes over the end");
        byte[] between = segment(4, bucket(4, 2, 1), bucket(4, 1, 2), bucket(4, 2, -1));
        assertRefused(between, 3, "a bucket of two entries from the second on");
        assertRefused(segment(2, bucket(4, 1, 1 << 23 | 1), bucket(4, 1)), 1, "a tag of the other half");
        byte[] withoutLocator = segment(1, bucket(4, 0, 1));
        withoutLocator[6] = 0;
        assertRefused(withoutLocator, 1, "no locator");
    }

    /** So that a wrong length takes no memory. */
    @Test
    void aDirectoryIsNoLongerThanItsSegment() throws Exception {
        byte[] image = segment(64, bucket(4, 0, 1));
        byte[] tooShort = Arrays.copyOf(image, 4 + 63);
        assertThat(SegmentImage.read(new ArrayImage(tooShort).source(0, tooShort.length), memory, tooShort.length, 1))
                .isNull();
        byte[] longEnough = Arrays.copyOf(image, 4 + 64);
        assertThat(SegmentImage.read(
                        new ArrayImage(longEnough).source(0, longEnough.length), memory, longEnough.length, 1))
                .hasSize(64);
        assertThat(SegmentImage.read(new ArrayImage(longEnough).source(0, longEnough.length), memory, 63, 1))
                .as("what follows are other segments")
                .isNull();
    }

    @Test
    void whatCannotBeReadToTheEndTakesNoMemory() throws Exception {
        byte[] image = ofThreeBuckets();
        for (int length = 0; length < image.length; length++) {
            ImageSource source = new ArrayImage(image).source(0, length);
            if (length < 4 || length >= 4 + 4) {
                assertThatThrownBy(() -> SegmentImage.read(source, memory, source.remaining(), 8))
                        .isInstanceOf(EOFException.class);
            } else {
                assertThat(SegmentImage.read(source, memory, source.remaining(), 8))
                        .isNull();
            }
        }
        for (int i = 0; i < SLAB / 48; i++) {
            ImageSource source = new ArrayImage(image).source(0, image.length - 1);
            assertThatThrownBy(() -> SegmentImage.read(source, memory, source.remaining(), 8))
                    .isInstanceOf(EOFException.class);
        }
        assertThat(memory.bytes()).isEqualTo(SLAB);
    }

    @Test
    void aCopyHasItsOwnBlocks() throws Exception {
        long[] directory = read(ofThreeBuckets(), 8);
        other.allocate(88);
        long[] copy = SegmentImage.copy(memory, directory, other);
        memory.clear();
        assertThat(SegmentImage.of(other, copy)).isEqualTo(ofThreeBuckets());
        assertThat(SegmentImage.keys(other, copy)).isEqualTo(8);
    }

    @Test
    void aCopyWithoutMemoryTakesNone() throws Exception {
        int[] tags = new int[40];
        Arrays.setAll(tags, i -> i + 1);
        byte[][] buckets = new byte[128][];
        for (int i = 0; i < buckets.length; i++) {
            int first = i << 17;
            buckets[i] =
                    bucket(64, 7, Arrays.stream(tags).map(tag -> first | tag).toArray());
        }
        long[] directory = read(segment(128, buckets), 128 * 40);
        slabsLeft = 1;
        assertThatThrownBy(() -> SegmentImage.copy(memory, directory, other)).hasMessage("planned");
        assertThat(other.bytes()).isEqualTo(SLAB);
        slabsLeft = 0;
        // 93 blocks of this size fill a slab. All were given back.
        for (int i = 0; i < 93; i++) {
            other.allocate(704);
        }
        assertThatThrownBy(() -> other.allocate(704)).hasMessage("planned");
    }

    @Test
    void eachBlockIsGivenBackOnce() throws Exception {
        byte[][] equal = {bucket(4, 1, 1), bucket(4, 2, 0x80_0001), bucket(4, 2, 0xC0_0001)};
        long[] directory = read(segment(4, equal), 3);
        SegmentImage.free(memory, directory);
        List<Long> again = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            again.add(memory.allocate(48));
        }
        assertThat(again.subList(0, 3))
                .containsExactlyInAnyOrder(
                        Bucket.address(directory[0]), Bucket.address(directory[2]), Bucket.address(directory[3]));
        assertThat(again).doesNotHaveDuplicates();
    }
}
