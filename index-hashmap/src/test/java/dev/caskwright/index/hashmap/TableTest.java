package dev.caskwright.index.hashmap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Mostly with keys of one tag: their bytes alone tell them apart, and all are looked for from the same slot on. */
final class TableTest {
    private static final int TAG = 0xC0FF_EE00;
    private static final int CAPACITY = 8;
    private static final int TOMBSTONE_REFERENCE = -1;

    private Table table = Table.NONE.copy(CAPACITY, 4_000);

    private static byte[] key(int number, int length) {
        byte[] key = new byte[length];
        Arrays.fill(key, (byte) 5);
        key[length - 1] = (byte) number;
        return key;
    }

    private static byte[] key(int number) {
        return key(number, 10);
    }

    private void insert(byte[] key, long locator) {
        table.insert(TAG, key, 0, key.length, locator);
    }

    private void remove(byte[] key) {
        table.remove(table.find(TAG, key, 0, key.length));
    }

    private long get(byte[] key) {
        return table.get(TAG, key, 0, key.length);
    }

    private static long aligned(long bytes) {
        return (bytes + 7) / 8 * 8;
    }

    private static long bytes(int capacity, int keyBytes) {
        return 48 + aligned(16 + 16L * capacity) + aligned(16 + keyBytes);
    }

    @Test
    void keysWithTheSameTagAreToldApart() {
        byte[] longer = Arrays.copyOf(key(1), 11);
        byte[] huge = key(1, 300);
        byte[][] keys = {key(1), key(2), longer, huge};
        for (int i = 0; i < keys.length; i++) {
            insert(keys[i], i + 1);
        }
        for (int i = 0; i < keys.length; i++) {
            assertThat(get(keys[i])).isEqualTo(i + 1);
            assertThat(table.locator(table.find(TAG, keys[i], 0, keys[i].length)))
                    .isEqualTo(i + 1);
        }
        for (byte[] absent : new byte[][] {key(3), key(1, 9), key(1, 301), key(2, 300)}) {
            assertThat(get(absent)).isEqualTo(KeyIndex.ABSENT);
            assertThat(table.find(TAG, absent, 0, absent.length)).isEqualTo(Table.NOT_FOUND);
        }
        assertThat(table.candidate(TAG)).isEqualTo(1);
        assertThat(table.candidate(TAG + 1)).isEqualTo(KeyIndex.ABSENT);
        assertThat(table.live()).isEqualTo(4);
    }

    /** A tag is a fraction of the capacity, so that a larger table is filled from left to right. */
    @Test
    void aTagIsAtItsShareOfTheTable() {
        for (int i = 0; i < CAPACITY; i++) {
            Table one = Table.NONE.copy(CAPACITY, 100);
            int tag = (int) ((2L * i + 1 << 32) / (2 * CAPACITY));
            one.insert(tag, key(1), 0, 10, 9);
            assertThat(one.find(tag, key(1), 0, 10)).isEqualTo(2 * i);
            for (int other = 0; other < CAPACITY; other++) {
                int otherTag = (int) ((2L * other + 1 << 32) / (2 * CAPACITY));
                assertThat(one.touch(otherTag) != 0).isEqualTo(other == i);
            }
        }
    }

    @Test
    void aTableTakesThreeQuartersOfItsCapacity() {
        assertThat(Table.limit(CAPACITY)).isEqualTo(6);
        assertThat(Table.limit(1)).isZero();
        assertThat(Table.capacityFor(6)).isEqualTo(9);
        assertThat(Table.capacityFor(Long.MAX_VALUE / 16)).isEqualTo(Table.MAX_CAPACITY);
        for (int i = 0; i < 6; i++) {
            assertThat(table.hasFreeSlot()).isTrue();
            insert(key(i), i + 1);
        }
        assertThat(table.hasFreeSlot()).isFalse();
    }

    @Test
    void aTombstoneIsTakenByTheNextKey() {
        for (int i = 0; i < 3; i++) {
            insert(key(i), i + 1);
        }
        remove(key(0));
        insert(key(7), 8);
        assertThat(table.find(TAG, key(7), 0, 10)).isLessThan(table.find(TAG, key(1), 0, 10));
        insert(key(8), 9);
        insert(key(9), 10);
        assertThat(table.live()).isEqualTo(5);
        assertThat(table.hasFreeSlot()).as("no tombstone is left").isTrue();
        insert(key(10), 11);
        assertThat(table.hasFreeSlot()).isFalse();
    }

    @Test
    void tombstonesCountUntilNothingFollowsThem() {
        for (int i = 0; i < 6; i++) {
            insert(key(i), i + 1);
        }
        for (int i = 0; i < 5; i++) {
            remove(key(i));
            assertThat(table.hasFreeSlot()).as("removed=%s", i + 1).isFalse();
        }
        assertThat(get(key(5))).isEqualTo(6);
        remove(key(5));
        assertThat(table.live()).isZero();
        for (int i = 0; i < 6; i++) {
            assertThat(table.hasFreeSlot()).isTrue();
            insert(key(i), i + 1);
        }
        assertThat(table.hasFreeSlot()).isFalse();
    }

    @Test
    void aThirdOfDeadBytesAndMoreThanAFewIsWasteful() {
        for (int i = 0; i < 3; i++) {
            insert(key(i, 127), i + 1); // 128 bytes each, with their length
        }
        remove(key(0, 127));
        assertThat(table.isWasteful()).as("128 of 384").isFalse();
        remove(key(1, 127));
        assertThat(table.isWasteful()).as("256 of 384").isFalse();
        insert(key(3, 3), 4);
        remove(key(3, 3));
        assertThat(table.isWasteful()).as("260 of 388").isTrue();

        table = Table.NONE.copy(CAPACITY, 4_000);
        for (int i = 0; i < 3; i++) {
            insert(key(i, 297), i + 1); // 300 bytes each
        }
        remove(key(0, 297));
        assertThat(table.isWasteful()).as("300 of 900").isFalse();
        insert(key(0, 1), 1);
        remove(key(0, 1));
        assertThat(table.isWasteful()).as("302 of 902").isTrue();
    }

    @Test
    void memoryIsThatOfTheArrays() {
        assertThat(Table.NONE.memoryBytes()).isZero();
        assertThat(table.memoryBytes()).isEqualTo(bytes(CAPACITY, 4_000));
        table = Table.NONE.copy(CAPACITY, 22);
        insert(key(1), 1);
        table.ensureKeyBytes(10);
        assertThat(table.memoryBytes()).as("room for one more").isEqualTo(bytes(CAPACITY, 22));
        table.ensureKeyBytes(11);
        assertThat(table.memoryBytes()).as("a quarter more than needed").isEqualTo(bytes(CAPACITY, 23 + 23 / 4));
        assertThatThrownBy(() -> table.ensureKeyBytes(Table.MAX_KEY_BYTES))
                .isInstanceOf(OutOfMemoryError.class)
                .hasMessageContaining("more than an array holds");
    }

    @Test
    void aCopyLeavesDeadBytesAndTombstonesBehind() {
        for (int i = 0; i < 4; i++) {
            insert(key(i), i + 1);
        }
        Table same = table.copy(20, 7);
        assertThat(same.memoryBytes()).as("the key bytes are shared").isEqualTo(bytes(20, 4_000));
        assertThat(same.keyBytesUsed()).isEqualTo(44);
        remove(key(0));
        remove(key(1));
        table = table.copy(20, 7);
        assertThat(table.memoryBytes()).isEqualTo(bytes(20, 22 + 7));
        assertThat(table.keyBytesUsed()).isEqualTo(22);
        assertThat(table.live()).isEqualTo(2);
        assertThat(get(key(2))).isEqualTo(3);
        assertThat(get(key(3))).isEqualTo(4);
        assertThat(get(key(0))).isEqualTo(KeyIndex.ABSENT);
        assertThat(table.isWasteful()).isFalse();
    }

    // ---------------------------------------------------------------- images

    private static byte[] image(Table table) throws IOException {
        ByteArrayOutputStream image = new ByteArrayOutputStream();
        // A short buffer, so that a table takes several.
        table.writeTo(image::write, new byte[48]);
        return image.toByteArray();
    }

    private static @Nullable Table read(byte[] image) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(image);
        return Table.readFrom(
                new ImageSource() {
                    @Override
                    public void read(byte[] target, int offset, int length) {
                        bytes.get(target, offset, length);
                    }

                    @Override
                    public long remaining() {
                        return bytes.remaining();
                    }

                    @Override
                    public void close() {}
                },
                new byte[48]);
    }

    private byte[] ofThree() throws IOException {
        insert(key(1), 1);
        insert(key(2, 300), 2);
        insert(key(3), 3);
        return image(table);
    }

    @Test
    void whatWasWrittenIsReadWithWhatWasDeadInIt() throws IOException {
        insert(key(0, 600), 7);
        byte[] whole = ofThree();
        assertThat(whole).hasSize(8 + 16 * CAPACITY + 603 + 11 + 303 + 11);
        remove(key(0, 600));
        Table found = read(image(table.snapshot()));
        assertThat(found).isNotNull();
        table = found;
        assertThat(get(key(0, 600))).isEqualTo(KeyIndex.ABSENT);
        assertThat(get(key(1))).isEqualTo(1);
        assertThat(get(key(2, 300))).isEqualTo(2);
        assertThat(get(key(3))).isEqualTo(3);
        assertThat(table.live()).isEqualTo(3);
        assertThat(table.isWasteful()).isTrue();
        assertThat(table.memoryBytes()).isEqualTo(bytes(CAPACITY, 603 + 11 + 303 + 11));
        table.ensureKeyBytes(2 * 10);
        insert(key(4), 4); // in the place of the tombstone
        insert(key(5), 5);
        assertThat(table.hasFreeSlot()).as("5 of 6").isTrue();
    }

    @Test
    void tombstonesOfAnImageCount() throws IOException {
        for (int i = 0; i < 6; i++) {
            insert(key(i), i + 1);
        }
        remove(key(0));
        Table found = read(image(table));
        assertThat(found).isNotNull();
        assertThat(found.live()).isEqualTo(5);
        assertThat(found.hasFreeSlot()).isFalse();
    }

    @Test
    void theTableOfNoKeysIsTheSharedOne() throws IOException {
        assertThat(read(image(Table.NONE))).isSameAs(Table.NONE);
        Table empty = read(image(Table.NONE.copy(CAPACITY, 0)));
        assertThat(empty).isNotNull().isNotSameAs(Table.NONE);
        assertThat(empty.capacity()).isEqualTo(CAPACITY);
    }

    /** Returns the image with a number of its head changed. */
    private static byte[] withHead(byte[] image, int capacity, int keyBytes) {
        byte[] changed = image.clone();
        ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(capacity).putInt(keyBytes);
        return changed;
    }

    /** Returns the image with the slot of a locator changed. */
    private static byte[] withSlot(byte[] image, long locator, int reference, long newLocator) {
        ByteBuffer changed = ByteBuffer.wrap(image.clone()).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 8; at < 8 + 16 * CAPACITY; at += 16) {
            if (changed.getLong(at + 8) == locator) {
                changed.putInt(at, reference).putLong(at + 8, newLocator);
                return changed.array();
            }
        }
        throw new AssertionError("no such locator: " + locator);
    }

    @Test
    void anImageThatCannotBeATableIsNone() throws IOException {
        byte[] sound = ofThree();
        int used = 11 + 303 + 11;
        assertThat(read(sound)).isNotNull();
        assertThat(read(withHead(sound, 0, used))).isNull();
        assertThat(read(withHead(sound, -1, used))).isNull();
        assertThat(read(withHead(sound, Table.MAX_CAPACITY + 1, used))).isNull();
        assertThat(read(withHead(sound, CAPACITY, -1))).isNull();
        assertThat(read(withHead(sound, CAPACITY, Integer.MAX_VALUE))).isNull();
        assertThat(read(withHead(sound, CAPACITY, used + 1)))
                .as("more than there is")
                .isNull();
        assertThat(read(withHead(sound, CAPACITY + 1, used)))
                .as("more than there is")
                .isNull();
        assertThat(read(withHead(sound, CAPACITY, used - 1)))
                .as("the last key is cut")
                .isNull();
        assertThat(read(withHead(sound, CAPACITY, used - 11 - 301)))
                .as("a length is cut")
                .isNull();
    }

    @Test
    void aSlotThatLeadsToNoKeyIsFound() throws IOException {
        byte[] sound = ofThree();
        int used = 11 + 303 + 11;
        assertThat(read(withSlot(sound, 3, 11 + 303 + 1, 3))).as("as it is").isNotNull();
        assertThat(read(withSlot(sound, 3, 0, 3))).isNull();
        assertThat(read(withSlot(sound, 3, used + 1, 3))).isNull();
        assertThat(read(withSlot(sound, 3, -5, 3))).isNull();
        assertThat(read(withSlot(sound, 3, 11 + 303 + 1, KeyIndex.ABSENT))).isNull();
        assertThat(read(withSlot(sound, 3, 12, 3)))
                .as("more key bytes than there are")
                .isNull();
        byte[] twice = withSlot(sound, 2, 1, 2);
        assertThat(read(twice)).as("fewer").isNotNull();
    }

    @Test
    void aShortKeyInTheFormOfALongOneIsNone() throws IOException {
        byte[] image = ofThree();
        int secondKey = 8 + 16 * CAPACITY + 11;
        assertThat(image[secondKey]).isEqualTo((byte) 0xFF);
        image[secondKey + 1] = (byte) 254;
        image[secondKey + 2] = 0;
        assertThat(read(image)).isNull();
    }

    @Test
    void searchesInAnImageMustEnd() throws IOException {
        byte[] sound = ofThree();
        ByteBuffer full = ByteBuffer.wrap(sound.clone()).order(ByteOrder.LITTLE_ENDIAN);
        int empty = 0;
        for (int at = 8; at < 8 + 16 * CAPACITY; at += 16) {
            if (full.getLong(at) == Table.EMPTY) {
                empty++;
                if (empty < CAPACITY - 3) {
                    full.putLong(at, Table.TOMBSTONE);
                }
            }
        }
        assertThat(read(full.array())).as("one empty slot is left").isNotNull();
        for (int at = 8; at < 8 + 16 * CAPACITY; at += 16) {
            if (full.getLong(at) == Table.EMPTY) {
                full.putLong(at, Table.TOMBSTONE);
            }
        }
        assertThat(read(full.array())).isNull();
        assertThat((int) Table.TOMBSTONE).isEqualTo(TOMBSTONE_REFERENCE);
    }
}
