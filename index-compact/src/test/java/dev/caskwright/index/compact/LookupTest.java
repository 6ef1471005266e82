package dev.caskwright.index.compact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyMatcher;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What the log is asked, keys that look alike, many keys at once, and changes beside a lookup or another change. */
final class LookupTest {
    /** Two keys of one segment and one tag, and two with the same low tag only. */
    static final int[] SAME_TAG = {25_536, 67_541};

    private static final int[] SAME_LOW_TAG = {2_479, 16_771};

    private final NumberedKeys keys = new NumberedKeys();

    private static long locator(int number, int version) {
        return NumberedKeys.locator(number, version);
    }

    private static byte[] key(int number) {
        return NumberedKeys.key(number);
    }

    private static long candidate(KeyIndex index, int number) throws IOException {
        return index.candidate(key(number), 0, 8);
    }

    private static long putIfAbsent(KeyIndex index, int number, int version) throws IOException {
        return index.putIfAbsent(key(number), 0, 8, locator(number, version));
    }

    private static boolean replace(KeyIndex index, int number, int expected, int version) throws IOException {
        return index.replace(key(number), 0, 8, locator(number, expected), locator(number, version));
    }

    @Test
    void isMadeByItsName() throws Exception {
        try (KeyIndex index =
                Backends.keyIndex("compact").open(new KeyIndexContext(0, 0, 1, (k, offset, length, l) -> true))) {
            assertThat(index).isInstanceOf(CompactKeyIndex.class);
            assertThat(index.allowsConcurrentWriters()).isTrue();
            assertThat(((CompactKeyIndex) index).imageFormat()).isEqualTo("compact-2");
        }
    }

    @Test
    void everyChangeSaysWhatWasThere() throws Exception {
        try (CompactKeyIndex index = keys.index()) {
            for (int number = 0; number < 500; number++) {
                assertThat(replace(index, number, 1, 2)).isFalse();
                assertThat(NumberedKeys.remove(index, number, 1)).isFalse();
                assertThat(NumberedKeys.get(index, number)).isZero();
                assertThat(number % 2 == 0 ? NumberedKeys.put(index, number, 1) : putIfAbsent(index, number, 1))
                        .isZero();
                assertThat(index.size()).isEqualTo(number + 1);
                assertThat(putIfAbsent(index, number, 3)).isEqualTo(locator(number, 1));
                assertThat(NumberedKeys.put(index, number, 4)).isEqualTo(locator(number, 1));
                assertThat(replace(index, number, 1, 5)).isFalse();
                assertThat(replace(index, number, 4, 5)).isTrue();
                assertThat(NumberedKeys.get(index, number)).isEqualTo(locator(number, 5));
                assertThat(NumberedKeys.remove(index, number, 4)).isFalse();
                assertThat(index.size()).isEqualTo(number + 1);
            }
            for (int number = 0; number < 500; number++) {
                assertThat(NumberedKeys.remove(index, number, 5)).isTrue();
                assertThat(NumberedKeys.get(index, number)).isZero();
                assertThat(index.size()).isEqualTo(500 - number - 1);
            }
        }
    }

    @Test
    void theLogIsAskedAboutLikelyKeysOnly() throws Exception {
        try (CompactKeyIndex index = keys.index()) {
            for (int number = 0; number < 100; number++) {
                NumberedKeys.put(index, number, 1);
                candidate(index, number);
                candidate(index, -number - 1);
                NumberedKeys.get(index, -number - 1);
                replace(index, number, 2, 3);
                NumberedKeys.remove(index, number, 2);
            }
            assertThat(keys.questions).isZero();
            NumberedKeys.get(index, 50);
            assertThat(keys.questions).isEqualTo(1);
            NumberedKeys.put(index, 50, 2);
            assertThat(keys.questions).isEqualTo(2);
            replace(index, 50, 2, 3);
            assertThat(keys.questions).isEqualTo(3);
            NumberedKeys.remove(index, 50, 3);
            assertThat(keys.questions).isEqualTo(4);
        }
    }

    @Test
    void keysOfOneTagAreToldApartByTheLog() throws Exception {
        int first = SAME_TAG[0];
        int second = SAME_TAG[1];
        assertThat(NumberedKeys.tag(first)).isEqualTo(NumberedKeys.tag(second));
        assertThat(NumberedKeys.segment(first)).isEqualTo(NumberedKeys.segment(second));
        try (CompactKeyIndex index = keys.index()) {
            NumberedKeys.put(index, first, 1);
            assertThat(NumberedKeys.get(index, second)).isZero();
            assertThat(candidate(index, second)).isEqualTo(locator(first, 1));
            assertThat(NumberedKeys.put(index, second, 1)).isZero();
            assertThat(index.size()).isEqualTo(2);
            assertThat(putIfAbsent(index, second, 2)).isEqualTo(locator(second, 1));
            assertThat(NumberedKeys.put(index, second, 3)).isEqualTo(locator(second, 1));
            assertThat(NumberedKeys.get(index, first)).isEqualTo(locator(first, 1));
            assertThat(NumberedKeys.get(index, second)).isEqualTo(locator(second, 3));
            assertThat(index.remove(key(first), 0, 8, locator(second, 3)))
                    .as("the other's locator")
                    .isFalse();
            assertThat(index.replace(key(second), 0, 8, locator(first, 1), 9)).isFalse();
            assertThat(replace(index, second, 3, 4)).isTrue();
            assertThat(NumberedKeys.remove(index, first, 1)).isTrue();
            assertThat(NumberedKeys.get(index, first)).isZero();
            assertThat(NumberedKeys.get(index, second)).isEqualTo(locator(second, 4));
        }
    }

    @Test
    void aChangeComparesAllOfATagAndALookupItsLowHalf() throws Exception {
        int first = SAME_LOW_TAG[0];
        int second = SAME_LOW_TAG[1];
        assertThat(NumberedKeys.tag(first) ^ NumberedKeys.tag(second)).isBetween(1 << 16, (1 << 24) - 1);
        assertThat((NumberedKeys.tag(first) ^ NumberedKeys.tag(second)) & 0xFFFF)
                .isZero();
        assertThat(NumberedKeys.segment(first)).isEqualTo(NumberedKeys.segment(second));
        try (CompactKeyIndex index = keys.index()) {
            NumberedKeys.put(index, first, 1);
            assertThat(NumberedKeys.get(index, second)).isZero();
            assertThat(keys.questions).isEqualTo(1);
            assertThat(NumberedKeys.put(index, second, 1)).isZero();
            assertThat(keys.questions).as("not asked").isEqualTo(1);
            assertThat(NumberedKeys.get(index, second)).isEqualTo(locator(second, 1));
            assertThat(candidate(index, second)).isEqualTo(locator(first, 1));
        }
    }

    /** A matcher that does something else when it is asked for the first time. */
    private static final class Interrupting implements KeyMatcher {
        private final NumberedKeys keys;
        private KeyMatcher onFirst = (key, offset, length, locator) -> false;
        private boolean isArmed;

        Interrupting(NumberedKeys keys) {
            this.keys = keys;
        }

        void onNext(KeyMatcher first) {
            onFirst = first;
            isArmed = true;
        }

        @Override
        public boolean matches(byte[] key, int offset, int length, long locator) throws IOException {
            if (isArmed) {
                isArmed = false;
                return onFirst.matches(key, offset, length, locator);
            }
            return keys.matches(key, offset, length, locator);
        }
    }

    /** While the reader is at the log its bucket is copied, and the block has other keys then. */
    @Test
    void aLookupStartsAgainIfItsBucketWasReplaced() throws Exception {
        int first = SAME_TAG[0];
        int second = SAME_TAG[1];
        Interrupting matcher = new Interrupting(keys);
        List<Integer> beside = NumberedKeys.ofSegment(NumberedKeys.segment(first), 140);
        List<Integer> others = NumberedKeys.ofSegment(3, 100);
        for (int between : new int[] {4, 6, 10, 18, 61, 62}) {
            try (CompactKeyIndex index = new CompactKeyIndex(new KeyIndexContext(0, 0, 1, matcher), keys)) {
                NumberedKeys.put(index, first, 1);
                for (int number : beside.subList(0, between)) {
                    NumberedKeys.put(index, number, 1);
                }
                NumberedKeys.put(index, second, 1);
                List<Long> asked = new ArrayList<>();
                matcher.onNext((key, offset, length, locator) -> {
                    asked.add(locator);
                    for (int number : beside.subList(between, between + 70)) {
                        NumberedKeys.put(index, number, 1);
                    }
                    for (int number : others) {
                        NumberedKeys.put(index, number, 1);
                    }
                    return false;
                });
                assertThat(NumberedKeys.get(index, second))
                        .as("between=%s", between)
                        .isEqualTo(locator(second, 1));
                assertThat(asked).containsExactly(locator(first, 1));
            }
        }
    }

    private static Thread start(Change change, CompletableFuture<Object> result) {
        Thread thread = new Thread(() -> {
            try {
                result.complete(change.make());
            } catch (IOException | RuntimeException | Error e) {
                result.completeExceptionally(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Makes the change in a thread of its own. */
    private static Object elsewhere(Change change) throws Exception {
        CompletableFuture<Object> result = new CompletableFuture<>();
        start(change, result);
        return result.get(10, TimeUnit.SECONDS);
    }

    @FunctionalInterface
    private interface Change {
        Object make() throws IOException;
    }

    private static List<Change> changes(CompactKeyIndex index, int number) {
        return List.of(
                () -> NumberedKeys.put(index, number, 1),
                () -> putIfAbsent(index, number, 1),
                () -> replace(index, number, 1, 1),
                () -> NumberedKeys.remove(index, number, 1));
    }

    @Test
    void aChangeThatIsOverOrFailedHoldsUpNobody() throws Exception {
        Interrupting matcher = new Interrupting(keys);
        try (CompactKeyIndex index = new CompactKeyIndex(new KeyIndexContext(0, 0, 1, matcher), keys)) {
            for (Change change : changes(index, 7)) {
                NumberedKeys.put(index, 7, 1);
                matcher.onNext((key, offset, length, locator) -> {
                    throw new IOException("planned");
                });
                assertThatThrownBy(change::make).hasMessage("planned");
                assertThat(elsewhere(() -> NumberedKeys.put(index, 7, 1))).isEqualTo(locator(7, 1));
                change.make();
                assertThat(elsewhere(() -> putIfAbsent(index, 7, 1))).isIn(0L, locator(7, 1));
            }
            for (Change change : changes(index, 8)) {
                change.make();
                elsewhere(() -> NumberedKeys.remove(index, 8, 1));
            }
            index.save((source, offset, length) -> {});
            for (int number = 0; number < 500; number++) {
                int each = number;
                elsewhere(() -> NumberedKeys.put(index, each, 1));
            }
        }
    }

    /** Otherwise two could each find that the key is absent. */
    @Test
    void aChangeOfTheSameKeyWaitsWhileTheLogIsAsked() throws Exception {
        Interrupting matcher = new Interrupting(keys);
        for (int first = 0; first < 4; first++) {
            for (int second = 0; second < 4; second++) {
                try (CompactKeyIndex index = new CompactKeyIndex(new KeyIndexContext(0, 0, 1, matcher), keys)) {
                    NumberedKeys.put(index, 7, 1);
                    CompletableFuture<Object> result = new CompletableFuture<>();
                    List<Thread> other = new ArrayList<>();
                    Change beside = changes(index, 7).get(second);
                    matcher.onNext((key, offset, length, locator) -> {
                        Thread thread = start(beside, result);
                        other.add(thread);
                        while (thread.getState() != Thread.State.WAITING && thread.isAlive()) {
                            Thread.onSpinWait();
                        }
                        assertThat(result).isNotDone();
                        return true;
                    });
                    changes(index, 7).get(first).make();
                    assertThat(other).hasSize(1);
                    result.get(10, TimeUnit.SECONDS);
                }
            }
        }
    }

    @Test
    void manyAtOnceAreTheCandidatesOfEach() throws Exception {
        int count = 131;
        byte[] source = new byte[3 + count * 9];
        int[] offsets = new int[count];
        int[] lengths = new int[count];
        for (int i = 0; i < count; i++) {
            offsets[i] = 3 + i * 9;
            lengths[i] = 8;
            System.arraycopy(key(i), 0, source, offsets[i], 8);
        }
        try (CompactKeyIndex index = keys.index()) {
            assertCandidates(index, source, offsets, lengths);
            // Alone in its batch, beside absent ones, and all of a batch.
            NumberedKeys.put(index, 40, 1);
            assertCandidates(index, source, offsets, lengths);
            for (int number = 64; number < 96; number++) {
                NumberedKeys.put(index, number, 1);
            }
            assertCandidates(index, source, offsets, lengths);
            for (int number = 0; number < 5_000; number++) {
                NumberedKeys.put(index, number, 2);
            }
            assertCandidates(index, source, offsets, lengths);
        }
        assertThat(keys.questions).as("by changes only").isEqualTo(33);
    }

    private static void assertCandidates(CompactKeyIndex index, byte[] source, int[] offsets, int[] lengths)
            throws IOException {
        for (int count = 0; count <= offsets.length; count++) {
            long[] locators = new long[offsets.length];
            Arrays.fill(locators, 77);
            index.candidates(source, offsets, lengths, count, locators);
            for (int i = 0; i < offsets.length; i++) {
                assertThat(locators[i]).isEqualTo(i < count ? candidate(index, i) : 77);
            }
        }
    }

    /** Whatever a bucket holds, a batch of one finds it. */
    @Test
    void aBatchOfOneIsAsAnyOther() throws Exception {
        List<Integer> numbers = NumberedKeys.ofSegment(700, 150);
        try (CompactKeyIndex index = keys.index()) {
            for (int number : numbers) {
                NumberedKeys.put(index, number, 1);
                for (int asked : numbers) {
                    long[] locators = {77};
                    index.candidates(key(asked), new int[1], new int[] {8}, 1, locators);
                    assertThat(locators[0]).isEqualTo(candidate(index, asked));
                    if (asked == number) {
                        assertThat(locators[0]).isEqualTo(locator(number, 1));
                        break;
                    }
                }
            }
        }
    }

    @Test
    void aClosedIndexHasNoMemory() throws Exception {
        long before = NumberedKeys.directBytes();
        CompactKeyIndex index = keys.index();
        NumberedKeys.put(index, 1, 1);
        assertThat(NumberedKeys.directBytes()).isGreaterThanOrEqualTo(keys.slabBytes);
        index.close();
        assertThat(NumberedKeys.directBytes()).isLessThanOrEqualTo(before);
        List<Change> calls = List.of(
                () -> NumberedKeys.get(index, 1),
                () -> candidate(index, 1),
                () -> NumberedKeys.put(index, 1, 1),
                () -> putIfAbsent(index, 1, 1),
                () -> replace(index, 1, 1, 1),
                () -> NumberedKeys.remove(index, 1, 1),
                index::size,
                index::memoryBytes,
                index::loadMore);
        for (Change call : calls) {
            assertThatThrownBy(call::make)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the key index is closed");
        }
        assertThatThrownBy(() -> index.ensureRoom(0)).isInstanceOf(IllegalStateException.class);
        index.close();
    }
}
