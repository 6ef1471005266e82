package dev.caskwright.index.offheap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyIndex;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import net.openhft.chronicle.algo.hashing.LongHashFunction;
import net.openhft.chronicle.core.OS;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Everything that can happen to a key while its shard moves to another map. */
final class ShardTest {
    private static final LongHashFunction HASH = LongHashFunction.xx_r39(5);
    private static final int KEY_LENGTH = 16;
    /** Any of the calls that take the lock. */
    private interface Change {
        void make() throws Exception;
    }

    /** As many keys as the smallest map takes: one more, and the shard moves. */
    private static final int FULL = (int) (Generation.MIN_KEYS * 1.1);

    private Shard shard;

    @BeforeEach
    void open() throws IndexMemoryException {
        Requirements.check();
        shard = new Shard(0, KEY_LENGTH, HASH);
    }

    @AfterEach
    void close() {
        shard.close();
    }

    private static KeySlice key(int number) {
        byte[] array = ByteBuffer.allocate(KEY_LENGTH).putInt(number).array();
        return new KeySlice(array, 0, KEY_LENGTH, HASH.hashBytes(array));
    }

    private void put(int from, int to) throws IndexMemoryException {
        for (int i = from; i < to; i++) {
            assertThat(shard.put(key(i), i + 1)).isEqualTo(KeyIndex.ABSENT);
        }
    }

    private void remove(int from, int to) throws IndexMemoryException {
        for (int i = from; i < to; i++) {
            assertThat(shard.remove(key(i), i + 1)).isTrue();
        }
    }

    /** Fills the shard so that the last put, whose key is in the larger map, has begun a move. */
    private void beginMove() throws IndexMemoryException {
        put(0, FULL);
        long before = shard.memoryBytes();
        put(FULL, FULL + 1);
        assertThat(shard.memoryBytes()).as("of both maps").isGreaterThan(2 * before);
    }

    /** Each change moves a few keys, whatever it does. */
    private void endMove() {
        long before = shard.memoryBytes();
        for (int i = 0; i < FULL; i++) {
            assertThat(shard.replace(key(1_000_000), 1, 2)).isFalse();
        }
        assertThat(shard.memoryBytes()).as("of one map").isLessThanOrEqualTo(before);
    }

    private void assertHolds(int from, int to) {
        for (int i = from; i < to; i++) {
            assertThat(shard.get(key(i))).as("key %d", i).isEqualTo(i + 1);
        }
    }

    @Test
    void itGrowsWhenItIsFullAndNotBefore() throws Exception {
        long empty = shard.memoryBytes();
        assertThat(empty).isPositive();
        put(0, FULL);
        assertThat(shard.memoryBytes()).isEqualTo(empty);
        assertThat(shard.put(key(0), 1)).as("no new key").isEqualTo(1);
        put(FULL, FULL + 1);
        assertHolds(0, FULL + 1);
        endMove();
        assertHolds(0, FULL + 1);
        assertThat(shard.keys()).isEqualTo(FULL + 1);
        assertThat(shard.memoryBytes()).isBetween(empty + empty / 2, 3 * empty);
    }

    @Test
    void itGrowsBecauseOfPutIfAbsentToo() throws Exception {
        int count = 3 * FULL;
        for (int i = 0; i < count; i++) {
            assertThat(shard.putIfAbsent(key(i), i + 1)).isEqualTo(KeyIndex.ABSENT);
        }
        assertThat(shard.putIfAbsent(key(0), 7_777)).isEqualTo(1);
        assertThat(shard.keys()).isEqualTo(count);
        assertHolds(0, count);
        long bytes = shard.memoryBytes();
        shard.close();
        open();
        put(0, count);
        assertThat(shard.putIfAbsent(key(0), 7_777)).isEqualTo(1);
        assertThat(bytes).as("as by puts").isEqualTo(shard.memoryBytes());
    }

    @Test
    void everyKindOfChangeMovesAFewKeys() throws Exception {
        List<Change> changes = List.of(
                () -> shard.put(key(0), 1),
                () -> shard.putIfAbsent(key(0), 1),
                () -> shard.replace(key(0), 7_777, 1),
                () -> shard.remove(key(0), 7_777));
        for (Change change : changes) {
            beginMove();
            long before = shard.memoryBytes();
            change.make();
            assertThat(shard.memoryBytes()).as("of both maps").isEqualTo(before);
            for (int i = 0; i < FULL; i++) {
                change.make();
            }
            assertThat(shard.memoryBytes()).as("of one map").isLessThan(before);
            assertHolds(0, FULL + 1);
            shard.close();
            open();
        }
    }

    @Test
    void afterEachChangeAnotherThreadMayMakeOne() throws Exception {
        List<Change> changes = List.of(
                () -> shard.put(key(0), 1),
                () -> shard.putIfAbsent(key(1), 2),
                () -> shard.replace(key(0), 1, 3),
                () -> shard.remove(key(0), 3),
                () -> shard.ensureRoom(1),
                () -> shard.close());
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            for (int i = 0; i < changes.size(); i++) {
                changes.get(i).make();
                Future<?> next = other.submit(shard::close);
                next.get(1, TimeUnit.MINUTES);
                open();
                put(0, 1);
            }
        } finally {
            other.shutdownNow();
        }
    }

    @Test
    void aPutDuringAMoveFindsTheLocatorBefore() throws Exception {
        beginMove();
        for (int i = 0; i <= FULL; i++) {
            assertThat(shard.put(key(i), 10_000 + i)).as("key %d", i).isEqualTo(i + 1);
        }
        assertThat(shard.keys()).isEqualTo(FULL + 1);
        endMove();
        for (int i = 0; i <= FULL; i++) {
            assertThat(shard.get(key(i))).as("key %d", i).isEqualTo(10_000 + i);
        }
    }

    @Test
    void aPutIfAbsentDuringAMoveChangesNoKey() throws Exception {
        beginMove();
        for (int i = 0; i <= FULL; i++) {
            assertThat(shard.putIfAbsent(key(i), 7_777)).as("key %d", i).isEqualTo(i + 1);
        }
        endMove();
        assertThat(shard.keys()).isEqualTo(FULL + 1);
        assertHolds(0, FULL + 1);
    }

    @Test
    void aPutIfAbsentDuringAMoveAddsAKey() throws Exception {
        beginMove();
        assertThat(shard.putIfAbsent(key(FULL + 1), FULL + 2)).isEqualTo(KeyIndex.ABSENT);
        assertThat(shard.keys()).isEqualTo(FULL + 2);
        assertHolds(0, FULL + 2);
        endMove();
        assertHolds(0, FULL + 2);
    }

    @Test
    void aReplaceDuringAMoveIsACompareAndSet() throws Exception {
        beginMove();
        for (int i = 0; i <= FULL; i++) {
            assertThat(shard.replace(key(i), 7_777, 8_888)).isFalse();
            assertThat(shard.replace(key(i), i + 1, 10_000 + i)).as("key %d", i).isTrue();
        }
        endMove();
        for (int i = 0; i <= FULL; i++) {
            assertThat(shard.get(key(i))).as("key %d", i).isEqualTo(10_000 + i);
        }
    }

    @Test
    void aRemovalDuringAMoveIsForGood() throws Exception {
        beginMove();
        for (int i = 0; i <= FULL; i++) {
            assertThat(shard.remove(key(i), 7_777)).isFalse();
            assertThat(shard.get(key(i))).isEqualTo(i + 1);
            assertThat(shard.remove(key(i), i + 1)).as("key %d", i).isTrue();
            assertThat(shard.get(key(i))).as("key %d", i).isEqualTo(KeyIndex.ABSENT);
        }
        assertThat(shard.keys()).isZero();
        endMove();
        for (int i = 0; i <= FULL; i++) {
            assertThat(shard.get(key(i))).as("key %d", i).isEqualTo(KeyIndex.ABSENT);
        }
    }

    @Test
    void anAbsentKeyIsNotThatOfNoLocator() throws Exception {
        for (int moving = 0; moving < 2; moving++) {
            assertThat(shard.replace(key(-1), KeyIndex.ABSENT, 5)).isFalse();
            assertThat(shard.remove(key(-1), KeyIndex.ABSENT)).isFalse();
            assertThat(shard.get(key(-1))).isEqualTo(KeyIndex.ABSENT);
            if (moving == 0) {
                beginMove();
            }
        }
        assertThat(shard.keys()).isEqualTo(FULL + 1);
    }

    @Test
    void aMoveEndsBeforeAnotherBegins() throws Exception {
        beginMove();
        long before = shard.memoryBytes();
        shard.ensureRoom(20 * FULL);
        assertThat(shard.memoryBytes()).isGreaterThan(4 * before);
        assertHolds(0, FULL + 1);
        endMove();
        assertHolds(0, FULL + 1);
        assertThat(shard.keys()).isEqualTo(FULL + 1);
    }

    @Test
    void madeRoomNeedsNoMoreMemory() throws Exception {
        put(0, 10);
        shard.ensureRoom(FULL - 10);
        long smallest = shard.memoryBytes();
        shard.ensureRoom(4 * FULL);
        assertThat(shard.memoryBytes()).isGreaterThan(2 * smallest);
        endMove();
        long before = shard.memoryBytes();
        put(10, 4 * FULL);
        assertThat(shard.memoryBytes()).isEqualTo(before);
    }

    @Test
    void roomIsMadeForBytesToo() throws Exception {
        put(0, 50);
        long before = shard.memoryBytes();
        // An entry takes 12 bytes beside its key, and the average key is taken to be a byte longer.
        long bytes = (long) (Generation.MIN_KEYS * (KEY_LENGTH + 12) * 1.1) - 50 * (KEY_LENGTH + 12);
        shard.ensureRoom(bytes / (KEY_LENGTH + 13));
        assertThat(shard.memoryBytes()).isEqualTo(before);
        shard.ensureRoom(bytes / (KEY_LENGTH + 13) + 1);
        assertThat(shard.memoryBytes()).isGreaterThan(before);
    }

    @Test
    void closingGivesTheMemoryOfBothMapsBack() throws Exception {
        shard.close();
        long before = OS.memory().nativeMemoryUsed();
        open();
        beginMove();
        assertThat(OS.memory().nativeMemoryUsed() - before).isEqualTo(shard.memoryBytes());
        shard.close();
        assertThat(OS.memory().nativeMemoryUsed()).isEqualTo(before);
    }

    @Test
    void theEndOfAMoveGivesTheMemoryOfTheOlderMapBack() throws Exception {
        shard.close();
        long before = OS.memory().nativeMemoryUsed();
        open();
        beginMove();
        endMove();
        assertThat(OS.memory().nativeMemoryUsed() - before).isEqualTo(shard.memoryBytes());
    }

    @Test
    void memoryThatAMapTakesWithoutSayingIsSeenNowAndThen() throws Exception {
        shard.close();
        long before = OS.memory().nativeMemoryUsed();
        shard = new Shard(20_000, KEY_LENGTH, HASH);
        long atFirst = shard.memoryBytes();
        assertThat(OS.memory().nativeMemoryUsed() - before).isEqualTo(atFirst);
        // All in one segment of the map, which it finds by the low bits.
        for (int i = 0; i < 4_096; i++) {
            KeySlice key = key(i);
            shard.put(new KeySlice(key.array(), 0, KEY_LENGTH, key.hash() << 16), i + 1);
        }
        assertThat(shard.memoryBytes()).isGreaterThan(atFirst);
        assertThat(OS.memory().nativeMemoryUsed() - before).isEqualTo(shard.memoryBytes());
    }

    @Test
    void itShrinksWhenMostKeysAreGone() throws Exception {
        long smallest = shard.memoryBytes();
        int count = 8 * FULL;
        put(0, count);
        endMove();
        long full = shard.memoryBytes();
        remove(0, count - 100);
        assertThat(shard.memoryBytes()).isLessThan(full / 3);
        remove(count - 100, count);
        for (int i = 0; i < 100; i++) {
            shard.remove(key(1_000_000), 1);
        }
        assertThat(shard.memoryBytes()).isEqualTo(smallest);
        assertThat(shard.keys()).isZero();
        put(0, count);
        assertHolds(0, count);
    }

    @Test
    void aClosedShardIsAnIllegalState() throws Exception {
        beginMove();
        shard.close();
        shard.close();
        assertThatThrownBy(() -> shard.get(key(1))).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> shard.put(key(1), 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(shard::keys).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(shard::memoryBytes).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> shard.ensureRoom(1)).isInstanceOf(IllegalStateException.class);
    }
}
