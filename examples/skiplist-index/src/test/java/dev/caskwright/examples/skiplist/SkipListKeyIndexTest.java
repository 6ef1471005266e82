package dev.caskwright.examples.skiplist;

import dev.caskwright.api.spi.Backends;
import dev.caskwright.api.spi.KeyIndexContext;
import dev.caskwright.api.spi.OrderedKeyIndex;
import dev.caskwright.testkit.OrderedKeyIndexContract;
import java.io.IOException;

final class SkipListKeyIndexTest extends OrderedKeyIndexContract {
    @Override
    protected OrderedKeyIndex newIndex(KeyIndexContext context) throws IOException {
        return (OrderedKeyIndex) Backends.keyIndex("skiplist").open(context);
    }
}
