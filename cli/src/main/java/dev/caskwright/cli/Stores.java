package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.spi.EngineSettings.Access;
import java.io.IOException;
import java.nio.file.Path;

/** Opens stores: all that the commands know of an engine's making. */
interface Stores {
    /** Opens the store at {@code path}. The caller closes it. */
    StorageEngine open(Path path, BackendOptions backends, Access access) throws IOException;

    /** Returns the store at {@code path}, without opening it. */
    StoreAtRest atRest(Path path, BackendOptions backends);
}
