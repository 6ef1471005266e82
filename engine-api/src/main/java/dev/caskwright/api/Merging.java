package dev.caskwright.api;

import java.io.IOException;

/** Space of what was overwritten, deleted or has expired is given back by merges (elsewhere called compactions). */
public interface Merging extends Facet {
    /**
     * Merges now, and gives back all space that can be. Writes and reads go on. Returns when done, or when {@link
     * StorageEngine#close()} cancels it. The content stays the same; nothing that was deleted or has expired comes back.
     *
     * @throws CorruptRecordException if some files could not be merged, because they are damaged, or because what keys are
     *     looked up in does not agree with them; all others are merged, and writes and reads go on
     */
    void merge() throws IOException;
}
