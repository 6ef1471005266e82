package dev.caskwright.bitcask;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.testkit.StorageEngineContract;
import dev.caskwright.testkit.TestExecutor;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.junit.jupiter.api.Nested;

/**
 * The engine with its defaults, and files so small that rolling and merging are the common case; by default sealing and
 * merging are done in background threads. Then the same with executors that run tasks in the caller or within each other,
 * refuse them, are shut down, or never run them.
 */
final class BitcaskEngineTest extends StorageEngineContract implements BitcaskFacets {
    @Override
    public StorageEngine open(Path directory, InstantSource clock) throws IOException {
        return builder(directory, clock).open();
    }

    @Override
    public StorageEngine openKeepingChanges(Path directory, InstantSource clock) throws IOException {
        return builder(directory, clock).changesRetainedBytes(1 << 20).open();
    }

    private static EngineBuilder builder(Path directory, InstantSource clock) {
        return BitcaskEngine.builder(directory).clock(clock).maxFileBytes(4096);
    }

    @Nested
    final class WithTasksInTheCaller extends WithExecutor {
        WithTasksInTheCaller() {
            super(() -> new TestExecutor(TestExecutor.Mode.IN_CALLER));
        }
    }

    @Nested
    final class WithTasksThatNeverRun extends WithExecutor {
        WithTasksThatNeverRun() {
            super(() -> new TestExecutor(TestExecutor.Mode.DROPPED));
        }
    }

    @Nested
    final class WithTasksWithinTasks extends WithExecutor {
        WithTasksWithinTasks() {
            super(() -> new TestExecutor(TestExecutor.Mode.NESTED));
        }
    }

    @Nested
    final class WithTasksRefused extends WithExecutor {
        WithTasksRefused() {
            super(() -> new TestExecutor(TestExecutor.Mode.REFUSED));
        }
    }

    @Nested
    final class WithAnExecutorThatIsShutDown extends WithExecutor {
        WithAnExecutorThatIsShutDown() {
            super(() -> {
                TestExecutor executor = new TestExecutor(TestExecutor.Mode.LATER);
                executor.shutDown();
                return executor;
            });
        }
    }

    @Nested
    final class WithTasksTreatedByChance extends WithExecutor {
        private static final long SEED = 20261129;

        WithTasksTreatedByChance() {
            super(() -> TestExecutor.mixed(SEED));
        }
    }

    private abstract static class WithExecutor extends StorageEngineContract implements BitcaskFacets {
        private final Supplier<Executor> executors;

        WithExecutor(Supplier<Executor> executors) {
            this.executors = executors;
        }

        @Override
        public StorageEngine open(Path directory, InstantSource clock) throws IOException {
            // Merges come when a test asks for one: others might take away the changes that it is about to read.
            return builder(directory, clock)
                    .executor(executors.get())
                    .autoMerge(false)
                    .open();
        }
    }
}
