package dev.caskwright.api.spi;

import java.io.Closeable;
import java.io.IOException;

/** Keeps the first cause of a failure when undoing fails, too. */
public final class Causes {
    private Causes() {}

    /** Has a cause tell of another one that came after it. Out of memory, the JVM throws the same object again: then nothing. */
    public static void add(Throwable cause, Throwable later) {
        if (later != cause) {
            cause.addSuppressed(later);
        }
    }

    /** Closes what cannot be used because of a cause, which tells if that fails. */
    public static void closeAfter(Throwable cause, Closeable closeable) {
        try {
            closeable.close();
        } catch (IOException | RuntimeException e) {
            add(cause, e);
        }
    }
}
