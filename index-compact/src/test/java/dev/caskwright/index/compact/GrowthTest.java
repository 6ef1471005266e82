package dev.caskwright.index.compact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How buckets and directories grow, are split and shrink, and what memory that takes. Their shape is seen by images. */
final class GrowthTest {
    private static final int SLAB = 1 << 16;
    private static final int BYTES_PER_CHANGE = 176;
    private static final int BYTES_FOR_A_SPLIT = 4 * 704;
    private static final int HEAP_WHEN_EMPTY = 16 + 4 * 1024;

    private final NumberedKeys keys = new NumberedKeys();

    /** A bucket in an image: its place among all tags, as a number of {@code depth} bits. */
    private record Shape(int slots, int depth, int prefix, List<Integer> tags) {}

    /** A segment in an image. */
    private record Segment(int directory, List<Shape> buckets) {}

    private static Segment segment(CompactKeyIndex index, int segment) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        index.save(bytes::write);
        ByteBuffer image = ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        int table = image.limit() - 1024 * 8 - 12;
        int start = 0;
        for (int i = 0; i < segment; i++) {
            start += image.getInt(table + i * 8);
        }
        image.limit(start + image.getInt(table + segment * 8)).position(start);
        int directory = image.getInt();
        List<Shape> buckets = new ArrayList<>();
        int entry = 0;
        while (image.hasRemaining()) {
            int slots = image.get();
            int depth = image.get();
            int entries = directory >> depth;
            List<Integer> tags = new ArrayList<>();
            for (int slot = 0; slot < slots; slot++) {
                int low = image.getShort(image.position() + slots * 8 + slot * 2) & 0xFFFF;
                int high = image.get(image.position() + slots * 10 + slot) & 0xFF;
                if (low != 0) {
                    tags.add(high << 16 | low);
                }
            }
            buckets.add(new Shape(slots, depth, entry / entries, tags));
            image.position(image.position() + (slots * 11 + 7) / 8 * 8);
            entry += entries;
        }
        assertThat(entry).isEqualTo(directory);
        return new Segment(directory, buckets);
    }

    /** Returns how many changes room can be made for without another slab. */
    private int room(CompactKeyIndex index) throws IOException {
        int before = keys.slabsLeft;
        keys.slabsLeft = 0;
        for (int changes = 0; ; changes++) {
            try {
                index.ensureRoom(changes);
            } catch (IndexMemoryException e) {
                keys.slabsLeft = before;
                return changes - 1;
            }
        }
    }

    /** What the blocks of an index should take of its slab: one that is given back is used for the next of its size. */
    private static final class Blocks {
        private final Map<Integer, Integer> free = new HashMap<>();
        private int cut;

        void take(int slots) {
            if (free.getOrDefault(slots, 0) > 0) {
                free.merge(slots, -1, Integer::sum);
            } else {
                cut += (slots * 11 + 7) / 8 * 8;
            }
        }

        void giveBack(int slots) {
            free.merge(slots, 1, Integer::sum);
        }

        void follow(Segment before, Segment after) {
            Map<String, Shape> old = new HashMap<>();
            before.buckets.forEach(bucket -> old.put(bucket.depth + ":" + bucket.prefix, bucket));
            for (Shape bucket : after.buckets) {
                Shape same = old.remove(bucket.depth + ":" + bucket.prefix);
                if (same == null) {
                    take(bucket.slots);
                } else if (same.slots != bucket.slots) {
                    take(bucket.slots);
                    giveBack(same.slots);
                }
            }
            // What is left was split.
            old.values().forEach(bucket -> giveBack(bucket.slots));
        }

        int room() {
            return (SLAB - cut - BYTES_FOR_A_SPLIT) / BYTES_PER_CHANGE;
        }
    }

    @Test
    void anIndexGrowsToHalfThenByFourSlotsAndSplitsWhatCannotGrow() throws Exception {
        List<Integer> numbers = NumberedKeys.ofSegment(0, 300);
        Blocks blocks = new Blocks();
        try (CompactKeyIndex index = keys.index()) {
            assertThat(index.memoryBytes()).isEqualTo(HEAP_WHEN_EMPTY);
            Segment before = segment(index, 0);
            for (int i = 0; i < numbers.size(); i++) {
                int number = numbers.get(i);
                assertThat(NumberedKeys.put(index, number, 1)).isZero();
                Segment after = segment(index, 0);
                assertShape(after, i + 1);
                assertThat(index.size()).isEqualTo(i + 1);
                assertThat(index.memoryBytes()).isEqualTo(SLAB + HEAP_WHEN_EMPTY + 16 + 8L * after.directory);
                blocks.follow(before, after);
                assertThat(room(index)).as("keys=%s", i + 1).isEqualTo(blocks.room());
                before = after;
            }
            assertThat(before.directory).isGreaterThanOrEqualTo(8);
            for (int number : numbers) {
                assertThat(NumberedKeys.get(index, number)).isEqualTo(NumberedKeys.locator(number, 1));
            }
            assertThat(keys.slabBytes).isEqualTo(SLAB);
        }
    }

    /** Asserts that it is what so many keys make of it, in whatever order they came. */
    private static void assertShape(Segment segment, int size) {
        int count = 0;
        int deepest = 0;
        Map<String, Integer> counts = new HashMap<>();
        for (Shape bucket : segment.buckets) {
            int live = bucket.tags.size();
            // One that was full got half of the largest, if it had less.
            assertThat(bucket.slots - live).isBetween(0, bucket.slots == 32 ? 27 : 4);
            assertThat(bucket.depth > 0 || bucket.slots == 4 || bucket.slots >= 32)
                    .isTrue();
            assertThat(bucket.tags).allMatch(tag -> tag >> (24 - bucket.depth) == bucket.prefix);
            for (int up = 1; up <= bucket.depth; up++) {
                counts.merge((bucket.depth - up) + ":" + (bucket.prefix >> up), live, Integer::sum);
            }
            count += live;
            deepest = Math.max(deepest, bucket.depth);
        }
        assertThat(count).isEqualTo(size);
        assertThat(counts.values())
                .as("only what is too much for a bucket is split")
                .allMatch(keys -> keys > 64);
        assertThat(segment.directory).isEqualTo(1 << deepest);
    }

    @Test
    void aBucketOfMoreThanEightSlotsGivesThemBackWhenTwelveAreFree() throws Exception {
        List<Integer> numbers = NumberedKeys.ofSegment(0, 64);
        Blocks blocks = new Blocks();
        try (CompactKeyIndex index = keys.index()) {
            Segment before = segment(index, 0);
            for (int number : numbers) {
                NumberedKeys.put(index, number, 1);
                Segment after = segment(index, 0);
                blocks.follow(before, after);
                before = after;
            }
            int slots = 64;
            int left = 64;
            for (int number : numbers) {
                assertThat(NumberedKeys.remove(index, number, 1)).isTrue();
                left--;
                slots = slots - left >= 12 && slots > 8 ? left / 4 * 4 + 4 : slots;
                Segment after = segment(index, 0);
                assertThat(after.buckets).hasSize(1);
                assertThat(after.buckets.get(0).slots).as("left=%s", left).isEqualTo(slots);
                assertThat(after.buckets.get(0).tags).hasSize(left);
                assertThat(index.size()).isEqualTo(left);
                blocks.follow(before, after);
                assertThat(room(index)).as("left=%s", left).isEqualTo(blocks.room());
                before = after;
            }
            assertThat(slots).isEqualTo(8);
        }
    }

    /** A removal needs no memory to be done. */
    @Test
    void aBucketThatCannotShrinkStaysAsItIs() throws Exception {
        List<Integer> numbers = NumberedKeys.ofSegment(0, 64);
        try (CompactKeyIndex source = keys.index();
                CompactKeyIndex index = keys.index()) {
            for (int number : numbers) {
                NumberedKeys.put(source, number, 1);
            }
            ByteArrayOutputStream image = new ByteArrayOutputStream();
            source.save(image::write);
            index.load(new ArrayImage(image.toByteArray()), (into, wanted, cause) -> {
                throw cause;
            });
            index.loadMore();
            // Other segments take what is left of the slab, so that there is no smaller block.
            keys.slabsLeft = 0;
            int refused = 0;
            for (int number = 0; refused == 0; number++) {
                if (NumberedKeys.segment(number) != 0) {
                    try {
                        NumberedKeys.put(index, number, 1);
                    } catch (IndexMemoryException e) {
                        refused++;
                    }
                }
            }
            long size = index.size();
            for (int i = 0; i < 12; i++) {
                assertThat(NumberedKeys.remove(index, numbers.get(i), 1)).isTrue();
            }
            for (int i = 0; i < 64; i++) {
                int number = numbers.get(i);
                assertThat(NumberedKeys.get(index, number)).isEqualTo(i < 12 ? 0 : NumberedKeys.locator(number, 1));
            }
            assertThat(index.size()).isEqualTo(size - 12);
            assertThat(segment(index, 0).buckets.get(0).slots).isEqualTo(64);
            keys.slabsLeft = 1;
            assertThat(NumberedKeys.remove(index, numbers.get(12), 1)).isTrue();
            assertThat(segment(index, 0).buckets.get(0).slots).isEqualTo(52);
        }
    }

    /** There is memory for the first of two buckets, which is given back. */
    @Test
    void aBucketThatCannotBeSplitInTwoStaysWhole() throws Exception {
        List<Integer> numbers = NumberedKeys.ofSegment(0, 65);
        int ones = (int) numbers.subList(0, 64).stream()
                .filter(number -> NumberedKeys.tag(number) >> 23 == 1)
                .count();
        int zero = Bucket.lengthInBytes((64 - ones) / 4 * 4 + 4);
        int one = Bucket.lengthInBytes(ones / 4 * 4 + 4);
        Deque<Integer> slabs = new ArrayDeque<>(List.of(704 + zero));
        try (CompactKeyIndex source = keys.index();
                CompactKeyIndex index =
                        new CompactKeyIndex(new KeyIndexContext(0, 0, NumberedKeys.SEED, keys), (bytes, held) -> {
                            if (slabs.isEmpty()) {
                                throw new IndexMemoryException("planned", null);
                            }
                            return DirectMemory.allocate(slabs.remove(), held);
                        })) {
            for (int number : numbers.subList(0, 64)) {
                NumberedKeys.put(source, number, 1);
            }
            ByteArrayOutputStream image = new ByteArrayOutputStream();
            source.save(image::write);
            index.load(new ArrayImage(image.toByteArray()), (into, wanted, cause) -> {
                throw cause;
            });
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> NumberedKeys.put(index, numbers.get(64), 1))
                        .hasMessage("planned");
                assertThat(index.size()).isEqualTo(64);
                assertThat(segment(index, 0).buckets.get(0).tags).hasSize(64);
            }
            slabs.add(one);
            assertThat(NumberedKeys.put(index, numbers.get(64), 1)).isZero();
            assertShape(segment(index, 0), 65);
            for (int number : numbers) {
                assertThat(NumberedKeys.get(index, number)).isEqualTo(NumberedKeys.locator(number, 1));
            }
        }
    }

    @Test
    void aDirectoryWithoutHeapIsATypedErrorThatNamesTheNeed() {
        OutOfMemoryError cause = new OutOfMemoryError();
        assertThat(CompactKeyIndex.noHeap(1 << 20, cause))
                .hasMessage("no heap for a directory of the key index: needed=8388608 bytes; raise -Xmx")
                .hasCause(cause);
    }

    @Test
    void growthWithoutMemoryChangesNothing() throws Exception {
        keys.slabsLeft = 2;
        try (CompactKeyIndex index = keys.index()) {
            int count = 12_000;
            boolean[] isThere = new boolean[count];
            int refused = 0;
            for (int number = 0; number < count; number++) {
                try {
                    NumberedKeys.put(index, number, 1);
                    isThere[number] = true;
                } catch (IndexMemoryException e) {
                    assertThat(e).hasMessage("planned");
                    refused++;
                }
            }
            assertThat(refused).isBetween(1_000, count - 1_000);
            assertThat(index.size()).isEqualTo(count - refused);
            keys.slabsLeft = 1_000;
            for (int number = 0; number < count; number++) {
                long there = isThere[number] ? NumberedKeys.locator(number, 1) : 0;
                assertThat(NumberedKeys.get(index, number)).isEqualTo(there);
                assertThat(NumberedKeys.put(index, number, 2)).isEqualTo(there);
                assertThat(NumberedKeys.get(index, number)).isEqualTo(NumberedKeys.locator(number, 2));
            }
            assertThat(index.size()).isEqualTo(count);
        }
    }

    @Test
    void roomIsMadeForAChangeInFourOfTheLargestBucket() throws Exception {
        try (CompactKeyIndex index = keys.index()) {
            index.ensureRoom((SLAB - BYTES_FOR_A_SPLIT) / BYTES_PER_CHANGE);
            assertThat(keys.slabBytes).isEqualTo(SLAB);
            index.ensureRoom((SLAB - BYTES_FOR_A_SPLIT) / BYTES_PER_CHANGE + 1);
            assertThat(keys.slabBytes).isEqualTo(2 * SLAB);
            assertThat(index.memoryBytes()).isEqualTo(HEAP_WHEN_EMPTY + 2 * SLAB);
        }
    }

    /** Each segment has buckets of another age, since they take shares of the hash that differ by a factor of two. */
    @Test
    void aSegmentTakesAShareOfTheHash() throws Exception {
        for (int number = 0; number < 300; number++) {
            try (CompactKeyIndex index = keys.index()) {
                NumberedKeys.put(index, number, 1);
                assertThat(segment(index, NumberedKeys.segment(number)).buckets).hasSize(1);
            }
        }
    }

    /** The directory of a segment that is as deep as tags are is as long as a part of this image says to be. */
    private static ImageSource deepest(int tag) {
        ByteBuffer image = ByteBuffer.allocate(20_000).order(ByteOrder.LITTLE_ENDIAN);
        image.putInt(1 << Bucket.MAX_DEPTH);
        Deque<byte[]> behind = new ArrayDeque<>();
        for (int depth = 1; depth <= Bucket.MAX_DEPTH; depth++) {
            byte[] sibling = new byte[2 + 48];
            sibling[0] = 4;
            sibling[1] = (byte) depth;
            if ((tag >> (24 - depth) & 1) == 1) {
                image.put(sibling);
            } else {
                behind.push(sibling);
            }
        }
        image.put((byte) 64).put((byte) Bucket.MAX_DEPTH);
        for (int slot = 0; slot < 64; slot++) {
            image.putLong(image.position() + slot * 8, 1)
                    .putShort(image.position() + 64 * 8 + slot * 2, (short) tag)
                    .put(image.position() + 64 * 10 + slot, (byte) (tag >> 16));
        }
        image.position(image.position() + 704);
        behind.forEach(image::put);
        image.flip();
        return new ImageSource() {
            @Override
            public long remaining() {
                return image.remaining() + (1L << Bucket.MAX_DEPTH);
            }

            @Override
            public void read(byte[] target, int offset, int length) {
                image.get(target, offset, length);
            }

            @Override
            public void close() {}
        };
    }

    @Test
    void aSegmentIsFullWhenItsTagsHaveNoFurtherBit() throws Exception {
        try (CompactKeyIndex index = keys.index()) {
            int number = 77;
            ImageSource image = deepest(NumberedKeys.tag(number));
            long[] directory = index.readSegment(image, image.remaining(), 64);
            assertThat(directory).hasSize(1 << Bucket.MAX_DEPTH);
            index.adopt(NumberedKeys.segment(number), List.of(directory), 0, null);
            long held = index.memoryBytes();
            assertThat(held).isEqualTo(HEAP_WHEN_EMPTY + SLAB + 16 + (8L << Bucket.MAX_DEPTH));
            assertThatThrownBy(() -> NumberedKeys.put(index, number, 1))
                    .isInstanceOf(IndexMemoryException.class)
                    .hasMessage("a segment of the key index is full: bytes=" + SLAB);
            assertThat(index.memoryBytes()).isEqualTo(held);
            assertThat(index.size()).isZero();
        }
    }
}
