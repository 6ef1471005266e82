package dev.caskwright.api;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Entries in the order of their keys: unsigned bytes, a prefix before its extensions. Safe for any number of threads;
 * each cursor belongs to one.
 *
 * <p>Over the engine, a cursor shows each key that stays exactly once and in order, with the value it has when the
 * cursor comes by (or shortly before: cursors read ahead a bounded number of entries). Over a snapshot it shows the
 * snapshot's moment.
 */
public interface OrderedView extends Facet {
    /** Returns a cursor over the keys within the range. The caller closes it. */
    Cursor range(Range range) throws IOException;

    /** Returns a cursor over the keys that start with {@code prefix}, in ascending or descending order. */
    default Cursor prefix(byte[] prefix, boolean descending) throws IOException {
        return range(Range.prefix(prefix).descending(descending));
    }

    /** Returns the entry with the least key at or after {@code key}, or null. */
    default @Nullable Entry ceiling(byte[] key) throws IOException {
        try (Cursor cursor = range(Range.all().from(key, true).limit(1))) {
            return cursor.next();
        }
    }

    /** Returns the entry with the greatest key at or before {@code key}, or null. */
    default @Nullable Entry floor(byte[] key) throws IOException {
        try (Cursor cursor = range(Range.all().to(key, true).descending(true).limit(1))) {
            return cursor.next();
        }
    }

    /** Returns the first entry, or null if there is none. */
    default @Nullable Entry first() throws IOException {
        try (Cursor cursor = range(Range.all().limit(1))) {
            return cursor.next();
        }
    }

    /** Returns the last entry, or null if there is none. */
    default @Nullable Entry last() throws IOException {
        try (Cursor cursor = range(Range.all().descending(true).limit(1))) {
            return cursor.next();
        }
    }
}
