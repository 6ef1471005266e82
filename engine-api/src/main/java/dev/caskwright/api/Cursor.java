package dev.caskwright.api;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A walk over entries. For one thread at a time; closing it twice is fine. After that it refuses to move. */
public interface Cursor extends Closeable {
    /** Moves to the next entry and returns it, or null at the end. */
    @Nullable Entry next() throws IOException;

    @Override
    void close();
}
