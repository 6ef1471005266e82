package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PrefetchTest {
    private final List<String> shown = new ArrayList<>();
    private final KeyIndex index = (KeyIndex) Proxy.newProxyInstance(
            KeyIndex.class.getClassLoader(), new Class<?>[] {KeyIndex.class}, (proxy, method, arguments) -> {
                assertThat(method.getName()).isEqualTo("prefetch");
                for (int i = 0; i < (int) arguments[3]; i++) {
                    shown.add(new String(
                            (byte[]) arguments[0],
                            ((int[]) arguments[1])[i],
                            ((int[]) arguments[2])[i],
                            StandardCharsets.UTF_8));
                }
                return null;
            });

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 31, 32, 33, 64, 1_000})
    void showsEachKeyOfABatchOnce(int keys) throws IOException {
        WriteBatch batch = new WriteBatch();
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < keys; i++) {
            batch.put(KeyValues.bytes("key" + i), new byte[500]); // so that a large batch has several arrays
            expected.add("key" + i);
        }
        if (keys > 1) {
            batch.delete(KeyValues.bytes("key0"));
            expected.remove("key0");
            expected.add("key0");
        }
        new Prefetch().of(batch, index);
        assertThat(shown).containsExactlyElementsOf(expected);
    }
}
