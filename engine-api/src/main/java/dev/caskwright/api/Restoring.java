package dev.caskwright.api;

import java.io.IOException;
import java.nio.file.Path;

/** Makes stores of copies. Held by a store at rest, which is a backup, a checkpoint or a store. */
public interface Restoring extends Facet {
    /**
     * Makes a store of this one: an independent copy of its files, of which every byte is verified. The source is only
     * read. If this throws, the new place has no files of a store.
     *
     * @param newStore an empty or missing directory, or for an engine of one file a missing file, apart from the source
     * @throws CorruptRecordException if the source is damaged
     * @throws UnsupportedFormatException if the source is no store, or a copy that was cut short, or if the new directory
     *     is not empty
     * @throws IllegalArgumentException if the source and the new place overlap
     */
    CopyReport restoreTo(Path newStore) throws IOException;
}
