package dev.caskwright.api;

import java.io.IOException;
import java.nio.file.Path;

/** Saves what is sound of a damaged store. Held by stores at rest: a damaged one may not open. */
public interface Salvaging extends Facet {
    /**
     * Makes a new store of everything that is sound, and returns what is lost. Changes nothing in the damaged store, which
     * must not be open for writing. The new one is verified before this returns; if this throws, what is in its place is
     * not to be used.
     *
     * @param newStore an empty or missing directory, or for an engine of one file a missing file, apart from the source
     * @throws UnsupportedFormatException if there are no files of a store, they are of another format version, or the new
     *     directory is not empty
     * @throws IllegalArgumentException if the source and the new place overlap
     */
    SalvageReport salvage(Path newStore) throws IOException;
}
