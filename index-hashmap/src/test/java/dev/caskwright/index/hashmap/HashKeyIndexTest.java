package dev.caskwright.index.hashmap;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.Backends;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.KeyIndexContext;
import dev.caskwright.testkit.KeyIndexContract;
import org.junit.jupiter.api.Test;

final class HashKeyIndexTest extends KeyIndexContract {
    @Override
    protected KeyIndex newIndex(KeyIndexContext context) {
        return new HashKeyIndex(context);
    }

    @Test
    void isFoundByName() {
        assertThat(Backends.keyIndex("hashmap")).isInstanceOf(HashKeyIndex.Provider.class);
    }
}
