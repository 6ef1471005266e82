package dev.caskwright.moss.memory;

import java.io.IOException;

/**
 * One sorted part of a stack. Its ranges delete keys of lower layers, not its own. Entries of a higher layer win over
 * those of a lower one.
 */
public interface Layer {
    /** Returns the ranges of keys that lower layers do not show. */
    RangeSet ranges();

    /** Adds to a search what this layer has for the key, ranges not counted. */
    void find(Probe probe, long visible) throws IOException;

    /**
     * Returns a cursor over what was visible at a moment.
     *
     * @param visible the last version to be shown
     */
    LayerCursor cursor(long visible) throws IOException;

    /** Returns the bytes of memory that the layer takes. */
    long bytes();

    /** Returns the version of its first write. */
    long firstVersion();

    /** Returns the version of its last write. */
    long lastVersion();

    /** Returns whether the batch of its last write has nothing in the layer above. */
    boolean endsBatch();

    /** Adds to a search what this layer has for the key, its ranges included. */
    default void search(Probe probe, long visible) throws IOException {
        find(probe, visible);
        RangeSet ranges = ranges();
        if (!probe.isDone() && !ranges.isEmpty() && ranges.contains(probe.key(), 0, probe.key().length)) {
            probe.delete(lastVersion());
        }
    }
}
