package dev.caskwright.server.store;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A walk over the keys of a database as they were when it began. For one thread at a time; may be closed by any. */
public interface KeyWalk extends Closeable {
    /** Returns the next key, with the byte of its slot before it, or null at the end. */
    byte @Nullable [] next() throws IOException;

    @Override
    void close();
}
