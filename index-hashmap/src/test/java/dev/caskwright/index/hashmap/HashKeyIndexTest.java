package dev.caskwright.index.hashmap;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.testkit.PersistentKeyIndexContract;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HashKeyIndexTest extends PersistentKeyIndexContract {
    @Override
    protected PersistentKeyIndex newIndex(KeyIndexContext context) {
        return new HashKeyIndex(context);
    }

    @Override
    protected KeyIndex newLimitedIndex(KeyIndexContext context, long maxBytes) {
        return new HashKeyIndex(context, 16 << 10, maxBytes);
    }

    @Test
    void isFoundByName() {
        assertThat(Backends.keyIndex("hashmap")).isInstanceOf(HashKeyIndex.Provider.class);
    }

    /** Segments that are split early keep the same contract. */
    @Nested
    final class SplitEarlyTest extends PersistentKeyIndexContract {
        @Override
        protected PersistentKeyIndex newIndex(KeyIndexContext context) {
            return new HashKeyIndex(context, 12);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 1_000, 16 << 10})
    void aKeyOfSixteenBytesTakesAtMostFiftyAtAnyMomentOfGrowth(int splitCapacity) throws Exception {
        try (HashKeyIndex index =
                new HashKeyIndex(new KeyIndexContext(0, 0, 1, (k, offset, length, locator) -> false), splitCapacity)) {
            double worst = 0;
            for (int i = 1; i <= 600_000; i++) {
                byte[] key = ByteBuffer.allocate(16).putInt(9, i).array();
                index.put(key, 0, key.length, i);
                if (i >= 200_000 && i % 5_000 == 0) {
                    worst = Math.max(worst, (double) index.memoryBytes() / index.size());
                }
            }
            assertThat(worst).isBetween(40.0, 50.0);
        }
    }

    /** Tables grow and segments are split all the time; a key is never counted twice for it. */
    @Test
    void sizeIsNeverMoreThanWasPut() throws Exception {
        for (int round = 0; round < 30; round++) {
            AtomicInteger begun = new AtomicInteger();
            try (HashKeyIndex index =
                    new HashKeyIndex(new KeyIndexContext(0, 0, round, (k, offset, length, locator) -> false), 64)) {
                CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
                    for (int i = 1; i <= 40_000; i++) {
                        begun.setRelease(i);
                        putNumber(index, i);
                    }
                });
                long before = 0;
                while (!writer.isDone()) {
                    long size = index.size();
                    assertThat(size).as("round=%d", round).isBetween(before, (long) begun.getAcquire());
                    before = size;
                }
                writer.join();
                assertThat(index.size()).isEqualTo(40_000);
            }
        }
    }

    private static HashKeyIndex index(long expectedKeys, int expectedKeyLength, int splitCapacity) {
        return new HashKeyIndex(
                new KeyIndexContext(expectedKeys, expectedKeyLength, 1, (k, offset, length, locator) -> false),
                splitCapacity);
    }

    private static byte[] image(HashKeyIndex index) throws IOException {
        ByteArrayOutputStream image = new ByteArrayOutputStream();
        index.save(image::write);
        return image.toByteArray();
    }

    private static boolean load(HashKeyIndex index, byte[] bytes) throws IOException {
        return index.load(
                new PersistentKeyIndex.Image() {
                    @Override
                    public long length() {
                        return bytes.length;
                    }

                    @Override
                    public PersistentKeyIndex.ImageSource source(long from, long length) {
                        ByteBuffer left = ByteBuffer.wrap(bytes, (int) from, (int) length);
                        return new PersistentKeyIndex.ImageSource() {
                            @Override
                            public long remaining() {
                                return left.remaining();
                            }

                            @Override
                            public void read(byte[] target, int offset, int count) throws IOException {
                                if (count > left.remaining()) {
                                    throw new EOFException();
                                }
                                left.get(target, offset, count);
                            }

                            @Override
                            public void close() {}
                        };
                    }

                    @Override
                    public void close() {}
                },
                (into, wanted, cause) -> {
                    throw cause;
                });
    }

    @Test
    void isMadeByItsName() throws Exception {
        try (KeyIndex index =
                Backends.keyIndex("hashmap").open(new KeyIndexContext(0, 0, 1, (k, o, l, locator) -> false))) {
            assertThat(index).isInstanceOf(HashKeyIndex.class);
            assertThat(index.allowsConcurrentWriters()).isTrue();
            assertThat(((HashKeyIndex) index).imageFormat()).isEqualTo("hashmap-2");
        }
    }

    /** A segment with all keys that it may get takes its memory at once: by the expected number and length. */
    @Test
    void memoryForTheExpectedKeysIsTakenAtOnce() throws Exception {
        try (HashKeyIndex index = index(1 << 20, 16, 1 << 20)) {
            long empty = index.memoryBytes();
            byte[] key = new byte[30];
            index.put(key, 0, key.length, 1);
            // A segment is one of 256, which get 4,096 keys each, and three standard deviations more.
            long slots = (4_096 + 3 * 64) * 16 / 12 + 1;
            assertThat(index.memoryBytes() - empty)
                    .isEqualTo(48 + (16 + 16 * slots) + (16 + 4_096 * 17 + 31 + 7) / 8 * 8);
        }
        try (HashKeyIndex index = index(0, 0, 1 << 20)) {
            long empty = index.memoryBytes();
            index.put(new byte[30], 0, 30, 1);
            assertThat(index.memoryBytes() - empty).isBetween(48 + 2 * 16 + 8 * 16L + 31, 48 + 2 * 16 + 12 * 16L + 40);
        }
    }

    @Test
    void aLoadedIndexCountsItsMemory() throws Exception {
        for (int splitCapacity : new int[] {16, 1 << 20}) {
            try (HashKeyIndex index = index(0, 0, splitCapacity);
                    HashKeyIndex loaded = index(0, 0, splitCapacity)) {
                long empty = index.memoryBytes();
                for (int i = 0; i < 20_000; i++) {
                    putNumber(index, i + 1);
                }
                assertThat(load(loaded, image(index))).isTrue();
                assertThat(loaded.size()).isEqualTo(20_000);
                // It has the same tables, but for the room that is not used yet.
                assertThat(loaded.memoryBytes() - empty).isBetween(20_000L * (17 + 16), index.memoryBytes() - empty);
                for (int i = 0; i < 20_000; i++) {
                    putNumber(index, i + 1);
                }
            }
        }
    }

    /** Returns of how many parts the first segment with keys is, by its image. */
    private static int partsOfFirstSegment(HashKeyIndex index) throws IOException {
        ByteBuffer image = ByteBuffer.wrap(image(index)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(image.getLong()).isEqualTo(1);
        assertThat(image.getInt()).isEqualTo(256);
        return image.getInt();
    }

    @Test
    void aSegmentIsSplitIntoFourOnceItsTableWouldBeTooLarge() throws Exception {
        try (HashKeyIndex index = index(0, 0, 12)) {
            int keys = 0;
            long before = 0;
            for (int number = 0; keys < 40; number++) {
                byte[] key = ByteBuffer.allocate(16).putInt(9, number).array();
                if (new KeyHash(1).hash(key, 0, 16) >>> 56 == 0) {
                    index.put(key, 0, 16, number + 1);
                    keys++;
                    // A table of 8 slots takes 6 keys, the next one, of 12, takes 9; larger ones are not allowed.
                    assertThat(partsOfFirstSegment(index)).as("keys=%s", keys).isEqualTo(keys <= 9 ? 1 : 4);
                    assertThat(index.memoryBytes()).isGreaterThanOrEqualTo(before);
                    before = index.memoryBytes();
                }
            }
            assertThat(index.size()).isEqualTo(40);
        }
    }

    @Test
    void anImageOfOtherSegmentsOrPartsIsRefused() throws Exception {
        try (HashKeyIndex index = index(0, 0, 1 << 20)) {
            byte[] image = image(index);
            for (int[] change : new int[][] {{8, 255}, {8, 257}, {12, 0}, {12, 2}, {12, 5}, {12, -1}}) {
                byte[] changed = image.clone();
                ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(change[0], change[1]);
                assertThat(load(index, changed))
                        .as("%s", Arrays.toString(change))
                        .isFalse();
            }
            assertThat(load(index, Arrays.copyOf(image, image.length + 1))).isFalse();
            assertThat(load(index, image)).isTrue();
        }
    }

    /** No index writes such an image. One with right checksums must not make a put fail when the segment is split. */
    @Test
    void aKeyOfAnotherSegmentInAnImageIsDroppedWhenItsSegmentIsSplit() throws Exception {
        try (HashKeyIndex index = index(0, 0, 12);
                HashKeyIndex loaded = index(0, 0, 12)) {
            index.put(keyOf(0, 1), 0, 16, 1);
            byte[] image = image(index);
            int first = 12;
            int second = first
                    + 12
                    + 16 * ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).getInt(first + 4)
                    + 17;
            byte[] swapped = image.clone();
            int emptyLength = 12 + 16;
            System.arraycopy(image, second, swapped, first, emptyLength);
            System.arraycopy(image, first, swapped, first + emptyLength, second - first);
            assertThat(load(loaded, swapped)).isTrue();
            assertThat(loaded.size()).isOne();
            for (int i = 0; i < 40; i++) {
                assertThat(loaded.put(keyOf(1, i), 0, 16, i + 1)).isEqualTo(KeyIndex.ABSENT);
            }
            for (int i = 0; i < 40; i++) {
                assertThat(loaded.get(keyOf(1, i), 0, 16)).isEqualTo(i + 1);
            }
            assertThat(loaded.get(keyOf(0, 1), 0, 16)).isEqualTo(KeyIndex.ABSENT);
            assertThat(loaded.size()).isEqualTo(40);
        }
    }

    /** Returns a key of a segment. */
    private static byte[] keyOf(int segment, int number) {
        for (int i = 0; ; i++) {
            byte[] key = ByteBuffer.allocate(16).putInt(number).putInt(i).array();
            if (new KeyHash(1).hash(key, 0, 16) >>> 56 == segment) {
                return key;
            }
        }
    }

    /** The results of a batch of absent keys are written over what the array had before. */
    @Test
    void candidatesOfAbsentKeysAreAbsent() throws Exception {
        try (HashKeyIndex index = index(0, 0, 1 << 20)) {
            int count = 100;
            int[] offsets = new int[count];
            int[] lengths = new int[count];
            for (int i = 0; i < count; i++) {
                offsets[i] = i;
                lengths[i] = 5;
            }
            long[] locators = new long[count];
            Arrays.fill(locators, 77);
            index.candidates(new byte[count + 5], offsets, lengths, count - 1, locators);
            assertThat(Arrays.copyOf(locators, count - 1)).containsOnly(KeyIndex.ABSENT);
            assertThat(locators[count - 1]).isEqualTo(77);
        }
    }

    private static void putNumber(HashKeyIndex index, int number) {
        byte[] key = ByteBuffer.allocate(16).putInt(9, number).array();
        try {
            index.put(key, 0, key.length, number);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
