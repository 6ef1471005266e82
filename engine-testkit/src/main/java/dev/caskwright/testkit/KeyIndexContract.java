package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every {@link KeyIndex} must do. An implementation's test extends this class and makes the index.
 *
 * <p>Random tests print their seed in the message of a failure; {@code -Dcaskwright.seed=N} runs them with that seed.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
public abstract class KeyIndexContract extends KeyIndexThreadsContract {
    /** Absent keys, or present ones, for which {@link KeyIndex#candidate} may name another key, of a hundred. */
    private static final int WRONG_CANDIDATES_PERCENT = 2;

    @Override
    protected abstract KeyIndex newIndex(KeyIndexContext context) throws IOException;

    @Test
    void aNewIndexIsEmpty() throws Exception {
        IndexedKeys keys = keys("a");
        try (KeyIndex index = open(keys)) {
            assertThat(index.size()).isZero();
            assertThat(get(index, keys.key(0))).isEqualTo(KeyIndex.ABSENT);
            assertThat(candidate(index, keys.key(0))).isEqualTo(KeyIndex.ABSENT);
        }
    }

    @Test
    void putSetsTheLocatorAndReturnsTheOneBefore() throws Exception {
        IndexedKeys keys = keys("a", "b");
        try (KeyIndex index = open(keys)) {
            assertThat(put(index, keys, 0, 1)).isEqualTo(KeyIndex.ABSENT);
            assertThat(put(index, keys, 0, 2)).isEqualTo(IndexedKeys.locator(0, 1));
            assertThat(put(index, keys, 1, 1)).isEqualTo(KeyIndex.ABSENT);
            assertThat(get(index, keys.key(0))).isEqualTo(IndexedKeys.locator(0, 2));
            assertThat(get(index, keys.key(1))).isEqualTo(IndexedKeys.locator(1, 1));
            assertThat(index.size()).isEqualTo(2);
        }
    }

    @Test
    void everyBitOfALocatorIsKept() throws Exception {
        byte[] key = bytes("key");
        KeyIndexContext context =
                new KeyIndexContext(0, 0, 1, (k, offset, length, locator) -> length == 3 && k[offset] == 'k');
        try (KeyIndex index = newIndex(context)) {
            for (int bit = 0; bit < Long.SIZE; bit++) {
                for (long locator : new long[] {1L << bit, ~(1L << bit)}) {
                    index.put(key, 0, key.length, locator);
                    assertThat(get(index, key)).as("locator %x", locator).isEqualTo(locator);
                    assertThat(candidate(index, key)).as("locator %x", locator).isEqualTo(locator);
                }
            }
            assertThat(index.size()).isEqualTo(1);
        }
    }

    @Test
    void putIfAbsentSetsOnlyAnAbsentKey() throws Exception {
        IndexedKeys keys = keys("a");
        byte[] key = keys.key(0);
        try (KeyIndex index = open(keys)) {
            assertThat(index.putIfAbsent(key, 0, key.length, IndexedKeys.locator(0, 1)))
                    .isEqualTo(KeyIndex.ABSENT);
            assertThat(index.putIfAbsent(key, 0, key.length, IndexedKeys.locator(0, 2)))
                    .isEqualTo(IndexedKeys.locator(0, 1));
            assertThat(get(index, key)).isEqualTo(IndexedKeys.locator(0, 1));
            assertThat(index.size()).isEqualTo(1);
        }
    }

    @Test
    void replaceIsACompareAndSet() throws Exception {
        IndexedKeys keys = keys("a");
        byte[] key = keys.key(0);
        long first = IndexedKeys.locator(0, 1);
        long second = IndexedKeys.locator(0, 2);
        try (KeyIndex index = open(keys)) {
            assertThat(index.replace(key, 0, key.length, first, second)).isFalse();
            assertThat(index.size()).isZero();
            index.put(key, 0, key.length, first);
            assertThat(index.replace(key, 0, key.length, second, IndexedKeys.locator(0, 3)))
                    .isFalse();
            assertThat(get(index, key)).isEqualTo(first);
            assertThat(index.replace(key, 0, key.length, first, second)).isTrue();
            assertThat(get(index, key)).isEqualTo(second);
            assertThat(index.size()).isEqualTo(1);
        }
    }

    @Test
    void removeIsACompareAndRemove() throws Exception {
        IndexedKeys keys = keys("a");
        byte[] key = keys.key(0);
        long first = IndexedKeys.locator(0, 1);
        long second = IndexedKeys.locator(0, 2);
        try (KeyIndex index = open(keys)) {
            assertThat(index.remove(key, 0, key.length, first)).isFalse();
            index.put(key, 0, key.length, first);
            assertThat(index.remove(key, 0, key.length, second)).isFalse();
            assertThat(get(index, key)).isEqualTo(first);
            assertThat(index.remove(key, 0, key.length, first)).isTrue();
            assertThat(get(index, key)).isEqualTo(KeyIndex.ABSENT);
            assertThat(index.size()).isZero();
            assertThat(index.remove(key, 0, key.length, first)).isFalse();
            assertThat(index.size()).isZero();
        }
    }

    @Test
    void aCandidateIsNeverAbsentForAPresentKeyAndRarelyAnothers() throws Exception {
        IndexedKeys keys = numberedKeys(100_000);
        int present = keys.count() / 2;
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < present; i++) {
                put(index, keys, i, 1);
            }
            int wrongOfPresent = 0;
            int wrongOfAbsent = 0;
            for (int i = 0; i < keys.count(); i++) {
                long candidate = candidate(index, keys.key(i));
                if (i >= present) {
                    wrongOfAbsent += candidate == KeyIndex.ABSENT ? 0 : 1;
                } else {
                    assertThat(candidate).isNotEqualTo(KeyIndex.ABSENT);
                    wrongOfPresent += candidate == IndexedKeys.locator(i, 1) ? 0 : 1;
                }
            }
            assertThat(wrongOfPresent).isLessThan(present * WRONG_CANDIDATES_PERCENT / 100);
            assertThat(wrongOfAbsent).isLessThan(present * WRONG_CANDIDATES_PERCENT / 100);
        }
    }

    @Test
    void prefetchingChangesNothing() throws Exception {
        IndexedKeys keys = numberedKeys(1_000);
        ByteBuffer source = ByteBuffer.allocate(64 * keys.count());
        int[] offsets = new int[keys.count()];
        int[] lengths = new int[keys.count()];
        for (int i = 0; i < keys.count(); i++) {
            offsets[i] = source.position();
            lengths[i] = keys.key(i).length;
            source.put(keys.key(i));
        }
        try (KeyIndex index = open(keys)) {
            index.prefetch(source.array(), offsets, lengths, keys.count());
            assertThat(index.size()).isZero();
            for (int i = 0; i < keys.count(); i += 2) {
                put(index, keys, i, 1);
            }
            for (int count : new int[] {0, 1, 31, 32, 33, keys.count()}) {
                index.prefetch(source.array(), offsets, lengths, count);
            }
            assertThat(index.size()).isEqualTo(keys.count() / 2);
            for (int i = 0; i < keys.count(); i++) {
                assertThat(get(index, keys.key(i)) == KeyIndex.ABSENT).isEqualTo(i % 2 == 1);
            }
        }
    }

    @Test
    void candidatesOfManyKeysAreTheCandidatesOfEach() throws Exception {
        IndexedKeys keys = numberedKeys(5_000);
        ByteBuffer source = ByteBuffer.allocate(64 * keys.count());
        int[] offsets = new int[keys.count()];
        int[] lengths = new int[keys.count()];
        long[] locators = new long[keys.count() + 1];
        locators[keys.count()] = 42;
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < keys.count(); i++) {
                if (i % 2 == 0) {
                    put(index, keys, i, 1);
                }
                source.put((byte) '-');
                offsets[i] = source.position();
                lengths[i] = keys.key(i).length;
                source.put(keys.key(i));
            }
            for (int count : new int[] {0, 1, 2, 63, 64, 65, 1_000, keys.count()}) {
                index.candidates(source.array(), offsets, lengths, count, locators);
                for (int i = 0; i < count; i++) {
                    assertThat(locators[i]).isEqualTo(candidate(index, keys.key(i)));
                }
            }
            assertThat(locators[keys.count()]).as("after the last").isEqualTo(42);
        }
    }

    @Test
    void randomHistoriesAgreeWithAModel() throws Exception {
        long seed = seed();
        for (int i = 0; i < 6; i++) {
            // Few keys make long histories of each; many keys make growth.
            int keyCount = new int[] {4, 40, 400, 4_000, 30_000, 300}[i];
            runHistory(seed + i, keyCount, 60_000);
        }
    }

    @Test
    void aChangeThatThrowsHasChangedNothing() throws Exception {
        // Only an index that compares with records can fail here; one that holds the keys must not even notice.
        long seed = seed();
        Random random = new Random(seed);
        IndexedKeys keys = numberedKeys(300);
        long[] model = new long[keys.count()];
        try (KeyIndex index = open(keys)) {
            for (int step = 1; step < 30_000; step++) {
                int number = random.nextInt(keys.count());
                boolean failing = random.nextInt(3) == 0;
                keys.failWith(failing ? new IOException("planned") : null);
                long[] changed = model.clone();
                try {
                    changeAndCheck(index, keys, changed, number, step, random.nextInt(5), "seed=" + seed);
                    model = changed;
                } catch (IOException e) {
                    assertThat(e).hasMessage("planned");
                }
                keys.failWith(null);
                assertThat(get(index, keys.key(number)))
                        .as("seed=%d, step=%d", seed, step)
                        .isEqualTo(model[number]);
            }
            assertMatches(index, keys, model, "seed=" + seed);
        }
    }

    @Test
    void closingTwiceIsFine() throws Exception {
        IndexedKeys keys = numberedKeys(1_000);
        KeyIndex index = open(keys);
        for (int i = 0; i < keys.count(); i++) {
            put(index, keys, i, 1);
        }
        index.close();
        assertThatCode(index::close).doesNotThrowAnyException();
    }

    @Test
    void everyUseAfterCloseIsAnIllegalState() throws Exception {
        IndexedKeys keys = keys("a");
        byte[] key = keys.key(0);
        KeyIndex index = open(keys);
        index.put(key, 0, key.length, IndexedKeys.locator(0, 1));
        index.close();
        List<Callable<?>> calls = List.of(
                () -> index.get(key, 0, 1),
                () -> index.candidate(key, 0, 1),
                () -> index.put(key, 0, 1, IndexedKeys.locator(0, 2)),
                () -> index.putIfAbsent(key, 0, 1, IndexedKeys.locator(0, 2)),
                () -> index.replace(key, 0, 1, IndexedKeys.locator(0, 1), IndexedKeys.locator(0, 2)),
                () -> index.remove(key, 0, 1, IndexedKeys.locator(0, 1)),
                index::size,
                index::memoryBytes);
        for (int i = 0; i < calls.size(); i++) {
            Callable<?> call = calls.get(i);
            assertThatThrownBy(call::call).as("call %d", i).isInstanceOf(IllegalStateException.class);
        }
        assertThatThrownBy(() -> index.ensureRoom(1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> index.candidates(key, new int[1], new int[] {1}, 1, new long[1]))
                .isInstanceOf(IllegalStateException.class);
    }

    private void runHistory(long seed, int keyCount, int steps) throws IOException {
        Random random = new Random(seed);
        IndexedKeys keys = randomKeys(random, keyCount);
        long[] model = new long[keyCount];
        String story = "seed=" + seed + ", keys=" + keyCount;
        try (KeyIndex index = open(keys)) {
            for (int step = 1; step <= steps; step++) {
                // Long runs of puts, then of removals: the index fills and empties.
                int kind = step / 5_000 % 3 == 2 ? 3 + random.nextInt(2) : random.nextInt(5);
                changeAndCheck(index, keys, model, random.nextInt(keyCount), step, kind, story);
                if (step % 20_000 == 0) {
                    assertMatches(index, keys, model, story);
                }
            }
        }
    }

    /** Makes keys that look alike: few distinct bytes, shared prefixes, and some that end in zeros. */
    private static IndexedKeys randomKeys(Random random, int count) {
        Set<ByteBuffer> all = new HashSet<>();
        byte[] prefix = randomBytes(random, 40);
        while (all.size() < count) {
            byte[] key = new byte[1 + random.nextInt(random.nextInt(20) == 0 ? 300 : 24)];
            System.arraycopy(prefix, 0, key, 0, Math.min(key.length, random.nextInt(prefix.length)));
            int varied = random.nextInt(6);
            for (int i = Math.max(0, key.length - varied); i < key.length; i++) {
                key[i] = (byte) random.nextInt(256);
            }
            all.add(ByteBuffer.wrap(key));
        }
        return new IndexedKeys(all.stream().map(ByteBuffer::array).toArray(byte[][]::new));
    }
}
