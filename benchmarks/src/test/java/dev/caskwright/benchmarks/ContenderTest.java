package dev.caskwright.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every contender really does what is measured: figures of a store that loses or skips entries would be worthless. */
final class ContenderTest {
    private static final int KEYS = 300;
    private static final int VALUE_SIZE = 100;

    private final Dataset data = new Dataset(KEYS, VALUE_SIZE);

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource
    void holdsWhatWasPutLast(Contender contender) throws IOException {
        try (KeyValueStore store = open(contender, Durability.WRITE)) {
            fill(store, 0);
            fill(store, 1);
            store.delete(data.key(7));
            store.settle();

            assertThat(store.get(data.key(3))).isEqualTo(data.value(3, 1));
            assertThat(store.get(data.key(7))).isNull();
            assertThat(store.get(data.key(KEYS))).isNull();
            ByteBuffer target = ByteBuffer.allocate(VALUE_SIZE);
            assertThat(store.getInto(data.key(4), target)).isEqualTo(VALUE_SIZE);
            assertThat(target.array()).isEqualTo(data.value(4, 1));
            assertThat(store.getInto(data.key(7), target.clear())).isEqualTo(KeyValueStore.ABSENT);
        }
    }

    @ParameterizedTest
    @EnumSource
    void returnsCopiesAndKeepsNone(Contender contender) throws IOException {
        try (KeyValueStore store = open(contender, Durability.WRITE)) {
            byte[] key = data.key(0);
            byte[] value = data.value(0, 0);
            store.put(key, value);
            Arrays.fill(key, (byte) 1);
            Arrays.fill(value, (byte) 1);
            byte[] first = store.get(data.key(0));
            assertThat(first).isEqualTo(data.value(0, 0));
            Arrays.fill(first, (byte) 1);
            assertThat(store.get(data.key(0))).isEqualTo(data.value(0, 0));
        }
    }

    @ParameterizedTest
    @EnumSource
    void scansEveryByteOnce(Contender contender) throws IOException {
        try (KeyValueStore store = open(contender, Durability.WRITE)) {
            fill(store, 1);
            ScanTotals expected = new ScanTotals();
            IntStream.range(0, KEYS).forEach(i -> expected.add(data.value(i, 1)));
            ScanTotals found = store.scan();
            assertThat(found.count()).isEqualTo(KEYS);
            assertThat(found.checksum()).isEqualTo(expected.checksum());
        }
    }

    @ParameterizedTest
    @EnumSource
    void readsRangesInOrderOrHasNone(Contender contender) throws IOException {
        try (KeyValueStore store = open(contender, Durability.WRITE)) {
            fill(store, 0);
            assertThat(store.isOrdered()).isEqualTo(contender.isOrdered());
            if (!contender.isOrdered()) {
                assertThatThrownBy(() -> store.range(data.key(0), 1)).isInstanceOf(UnsupportedOperationException.class);
                return;
            }
            int[] order = IntStream.range(0, KEYS)
                    .boxed()
                    .sorted((a, b) -> Arrays.compareUnsigned(data.key(a), data.key(b)))
                    .mapToInt(Integer::intValue)
                    .toArray();
            ScanTotals expected = new ScanTotals();
            IntStream.range(50, 60).forEach(i -> expected.add(data.value(order[i], 0)));
            ScanTotals found = store.range(data.key(order[50]), 10);
            assertThat(found.count()).isEqualTo(10);
            assertThat(found.checksum()).isEqualTo(expected.checksum());
            assertThat(store.range(data.key(order[KEYS - 3]), 10).count()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HEAP_MAP")
    void keepsEverythingOverACleanClose(Contender contender) throws IOException {
        for (Durability durability : Durability.values()) {
            if (durability == Durability.NONE || (durability == Durability.SYNC && !contender.canSync())) {
                continue;
            }
            Path path = directory.resolve(durability.name());
            StoreOptions options = new StoreOptions(durability, KEYS, VALUE_SIZE);
            int keys = durability == Durability.SYNC ? 10 : KEYS;
            try (KeyValueStore store = contender.open(path, options)) {
                for (int i = 0; i < keys; i++) {
                    store.put(data.key(i), data.value(i, 0));
                }
            }
            try (KeyValueStore store = contender.open(path, options)) {
                assertThat(store.scan().count()).isEqualTo(keys);
                assertThat(store.get(data.key(5))).isEqualTo(data.value(5, 0));
            }
        }
    }

    @Test
    void unknownNameListsTheKnownOnes() {
        assertThatThrownBy(() -> Contender.of("leveldb"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("leveldb")
                .hasMessageContaining("hashmap-mmap, hashmap-standard");
    }

    private KeyValueStore open(Contender contender, Durability durability) throws IOException {
        return contender.open(directory.resolve("store"), new StoreOptions(durability, KEYS, VALUE_SIZE));
    }

    private void fill(KeyValueStore store, int version) throws IOException {
        for (int i = 0; i < KEYS; i++) {
            store.put(data.key(i), data.value(i, version));
        }
    }
}
