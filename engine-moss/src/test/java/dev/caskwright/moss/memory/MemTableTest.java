package dev.caskwright.moss.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The table that takes writes, and its filter, which grows with it beside readers. */
final class MemTableTest {
    private static final int WRITES = 40_000;

    private static byte[] key(int number) {
        return ByteBuffer.allocate(12)
                .putInt(number * 0x9E3779B9)
                .putLong(number)
                .array();
    }

    private static void add(MemTable table, int number) {
        byte[] key = key(number);
        table.add(Kind.PUT, key, 0, key.length, key, 8, 4, number, true);
        table.publish(number);
    }

    private static boolean has(MemTable table, int number, long shown) {
        Probe probe = new Probe(key(number), 0);
        table.find(probe, shown);
        byte[] value = probe.value();
        return value != null && ByteBuffer.wrap(value).getInt() == number;
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void aReaderFindsEveryWriteThatItMaySeeWhileTheTableGrows() throws Exception {
        MemTable table = new MemTable(RangeSet.EMPTY, 0);
        ExecutorService executor = Executors.newFixedThreadPool(2);
        try {
            List<Future<Integer>> readers = new ArrayList<>();
            for (int seed = 0; seed < 2; seed++) {
                Random random = new Random(seed);
                readers.add(executor.submit(() -> {
                    int missed = 0;
                    long visible = 0;
                    while (visible < WRITES) {
                        visible = table.visible();
                        if (visible > 0) {
                            // The last one, and any other.
                            missed += has(table, (int) visible, visible) ? 0 : 1;
                            missed += has(table, 1 + random.nextInt((int) visible), visible) ? 0 : 1;
                        }
                    }
                    return missed;
                }));
            }
            for (int i = 1; i <= WRITES; i++) {
                add(table, i);
            }
            for (Future<Integer> reader : readers) {
                assertThat(reader.get()).isZero();
            }
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void everyKeyIsFoundInATableAndInTheOneThatFollowsIt() {
        MemTable table = new MemTable(RangeSet.EMPTY, 0);
        for (int i = 1; i <= 10_000; i++) {
            add(table, i);
        }
        MemTable next = table.next(10_000);
        assertThat(next.bytes()).isLessThan(table.bytes() / 2);
        for (int i = 10_001; i <= 30_000; i++) {
            add(next, i);
        }
        for (int i = 1; i <= 30_000; i++) {
            assertThat(has(table, i, 30_000)).as("key %s", i).isEqualTo(i <= 10_000);
            assertThat(has(next, i, 30_000)).as("key %s", i).isEqualTo(i > 10_000);
        }
    }

    @Test
    void roomThatIsReservedIsEnough() {
        MemTable table = new MemTable(RangeSet.EMPTY, 0);
        table.reserve(5_000, 16 * 5_000);
        long before = table.bytes();
        for (int i = 1; i <= 5_000; i++) {
            add(table, i);
        }
        assertThat(table.bytes()).isEqualTo(before);
    }
}
