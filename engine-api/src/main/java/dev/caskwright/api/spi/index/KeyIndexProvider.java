package dev.caskwright.api.spi.index;

import dev.caskwright.api.spi.Plugin;

/** A key index that is found by name through {@link java.util.ServiceLoader}. */
public interface KeyIndexProvider extends KeyIndexFactory, Plugin {
    /** Returns whether its indexes are {@link OrderedKeyIndex}es. */
    default boolean isOrdered() {
        return false;
    }
}
