package dev.caskwright.index.compact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.PersistentKeyIndex.Image;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import dev.caskwright.api.spi.index.PersistentKeyIndex.Refill;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is read of an image and when, what damage is found in it and how that is filled. */
final class LoadingTest {
    private static final int SEGMENTS = CompactKeyIndex.SEGMENTS;
    private static final int TABLE = SEGMENTS * 8 + 12;
    private static final int SLAB = 1 << 16;
    /** Enough for an image of three quarters of a megabyte, whose last part is a single segment. */
    private static final int MANY = 70_000;

    private static final int PARTS = 4;
    private static final int PART = SEGMENTS / 3;

    private static final Refill NO_REFILL = (into, wanted, cause) -> {
        throw new AssertionError(cause);
    };

    private final NumberedKeys keys = new NumberedKeys();

    private static byte[] image(CompactKeyIndex index) throws IOException {
        ByteArrayOutputStream image = new ByteArrayOutputStream();
        index.save(image::write);
        return image.toByteArray();
    }

    /** The image of keys 0 to count - 1 in version 1. */
    private static byte[] image(int count) throws IOException {
        try (CompactKeyIndex index = new NumberedKeys().index()) {
            for (int number = 0; number < count; number++) {
                NumberedKeys.put(index, number, 1);
            }
            return image(index);
        }
    }

    private static void assertHolds(KeyIndex index, int count) throws IOException {
        for (int number = 0; number < count; number++) {
            if (NumberedKeys.get(index, number) != NumberedKeys.locator(number, 1)) {
                assertThat(NumberedKeys.get(index, number))
                        .as("number=%s", number)
                        .isEqualTo(NumberedKeys.locator(number, 1));
            }
        }
        assertThat(index.size()).isEqualTo(count);
    }

    // ---------------------------------------------------------------- the table

    /** An image whose segments are not read. */
    private record TableOnly(long length, byte[] table) implements Image {
        @Override
        public ImageSource source(long from, long count) throws IOException {
            assertThat(from + count).isEqualTo(length);
            return new ArrayImage(table).source(0, count);
        }

        @Override
        public void close() {}
    }

    /** Begins with segments that have so many bytes in all, as equal as can be, and no key. */
    private static @Nullable Loading begin(long bytes) throws IOException {
        int[] lengths = new int[SEGMENTS];
        Arrays.fill(lengths, (int) (bytes / SEGMENTS));
        lengths[77] += (int) (bytes % SEGMENTS);
        return Loading.begin(new TableOnly(bytes + TABLE, Loading.table(lengths, new int[SEGMENTS], 7)), NO_REFILL);
    }

    private static void assertParts(long bytes, int each, int parts) throws IOException {
        Loading loading = begin(bytes);
        assertThat(loading).isNotNull();
        assertThat(loading.parts()).as("bytes=%s", bytes).isEqualTo(parts);
        for (int segment = 0; segment < SEGMENTS; segment++) {
            assertThat(loading.partOf(segment)).isEqualTo(segment / each);
        }
        assertThat(loading.seed()).isEqualTo(7);
    }

    @Test
    void aPartHasAQuarterOfAMegabyteOrOneSegment() throws Exception {
        assertParts(SEGMENTS * 4, SEGMENTS, 1);
        assertParts((512 << 10) - 1, SEGMENTS, 1);
        assertParts(512 << 10, 512, 2);
        assertParts(768 << 10, 341, 4);
        assertParts(256L << 20, 1, 1024);
        assertParts(4L << 30, 1, 1024);
    }

    @Test
    void aTableSaysLengthAndKeysOfEachSegment() throws Exception {
        int[] lengths = new int[SEGMENTS];
        int[] counts = new int[SEGMENTS];
        for (int i = 0; i < SEGMENTS; i++) {
            lengths[i] = 80 + i;
            counts[i] = lengths[i] / 8;
        }
        int all = Arrays.stream(lengths).sum();
        byte[] table = Loading.table(lengths, counts, -9);
        assertThat(table).hasSize(TABLE);
        ByteBuffer bytes = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < SEGMENTS; i++) {
            assertThat(bytes.getInt()).isEqualTo(lengths[i]);
            assertThat(bytes.getInt()).isEqualTo(counts[i]);
        }
        assertThat(bytes.getLong()).isEqualTo(-9);
        assertThat(bytes.getInt()).isEqualTo(SEGMENTS);
        Loading loading = Loading.begin(new TableOnly(all + TABLE, table), NO_REFILL);
        assertThat(loading).isNotNull();
        assertThat(loading.seed()).isEqualTo(-9);
        for (int i = 0; i < SEGMENTS; i++) {
            assertThat(loading.keys(i)).isEqualTo(counts[i]);
        }
    }

    @Test
    void whatNoIndexSavesIsRefused() throws Exception {
        assertThat(begin(SEGMENTS * 4 - 1)).as("too short").isNull();
        assertThat(begin(-TABLE)).as("empty").isNull();
        int[] lengths = new int[SEGMENTS];
        Arrays.fill(lengths, 80);
        int all = SEGMENTS * 80;
        byte[] table = Loading.table(lengths, new int[SEGMENTS], 7);
        assertThat(Loading.begin(new TableOnly(all + TABLE, table), NO_REFILL)).isNotNull();
        assertThat(Loading.begin(new TableOnly(all + TABLE + 1, table), NO_REFILL))
                .isNull();
        assertThat(Loading.begin(new TableOnly(all + TABLE - 1, table), NO_REFILL))
                .isNull();
        // The other of two segments makes up for the length.
        for (int[] change : new int[][] {{0, 3}, {0, -80}, {4, -1}, {4, 11}, {TABLE - 4, 1023}, {TABLE - 4, 1025}}) {
            ByteBuffer changed = ByteBuffer.wrap(table.clone()).order(ByteOrder.LITTLE_ENDIAN);
            changed.putInt(change[0], change[1]);
            if (change[0] == 0) {
                changed.putInt(8, 160 - change[1]);
            }
            assertThat(Loading.begin(new TableOnly(all + TABLE, changed.array()), NO_REFILL))
                    .as("%s", Arrays.toString(change))
                    .isNull();
        }
    }

    @Test
    void aRefusedImageIsClosedAndTheIndexIsEmpty() throws Exception {
        try (CompactKeyIndex index = keys.index()) {
            ArrayImage none = new ArrayImage(new byte[100]);
            assertThat(index.load(none, NO_REFILL)).isFalse();
            assertThat(none.isClosed).isTrue();
            ArrayImage bad = new ArrayImage(image(10)).failingBetween(0, 1 << 20);
            assertThatThrownBy(() -> index.load(bad, NO_REFILL)).hasMessage("planned");
            assertThat(bad.isClosed).isTrue();
            assertThat(bad.openSources).isZero();
            assertThat(index.size()).isZero();
            assertThat(index.partsLeft()).isZero();
            assertThat(index.partOf(new byte[8], 0, 8)).isZero();
            assertThatThrownBy(() -> index.completeParts((part, into) -> {}))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("no part is left");
            NumberedKeys.put(index, 1, 1);
            assertThat(NumberedKeys.get(index, 1)).isEqualTo(NumberedKeys.locator(1, 1));
        }
    }

    // ---------------------------------------------------------------- parts

    @Test
    void eachPartIsReadOnceAndThenTheImageIsClosed() throws Exception {
        ArrayImage image = new ArrayImage(image(MANY));
        try (CompactKeyIndex index = keys.index()) {
            assertThat(index.load(image, NO_REFILL)).isTrue();
            assertThat(image.sources).as("the table").isEqualTo(1);
            assertThat(image.openSources).isZero();
            assertThat(index.size()).isEqualTo(MANY);
            for (int part = 0; part < PARTS; part++) {
                assertThat(image.isClosed).isFalse();
                assertThat(index.loadMore()).isTrue();
                assertThat(image.sources).isEqualTo(part + 2);
                assertThat(index.partsLeft()).isEqualTo(PARTS);
            }
            assertThat(index.loadMore()).isFalse();
            assertThat(image.sources).isEqualTo(PARTS + 1);
            assertThat(image.openSources).isZero();
            assertThat(image.isClosed).isTrue();
            assertThat(index.partsLeft()).isZero();
            assertThat(index.loadMore()).isFalse();
            assertHolds(index, MANY);
            assertThat(image.sources).isEqualTo(PARTS + 1);
        }
    }

    @Test
    void aLoadedIndexIsTheSameAndTakesNoMoreMemory() throws Exception {
        byte[] image = image(10_000);
        try (CompactKeyIndex index = keys.index()) {
            assertThat(index.load(new ArrayImage(image), NO_REFILL)).isTrue();
            assertThat(index.memoryBytes()).isEqualTo(16 + 4 * SEGMENTS);
            assertThat(image(index)).isEqualTo(image);
            assertThat(index.size()).isEqualTo(10_000);
            ByteBuffer segments = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
            int heap = 16 + 4 * SEGMENTS;
            int start = 0;
            for (int i = 0; i < SEGMENTS; i++) {
                int length = segments.getInt(start);
                heap += length == 0 ? 0 : 16 + 8 * length;
                start += segments.getInt(image.length - TABLE + 8 * i);
            }
            assertThat(index.memoryBytes()).isEqualTo(keys.slabBytes + heap);
            assertThat(keys.slabBytes).isLessThan(image.length + SLAB);
        }
    }

    @FunctionalInterface
    private interface Call {
        long of(CompactKeyIndex index, byte[] key) throws IOException;
    }

    @Test
    void aCallReadsThePartThatItNeeds() throws Exception {
        byte[] image = image(MANY);
        List<Call> calls = List.of(
                (index, key) -> index.get(key, 0, 8),
                (index, key) -> index.candidate(key, 0, 8),
                (index, key) -> {
                    long[] locators = new long[1];
                    index.candidates(key, new int[1], new int[] {8}, 1, locators);
                    return locators[0];
                },
                (index, key) -> index.putIfAbsent(key, 0, 8, 99),
                (index, key) -> index.put(key, 0, 8, ByteBuffer.wrap(key).getInt(4)),
                (index, key) -> {
                    long locator = 1L << 32 | ByteBuffer.wrap(key).getLong();
                    return index.replace(key, 0, 8, locator, locator + (1L << 32)) ? locator : 0;
                },
                (index, key) -> {
                    long locator = 1L << 32 | ByteBuffer.wrap(key).getLong();
                    return index.remove(key, 0, 8, locator) ? locator : 0;
                });
        for (Call call : calls) {
            ArrayImage opened = new ArrayImage(image);
            try (CompactKeyIndex index = keys.index()) {
                assertThat(index.load(opened, NO_REFILL)).isTrue();
                boolean[] isRead = new boolean[PARTS];
                int read = 0;
                for (int number = 0; number < 30; number++) {
                    int part = index.partOf(NumberedKeys.key(number), 0, 8);
                    assertThat(part).isEqualTo(NumberedKeys.segment(number) / PART);
                    assertThat(call.of(index, NumberedKeys.key(number))).isEqualTo(NumberedKeys.locator(number, 1));
                    read += isRead[part] ? 0 : 1;
                    isRead[part] = true;
                    assertThat(opened.sources).isEqualTo(1 + read);
                }
                assertThat(read).as("but for the last, which is small").isEqualTo(PARTS - 1);
                assertThat(opened.isClosed).as("nobody looked yet").isFalse();
                assertThat(index.loadMore()).isTrue();
                assertThat(opened.sources).as("not again").isEqualTo(1 + read);
                while (index.loadMore()) {
                    assertThat(opened.sources).isLessThanOrEqualTo(1 + PARTS);
                }
                assertThat(opened.sources).isEqualTo(1 + PARTS);
                assertThat(opened.isClosed).isTrue();
            }
        }
    }

    @Test
    void closingGivesUpWhatIsNotRead() throws Exception {
        ArrayImage image = new ArrayImage(image(100));
        CompactKeyIndex index = keys.index();
        assertThat(index.load(image, NO_REFILL)).isTrue();
        assertThat(index.partsLeft()).isEqualTo(1);
        index.close();
        assertThat(image.isClosed).isTrue();
        assertThat(image.sources).isEqualTo(1);
        assertThat(index.partsLeft()).isZero();
        assertThatThrownBy(() -> NumberedKeys.get(index, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> NumberedKeys.put(index, 1, 1)).isInstanceOf(IllegalStateException.class);
    }

    // ---------------------------------------------------------------- damage

    /** 55 KB whose segments ask for more than 100 MB of directories. */
    @Test
    void directoriesThatAreTooLongForTheirSegmentsTakeNoMemory() throws Exception {
        int bytes = 4 + 2 + 48;
        int[] lengths = new int[SEGMENTS];
        Arrays.fill(lengths, bytes);
        ByteBuffer image = ByteBuffer.allocate(SEGMENTS * bytes + TABLE).order(ByteOrder.LITTLE_ENDIAN);
        for (int segment = 0; segment < SEGMENTS; segment++) {
            int longest = Integer.highestOneBit((SEGMENTS - segment) * bytes - 4);
            image.putInt(segment * bytes, longest).put(segment * bytes + 4, (byte) 4);
        }
        image.put(SEGMENTS * bytes, Loading.table(lengths, new int[SEGMENTS], 7));
        try (CompactKeyIndex index = keys.index()) {
            Log log = new Log(0);
            assertThat(index.load(new ArrayImage(image.array()), log)).isTrue();
            while (index.loadMore()) {
                assertThat(index.memoryBytes()).isLessThan(1 << 20);
            }
            assertThat(log.calls).isEqualTo(1);
            assertThat(index.memoryBytes()).isLessThan(1 << 20);
        }
    }

    /** Knows all keys, and counts. */
    private static final class Log implements Refill {
        private final int count;
        private int calls;
        private @Nullable IOException cause;
        private @Nullable IOException failure;
        private final List<Integer> filled = new ArrayList<>();

        Log(int count) {
            this.count = count;
        }

        @Override
        public void into(KeyIndex index, KeyFilter wanted, IOException cause) throws IOException {
            calls++;
            this.cause = cause;
            if (failure != null) {
                NumberedKeys.put(index, 0, 1);
                throw failure;
            }
            for (int number = 0; number < count; number++) {
                if (wanted.mayContain(NumberedKeys.key(number), 0, 8)) {
                    filled.add(number);
                    NumberedKeys.put(index, number, 1);
                }
            }
        }
    }

    /** Returns the numbers of the keys in these parts, before they are loaded. */
    private static List<Integer> ofParts(CompactKeyIndex index, int count, int from, int to) {
        List<Integer> numbers = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            int part = index.partOf(NumberedKeys.key(number), 0, 8);
            if (part >= from && part <= to) {
                numbers.add(number);
            }
        }
        return numbers;
    }

    @Test
    void damagedPartsAreFilledInOneGo() throws Exception {
        byte[] bytes = image(MANY);
        int half = bytes.length / 2;
        // From and to a byte, and in which parts these are.
        for (int[] bad : new int[][] {{0, 1, 0, 0}, {half, half + 1, 1, 1}, {0, half, 0, 1}}) {
            ArrayImage image = new ArrayImage(bytes).failingBetween(bad[0], bad[1]);
            Log log = new Log(MANY);
            try (CompactKeyIndex index = keys.index()) {
                assertThat(index.load(image, log)).isTrue();
                List<Integer> damaged = ofParts(index, MANY, bad[2], bad[3]);
                assertThat(NumberedKeys.get(index, damaged.get(0))).isEqualTo(NumberedKeys.locator(damaged.get(0), 1));
                assertThat(log.calls).isEqualTo(1);
                assertThat(log.cause).hasMessage("planned");
                assertThat(log.filled).isEqualTo(damaged);
                assertThat(image.sources).as("all were tried").isEqualTo(1 + PARTS);
                assertThat(image.openSources).isZero();
                assertThat(image.isClosed).isTrue();
                assertThat(index.partsLeft()).isZero();
                assertHolds(index, MANY);
                assertThat(index.loadMore()).isFalse();
                assertThat(log.calls).isEqualTo(1);
            }
        }
    }

    @Test
    void theSizeIsThatOfWhatWasFilledIn() throws Exception {
        byte[] bytes = image(MANY);
        Log log = new Log(MANY / 2);
        try (CompactKeyIndex index = keys.index()) {
            assertThat(index.load(new ArrayImage(bytes).failingBetween(0, 1), log))
                    .isTrue();
            int damaged = ofParts(index, MANY, 0, 0).size();
            index.ensureRoom(1);
            assertThat(log.filled.size()).isBetween(1, damaged - 1);
            assertThat(index.size()).isEqualTo(MANY - damaged + log.filled.size());
            int present = 0;
            for (int number = 0; number < MANY; number++) {
                present += NumberedKeys.get(index, number) == 0 ? 0 : 1;
            }
            assertThat(index.size()).isEqualTo(present);
        }
    }

    @Test
    void lookupsDoNotAskAgainAndOthersDo() throws Exception {
        byte[] bytes = image(MANY);
        Log log = new Log(MANY);
        log.failure = new IOException("refused");
        ArrayImage image = new ArrayImage(bytes).failingBetween(0, 1);
        try (CompactKeyIndex index = keys.index()) {
            assertThat(index.load(image, log)).isTrue();
            int bad = ofParts(index, MANY, 0, 0).get(0);
            int good = ofParts(index, MANY, 1, 1).get(0);
            assertThatThrownBy(() -> NumberedKeys.get(index, bad)).isSameAs(log.failure);
            // All other parts are loaded now, and of what was filled nothing is left.
            long held = keys.slabBytes;
            long direct = NumberedKeys.directBytes();
            assertThatThrownBy(() -> index.ensureRoom(1)).isSameAs(log.failure);
            assertThat(keys.slabBytes).as("it took memory").isGreaterThan(held);
            assertThat(NumberedKeys.directBytes()).isLessThanOrEqualTo(direct);
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> NumberedKeys.get(index, bad)).isSameAs(log.failure);
                assertThatThrownBy(() -> NumberedKeys.put(index, bad, 1)).isSameAs(log.failure);
            }
            assertThat(log.calls).isEqualTo(2);
            assertThat(NumberedKeys.get(index, good)).isEqualTo(NumberedKeys.locator(good, 1));
            assertThatThrownBy(() -> index.ensureRoom(1)).isSameAs(log.failure);
            assertThatThrownBy(index::loadMore).isSameAs(log.failure);
            assertThatThrownBy(() -> image(index)).isSameAs(log.failure);
            assertThat(log.calls).isEqualTo(5);
            assertThat(image.isClosed).isFalse();
            log.failure = null;
            assertThat(index.loadMore()).isFalse();
            assertThat(log.calls).isEqualTo(6);
            assertThat(image.isClosed).isTrue();
            assertHolds(index, MANY);
        }
    }

    /** An image of so many keys with another segment. */
    private static byte[] withSegment(byte[] image, int segment, byte[] bytes, int count) {
        ByteBuffer old = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        int[] lengths = new int[SEGMENTS];
        int[] counts = new int[SEGMENTS];
        ByteArrayOutputStream changed = new ByteArrayOutputStream();
        int start = 0;
        for (int i = 0; i < SEGMENTS; i++) {
            lengths[i] = old.getInt(image.length - TABLE + i * 8);
            counts[i] = old.getInt(image.length - TABLE + i * 8 + 4);
            if (i == segment) {
                changed.write(bytes, 0, bytes.length);
            } else {
                changed.write(image, start, lengths[i]);
            }
            start += lengths[i];
        }
        lengths[segment] = bytes.length;
        counts[segment] = count;
        changed.writeBytes(Loading.table(lengths, counts, NumberedKeys.SEED));
        return changed.toByteArray();
    }

    @Test
    void whatIsNoSegmentIsFilledAndItsPartTakesNoMemory() throws Exception {
        // One or two keys a segment: their blocks nearly fill a slab.
        int count = 1_500;
        byte[] bytes = image(count);
        byte[][] segments = {{3, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 4}};
        int[] counts = {0, 0, 1, 0};
        for (int i = 0; i < segments.length; i++) {
            NumberedKeys memory = new NumberedKeys();
            memory.slabsLeft = 2;
            Log log = new Log(count);
            ArrayImage image = new ArrayImage(withSegment(bytes, SEGMENTS - 1, segments[i], counts[i]));
            try (CompactKeyIndex index = memory.index()) {
                assertThat(index.load(image, log)).isTrue();
                index.ensureRoom(0);
                assertThat(log.cause)
                        .hasMessage(
                                i == 3
                                        ? "count=2"
                                        : "an image of the key index has no such segment: segment=" + (SEGMENTS - 1));
                assertHolds(index, count);
                assertThat(index.memoryBytes()).isLessThan(SLAB + 32 * SEGMENTS);
            }
        }
    }

    /** With such a segment a block would be given back twice, and two segments share it. */
    @Test
    void aSegmentWhoseBucketLiesBetweenItsPlacesIsFilled() throws Exception {
        ByteBuffer segment = ByteBuffer.allocate(4 + 3 * 50).order(ByteOrder.LITTLE_ENDIAN);
        segment.putInt(0, 4);
        int[][] tags = {{1}, {1, 2, 3, 4}, {0xC0_0001}};
        for (int i = 0; i < tags.length; i++) {
            int start = 4 + i * 50;
            segment.put(start, (byte) 4).put(start + 1, (byte) (i == 1 ? 1 : 2));
            for (int slot = 0; slot < tags[i].length; slot++) {
                segment.putLong(start + 2 + slot * 8, NumberedKeys.locator(77, 1))
                        .putShort(start + 2 + 32 + slot * 2, (short) tags[i][slot])
                        .put(start + 2 + 40 + slot, (byte) (tags[i][slot] >> 16));
            }
        }
        try (CompactKeyIndex index = keys.index()) {
            byte[] image = withSegment(image(0), 3, segment.array(), 6);
            assertThat(index.load(new ArrayImage(image), new Log(0))).isTrue();
            for (int number : NumberedKeys.ofSegment(3, 60)) {
                NumberedKeys.put(index, number, 1);
            }
            for (int number = 0; number < 3_000; number++) {
                NumberedKeys.put(index, number, 1);
                assertThat(NumberedKeys.get(index, number)).isEqualTo(NumberedKeys.locator(number, 1));
            }
        }
    }

    // ---------------------------------------------------------------- memory

    @Test
    void withoutMemoryAPartIsNotLoadedAndTakesNone() throws Exception {
        byte[] bytes = image(MANY);
        ArrayImage image = new ArrayImage(bytes);
        keys.slabsLeft = 6;
        try (CompactKeyIndex index = keys.index()) {
            assertThat(index.load(image, NO_REFILL)).isTrue();
            int first = ofParts(index, MANY, 0, 0).get(0);
            int second = ofParts(index, MANY, 1, 1).get(0);
            assertThat(NumberedKeys.get(index, first)).isEqualTo(NumberedKeys.locator(first, 1));
            for (int i = 0; i < 5; i++) {
                assertThatThrownBy(() -> NumberedKeys.get(index, second))
                        .isInstanceOf(IndexMemoryException.class)
                        .hasMessage(
                                "no direct memory to load the key index: keys=" + MANY + ", needed="
                                        + (bytes.length - TABLE)
                                        + " bytes in all; raise -XX:MaxDirectMemorySize, which is as large as the heap unless set")
                        .hasRootCauseMessage("planned");
            }
            assertThat(image.openSources).isZero();
            assertThat(keys.slabBytes).isEqualTo(6 * SLAB);
            keys.slabsLeft = (bytes.length + SLAB - 1) / SLAB - 6;
            assertHolds(index, MANY);
        }
    }

    /** What was copied of a part that was filled elsewhere is given back. */
    @Test
    void withoutMemoryADamagedPartIsFilledLater() throws Exception {
        int count = 20_000;
        byte[] bytes = image(count);
        Log log = new Log(count);
        int toFill = slabs((index, none) -> {
            log.into(index, (key, offset, length) -> true, new IOException());
            return 0;
        });
        int toCopy = slabs((index, none) -> {
            index.load(new ArrayImage(bytes), NO_REFILL);
            index.ensureRoom(0);
            return 0;
        });
        assertThat(toCopy).isGreaterThanOrEqualTo(3);
        try (CompactKeyIndex index = keys.index()) {
            assertThat(index.load(new ArrayImage(bytes).failingBetween(0, 1), log))
                    .isTrue();
            for (int i = 0; i < 3; i++) {
                keys.slabsLeft = toFill + (i == 0 ? 1 : 0);
                assertThatThrownBy(() -> index.save((source, offset, length) -> {}))
                        .hasMessage("planned");
                assertThat(keys.slabsLeft).isZero();
                assertThat(index.size()).isEqualTo(count);
            }
            keys.slabsLeft = toFill + toCopy - 1;
            index.ensureRoom(0);
            assertHolds(index, count);
        }
    }

    /** Returns how many slabs a new index takes for that. */
    private static int slabs(Call call) throws IOException {
        NumberedKeys memory = new NumberedKeys();
        try (CompactKeyIndex index = memory.index()) {
            call.of(index, new byte[0]);
            return (int) (memory.slabBytes / SLAB);
        }
    }

    // ---------------------------------------------------------------- completion

    @Test
    void aPartIsCompletedBeforeAnyCallSeesIt() throws Exception {
        byte[] bytes = image(MANY);
        for (int bad : new int[] {0, 1}) {
            List<Integer> completed = new ArrayList<>();
            ArrayImage image = new ArrayImage(bytes).failingBetween(0, bad);
            try (CompactKeyIndex index = keys.index()) {
                assertThat(index.load(image, new Log(MANY))).isTrue();
                int[] part = new int[MANY + 300];
                for (int number = 0; number < part.length; number++) {
                    part[number] = index.partOf(NumberedKeys.key(number), 0, 8);
                }
                index.completeParts((each, into) -> {
                    completed.add(each);
                    for (int number = 0; number < part.length; number++) {
                        if (part[number] == each && number < 500) {
                            assertThat(NumberedKeys.remove(into, number, 1)).isTrue();
                        } else if (part[number] == each && number < 1_000) {
                            assertThat(NumberedKeys.put(into, number, 2)).isEqualTo(NumberedKeys.locator(number, 1));
                        } else if (part[number] == each && number >= MANY) {
                            assertThat(NumberedKeys.put(into, number, 3)).isZero();
                        } else if (part[number] != each && number < 1_000) {
                            assertThat(NumberedKeys.get(into, number)).isZero();
                        }
                    }
                });
                assertThat(completed).isEmpty();
                for (int number = 0; number < part.length; number++) {
                    int version = number < 500 ? 0 : number < 1_000 ? 2 : number < MANY ? 1 : 3;
                    long expected = version == 0 ? 0 : NumberedKeys.locator(number, version);
                    if (NumberedKeys.get(index, number) != expected) {
                        assertThat(NumberedKeys.get(index, number))
                                .as("number=%s", number)
                                .isEqualTo(expected);
                    }
                }
                assertThat(completed).doesNotHaveDuplicates().hasSize(PARTS);
                assertThat(index.loadMore()).isEqualTo(bad == 0);
                assertThat(index.size()).isEqualTo(MANY - 500 + 300);
                for (int number = 0; number < 500; number++) {
                    assertThat(NumberedKeys.put(index, number, 1)).isZero();
                }
                assertThat(index.size()).isEqualTo(MANY + 300);
            }
        }
    }

    @Test
    void aPartThatCannotBeCompletedIsLoadedLaterAndTakesNoMemory() throws Exception {
        int count = 1_500;
        IOException[] failure = {new IOException("later")};
        keys.slabsLeft = 1;
        try (CompactKeyIndex index = keys.index()) {
            assertThat(index.load(new ArrayImage(image(count)), NO_REFILL)).isTrue();
            index.completeParts((part, into) -> {
                NumberedKeys.put(into, 7, 2);
                if (failure[0] != null) {
                    throw failure[0];
                }
            });
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> NumberedKeys.get(index, 7)).isSameAs(failure[0]);
                assertThat(index.size()).isEqualTo(count);
            }
            failure[0] = new IndexMemoryException("none", null);
            assertThatThrownBy(() -> NumberedKeys.get(index, 7))
                    .isInstanceOf(IndexMemoryException.class)
                    .hasMessageStartingWith("no direct memory to load the key index: keys=1500, needed=")
                    .hasCause(failure[0]);
            failure[0] = null;
            assertThat(NumberedKeys.get(index, 7)).isEqualTo(NumberedKeys.locator(7, 2));
            assertThat(index.size()).isEqualTo(count);
            // What is put now must get other blocks.
            keys.slabsLeft = 1_000;
            assertThat(NumberedKeys.put(index, 7, 1)).isEqualTo(NumberedKeys.locator(7, 2));
            for (int number = count; number < 2 * count; number++) {
                NumberedKeys.put(index, number, 1);
            }
            assertHolds(index, 2 * count);
        }
    }

    @Test
    void anImageMayHaveAnotherSeed() throws Exception {
        byte[] bytes = image(1_000);
        try (CompactKeyIndex index = new CompactKeyIndex(new KeyIndexContext(0, 0, 99, keys), keys)) {
            assertThat(index.load(new ArrayImage(bytes), NO_REFILL)).isTrue();
            assertHolds(index, 1_000);
            assertThat(image(index)).isEqualTo(bytes);
        }
    }
}
