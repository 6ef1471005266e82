package dev.caskwright.it.features;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.testkit.TestTasks;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;

/** A key index and an IO manager by their names. */
record Backend(String index, String io) {
    private static final List<String> INDEXES = List.of("hashmap", "btree", "sorted", "offheap", "compact");
    private static final List<String> IO_MANAGERS = List.of("standard", "mmap");

    /** Files so small that every test has many. */
    private static final long SMALL_FILES = 400;

    static final Backend DEFAULT = new Backend("hashmap", "standard");

    /** Returns every combination. */
    static Stream<Backend> all() {
        return INDEXES.stream().flatMap(index -> IO_MANAGERS.stream().map(io -> new Backend(index, io)));
    }

    /** Returns a builder of stores that do nothing in the background. */
    EngineBuilder builder(Path directory, InstantSource clock) {
        return BitcaskEngine.builder(directory)
                .index(Backends.keyIndex(index))
                .io(Backends.ioManager(io))
                .expectedKeys(64, 8)
                .clock(clock)
                .executor(TestTasks.executor())
                .autoMerge(false)
                .replayThreads(1)
                .maxFileBytes(SMALL_FILES);
    }

    @Override
    public String toString() {
        return index + " over " + io;
    }
}
