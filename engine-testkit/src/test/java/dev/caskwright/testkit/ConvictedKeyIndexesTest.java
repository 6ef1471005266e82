package dev.caskwright.testkit;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.testkit.BreakableKeyIndex.Defect;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Does the index contract bite? Every defect of {@link BreakableKeyIndex} is convicted by the test that it names. Without a defect the same index passes
 * the whole contract, as {@link SimplestKeyIndexTest} shows.
 */
final class ConvictedKeyIndexesTest {
    private static volatile Defect planted = Defect.NONE;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void everyDefectIsConvicted(Defect defect) {
        Class<?> contract = contract(defect.test);
        planted = defect;
        Conviction.assertConvicted(contract, defect.test, defect);
    }

    private static Class<?> contract(String test) {
        boolean isOrdered = Arrays.stream(OrderedKeyIndexContract.class.getDeclaredMethods())
                .anyMatch(method -> method.getName().equals(test));
        return isOrdered ? Ordered.class : Persistent.class;
    }

    static final class Ordered extends OrderedKeyIndexContract {
        @Override
        protected OrderedKeyIndex newIndex(KeyIndexContext context) {
            return new BreakableKeyIndex(context, planted, Long.MAX_VALUE);
        }
    }

    static final class Persistent extends PersistentKeyIndexContract {
        @Override
        protected PersistentKeyIndex newIndex(KeyIndexContext context) {
            return new BreakableKeyIndex(context, planted, Long.MAX_VALUE);
        }

        @Override
        protected KeyIndex newLimitedIndex(KeyIndexContext context, long maxBytes) {
            return new BreakableKeyIndex(context, planted, maxBytes);
        }
    }
}
