package dev.caskwright.moss;

import dev.caskwright.api.Range;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What can be read from a collection: of the engine, which shows the latest writes, or of a {@link MossSnapshot}, which
 * shows one moment. Safe for any number of threads. After the engine or snapshot was closed every method throws {@link
 * dev.caskwright.api.EngineClosedException}.
 */
public interface MossView {
    /** Returns a copy of the value of a key, operands applied, or null if it is absent. */
    byte @Nullable [] get(byte[] key) throws IOException;

    /** Returns an iterator over the keys within a range, as of now. The caller closes it. */
    MossIterator iterator(Range range) throws IOException;

    /** Returns an iterator over all keys, ascending. */
    default MossIterator iterator() throws IOException {
        return iterator(Range.all());
    }

    /** Returns the child collection of that name, which need not exist: then it reads as empty. */
    MossView child(String name);

    /** Returns whether the collection exists. The root always does. */
    boolean exists() throws IOException;

    /** Returns the names of the child collections, in the order of their UTF-8. */
    List<String> childNames() throws IOException;
}
