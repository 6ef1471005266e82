package dev.caskwright.bitcask;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.testkit.StorageEngineContract;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** The engine with its defaults, and files so small that rolling and merging are the common case. */
final class BitcaskEngineTest extends StorageEngineContract {
    @Override
    protected StorageEngine open(Path directory, InstantSource clock) throws IOException {
        return BitcaskEngine.builder(directory).clock(clock).maxFileBytes(4096).open();
    }

    @Override
    protected boolean isOrdered() {
        return false;
    }
}
