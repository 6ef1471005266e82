package dev.caskwright.index.sorted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.testkit.OrderedKeyIndexContract;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What every ordered index must do, and what this one promises of its memory. Its parts have {@link TreeTest}. */
final class SortedKeyIndexTest extends OrderedKeyIndexContract {
    @Override
    protected OrderedKeyIndex newIndex(KeyIndexContext context) {
        return new SortedKeyIndex();
    }

    @Override
    protected KeyIndex newLimitedIndex(KeyIndexContext context, long maxBytes) {
        return new SortedKeyIndex(maxBytes);
    }

    @Test
    void isFoundByName() throws Exception {
        KeyIndexContext context = new KeyIndexContext(0, 0, 1, (key, offset, length, locator) -> true);
        try (KeyIndex index = Backends.keyIndex("sorted").open(context)) {
            assertThat(index).isInstanceOf(SortedKeyIndex.class);
        }
    }

    @Test
    void aRandomKeyOfSixteenBytesTakesAtMostFortySixBytes() throws Exception {
        SortedKeyIndex index = new SortedKeyIndex();
        Random random = new Random(4);
        for (int i = 1; i <= 200_000; i++) {
            byte[] key = ByteBuffer.allocate(16)
                    .putLong(random.nextLong())
                    .putLong(i)
                    .array();
            index.put(key, 0, key.length, i);
        }
        assertThat((double) index.memoryBytes() / index.size()).isBetween(28.0, 46.0);
    }

    @Test
    void keysThatComeInOrderLeaveFullNodesBehind() throws Exception {
        SortedKeyIndex index = new SortedKeyIndex();
        for (int i = 1; i <= 200_000; i++) {
            byte[] key = ByteBuffer.allocate(16).putInt(12, i).array();
            index.put(key, 0, key.length, i);
        }
        // The head and the locator, and a fiftieth of a node.
        assertThat((double) index.memoryBytes() / index.size()).isBetween(17.0, 22.0);
    }

    @Test
    void anIndexThatLostAllItsKeysIsAsGoodAsEmpty() throws Exception {
        SortedKeyIndex index = new SortedKeyIndex();
        long empty = index.memoryBytes();
        Random random = new Random(5);
        for (int i = 1; i <= 100_000; i++) {
            byte[] key = key(i, random);
            index.put(key, 0, key.length, i);
        }
        random = new Random(5);
        for (int i = 1; i <= 100_000; i++) {
            byte[] key = key(i, random);
            assertThat(index.remove(key, 0, key.length, i)).isTrue();
        }
        assertThat(index.size()).isZero();
        assertThat(index.memoryBytes()).isLessThan(8 * empty);
    }

    @Test
    void aCandidateIsRarelyAnothersAlthoughFewKeysShareTheirFirstBytes() throws Exception {
        // Some attributes of each of many things: more than a head is the same.
        SortedKeyIndex index = new SortedKeyIndex();
        Random random = new Random(6);
        byte[][] keys = new byte[40_000][];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = i % 4 == 0 ? bytes(20, random) : keys[i - 1].clone();
            keys[i][19] = (byte) i;
        }
        for (int i = 0; i < keys.length; i++) {
            int number = (int) (i * 7919L % keys.length);
            index.put(keys[number], 0, 20, number + 1);
        }
        int wrong = 0;
        for (int i = 0; i < keys.length; i++) {
            wrong += index.candidate(keys[i], 0, 20) == i + 1 ? 0 : 1;
        }
        assertThat(wrong).isLessThan(keys.length / 50);
    }

    @Test
    void longKeysTakeLittleMoreThanTheirBytes() throws Exception {
        int length = 30_000;
        for (boolean isInOrder : new boolean[] {true, false}) {
            Random random = new Random(7);
            SortedKeyIndex index = new SortedKeyIndex();
            byte[][] keys = new byte[800][];
            for (int i = 0; i < keys.length; i++) {
                keys[i] = bytes(length, random);
                if (isInOrder) {
                    ByteBuffer.wrap(keys[i]).putInt(i);
                }
                index.put(keys[i], 0, length, i + 1);
                if (i >= 8) {
                    assertThat(index.memoryBytes()).isLessThan(2L * length * (i + 1));
                }
            }
            // Of the bytes of those that have gone not many more are kept.
            for (int i = 0; i < keys.length; i++) {
                if (i % 8 != 0) {
                    assertThat(index.remove(keys[i], 0, length, i + 1)).isTrue();
                }
            }
            assertThat(index.memoryBytes()).isLessThan(4L * length * index.size());
        }
    }

    @Test
    void theRemovalOfALongKeyDoesNotCopyManyOthers() throws Exception {
        int length = 60_000;
        Random random = new Random(8);
        SortedKeyIndex index = new SortedKeyIndex();
        byte[][] keys = new byte[200][];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = bytes(length, random);
            index.put(keys[i], 0, length, i + 1);
        }
        long before = allocatedBytes();
        for (int i = 0; i < keys.length; i++) {
            assertThat(index.remove(keys[i], 0, length, i + 1)).isTrue();
        }
        assertThat(allocatedBytes() - before).isLessThan(10L * length * keys.length);
    }

    @Test
    void roomForALongKeyIsMeasuredByTheBytes() throws Exception {
        int limit = 4 << 20;
        SortedKeyIndex index = new SortedKeyIndex(limit);
        Random random = new Random(9);
        for (int i = 1; i <= 20_000; i++) {
            byte[] key = key(i, random);
            index.ensureRoom(1);
            index.put(key, 0, key.length, i);
        }
        boolean isFull = false;
        while (!isFull && index.memoryBytes() < 2 * limit) {
            byte[] key = bytes(20_000, random);
            try {
                index.ensureRoom(1);
                index.put(key, 0, key.length, 1);
            } catch (IndexMemoryException e) {
                isFull = true;
            }
        }
        assertThat(isFull).isTrue();
        assertThat(index.memoryBytes()).isLessThan(limit + limit / 8);
    }

    @Test
    void roomIsMeasuredForFullLeavesThatAreDividedForOneKeyEach() throws Exception {
        SortedKeyIndex saved = new SortedKeyIndex();
        Random random = new Random(10);
        for (int i = 1; i <= 50_000; i++) {
            byte[] key = key(i, random);
            saved.put(key, 0, key.length, i);
        }
        TestImage image = TestImage.of(saved);
        SortedKeyIndex full = new SortedKeyIndex();
        assertThat(full.load(image, (index, wanted, cause) -> {})).isTrue();
        long limit = full.memoryBytes() + 300_000;
        SortedKeyIndex limited = new SortedKeyIndex(limit);
        assertThat(limited.load(TestImage.of(saved), (index, wanted, cause) -> {}))
                .isTrue();
        boolean isFull = false;
        for (int room = 1_000; !isFull || room > 1; room = isFull ? room / 2 : room) {
            try {
                limited.ensureRoom(room);
                isFull = false;
            } catch (IndexMemoryException e) {
                isFull = true;
                continue;
            }
            for (int i = 0; i < room; i++) {
                byte[] key = key(100_000 + i, random);
                limited.put(key, 0, key.length, 1);
            }
            assertThat(limited.memoryBytes()).isLessThanOrEqualTo(limit);
        }
        assertThat(limited.size()).isGreaterThan(50_100);
    }

    @Test
    void anImageOfMoreThanMayBeHeldIsNotReadToItsEnd() throws Exception {
        SortedKeyIndex saved = new SortedKeyIndex();
        Random random = new Random(12);
        for (int i = 1; i <= 50_000; i++) {
            byte[] key = key(i, random);
            saved.put(key, 0, key.length, i);
        }
        TestImage image = TestImage.of(saved);
        SortedKeyIndex index = new SortedKeyIndex(saved.memoryBytes() / 4);
        assertThatThrownBy(() -> index.load(image, (other, wanted, cause) -> {}))
                .isInstanceOf(IndexMemoryException.class);
        assertThat(image.position).isLessThan(image.bytes.length * 3 / 4);
        assertThat(index.size()).isZero();
    }

    @Test
    void onlyWhatIsSavedIsAnImage() throws Exception {
        SortedKeyIndex saved = new SortedKeyIndex();
        saved.put(new byte[] {1, 2}, 0, 2, 5);
        saved.put(new byte[] {1, 3}, 0, 2, 6);
        byte[] bytes = TestImage.of(saved).bytes;
        assertThat(isImage(bytes)).isTrue();
        byte[] endHasPrefix = bytes.clone();
        endHasPrefix[bytes.length - 14] = 1;
        assertThat(isImage(endHasPrefix)).isFalse();
        byte[] swapped = bytes.clone();
        int first = 8 + 1; // behind the header and the prefix; a head and a locator take 16 bytes
        System.arraycopy(bytes, first, swapped, first + 16, 16);
        System.arraycopy(bytes, first + 16, swapped, first, 16);
        assertThat(isImage(swapped)).isFalse();
    }

    private static boolean isImage(byte[] bytes) throws IOException {
        return new SortedKeyIndex().load(new TestImage(bytes), (index, wanted, cause) -> {});
    }

    @Test
    void anImageThatCannotBeGivenBackIsNotLoaded() throws Exception {
        SortedKeyIndex saved = new SortedKeyIndex();
        saved.put(new byte[] {1}, 0, 1, 5);
        TestImage image = TestImage.of(saved);
        image.failsToClose = true;
        SortedKeyIndex index = new SortedKeyIndex();
        assertThatThrownBy(() -> index.load(image, (other, wanted, cause) -> {}))
                .hasMessage("planned");
        assertThat(index.size()).isZero();
    }

    private static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
                .getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    private static byte[] bytes(int length, Random random) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** An image in memory. */
    private static final class TestImage implements PersistentKeyIndex.Image, PersistentKeyIndex.ImageSource {
        private final byte[] bytes;
        private int position;
        private boolean failsToClose;

        TestImage(byte[] bytes) {
            this.bytes = bytes;
        }

        static TestImage of(SortedKeyIndex index) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            index.save(bytes::write);
            return new TestImage(bytes.toByteArray());
        }

        @Override
        public long length() {
            return bytes.length;
        }

        @Override
        public PersistentKeyIndex.ImageSource source(long from, long length) {
            position = (int) from;
            return this;
        }

        @Override
        public long remaining() {
            return bytes.length - position;
        }

        @Override
        public void read(byte[] target, int offset, int length) {
            System.arraycopy(bytes, position, target, offset, length);
            position += length;
        }

        @Override
        public void close() throws IOException {
            if (failsToClose) {
                throw new IOException("planned");
            }
        }
    }

    private static byte[] key(int number, Random random) {
        return ByteBuffer.allocate(12).putLong(random.nextLong()).putInt(number).array();
    }
}
