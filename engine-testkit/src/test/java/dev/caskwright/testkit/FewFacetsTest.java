package dev.caskwright.testkit;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** The contract asks an engine for no more than it holds: one that has conditional writes, and nothing else, passes. */
final class FewFacetsTest extends StorageEngineContract implements ConditionalWritesContract {
    @Override
    public StorageEngine open(Path directory, InstantSource clock) throws IOException {
        return new FewFacets(new MapEngine(directory, clock));
    }
}
