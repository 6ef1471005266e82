package dev.caskwright.bitcask.read;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Facet;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.bitcask.store.Snapshots;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The ordered view of a store whose index has an order, of now or as of a snapshot. */
public record Ordered(Store store, OrderedKeyIndex index, Snapshots.@Nullable Handle snapshot) implements OrderedView {
    /** Returns the ordered view if that is the facet asked for and the index has an order. */
    public static <F extends Facet> Optional<F> facet(Class<F> kind, Store store, Snapshots.@Nullable Handle snapshot) {
        return kind == OrderedView.class && store.index instanceof OrderedKeyIndex index
                ? Optional.of(kind.cast(new Ordered(store, index, snapshot)))
                : Optional.empty();
    }

    @Override
    public Cursor range(Range range) throws IOException {
        store.checkOpen();
        return new OrderedCursor(store, index, range, snapshot);
    }
}
