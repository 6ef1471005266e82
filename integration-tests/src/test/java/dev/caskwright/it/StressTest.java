package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Everything at once: threads that read, write, write batches, take snapshots, visit and merge, and one that closes the
 * engine under them. {@code -Dcaskwright.stress.millis} sets how long the campaign lets each combination run.
 */
final class StressTest {
    private static final int KEYS = 64; // for each writer
    private static final int WRITERS = 2;

    @TempDir
    private Path temporary;

    private enum State {
        PRESENT,
        /** A delete was begun. */
        LEAVING,
        ABSENT
    }

    /**
     * What is known of a key at some moment: the number of its last put that was acknowledged, and what became of it. A put
     * that is under way may be seen as well; then the number is higher.
     */
    private record Known(long number, State state) {
        boolean mayBeAbsent() {
            return state != State.PRESENT;
        }

        long leastNumber() {
            return state == State.ABSENT ? number + 1 : number;
        }
    }

    static List<Combination> combinations() {
        List<Combination> all = new ArrayList<>(Combination.all());
        all.removeIf(each -> !each.io().equals(each.startupIo()));
        return all;
    }

    @ParameterizedTest
    @MethodSource("combinations")
    void everythingAtOnce(Combination combination) throws Exception {
        run(combination, 1_200);
    }

    @ParameterizedTest
    @MethodSource("combinations")
    @Tag("campaign")
    void everythingAtOnceForLonger(Combination combination) throws Exception {
        run(combination, Long.getLong("caskwright.stress.millis", 15_000));
    }

    private void run(Combination combination, long millis) throws Exception {
        AtomicReferenceArray<Known> known = new AtomicReferenceArray<>(WRITERS * KEYS);
        for (int key = 0; key < known.length(); key++) {
            known.set(key, new Known(0, State.ABSENT));
        }
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (System.nanoTime() < end) {
            long closing = Math.min(end, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(400));
            try (BitcaskEngine engine = combination.builder(temporary).open()) {
                checkAll(engine, known);
                inThreads(engine, known, closing);
                assertThat(engine.health()).isNull();
            }
        }
        try (BitcaskEngine engine = combination.builder(temporary).open()) {
            checkAll(engine, known);
        }
    }

    private interface Task {
        void run() throws Exception;
    }

    private static void inThreads(BitcaskEngine engine, AtomicReferenceArray<Known> known, long closing)
            throws Exception {
        List<Task> tasks = new ArrayList<>();
        for (int writer = 0; writer < WRITERS; writer++) {
            int number = writer;
            tasks.add(() -> write(engine, number, known));
        }
        tasks.add(() -> read(engine, known));
        tasks.add(() -> batch(engine));
        tasks.add(() -> snapshot(engine));
        tasks.add(() -> {
            while (true) {
                engine.merge();
            }
        });
        tasks.add(() -> {
            while (System.nanoTime() < closing) {
                engine.stats();
                engine.visit(entry -> entry.value() != null);
            }
            engine.close();
        });
        ExecutorService executor = Executors.newFixedThreadPool(tasks.size());
        try {
            List<Future<?>> running = new ArrayList<>();
            for (Task task : tasks) {
                running.add(executor.submit(() -> untilClosed(task)));
            }
            for (Future<?> future : running) {
                future.get(2, TimeUnit.MINUTES);
            }
        } finally {
            executor.shutdownNow();
        }
    }

    private static boolean untilClosed(Task task) throws Exception {
        try {
            task.run();
            return true;
        } catch (EngineClosedException e) {
            return false; // how every task but the closing one ends
        }
    }

    /** Counts up the values of keys of its own, which must be as it left them; sometimes deletes one first. */
    private static void write(BitcaskEngine engine, int writer, AtomicReferenceArray<Known> known) throws Exception {
        RandomGenerator random = RandomGenerator.getDefault();
        while (true) {
            int key = writer * KEYS + random.nextInt(KEYS);
            Known before = known.get(key);
            byte[] found = engine.get(key(key));
            if (before.mayBeAbsent()) {
                assertThat(found).as("key %s came back", key).isNull();
            } else {
                assertThat(found).as("key %s is lost", key).isNotNull();
                assertThat(number(found)).as("key %s", key).isEqualTo(before.number());
            }
            if (random.nextInt(4) == 0) {
                // Noted before it is done: a reader may find the key gone before the delete returns.
                known.set(key, new Known(before.number(), State.LEAVING));
                engine.delete(key(key), WriteOptions.NONE);
                known.set(key, new Known(before.number(), State.ABSENT));
                assertThat(engine.get(key(key))).as("key %s was deleted", key).isNull();
            }
            WriteOptions options = random.nextInt(20) == 0 ? WriteOptions.SYNC : WriteOptions.WRITE;
            long next = before.number() + 1;
            // Noted after it is done: a write that the closing cuts short may be there or not.
            engine.put(key(key), value(next, random.nextInt(300)), options);
            known.set(key, new Known(next, State.PRESENT));
        }
    }

    private static void read(BitcaskEngine engine, AtomicReferenceArray<Known> known) throws Exception {
        RandomGenerator random = RandomGenerator.getDefault();
        while (true) {
            int key = random.nextInt(WRITERS * KEYS);
            Known before = known.get(key);
            byte[] value = engine.get(key(key));
            if (value != null) {
                assertThat(number(value)).as("key %s went back", key).isGreaterThanOrEqualTo(before.leastNumber());
            } else if (known.get(key) == before) { // otherwise a delete may have come between
                assertThat(before.mayBeAbsent()).as("key %s may be absent", key).isTrue();
            }
        }
    }

    private static void batch(BitcaskEngine engine) throws Exception {
        for (long i = 0; ; i++) {
            WriteBatch batch = new WriteBatch();
            for (int pair = 0; pair < 4; pair++) {
                batch.put(key(1_000 + pair), value(i, 20 * pair));
            }
            engine.write(batch, WriteOptions.NONE);
        }
    }

    /** In a snapshot, all keys of the batches have the same number, whichever way they are read, and again later. */
    private static void snapshot(BitcaskEngine engine) throws Exception {
        while (true) {
            try (Snapshot snapshot = engine.snapshot()) {
                for (int round = 0; round < 3; round++) {
                    byte[] first = snapshot.get(key(1_000));
                    List<Long> visited = new ArrayList<>();
                    snapshot.visit(entry -> {
                        if (entry.key().length == 4
                                && ByteBuffer.wrap(entry.key()).getInt() >= 1_000) {
                            visited.add(number(entry.value()));
                        }
                        return true;
                    });
                    if (first == null) {
                        assertThat(visited).isEmpty();
                        continue;
                    }
                    assertThat(visited).hasSize(4).containsOnly(number(first));
                    for (int pair = 1; pair < 4; pair++) {
                        assertThat(number(snapshot.get(key(1_000 + pair)))).isEqualTo(number(first));
                    }
                }
            }
        }
    }

    /** Checks what a reopened store has: all that returned, and perhaps the write that the closing cut short. */
    private static void checkAll(BitcaskEngine engine, AtomicReferenceArray<Known> known) throws Exception {
        for (int key = 0; key < known.length(); key++) {
            Known before = known.get(key);
            byte[] value = engine.get(key(key));
            if (value == null) {
                assertThat(before.mayBeAbsent()).as("key %s may be absent", key).isTrue();
                known.set(key, new Known(before.number(), State.ABSENT));
            } else {
                assertThat(number(value)).as("key %s", key).isBetween(before.leastNumber(), before.number() + 1);
                known.set(key, new Known(number(value), State.PRESENT));
            }
        }
    }

    private static byte[] key(int number) {
        return ByteBuffer.allocate(4).putInt(number).array();
    }

    private static byte[] value(long number, int padding) {
        return ByteBuffer.allocate(8 + padding).putLong(number).array();
    }

    private static long number(byte[] value) {
        return ByteBuffer.wrap(value).getLong();
    }
}
