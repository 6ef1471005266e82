package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Threads that cannot be had. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class ThreadsTest {
    private static final String MESSAGE = "unable to create native thread (simulated)";

    /** Makes threads of which the n-th cannot be started. */
    private static final class Refusing implements ThreadFactory {
        private final List<Thread> started = new ArrayList<>();
        private final int refused;

        Refusing(int refused) {
            this.refused = refused;
        }

        @Override
        public Thread newThread(Runnable task) {
            Thread thread = started.size() < refused
                    ? new Thread(task)
                    : new Thread(task) {
                        @Override
                        public void start() {
                            throw new OutOfMemoryError(MESSAGE);
                        }
                    };
            started.add(thread);
            return thread;
        }
    }

    private interface Open {
        MossEngine open(MossBuilder builder) throws IOException;
    }

    private static void assertNoneStays(MossBuilder builder, int threads) {
        for (int n = 0; n < threads; n++) {
            Refusing factory = new Refusing(n);
            Open opening = each -> each.threads(factory).open();
            assertThatThrownBy(() -> opening.open(builder))
                    .isInstanceOf(OutOfMemoryError.class)
                    .hasMessage(MESSAGE);
            assertThat(factory.started).hasSize(n + 1);
            assertThat(factory.started).as("thread %s is refused", n).noneMatch(Thread::isAlive);
        }
    }

    @Test
    void noThreadOfAnEngineStaysIfOneCannotBeStarted() {
        assertNoneStays(MossEngine.inMemory(), 1);
    }

    @Test
    void aDirectoryCanBeOpenedAgainAfterAThreadCouldNotBeStarted() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        MossBuilder builder = MossEngine.builder(Path.of("/simulated/moss")).io(disk.factory());
        assertNoneStays(builder, 3);
        try (MossEngine engine = builder.threads(Thread::new).open()) {
            engine.put(bytes("a"), bytes("1"));
            assertThat(engine.get(bytes("a"))).isNotNull();
        }
    }

    @Test
    void aLowerLevelIsLetGoOfAfterAThreadCouldNotBeStarted() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (StorageEngine lower = BitcaskEngine.builder(Path.of("/simulated/lower"))
                .io(disk.factory())
                .open()) {
            assertNoneStays(MossEngine.inMemory().over(lower), 2);
            assertThat(lower.stats().snapshots()).isZero();
        }
    }
}
