package dev.caskwright.it.features;

import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;

/** What a store lies on, and what is left of it when its process ends without closing it. */
interface Disk {
    /** What a crash ended with the process. */
    enum Crash {
        /** The process alone. */
        KILL,
        /** The machine, and with it all that had not reached the disk. */
        POWER_LOSS
    }

    /** Returns a builder of the store for the process that runs now. */
    EngineBuilder builder(Backend backend, InstantSource clock);

    /** Lets the process die at one of its next calls, if it makes so many, and if this disk can. */
    void crashSoon(Random random);

    /** Ends the process, which may have died before, and starts another. */
    Crash crash(Random random) throws IOException;

    /** A directory, which a crash leaves as the operating system knows it: a copy of it is what the next process gets. */
    final class Real implements Disk {
        private Path directory;

        Real(Path directory) {
            this.directory = directory;
        }

        @Override
        public EngineBuilder builder(Backend backend, InstantSource clock) {
            return backend.builder(directory, clock);
        }

        @Override
        public void crashSoon(Random random) {
            // A real process dies between two steps here; KillTest kills some at any moment.
        }

        @Override
        public Crash crash(Random random) throws IOException {
            Path next = directory.resolveSibling(directory.getFileName() + "+");
            Files.createDirectory(next);
            List<Path> files = FeatureFixture.files(directory);
            for (Path file : files) {
                Files.copy(file, next.resolve(file.getFileName()));
            }
            directory = next;
            return Crash.KILL;
        }
    }

    /** A disk in memory, which may die at any call and lose what was not forced. */
    final class Simulated implements Disk {
        private static final Path HOME = Path.of("store");
        private static final int SOON = 12;

        private CrashableIoManager disk = new CrashableIoManager().logging(false);

        @Override
        public EngineBuilder builder(Backend backend, InstantSource clock) {
            disk.mapped(backend.io().equals("mmap"));
            return backend.builder(HOME, clock).io(disk.factory(HOME));
        }

        @Override
        public void crashSoon(Random random) {
            disk.crashAt(disk.operations() + random.nextInt(SOON), random.nextLong());
        }

        @Override
        public Crash crash(Random random) {
            if (random.nextInt(3) == 0) {
                disk = disk.kill().logging(false);
                return Crash.KILL;
            }
            // The first five are the extremes: nothing that was not forced has arrived, or all of it has, and so on.
            disk = disk.powerLoss(random.nextBoolean() ? random.nextInt(5) : random.nextInt(Integer.MAX_VALUE))
                    .logging(false);
            return Crash.POWER_LOSS;
        }
    }
}
