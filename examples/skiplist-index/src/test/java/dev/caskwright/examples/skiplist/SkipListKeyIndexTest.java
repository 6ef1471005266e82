package dev.caskwright.examples.skiplist;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.testkit.OrderedKeyIndexContract;
import java.io.IOException;

final class SkipListKeyIndexTest extends OrderedKeyIndexContract {
    @Override
    protected OrderedKeyIndex newIndex(KeyIndexContext context) throws IOException {
        return (OrderedKeyIndex) Backends.keyIndex("skiplist").open(context);
    }
}
