package dev.caskwright.index.hashmap;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.index.KeyIndexContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory goes back when most keys have gone, and nothing that a reader does beside it goes wrong. */
final class ShrinkTest {
    private static final int MANY = 200_000;

    /** Makes an index whose segments are split at so many slots. */
    private static HashKeyIndex index(int splitCapacity) {
        return new HashKeyIndex(new KeyIndexContext(0, 0, 1, (key, offset, length, locator) -> true), splitCapacity);
    }

    private static byte[] key(int number) {
        return ByteBuffer.allocate(16).putLong(number).putLong(-number).array();
    }

    private static void put(HashKeyIndex index, int number) throws IOException {
        index.put(key(number), 0, 16, number + 1);
    }

    private static void remove(HashKeyIndex index, int number) {
        assertThat(index.remove(key(number), 0, 16, number + 1)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {100, 16 << 10})
    void memoryFollowsTheKeysDownAndUpAgain(int splitCapacity) throws IOException {
        try (HashKeyIndex index = index(splitCapacity)) {
            for (int round = 0; round < 3; round++) {
                for (int number = 0; number < MANY; number++) {
                    put(index, number);
                }
                long full = index.memoryBytes();
                for (int number = 0; number < MANY; number++) {
                    if (number % 20 != 0) {
                        remove(index, number);
                    }
                }
                assertThat(index.memoryBytes())
                        .as("a twentieth is left, round=%s", round)
                        .isLessThan(full / 4);
                for (int number = 0; number < MANY; number++) {
                    assertThat(index.get(key(number), 0, 16)).isEqualTo(number % 20 == 0 ? number + 1 : 0);
                }
                assertThat(index.size()).isEqualTo(MANY / 20);
                for (int number = 0; number < MANY; number += 20) {
                    remove(index, number);
                }
                assertThat(index.memoryBytes())
                        .as("all are gone, round=%s", round)
                        .isLessThan(full / 10);
                assertThat(index.size()).isZero();
            }
        }
    }

    /** Readers find the keys that stay while others come and go, and the tables with them. */
    @Test
    void keysThatStayAreFoundWhileTablesShrink() throws Exception {
        AtomicBoolean isOver = new AtomicBoolean();
        int stay = 500;
        try (HashKeyIndex index = index(100)) {
            for (int number = 0; number < stay; number++) {
                put(index, number);
            }
            ExecutorService executor = Executors.newFixedThreadPool(2);
            try {
                List<Future<Long>> readers = new ArrayList<>();
                for (int thread = 0; thread < 2; thread++) {
                    Random random = new Random(thread);
                    readers.add(executor.submit(() -> {
                        long reads = 0;
                        for (; !isOver.get() || reads == 0; reads++) {
                            int number = random.nextInt(stay);
                            assertThat(index.get(key(number), 0, 16)).isEqualTo(number + 1);
                            assertThat(index.candidate(key(number), 0, 16)).isEqualTo(number + 1);
                        }
                        return reads;
                    }));
                }
                for (int round = 0; round < 10; round++) {
                    for (int number = stay; number < 60_000; number++) {
                        put(index, number);
                    }
                    for (int number = stay; number < 60_000; number++) {
                        remove(index, number);
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
}
