package dev.caskwright.kafka;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import java.io.IOException;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/** Walks through one segment after the other, and opens each when it comes to it. */
final class SegmentCursor implements Cursor {
    private final LongFunction<Cursor> opener;
    private final boolean descending;
    private long segment;
    private long left;
    private @Nullable Cursor current;

    /** Walks through the segments from {@code first} to {@code last}, or back; none if {@code last} is less. */
    SegmentCursor(long first, long last, boolean descending, LongFunction<Cursor> opener) {
        this.opener = opener;
        this.descending = descending;
        this.segment = descending ? last : first;
        this.left = last - first + 1;
    }

    @Override
    public @Nullable Entry next() throws IOException {
        while (true) {
            if (current == null) {
                if (left <= 0) {
                    return null;
                }
                current = opener.apply(segment);
                segment += descending ? -1 : 1;
                left--;
            }
            Entry entry = current.next();
            if (entry != null) {
                return entry;
            }
            current.close();
            current = null;
        }
    }

    @Override
    public void close() {
        left = 0;
        if (current != null) {
            current.close();
            current = null;
        }
    }
}
