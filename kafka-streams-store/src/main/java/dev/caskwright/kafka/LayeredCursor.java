package dev.caskwright.kafka;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Walks over what is committed and what is not yet, in the order of the keys; the latter hides the former. */
final class LayeredCursor implements Cursor {
    private final Iterator<Map.Entry<byte[], byte[]>> changes;
    private final Cursor committed;
    private final boolean descending;
    private Map.@Nullable Entry<byte[], byte[]> change;
    private @Nullable Entry below;

    LayeredCursor(Iterator<Map.Entry<byte[], byte[]>> changes, Cursor committed, boolean descending)
            throws IOException {
        this.changes = changes;
        this.committed = committed;
        this.descending = descending;
        nextChange();
        below = committed.next();
    }

    @Override
    public @Nullable Entry next() throws IOException {
        while (change != null) {
            int order = below == null ? -1 : compare(change.getKey(), below.key());
            if (order > 0) {
                return takeBelow();
            }
            if (order == 0) {
                below = committed.next();
            }
            Map.Entry<byte[], byte[]> taken = change;
            nextChange();
            if (taken.getValue() != Changes.DELETED) {
                return new Entry(taken.getKey(), taken.getValue(), Entry.NO_VERSION, Entry.NEVER);
            }
        }
        return below == null ? null : takeBelow();
    }

    private @Nullable Entry takeBelow() throws IOException {
        Entry taken = below;
        below = committed.next();
        return taken;
    }

    private void nextChange() {
        change = changes.hasNext() ? changes.next() : null;
    }

    private int compare(byte[] left, byte[] right) {
        int order = Arrays.compareUnsigned(left, right);
        return descending ? -order : order;
    }

    @Override
    public void close() {
        committed.close();
    }
}
