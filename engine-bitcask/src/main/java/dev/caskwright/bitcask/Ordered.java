package dev.caskwright.bitcask;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.spi.OrderedKeyIndex;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The ordered view of a store whose index has an order, of now or as of a snapshot. */
record Ordered(Store store, OrderedKeyIndex index, Snapshots.@Nullable Handle snapshot) implements OrderedView {
    @Override
    public Cursor range(Range range) throws IOException {
        store.checkOpen();
        return new OrderedCursor(store, index, range, snapshot);
    }
}
