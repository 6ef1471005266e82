package dev.caskwright.index.hashmap;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.Backends;
import dev.caskwright.api.spi.KeyIndexContext;
import dev.caskwright.api.spi.PersistentKeyIndex;
import dev.caskwright.testkit.PersistentKeyIndexContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
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

    private static void putNumber(HashKeyIndex index, int number) {
        byte[] key = ByteBuffer.allocate(16).putInt(9, number).array();
        try {
            index.put(key, 0, key.length, number);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
