package dev.caskwright.api.spi.engine;

import dev.caskwright.api.Facet;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.spi.Plugin;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * An engine that is found by name through {@link java.util.ServiceLoader}. For programs that take any engine, such as the
 * command line; others use the engine's own builder, which has types.
 */
public interface EngineProvider extends Plugin {
    /**
     * Opens the store at a path: a directory, or a file for an engine that keeps a store in one file.
     *
     * @throws IllegalArgumentException if there is an option that the engine does not know, or one with a bad value; the
     *     message lists the known ones. Nothing was touched
     */
    StorageEngine open(Path path, EngineSettings settings) throws IOException;

    /** Returns the store at a path, without opening it. Touches nothing. Errors of options are those of {@link #open}. */
    StoreAtRest atRest(Path path, EngineSettings settings);

    /**
     * Returns how a store of this engine comes to hold a facet, open or at rest: an empty text if each one does, else what
     * must be chosen, such as {@code index=btree}. Empty if none ever does.
     */
    Optional<String> offers(Class<? extends Facet> facet);

    /** Returns the options of {@link EngineSettings} that the engine knows: name, and what it means in a few words. */
    Map<String, String> options();
}
