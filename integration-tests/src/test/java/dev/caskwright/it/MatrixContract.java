package dev.caskwright.it;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.testkit.StorageEngineContract;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** The engine's contract for one key index and one IO manager. */
abstract class MatrixContract extends StorageEngineContract implements BitcaskFacets {
    private final Combination combination;

    MatrixContract(String index, String io) {
        combination = new Combination(index, io, io);
    }

    @Override
    public StorageEngine open(Path directory, InstantSource clock) throws IOException {
        return combination.builder(directory).clock(clock).open();
    }

    @Override
    public StorageEngine openKeepingChanges(Path directory, InstantSource clock) throws IOException {
        return combination
                .builder(directory)
                .clock(clock)
                .changesRetainedBytes(1 << 20)
                .open();
    }
}
