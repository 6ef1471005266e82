package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.spi.io.IoManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * The part of the contract of IO managers about the lock of a directory.
 */
abstract class IoManagerLocksContract extends IoManagerFilesContract {
    @Test
    void writerIsAlone() throws IOException {
        IoManager manager = manager("d");
        IoManager second = manager("d");
        try (IoManager.Lock lock = manager.lock(true)) {
            assertThat(lock).isNotNull();
            for (boolean exclusive : new boolean[] {true, false}) {
                assertThatThrownBy(() -> second.lock(exclusive))
                        .isInstanceOf(EngineLockedException.class)
                        .hasMessageContaining(second.describe());
            }
            manager("e").lock(true).close();
        }
        second.lock(true).close();
        second.lock(false).close();
    }

    @Test
    void readersShare() throws IOException {
        IoManager writer = manager("d");
        writer.lock(true).close();
        IoManager.Lock first = manager("d").lock(false);
        IoManager.Lock second = manager("d").lock(false);
        assertThatThrownBy(() -> writer.lock(true)).isInstanceOf(EngineLockedException.class);
        first.close();
        first.close();
        assertThatThrownBy(() -> writer.lock(true)).isInstanceOf(EngineLockedException.class);
        second.close();
        writer.lock(true).close();
    }

    @Test
    void lockLeavesNoTraceAmongTheFiles() throws IOException {
        IoManager manager = manager("d");
        try (IoManager.Lock lock = manager.lock(true)) {
            assertThat(lock).isNotNull();
            assertThat(manager.list()).isEmpty();
        }
        assertThat(manager.list()).isEmpty();
    }

    @Test
    void lockIsTakenByOneOfMany() throws Exception {
        IoManager manager = manager("d");
        ExecutorService executor = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 50; round++) {
                List<Callable<IoManager.Lock>> tries = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    tries.add(() -> manager.lock(true));
                }
                List<IoManager.Lock> locks = new ArrayList<>();
                for (Future<IoManager.Lock> future : executor.invokeAll(tries)) {
                    try {
                        locks.add(future.get());
                    } catch (java.util.concurrent.ExecutionException e) {
                        assertThat(e).hasCauseInstanceOf(EngineLockedException.class);
                    }
                }
                assertThat(locks).hasSize(1);
                locks.get(0).close();
            }
        } finally {
            executor.shutdownNow();
        }
    }
}
