package dev.caskwright.api;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A walk over entries in order. For one thread; closing it twice is fine. */
public interface Cursor extends Closeable {
    /** Moves to the next entry and returns it, or null at the end. */
    @Nullable Entry next() throws IOException;

    @Override
    void close();
}
