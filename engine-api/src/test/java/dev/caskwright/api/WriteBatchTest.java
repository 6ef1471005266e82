package dev.caskwright.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WriteBatchTest {
    private static final int LONGER_THAN_A_BLOCK = 300 << 10;

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 50, 5_000})
    void holdsTheLastChangeOfEachKeyInOrder(int keys) throws IOException {
        for (long seed = 0; seed < 5; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Map<String, @Nullable String> model = new LinkedHashMap<>();
            WriteBatch batch = new WriteBatch();
            for (int i = 0; i < 10_000; i++) {
                String key = "key" + random.nextInt(keys);
                String value = random.nextInt(4) == 0 ? null : "v".repeat(random.nextInt(40)) + i;
                model.remove(key);
                model.put(key, value);
                if (value == null) {
                    batch.delete(key.getBytes(UTF_8));
                } else {
                    batch.put(key.getBytes(UTF_8), value.getBytes(UTF_8));
                }
            }
            assertThat(batch.size()).as("seed=%d", seed).isEqualTo(model.size());
            assertThat(visited(batch)).as("seed=%d", seed).isEqualTo(shown(model));
            assertThat(copied(batch)).as("seed=%d", seed).isEqualTo(shown(model));
            batch.clear();
            assertThat(batch.size()).isZero();
            assertThat(visited(batch)).isEmpty();
            batch.put(bytes("again"), bytes("1"));
            assertThat(visited(batch)).containsExactly("again=1");
        }
    }

    @Test
    void copiesWhatItIsGiven() throws IOException {
        byte[] key = bytes("key");
        byte[] value = bytes("value");
        WriteBatch batch = new WriteBatch().put(key, value);
        Arrays.fill(key, (byte) 'x');
        Arrays.fill(value, (byte) 'x');
        assertThat(visited(batch)).containsExactly("key=value");
        Arrays.fill(batch.changes().get(0).key(), (byte) 'x');
        assertThat(visited(batch)).containsExactly("key=value");
    }

    @Test
    void keepsTheExpiryOfEachPut() {
        WriteOptions soon = WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(5));
        WriteBatch batch = new WriteBatch()
                .put(bytes("a"), bytes("1"), soon)
                .put(bytes("b"), bytes("2"))
                .delete(bytes("c"));
        assertThat(batch.changes())
                .extracting(WriteBatch.Change::expiry)
                .containsExactly(soon, WriteOptions.DEFAULT, WriteOptions.DEFAULT);
    }

    @Test
    void holdsValuesLongerThanItsBlocks() throws IOException {
        String longValue = "v".repeat(LONGER_THAN_A_BLOCK);
        WriteBatch batch = new WriteBatch()
                .put(bytes("a"), bytes(longValue))
                .put(bytes("b"), bytes("short"))
                .put(bytes("c"), bytes(longValue))
                .put(bytes("a"), bytes("replaced"));
        assertThat(visited(batch)).containsExactly("b=short", "c=" + longValue, "a=replaced");
    }

    @Test
    void aKeyThatNoStoreTakesIsRefusedWhenItIsAdded() {
        WriteBatch batch = new WriteBatch().put(new byte[] {1}, new byte[0]);
        for (byte[] key : new byte[][] {{}, new byte[StorageEngine.MAX_KEY_LENGTH + 1]}) {
            assertThatThrownBy(() -> batch.put(key, new byte[1]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("length=" + key.length);
            assertThatThrownBy(() -> batch.delete(key)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(batch.size()).isEqualTo(1);
        assertThat(batch.changes().get(0).value()).isEmpty();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static List<String> shown(Map<String, @Nullable String> model) {
        List<String> shown = new ArrayList<>();
        model.forEach((key, value) -> shown.add(value == null ? key : key + "=" + value));
        return shown;
    }

    private static List<String> visited(WriteBatch batch) throws IOException {
        List<String> shown = new ArrayList<>();
        batch.visit((source, key, keyLength, valueLength, expiry) -> {
            String name = new String(source, key, keyLength, UTF_8);
            boolean isDelete = valueLength == WriteBatch.Visitor.DELETE;
            shown.add(isDelete ? name : name + "=" + new String(source, key + keyLength, valueLength, UTF_8));
        });
        return shown;
    }

    private static List<String> copied(WriteBatch batch) {
        List<String> shown = new ArrayList<>();
        for (WriteBatch.Change change : batch.changes()) {
            String key = new String(change.key(), UTF_8);
            byte[] value = change.value();
            shown.add(value == null ? key : key + "=" + new String(value, UTF_8));
        }
        return shown;
    }
}
