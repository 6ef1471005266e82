package dev.caskwright.cli;

import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteOptions;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What one line of the input says.
 *
 * @param value the value to put, or null for a delete
 * @param expiresAtMillis when the put expires, in milliseconds since 1970, or {@link Entry#NEVER}
 */
@SuppressWarnings("ArrayRecordComponent") // compared nowhere
record JsonLine(byte[] key, byte @Nullable [] value, long expiresAtMillis) {
    static final String KEY = "key";
    static final String VALUE = "value";
    static final String ENCODING = "encoding";
    static final String EXPIRES_AT = "expiresAt";
    static final String OP = "op";
    static final String VERSION = "version";
    static final String LAST = "last";

    static final String PUT = "put";
    static final String DELETE = "delete";

    /** The two formats of a line. */
    enum Format {
        /** An entry of a store, as {@code dump} writes it. */
        ENTRY,
        /** A put or delete, as {@code watch} writes it. */
        CHANGE
    }

    /** Returns the options of the put, which say when it expires. */
    WriteOptions options() {
        return expiresAtMillis == Entry.NEVER
                ? WriteOptions.DEFAULT
                : WriteOptions.DEFAULT.expiresAt(Instant.ofEpochMilli(expiresAtMillis));
    }
}
