package dev.caskwright.index.compact;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyMatcher;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Memory goes back when most keys have gone, and nothing that a reader does beside it goes wrong. */
final class ShrinkTest {
    private static final int MANY = 300_000;

    private static CompactKeyIndex index() {
        KeyMatcher log = (key, offset, length, locator) ->
                Arrays.equals(key, offset, offset + length, NumberedKeys.key((int) locator), 0, 8);
        return new CompactKeyIndex(new KeyIndexContext(0, 0, NumberedKeys.SEED, log));
    }

    private static void check(CompactKeyIndex index, int number, boolean isThere) throws IOException {
        assertThat(NumberedKeys.get(index, number))
                .as("key=%s", number)
                .isEqualTo(isThere ? NumberedKeys.locator(number, 1) : KeyIndex.ABSENT);
    }

    @Test
    void memoryFollowsTheKeysDownAndUpAgain() throws Exception {
        try (CompactKeyIndex index = index()) {
            long empty = index.memoryBytes();
            long full = 0;
            for (int round = 0; round < 3; round++) {
                for (int number = 0; number < MANY; number++) {
                    NumberedKeys.put(index, number, 1);
                }
                full = index.memoryBytes();
                assertThat(full).as("round=%s", round).isLessThan(16L * MANY);
                for (int number = 0; number < MANY; number++) {
                    if (number % 20 != 0) {
                        assertThat(NumberedKeys.remove(index, number, 1)).isTrue();
                    }
                }
                assertThat(index.memoryBytes())
                        .as("a twentieth is left, round=%s", round)
                        .isLessThan(full / 3);
                for (int number = 0; number < MANY; number++) {
                    check(index, number, number % 20 == 0);
                }
                assertThat(index.size()).isEqualTo(MANY / 20);
            }
            for (int number = 0; number < MANY; number += 20) {
                assertThat(NumberedKeys.remove(index, number, 1)).isTrue();
            }
            assertThat(index.memoryBytes()).as("all are gone").isLessThan(empty + full / 3);
            assertThat(index.size()).isZero();
        }
    }

    /** Readers find the keys that stay while others come and go, and the memory with them. */
    @Test
    void keysThatStayAreFoundWhileMemoryGoes() throws Exception {
        AtomicBoolean isOver = new AtomicBoolean();
        try (CompactKeyIndex index = index()) {
            int stay = 2_000;
            for (int number = 0; number < stay; number++) {
                NumberedKeys.put(index, number, 1);
            }
            ExecutorService executor = Executors.newFixedThreadPool(2);
            try {
                List<Future<Long>> readers = new ArrayList<>();
                for (int thread = 0; thread < 2; thread++) {
                    Random random = new Random(thread);
                    readers.add(executor.submit(() -> {
                        long reads = 0;
                        for (; !isOver.get() || reads == 0; reads++) {
                            check(index, random.nextInt(stay), true);
                        }
                        return reads;
                    }));
                }
                for (int round = 0; round < 4; round++) {
                    for (int number = stay; number < 150_000; number++) {
                        NumberedKeys.put(index, number, 1);
                    }
                    for (int number = stay; number < 150_000; number++) {
                        NumberedKeys.remove(index, number, 1);
                    }
                }
                isOver.set(true);
                for (Future<Long> reader : readers) {
                    assertThat(reader.get()).isPositive();
                }
            } finally {
                isOver.set(true);
                executor.shutdown();
            }
        }
    }

    /** The keys that a reader was stalled between, in one bucket; and what goes on there meanwhile. */
    private static final class Stalling implements KeyMatcher {
        private final int stalledAt;
        private final Runnable meanwhile;
        private boolean isArmed;

        Stalling(int stalledAt, Runnable meanwhile) {
            this.stalledAt = stalledAt;
            this.meanwhile = meanwhile;
        }

        @Override
        public boolean matches(byte[] key, int offset, int length, long locator) {
            boolean isKey = Arrays.equals(key, offset, offset + length, NumberedKeys.key((int) locator), 0, 8);
            if (isArmed && !isKey && (int) locator == stalledAt) {
                isArmed = false;
                meanwhile.run();
            }
            return isKey;
        }
    }

    /**
     * A reader is stalled by its question to the log while the bucket is replaced so often that its stamp comes round: 8,192
     * times, and back where it was. The key that it seeks is there all the time, but moves to a slot behind the reader.
     */
    @Test
    void aReaderThatIsStalledThroughAllStampsFindsAKeyThatStays() throws Exception {
        int other = LookupTest.SAME_TAG[0];
        int stays = LookupTest.SAME_TAG[1];
        List<Integer> fill = NumberedKeys.ofSegment(NumberedKeys.segment(stays), 60);
        fill.remove((Integer) other);
        fill.remove((Integer) stays);
        CompactKeyIndex[] made = new CompactKeyIndex[1];
        Stalling log = new Stalling(other, () -> {
            try {
                comeRound(made[0], fill);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        try (CompactKeyIndex index = new CompactKeyIndex(new KeyIndexContext(0, 0, NumberedKeys.SEED, log))) {
            made[0] = index;
            for (int i = 0; i < 3; i++) {
                NumberedKeys.put(index, fill.get(i), 1);
            }
            NumberedKeys.put(index, other, 1); // in the fourth slot, the last that a lookup compares at once
            growAndShrink(index, fill);
            NumberedKeys.put(index, stays, 1); // in the fifth
            log.isArmed = true;
            check(index, stays, true);
            assertThat(log.isArmed).as("the reader was stalled").isFalse();
        }
    }

    private static void comeRound(CompactKeyIndex index, List<Integer> fill) throws IOException {
        for (int round = 0; round < (1 << 13) / 4; round++) {
            growAndShrink(index, fill);
            // With four keys the bucket is as small as it was, and the key that stays is in one of the first four
            // slots.
            NumberedKeys.remove(index, fill.get(0), 1);
            NumberedKeys.put(index, fill.get(0), 1);
        }
    }

    /** Makes the bucket four times another: of 32, 24, 16 and, if four keys are left, 8 slots. */
    private static void growAndShrink(CompactKeyIndex index, List<Integer> fill) throws IOException {
        for (int i = 3; i < 22; i++) {
            NumberedKeys.put(index, fill.get(i), 1);
        }
        for (int i = 3; i < 22; i++) {
            NumberedKeys.remove(index, fill.get(i), 1);
        }
    }
}
