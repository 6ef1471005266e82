package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.KeyIndexContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every {@link KeyIndex} must do. An implementation's test extends this class and makes the index.
 *
 * <p>Random tests print their seed in the message of a failure; {@code -Dcaskwright.seed=N} runs them with that seed.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
public abstract class KeyIndexContract {
    private static final int MAX_KEY_LENGTH = 0xFFFF;

    /** Absent keys, or present ones, for which {@link KeyIndex#candidate} may name another key, of a hundred. */
    private static final int WRONG_CANDIDATES_PERCENT = 2;

    /** Makes an empty index. The contract closes it. */
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
    void keysThatDifferOnlyInTrailingZerosAreDifferent() throws Exception {
        byte[][] all = new byte[64][];
        for (int i = 0; i < all.length; i++) {
            all[i] = new byte[i + 1];
        }
        assertHoldsEachUnderItsOwnLocator(new IndexedKeys(all));
    }

    @Test
    void keysOfEveryLengthAreHeld() throws Exception {
        List<byte[]> all = new ArrayList<>();
        Random random = new Random(7);
        for (int length = 1; length <= 300; length++) {
            all.add(randomBytes(random, length));
        }
        for (int length : new int[] {1023, 1024, 4096, 16_383, 16_384, 32_767, 32_768, 65_534, MAX_KEY_LENGTH}) {
            all.add(randomBytes(random, length));
        }
        assertHoldsEachUnderItsOwnLocator(new IndexedKeys(all.toArray(new byte[0][])));
    }

    @Test
    void longKeysWithASharedPrefixAreDifferent() throws Exception {
        byte[][] all = new byte[100][];
        for (int i = 0; i < all.length; i++) {
            all[i] = new byte[MAX_KEY_LENGTH];
            Arrays.fill(all[i], (byte) 'p');
            all[i][i == 0 ? MAX_KEY_LENGTH - 1 : MAX_KEY_LENGTH - 1 - i % 10] = (byte) i;
        }
        assertHoldsEachUnderItsOwnLocator(new IndexedKeys(all));
    }

    @Test
    void aKeyIsASliceThatIsNeitherKeptNorChanged() throws Exception {
        IndexedKeys keys = keys("alpha", "beta");
        byte[] array = bytes("--alpha--");
        byte[] before = array.clone();
        try (KeyIndex index = open(keys)) {
            index.put(array, 2, 5, IndexedKeys.locator(0, 1));
            assertThat(array).isEqualTo(before);
            Arrays.fill(array, (byte) 'x');
            assertThat(get(index, keys.key(0))).isEqualTo(IndexedKeys.locator(0, 1));
            byte[] other = bytes("alphabet");
            assertThat(index.get(other, 0, 5)).isEqualTo(IndexedKeys.locator(0, 1));
            assertThat(index.get(other, 0, 6)).isEqualTo(KeyIndex.ABSENT);
            assertThat(index.get(other, 0, 4)).isEqualTo(KeyIndex.ABSENT);
            assertThat(index.replace(other, 0, 5, IndexedKeys.locator(0, 1), IndexedKeys.locator(0, 2)))
                    .isTrue();
            assertThat(index.remove(bytes("xxalpha"), 2, 5, IndexedKeys.locator(0, 2)))
                    .isTrue();
            assertThat(index.size()).isZero();
        }
    }

    @Test
    void growsToManyKeysAndCountsThem() throws Exception {
        IndexedKeys keys = numberedKeys(200_000);
        try (KeyIndex index = open(keys)) {
            long empty = index.memoryBytes();
            for (int i = 0; i < keys.count(); i++) {
                assertThat(put(index, keys, i, 1)).isEqualTo(KeyIndex.ABSENT);
            }
            assertThat(index.size()).isEqualTo(keys.count());
            for (int i = 0; i < keys.count(); i++) {
                assertThat(get(index, keys.key(i))).isEqualTo(IndexedKeys.locator(i, 1));
            }
            assertThat(index.memoryBytes() - empty)
                    .as("200,000 locators of 8 bytes need memory")
                    .isGreaterThan(8L * keys.count() - empty);
        }
    }

    @Test
    void hintsChangeNothingButSize() throws Exception {
        IndexedKeys keys = numberedKeys(1_000);
        for (long expected : new long[] {0, 1, 1_000, 100_000}) {
            try (KeyIndex index = newIndex(new KeyIndexContext(expected, 16, 3, keys))) {
                for (int i = 0; i < keys.count(); i++) {
                    put(index, keys, i, 1);
                }
                for (int i = 0; i < keys.count(); i++) {
                    assertThat(get(index, keys.key(i))).isEqualTo(IndexedKeys.locator(i, 1));
                }
            }
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
            assertThat(locators[keys.count()]).as("behind the last").isEqualTo(42);
        }
    }

    @Test
    void madeRoomIsThere() throws Exception {
        IndexedKeys keys = numberedKeys(20_000);
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < keys.count(); i++) {
                if (i % 1_000 == 0) {
                    index.ensureRoom(1_000);
                }
                put(index, keys, i, 1);
            }
            assertThat(index.size()).isEqualTo(keys.count());
        }
    }

    @Test
    void changesThatComeAndGoDoNotGrowTheIndex() throws Exception {
        // A window of keys moves on: what is deleted must make room for what comes.
        int window = 5_000;
        IndexedKeys keys = numberedKeys(20 * window);
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < 3 * window; i++) {
                moveWindow(index, keys, window, i);
            }
            long settled = index.memoryBytes();
            for (int i = 3 * window; i < keys.count(); i++) {
                moveWindow(index, keys, window, i);
            }
            assertThat(index.size()).isEqualTo(window);
            assertThat(index.memoryBytes()).isLessThanOrEqualTo(2 * settled);
            for (int i = 0; i < keys.count(); i++) {
                long expected = i >= keys.count() - window ? IndexedKeys.locator(i, 1) : KeyIndex.ABSENT;
                assertThat(get(index, keys.key(i))).isEqualTo(expected);
            }
        }
    }

    @Test
    void theSameKeysDeletedAndPutAgainDoNotGrowTheIndex() throws Exception {
        IndexedKeys keys = numberedKeys(2_000);
        try (KeyIndex index = open(keys)) {
            long settled = 0;
            for (int round = 1; round <= 60; round++) {
                for (int i = 0; i < keys.count(); i++) {
                    assertThat(put(index, keys, i, round)).isEqualTo(KeyIndex.ABSENT);
                }
                for (int i = 0; i < keys.count(); i++) {
                    assertThat(remove(index, keys, i, round)).isTrue();
                }
                assertThat(index.size()).isZero();
                settled = round == 10 ? index.memoryBytes() : settled;
            }
            assertThat(index.memoryBytes()).isLessThanOrEqualTo(2 * settled);
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
    void readersBesideAWriterFindEveryStableKeyAndNeverAWrongLocator() throws Exception {
        long seed = seed();
        int stable = 2_000;
        IndexedKeys keys = numberedKeys(60_000);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        AtomicBoolean stop = new AtomicBoolean();
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < stable; i++) {
                put(index, keys, i, 1);
            }
            CountDownLatch reading = new CountDownLatch(2);
            List<Future<Long>> readers = new ArrayList<>();
            for (int r = 0; r < 2; r++) {
                Random random = new Random(seed + r);
                readers.add(threads.submit(() -> {
                    long reads = 0;
                    while (!stop.get()) {
                        readAndCheck(index, keys, random, stable, seed);
                        if (reads++ == 0) {
                            reading.countDown();
                        }
                    }
                    return reads;
                }));
            }
            reading.await();
            try {
                churn(index, keys, stable, new Random(seed + 2));
            } finally {
                stop.set(true);
            }
            for (Future<Long> reader : readers) {
                assertThat(join(reader)).isPositive();
            }
        } finally {
            stop.set(true);
            shutDown(threads);
        }
    }

    @Test
    void concurrentPutIfAbsentHasOneWinner() throws Exception {
        IndexedKeys keys = numberedKeys(20_000);
        try (KeyIndex index = open(keys)) {
            if (!index.allowsConcurrentWriters()) {
                return;
            }
            AtomicInteger winners = new AtomicInteger();
            inParallel(4, writer -> {
                for (int i = 0; i < keys.count(); i++) {
                    byte[] key = keys.key(i);
                    long before = index.putIfAbsent(key, 0, key.length, IndexedKeys.locator(i, writer + 1));
                    if (before == KeyIndex.ABSENT) {
                        winners.incrementAndGet();
                    } else {
                        assertThat(IndexedKeys.number(before)).isEqualTo(i);
                    }
                }
            });
            assertThat(winners.get()).isEqualTo(keys.count());
            assertThat(index.size()).isEqualTo(keys.count());
        }
    }

    @Test
    void concurrentReplacesAreCounted() throws Exception {
        IndexedKeys keys = numberedKeys(8);
        try (KeyIndex index = open(keys)) {
            if (!index.allowsConcurrentWriters()) {
                return;
            }
            for (int i = 0; i < keys.count(); i++) {
                put(index, keys, i, 1);
            }
            AtomicLong replaced = new AtomicLong();
            inParallel(4, writer -> {
                for (int step = 0; step < 20_000; step++) {
                    int number = step % keys.count();
                    byte[] key = keys.key(number);
                    long seen = get(index, key);
                    long next = IndexedKeys.locator(number, IndexedKeys.version(seen) + 1);
                    if (index.replace(key, 0, key.length, seen, next)) {
                        replaced.incrementAndGet();
                    }
                }
            });
            long versions = 0;
            for (int i = 0; i < keys.count(); i++) {
                versions += IndexedKeys.version(get(index, keys.key(i))) - 1;
            }
            assertThat(versions).isEqualTo(replaced.get());
        }
    }

    @Test
    void concurrentWritersOfTheirOwnKeysDoNotDisturbEachOther() throws Exception {
        long seed = seed();
        int writers = 4;
        IndexedKeys keys = numberedKeys(40_000);
        try (KeyIndex index = open(keys)) {
            if (!index.allowsConcurrentWriters()) {
                return;
            }
            long[][] models = new long[writers][keys.count()];
            inParallel(writers, writer -> {
                Random random = new Random(seed + writer);
                for (int step = 1; step < 60_000; step++) {
                    int number = random.nextInt(keys.count() / writers) * writers + writer;
                    changeAndCheck(index, keys, models[writer], number, step, random.nextInt(5), "seed=" + seed);
                }
            });
            long[] model = new long[keys.count()];
            for (int i = 0; i < model.length; i++) {
                model[i] = models[i % writers][i];
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

    /** Makes an index over these keys with a fixed seed. */
    final KeyIndex open(IndexedKeys keys) throws IOException {
        return newIndex(new KeyIndexContext(0, 0, 0x5EED, keys));
    }

    /** Returns the seed of the random tests: the one asked for, or a new one. */
    static long seed() {
        Long asked = Long.getLong("caskwright.seed");
        return asked == null ? System.nanoTime() : asked;
    }

    /** Returns keys 0, 1, 2 … in words of different lengths. */
    static IndexedKeys numberedKeys(int count) {
        byte[][] all = new byte[count][];
        for (int i = 0; i < count; i++) {
            all[i] = bytes("key-" + "x".repeat(i % 13) + i);
        }
        return new IndexedKeys(all);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static long get(KeyIndex index, byte[] key) throws IOException {
        return index.get(key, 0, key.length);
    }

    static long put(KeyIndex index, IndexedKeys keys, int number, long version) throws IOException {
        byte[] key = keys.key(number);
        return index.put(key, 0, key.length, IndexedKeys.locator(number, version));
    }

    static boolean remove(KeyIndex index, IndexedKeys keys, int number, long version) throws IOException {
        byte[] key = keys.key(number);
        return index.remove(key, 0, key.length, IndexedKeys.locator(number, version));
    }

    /** Waits for the task and throws what it threw. */
    static <T> T join(Future<T> task) throws Exception {
        try {
            return task.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e;
        }
    }

    static void shutDown(ExecutorService threads) throws InterruptedException {
        threads.shutdownNow();
        assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
    }

    private static IndexedKeys keys(String... texts) {
        return new IndexedKeys(Arrays.stream(texts).map(KeyIndexContract::bytes).toArray(byte[][]::new));
    }

    private static long candidate(KeyIndex index, byte[] key) throws IOException {
        return index.candidate(key, 0, key.length);
    }

    private static byte[] randomBytes(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private void assertHoldsEachUnderItsOwnLocator(IndexedKeys keys) throws IOException {
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < keys.count(); i++) {
                assertThat(put(index, keys, i, 1)).as("key %d", i).isEqualTo(KeyIndex.ABSENT);
            }
            assertThat(index.size()).isEqualTo(keys.count());
            for (int i = 0; i < keys.count(); i++) {
                assertThat(get(index, keys.key(i))).as("key %d", i).isEqualTo(IndexedKeys.locator(i, 1));
            }
            for (int i = 0; i < keys.count(); i += 2) {
                assertThat(remove(index, keys, i, 1)).as("key %d", i).isTrue();
            }
            for (int i = 0; i < keys.count(); i++) {
                long expected = i % 2 == 0 ? KeyIndex.ABSENT : IndexedKeys.locator(i, 1);
                assertThat(get(index, keys.key(i))).as("key %d", i).isEqualTo(expected);
            }
        }
    }

    private static void moveWindow(KeyIndex index, IndexedKeys keys, int window, int next) throws IOException {
        put(index, keys, next, 1);
        if (next >= window) {
            assertThat(remove(index, keys, next - window, 1)).isTrue();
        }
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

    /** Changes the index and the model alike, and compares the answers. */
    private static void changeAndCheck(
            KeyIndex index, IndexedKeys keys, long[] model, int number, long version, int kind, String story)
            throws IOException {
        byte[] padded = new byte[keys.key(number).length + 5];
        int length = keys.key(number).length;
        System.arraycopy(keys.key(number), 0, padded, 3, length);
        long next = IndexedKeys.locator(number, version);
        long present = model[number];
        boolean guess = version % 4 != 0;
        long expected = guess && present != KeyIndex.ABSENT ? present : IndexedKeys.locator(number, version + 1);
        switch (kind) {
            case 0 -> {
                assertThat(index.put(padded, 3, length, next)).as(story).isEqualTo(present);
                model[number] = next;
            }
            case 1 -> {
                assertThat(index.putIfAbsent(padded, 3, length, next)).as(story).isEqualTo(present);
                model[number] = present == KeyIndex.ABSENT ? next : present;
            }
            case 2 -> {
                assertThat(index.replace(padded, 3, length, expected, next))
                        .as(story)
                        .isEqualTo(expected == present);
                model[number] = expected == present ? next : present;
            }
            case 3 -> {
                assertThat(index.remove(padded, 3, length, expected)).as(story).isEqualTo(expected == present);
                model[number] = expected == present ? KeyIndex.ABSENT : present;
            }
            default -> assertThat(index.get(padded, 3, length)).as(story).isEqualTo(present);
        }
    }

    private static void assertMatches(KeyIndex index, IndexedKeys keys, long[] model, String story) throws IOException {
        for (int i = 0; i < model.length; i++) {
            assertThat(get(index, keys.key(i))).as(story).isEqualTo(model[i]);
        }
        assertThat(index.size())
                .as(story)
                .isEqualTo(Arrays.stream(model)
                        .filter(locator -> locator != KeyIndex.ABSENT)
                        .count());
    }

    /** Grows the index, then removes and puts again, and changes the stable keys without ever removing them. */
    private static void churn(KeyIndex index, IndexedKeys keys, int stable, Random random) throws IOException {
        int changing = keys.count() - stable;
        long[] model = new long[keys.count()];
        for (int step = 1; step < 400_000; step++) {
            int number = stable + random.nextInt(Math.min(changing, 100 + step / 4));
            if (model[number] == KeyIndex.ABSENT || step % 3 == 0) {
                assertThat(put(index, keys, number, step)).isEqualTo(model[number]);
                model[number] = IndexedKeys.locator(number, step);
            } else {
                byte[] key = keys.key(number);
                assertThat(index.remove(key, 0, key.length, model[number])).isTrue();
                model[number] = KeyIndex.ABSENT;
            }
            if (step % 16 == 0) {
                put(index, keys, random.nextInt(stable), step);
            }
        }
    }

    private static void readAndCheck(KeyIndex index, IndexedKeys keys, Random random, int stable, long seed)
            throws IOException {
        int number = random.nextInt(stable);
        long locator = get(index, keys.key(number));
        assertThat(locator).as("stable key, seed=%d", seed).isNotEqualTo(KeyIndex.ABSENT);
        assertThat(IndexedKeys.number(locator)).as("seed=%d", seed).isEqualTo(number);
        assertThat(candidate(index, keys.key(number)))
                .as("candidate of a stable key, seed=%d", seed)
                .isNotEqualTo(KeyIndex.ABSENT);
        int other = random.nextInt(keys.count());
        long found = get(index, keys.key(other));
        if (found != KeyIndex.ABSENT) {
            assertThat(IndexedKeys.number(found)).as("seed=%d", seed).isEqualTo(other);
        }
        assertThat(index.size()).isBetween((long) stable, (long) keys.count());
    }

    private static void inParallel(int threads, Task task) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        CyclicBarrier start = new CyclicBarrier(threads);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int number = i;
                running.add(executor.submit(() -> {
                    start.await();
                    task.run(number);
                    return null;
                }));
            }
            for (Future<?> each : running) {
                join(each);
            }
        } finally {
            shutDown(executor);
        }
    }

    @FunctionalInterface
    private interface Task {
        void run(int thread) throws Exception;
    }
}
