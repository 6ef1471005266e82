package dev.caskwright.testkit;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** The engine contract can be kept. */
final class MapEngineTest extends StorageEngineContract {
    @Override
    protected StorageEngine open(Path directory, InstantSource clock) throws IOException {
        return new MapEngine(directory, clock);
    }

    @Override
    protected boolean isOrdered() {
        return true;
    }
}
