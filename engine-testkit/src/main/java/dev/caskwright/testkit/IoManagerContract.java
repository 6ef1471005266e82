package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every {@link IoManager} does, as its Javadoc says. A manager's test extends this class and says how one is opened;
 * one whose files are files of the system extends {@link FileSystemIoManagerContract} instead.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class IoManagerContract extends IoManagerLocksContract {
    @Override
    protected abstract IoManager openManager(Path directory, boolean create) throws IOException;

    @Test
    void interruptedThreadGetsItsWorkDone() throws IOException {
        byte[] content = bytes(1, 1_000_000);
        IoManager[] manager = new IoManager[1];
        whileInterrupted(() -> manager[0] = manager("d/e/f"));
        IoManager d = manager[0];
        IoManager target = manager("t");
        whileInterrupted(() -> {
            d.lock(true).close();
            WritableFile file = d.create("a", 0);
            file.write(0, content, 0, 600_000);
            file.reserve(2_000_000);
            file.write(600_000, content, 600_000, 400_000);
            file.force();
            assertThat(read(file, 0, content.length)).isEqualTo(content);
            file.truncate(900_000);
            file.close();
            d.syncDirectory();
            assertThat(d.list()).containsExactly("a");
            assertThat(d.length("a")).isEqualTo(900_000);
            d.rename("a", "b");
            d.linkTo(target, "b");
            d.linkTo(wrapped(manager("u")), "b");
            ReadableFile sealed = d.open("b");
            assertThat(read(sealed, 0, content.length)).isEqualTo(Arrays.copyOf(content, 900_000));
            sealed.close();
            d.openWritable("b").close();
            d.delete("b");
            d.lock(false).close();
        });
        assertThat(load(target, "b")).isEqualTo(Arrays.copyOf(content, 900_000));
    }

    @Test
    void interruptsAtAnyMomentHarmNobody() throws Exception {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 1_000_000);
        store(manager, "sealed", content);
        store(manager, "deleted", content);
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService executor = Executors.newCachedThreadPool();
        try (ReadableFile sealed = manager.open("sealed");
                ReadableFile deleted = manager.open("deleted");
                WritableFile active = manager.create("active", 0)) {
            manager.delete("deleted");
            List<Thread> victims = new ArrayList<>();
            List<Future<?>> readers = new ArrayList<>();
            for (ReadableFile file : List.of(sealed, deleted)) {
                readers.add(executor.submit(() -> {
                    synchronized (victims) {
                        victims.add(Thread.currentThread());
                    }
                    Random random = new Random(1);
                    while (!done.get()) {
                        int length = random.nextInt(300_000);
                        int offset = random.nextInt(content.length - length);
                        assertThat(Arrays.equals(
                                        read(file, offset, length),
                                        Arrays.copyOfRange(content, offset, offset + length)))
                                .isTrue();
                        Thread.interrupted(); // lets the next interrupt be one that comes in the middle
                    }
                    return null;
                }));
            }
            Future<?> hail = executor.submit(() -> {
                while (!done.get()) {
                    synchronized (victims) {
                        victims.forEach(Thread::interrupt);
                    }
                    Thread.onSpinWait();
                }
            });
            try {
                synchronized (victims) {
                    victims.add(Thread.currentThread());
                }
                for (int offset = 0; offset < content.length; offset += 5000) {
                    active.write(offset, content, offset, 5000);
                    active.force();
                    assertThat(read(active, offset, 5000))
                            .isEqualTo(Arrays.copyOfRange(content, offset, offset + 5000));
                    manager.syncDirectory();
                    Thread.interrupted();
                }
                active.truncate(500_000);
            } finally {
                synchronized (victims) {
                    victims.remove(Thread.currentThread());
                }
                Thread.interrupted();
                done.set(true);
            }
            for (Future<?> reader : readers) {
                reader.get();
            }
            hail.get();
            assertThat(read(sealed, 0, content.length)).isEqualTo(content);
            assertThat(read(deleted, 0, content.length)).isEqualTo(content);
        } finally {
            done.set(true);
            executor.shutdownNow();
            executor.awaitTermination(1, TimeUnit.MINUTES);
        }
        assertThat(load(manager, "active")).isEqualTo(Arrays.copyOf(content, 500_000));
    }

    @Test
    void readersSeeWhatTheWriterHasWritten() throws Exception {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 8_000_000);
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService executor = Executors.newCachedThreadPool();
        try (WritableFile file = manager.create("a", 0)) {
            List<Future<?>> readers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int seed = i;
                readers.add(executor.submit(() -> {
                    Random random = new Random(seed);
                    while (!done.get()) {
                        int end = (int) file.length();
                        // The newest bytes first of all.
                        int offset = random.nextBoolean() ? Math.max(0, end - 200) : random.nextInt(end + 1);
                        int length = Math.min(200, end - offset);
                        byte[] found = read(file, offset, length);
                        assertThat(Arrays.equals(found, Arrays.copyOfRange(content, offset, offset + length)))
                                .as("seed=%d, offset=%d, length=%d, end=%d", seed, offset, length, end)
                                .isTrue();
                    }
                    return null;
                }));
            }
            Random random = new Random(9);
            for (int offset = 0; offset < content.length; ) {
                int length = Math.min(content.length - offset, 1 + random.nextInt(400));
                file.write(offset, content, offset, length);
                offset += length;
            }
            done.set(true);
            for (Future<?> reader : readers) {
                reader.get();
            }
        } finally {
            done.set(true);
            executor.shutdownNow();
            executor.awaitTermination(1, TimeUnit.MINUTES);
        }
        assertThat(load(manager, "a")).isEqualTo(content);
    }

    /**
     * Cuts the power of the disk that all managers of this test are over. Managers that are opened afterwards find what was
     * durable, and nothing that was not. A manager over a disk that can do this, a simulated one, overrides the method.
     *
     * @return false if the disk cannot do this; the contract then says that it has not proved what a force does
     */
    protected boolean cutPower() throws IOException {
        return false;
    }

    @Test
    void whatWasForcedSurvivesAPowerLoss() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 10_000);
        WritableFile file = manager.create("a", 0);
        manager.syncDirectory();
        file.write(0, content, 0, 6_000);
        file.force();
        file.write(6_000, content, 6_000, 4_000);
        assumePowerIsCut();
        try (IoManager after = openManager(root().resolve("d"), false)) {
            assertThat(load(after, "a")).startsWith(Arrays.copyOf(content, 6_000));
        }
    }

    @Test
    void whatIsForcedAfterItsAccessHasEndedSurvivesAPowerLoss() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(2, 10_000);
        WritableFile file = manager.createSequential("a", content.length);
        manager.syncDirectory();
        file.write(0, content, 0, content.length);
        file.endAccess();
        file.force();
        assumePowerIsCut();
        try (IoManager after = openManager(root().resolve("d"), false)) {
            assertThat(load(after, "a")).startsWith(content); // zeros that were held ready may follow
        }
    }

    @Test
    void namesSurviveAPowerLossOnceTheDirectoryIsSynced() throws IOException {
        IoManager manager = manager("d");
        IoManager target = manager("e");
        for (String name : List.of("created", "renamed", "deleted", "linked")) {
            try (WritableFile file = manager.create(name, 0)) {
                file.write(0, bytes(3, 100), 0, 100);
                file.force();
            }
        }
        manager.syncDirectory();
        manager.rename("renamed", "name");
        manager.delete("deleted");
        manager.linkTo(target, "linked");
        manager.syncDirectory();
        target.syncDirectory();
        assumePowerIsCut();
        try (IoManager after = openManager(root().resolve("d"), false);
                IoManager other = openManager(root().resolve("e"), false)) {
            assertThat(after.list()).containsExactlyInAnyOrder("created", "name", "linked");
            assertThat(load(after, "name")).startsWith(bytes(3, 100));
            assertThat(load(other, "linked")).startsWith(bytes(3, 100));
        }
    }

    private void assumePowerIsCut() throws IOException {
        assumeTrue(cutPower(), "NOT PROVED: the power of this disk cannot be cut (cutPower)");
    }
}
