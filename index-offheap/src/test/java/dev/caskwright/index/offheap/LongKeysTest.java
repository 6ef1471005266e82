package dev.caskwright.index.offheap;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.index.KeyIndex;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class LongKeysTest {
    private static final int LENGTH = 600;
    /** What a key takes beside its bytes. */
    private static final int ENTRY_BYTES = 144;

    private final LongKeys keys = new LongKeys();

    /** Within a longer array, and equal but for one byte in the middle. */
    private static byte[] slice(int number) {
        byte[] array = new byte[LENGTH + 5];
        array[2 + LENGTH / 2] = (byte) number;
        array[LENGTH + 4] = (byte) number;
        return array;
    }

    private long get(int number) {
        return keys.get(slice(number), 2, LENGTH);
    }

    @Test
    void aKeyIsPutFoundAndReplaced() {
        assertThat(get(1)).isEqualTo(KeyIndex.ABSENT);
        assertThat(keys.put(slice(1), 2, LENGTH, 10)).isEqualTo(KeyIndex.ABSENT);
        assertThat(keys.put(slice(1), 2, LENGTH, 11)).isEqualTo(10);
        assertThat(keys.putIfAbsent(slice(1), 2, LENGTH, 12)).isEqualTo(11);
        assertThat(keys.putIfAbsent(slice(2), 2, LENGTH, 20)).isEqualTo(KeyIndex.ABSENT);
        assertThat(keys.replace(slice(1), 2, LENGTH, 12, 13)).isFalse();
        assertThat(keys.replace(slice(1), 2, LENGTH, 11, 14)).isTrue();
        assertThat(keys.replace(slice(3), 2, LENGTH, 11, 14)).isFalse();
        assertThat(get(1)).isEqualTo(14);
        assertThat(get(2)).isEqualTo(20);
        assertThat(get(3)).isEqualTo(KeyIndex.ABSENT);
        assertThat(keys.size()).isEqualTo(2);
    }

    @Test
    void theArrayIsTheCallers() {
        byte[] array = slice(1);
        keys.put(array, 2, LENGTH, 10);
        Arrays.fill(array, (byte) 9);
        assertThat(get(1)).isEqualTo(10);
    }

    @Test
    void memoryIsThatOfThePresentKeys() {
        assertThat(keys.memoryBytes()).isZero();
        keys.put(slice(1), 2, LENGTH, 10);
        keys.put(slice(1), 2, LENGTH, 11);
        assertThat(keys.memoryBytes()).isEqualTo(LENGTH + ENTRY_BYTES);
        keys.putIfAbsent(slice(2), 2, LENGTH, 20);
        assertThat(keys.memoryBytes()).isEqualTo(2 * (LENGTH + ENTRY_BYTES));
        assertThat(keys.remove(slice(1), 2, LENGTH, 10)).isFalse();
        assertThat(keys.memoryBytes()).isEqualTo(2 * (LENGTH + ENTRY_BYTES));
        assertThat(keys.remove(slice(1), 2, LENGTH, 11)).isTrue();
        assertThat(keys.memoryBytes()).isEqualTo(LENGTH + ENTRY_BYTES);
        assertThat(get(1)).isEqualTo(KeyIndex.ABSENT);
    }

    @Test
    void clearingLeavesNothing() {
        keys.put(slice(1), 2, LENGTH, 10);
        keys.clear();
        assertThat(keys.size()).isZero();
        assertThat(keys.memoryBytes()).isZero();
        assertThat(get(1)).isEqualTo(KeyIndex.ABSENT);
    }
}
