package dev.caskwright.index.sorted;

import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.testkit.PersistentKeyIndexContract;

/** What every index with images must do. */
final class SortedImageTest extends PersistentKeyIndexContract {
    @Override
    protected PersistentKeyIndex newIndex(KeyIndexContext context) {
        return new SortedKeyIndex();
    }
}
