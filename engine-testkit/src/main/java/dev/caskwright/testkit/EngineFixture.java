package dev.caskwright.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.ReadView;
import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;

/** What the parts of the engine contract share: a store to open, and ways to look at it. */
abstract class EngineFixture {
    private static final int THREAD_MINUTES = 2;

    /** A fresh parent of directories for stores. */
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    protected Path temporary;

    /** The clock of every store that a test opens. */
    protected final ManualClock clock = new ManualClock();

    /**
     * Opens the store in a directory, which is missing, or holds what an earlier open made there.
     *
     * <p>Data files must be small, a few KiB: the tests then see many of them, and merges, which leave the active file
     * alone, have something to do.
     */
    protected abstract StorageEngine open(Path directory, InstantSource clock) throws IOException;

    /** Returns whether the stores have an ordered view. */
    protected abstract boolean isOrdered();

    final Path directory() {
        return temporary.resolve("store");
    }

    final StorageEngine open() throws IOException {
        return open(directory(), clock);
    }

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

    /** Runs a task in several threads at once, and fails if one of them does. */
    static void inThreads(int threads, Task task) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int thread = i;
                running.add(executor.submit(() -> {
                    task.run(thread);
                    return thread;
                }));
            }
            for (Future<?> future : running) {
                future.get(THREAD_MINUTES, TimeUnit.MINUTES);
            }
        } finally {
            executor.shutdownNow();
            assertThat(executor.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        }
    }
}
