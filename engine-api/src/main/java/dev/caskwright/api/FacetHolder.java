package dev.caskwright.api;

import java.util.Optional;

/**
 * Holds facets: an engine, a snapshot, or a store at rest. Which ones it holds never changes while it is open. Asking is
 * cheap, touches no data, is safe for any number of threads, and is answered after close as before.
 */
public interface FacetHolder {
    /**
     * Returns the facet of that kind, or empty if it is not held. That may depend on how the store was opened: an engine
     * may hold an {@link OrderedView} over one index, and none over another. An ability that the holder has as a type of
     * its own needs no more than this default.
     */
    default <F extends Facet> Optional<F> facet(Class<F> kind) {
        return kind.isInstance(this) ? Optional.of(kind.cast(this)) : Optional.empty();
    }

    /**
     * Returns the facet of that kind.
     *
     * @throws MissingFacetException if it is not held; the message names the engines, and the options, that offer it
     */
    default <F extends Facet> F require(Class<F> kind) {
        return facet(kind).orElseThrow(() -> MissingFacetException.of(kind, this));
    }

    /** Returns what this is, for messages, such as {@code engine=BitcaskEngine, index=HashKeyIndex}. */
    default String describe() {
        return "engine=" + getClass().getSimpleName();
    }
}
