package dev.caskwright.bitcask;

import dev.caskwright.api.spi.index.OrderedKeyIndex;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NavigableSet;
import java.util.concurrent.ConcurrentSkipListSet;
import org.jspecify.annotations.Nullable;

/** A plain index that is ordered. */
class SmallOrderedIndex extends SmallImageIndex implements OrderedKeyIndex {
    /** Every key that was ever there. */
    private final NavigableSet<byte[]> keys = new ConcurrentSkipListSet<>(Arrays::compareUnsigned);

    SmallOrderedIndex() {
        super(() -> {});
    }

    @Override
    public long put(byte[] key, int offset, int length, long locator) {
        keys.add(Arrays.copyOfRange(key, offset, offset + length));
        return super.put(key, offset, length, locator);
    }

    @Override
    public long putIfAbsent(byte[] key, int offset, int length, long locator) {
        keys.add(Arrays.copyOfRange(key, offset, offset + length));
        return super.putIfAbsent(key, offset, length, locator);
    }

    @Override
    public void scan(byte @Nullable [] from, boolean inclusive, boolean descending, Visitor visitor)
            throws IOException {
        NavigableSet<byte[]> ordered = descending ? keys.descendingSet() : keys;
        Iterator<byte[]> each = (from == null ? ordered : ordered.tailSet(from, inclusive)).iterator();
        boolean isMore = true;
        while (isMore && each.hasNext()) {
            byte[] key = each.next();
            long locator = get(key, 0, key.length);
            isMore = locator == ABSENT || visitor.visit(key, locator);
        }
    }
}
