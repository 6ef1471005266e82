package dev.caskwright.testkit;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** The contracts of engines and of all facets can be kept. */
final class MapEngineTest extends StorageEngineContract implements AllFacets {
    @Override
    public StorageEngine open(Path directory, InstantSource clock) throws IOException {
        return new MapEngine(directory, clock);
    }
}
