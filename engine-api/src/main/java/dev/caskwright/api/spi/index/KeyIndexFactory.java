package dev.caskwright.api.spi.index;

import java.io.IOException;

/** Makes an empty key index. */
@FunctionalInterface
public interface KeyIndexFactory {
    /** Makes an empty index. The engine that asked for it closes it. */
    KeyIndex open(KeyIndexContext context) throws IOException;
}
