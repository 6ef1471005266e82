package dev.caskwright.testkit;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import org.junit.jupiter.api.Nested;

/** Proves that the contracts can be kept: by the simplest index there is, a sorted map. */
final class SimplestKeyIndexTest {
    @Nested
    final class Ordered extends OrderedKeyIndexContract {
        @Override
        protected OrderedKeyIndex newIndex(KeyIndexContext context) {
            return new BreakableKeyIndex(context, BreakableKeyIndex.Defect.NONE, Long.MAX_VALUE);
        }

        @Override
        protected KeyIndex newLimitedIndex(KeyIndexContext context, long maxBytes) {
            return new BreakableKeyIndex(context, BreakableKeyIndex.Defect.NONE, maxBytes);
        }
    }

    @Nested
    final class Persistent extends PersistentKeyIndexContract {
        @Override
        protected PersistentKeyIndex newIndex(KeyIndexContext context) {
            return new BreakableKeyIndex(context, BreakableKeyIndex.Defect.NONE, Long.MAX_VALUE);
        }
    }
}
