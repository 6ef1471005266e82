package dev.caskwright.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Merging;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;

/** What the contracts of engines do again and again. */
final class EngineSteps {
    private EngineSteps() {}

    private static final int THREAD_MINUTES = 1;

    static byte[] bytes(String text) {
        return KeyValues.bytes(text);
    }

    static byte[] bytes(int number) {
        return KeyValues.bytes(Integer.toString(number));
    }

    static @Nullable String text(byte @Nullable [] bytes) {
        return bytes == null ? null : new String(bytes, UTF_8);
    }

    static @Nullable String get(ReadView view, String key) throws IOException {
        return text(view.get(bytes(key)));
    }

    static int number(ReadView view, String key) throws IOException {
        byte[] value = view.get(bytes(key));
        return value == null ? -1 : Integer.parseInt(new String(value, UTF_8));
    }

    /** Returns all entries as text, "key=value", in the order of the keys. */
    static List<String> content(ReadView view) throws IOException {
        List<String> content = new ArrayList<>();
        KeyValues.entries(view).values().forEach(entry -> content.add(text(entry.key()) + "=" + text(entry.value())));
        return content;
    }

    /** A task that may fail in any way. */
    interface Task {
        void run(int thread) throws Exception;
    }

    /**
     * Lets two threads leave at the same moment, round by round. They spin, because the waking up of a blocked thread
     * takes longer than the races last that this is for.
     */
    static final class Meeting {
        private static final int SPINS = 10_000;
        private static final long PARK_NANOS = 20_000;

        private final AtomicInteger arrivals = new AtomicInteger();

        /** Waits for the other thread to come to the same round, counted from 0. */
        void await(int round) {
            arrivals.incrementAndGet();
            for (int spins = 0; arrivals.get() < 2 * (round + 1); spins++) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new AssertionError("the other thread does not come: round=" + round);
                }
                if (spins < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(PARK_NANOS); // the other one may need this core
                }
            }
        }
    }

    /** Runs a task in several threads at once, and fails if one of them does. */
    static void inThreads(int threads, Task task) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            CompletionService<Integer> running = new ExecutorCompletionService<>(executor);
            for (int i = 0; i < threads; i++) {
                int thread = i;
                running.submit(() -> {
                    task.run(thread);
                    return thread;
                });
            }
            // As they end, so that a failure shows though others wait for the one that failed.
            for (int i = 0; i < threads; i++) {
                Future<Integer> ended = running.poll(THREAD_MINUTES, TimeUnit.MINUTES);
                assertThat(ended)
                        .as("a thread ends within %s minutes", THREAD_MINUTES)
                        .isNotNull();
                ended.get();
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof AssertionError failure) {
                throw failure;
            }
            throw e;
        } finally {
            executor.shutdownNow();
            assertThat(executor.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        }
    }

    static WriteBatch pair(int value) {
        return new WriteBatch().put(bytes("left"), bytes(value)).put(bytes("right"), bytes(value));
    }

    static void assertRefused(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class);
    }

    static void assertClosed(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(EngineClosedException.class);
    }

    static List<String> keys(ReadView view, Range range) throws IOException {
        List<String> keys = new ArrayList<>();
        try (Cursor cursor = view.ordered().range(range)) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                keys.add(text(entry.key()));
            }
            assertThat(cursor.next()).as("stays at its end").isNull();
        }
        return keys;
    }

    /** Merges, if that is something that the engine does; returns whether it is. */
    static boolean merge(StorageEngine engine) throws IOException {
        Optional<Merging> merging = engine.facet(Merging.class);
        if (merging.isPresent()) {
            merging.get().merge();
        }
        return merging.isPresent();
    }
}
