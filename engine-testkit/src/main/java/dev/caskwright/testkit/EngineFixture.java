package dev.caskwright.testkit;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** What the contracts of engines and of their facets are run on: stores that can be opened. */
public interface EngineFixture {
    /**
     * Opens the store in a directory, which is missing, or holds what an earlier open made there. An engine of one file takes the
     * path for its file.
     *
     * <p>Data files must be small, a few KiB: the tests then see many of them, and merges, which leave the active file
     * alone, have something to do.
     */
    StorageEngine open(Path directory, InstantSource clock) throws IOException;

    /** Returns a fresh parent of directories for stores. */
    Path temporary();

    /** Returns the clock of every store that a test opens. */
    ManualClock clock();

    /** Returns the directory of the store that most tests use. */
    default Path directory() {
        return temporary().resolve("store");
    }

    /** Opens the store that most tests use. */
    default StorageEngine open() throws IOException {
        return open(directory(), clock());
    }
}
