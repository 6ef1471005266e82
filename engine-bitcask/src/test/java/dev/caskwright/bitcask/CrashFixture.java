package dev.caskwright.bitcask;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;

/** Stores on simulated disks: everything in one thread, and the same seed gives the same calls. */
final class CrashFixture {
    static final Path HOME = Path.of("store");
    static final Path BACKUP = Path.of("backup");
    static final long SMALL_FILES = 400;

    private CrashFixture() {}

    static EngineBuilder builder(IoManagerFactory io, InstantSource clock) {
        return builder(HOME, io, clock);
    }

    static EngineBuilder builder(Path directory, IoManagerFactory io, InstantSource clock) {
        SplittableRandom random = new SplittableRandom(42);
        EngineBuilder builder = BitcaskEngine.builder(directory);
        builder.retryTimer = (millis, action) -> {}; // tried again when it is asked for again, in the one thread
        return builder.io(io)
                .clock(clock)
                .random(random::nextLong)
                .executor(TestTasks.executor())
                .autoMerge(false)
                .replayThreads(1)
                .durability(Durability.WRITE)
                .maxFileBytes(SMALL_FILES);
    }

    static BitcaskEngine open(CrashableIoManager disk, InstantSource clock) throws IOException {
        return builder(disk.factory(HOME), clock).open();
    }

    static BitcaskEngine open(CrashableIoManager disk) throws IOException {
        return open(disk, new ManualClock());
    }

    /** Returns what a store shows by visiting it, after checking that its other ways to read agree. */
    static NavigableMap<byte[], Entry> content(StorageEngine engine) throws IOException {
        NavigableMap<byte[], Entry> entries = KeyValues.entries(engine);
        for (Entry entry : entries.values()) {
            Entry single = engine.entry(entry.key());
            if (single == null
                    || single.version() != entry.version()
                    || !Arrays.equals(single.value(), entry.value())) {
                throw new AssertionError("visited, but not found or found otherwise: key="
                        + KeyValues.describe(entry.key()) + ", visited=" + entry + ", found=" + single);
            }
        }
        return entries;
    }

    static boolean isSame(Map<byte[], Entry> one, Map<byte[], Entry> other) {
        if (one.size() != other.size()) {
            return false;
        }
        for (Map.Entry<byte[], Entry> each : one.entrySet()) {
            Entry found = other.get(each.getKey());
            if (found == null
                    || found.version() != each.getValue().version()
                    || found.expiresAtMillis() != each.getValue().expiresAtMillis()
                    || !Arrays.equals(found.value(), each.getValue().value())) {
                return false;
            }
        }
        return true;
    }
}
