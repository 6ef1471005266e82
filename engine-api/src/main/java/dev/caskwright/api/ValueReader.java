package dev.caskwright.api;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Makes something of a value that it may look at only while it runs. */
@FunctionalInterface
public interface ValueReader<R> {
    /** Looks at the value; must not keep it. It may use the store. */
    @Nullable R read(ValueView value) throws IOException;
}
