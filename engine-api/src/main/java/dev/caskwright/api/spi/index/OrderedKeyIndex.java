package dev.caskwright.api.spi.index;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A key index that can be walked in the order of its keys, compared as unsigned bytes, a prefix before its extension. */
public interface OrderedKeyIndex extends KeyIndex {
    /**
     * Visits keys in ascending or descending order until the visitor has enough or there are no more. A key that is
     * present throughout is visited exactly once; one that comes or goes meanwhile, at most once.
     *
     * @param from where to start, or null for the first (or last) key
     * @param inclusive whether a key equal to {@code from} is visited
     */
    void scan(byte @Nullable [] from, boolean inclusive, boolean descending, Visitor visitor) throws IOException;

    /** Receives keys in order. */
    @FunctionalInterface
    interface Visitor {
        /** Takes one key, in an array that is the visitor's to keep and to change; returns whether it wants another. */
        boolean visit(byte[] key, long locator) throws IOException;
    }
}
