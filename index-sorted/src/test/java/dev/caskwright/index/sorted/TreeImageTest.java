package dev.caskwright.index.sorted;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Images of keys of all kinds come back as they were, and changed ones are refused or harmless. */
final class TreeImageTest {
    private final NavigableMap<byte[], Long> keys = new TreeMap<>(Arrays::compareUnsigned);

    @Test
    void keysOfAllLengthsComeBack() throws IOException {
        Random random = new Random(11);
        for (int i = 0; i < 3_000; i++) {
            byte[] key = new byte[1 + random.nextInt(i % 10 == 0 ? 4_000 : 24)];
            random.nextBytes(key);
            Arrays.fill(key, 0, random.nextInt(key.length + 1), (byte) 0); // twins, and rests of zeros
            keys.put(key, 1L + i);
        }
        assertThat(load(image())).isEqualTo(keys);
    }

    @Test
    void keysOfOneLengthComeBack() throws IOException {
        for (int i = 0; i < 1_000; i++) {
            byte[] key = new byte[16];
            new Random(i).nextBytes(key);
            keys.put(key, 1L + i);
        }
        assertThat(load(image())).isEqualTo(keys);
    }

    @Test
    void anImageWithAnyByteChangedIsRefusedOrHarmless() throws IOException {
        for (int i = 0; i < 60; i++) {
            keys.put(("key" + i * i).getBytes(UTF_8), 1L + i);
        }
        byte[] image = image();
        int refused = 0;
        for (int at = 0; at < image.length; at++) {
            for (int bit = 0; bit < Byte.SIZE; bit += 7) {
                byte[] changed = image.clone();
                changed[at] ^= (byte) (1 << bit);
                refused += load(changed) == null ? 1 : 0;
            }
        }
        assertThat(refused).isGreaterThan(image.length / 4);
    }

    @Test
    void anImageThatIsCutIsRefused() throws IOException {
        keys.put(new byte[] {1}, 7L);
        keys.put(new byte[] {1, 2}, 8L);
        byte[] image = image();
        for (int length = 0; length < image.length; length++) {
            assertThat(load(Arrays.copyOf(image, length))).isNull();
        }
        assertThat(load(Arrays.copyOf(image, image.length + 1))).isNull();
    }

    private byte[] image() throws IOException {
        SortedKeyIndex index = new SortedKeyIndex();
        for (Map.Entry<byte[], Long> each : keys.entrySet()) {
            index.put(each.getKey(), 0, each.getKey().length, each.getValue());
        }
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        index.save(saved::write);
        return saved.toByteArray();
    }

    /** Returns the keys of an image, each of which is found, or null if it is refused. */
    private static @Nullable NavigableMap<byte[], Long> load(byte[] image) throws IOException {
        TreeImage.Loaded loaded;
        try {
            loaded = TreeImage.load(new Source(image), bytes -> {});
        } catch (EOFException e) {
            return null;
        }
        if (loaded == null) {
            return null;
        }
        NavigableMap<byte[], Long> found = new TreeMap<>(Arrays::compareUnsigned);
        byte[][] last = new byte[1][];
        loaded.tree().ascend(null, true, (key, locator) -> {
            assertThat(last[0] == null || Arrays.compareUnsigned(last[0], key) < 0)
                    .as("ascending")
                    .isTrue();
            last[0] = key;
            Leaf leaf = loaded.tree().leafOf(key, 0, key.length);
            assertThat(leaf.locator(leaf.find(key, 0, key.length))).isEqualTo(locator);
            found.put(key, locator);
            return true;
        });
        assertThat(loaded.keys()).isEqualTo(found.size());
        assertThat(loaded.keyBytes())
                .isEqualTo(found.keySet().stream().mapToLong(key -> key.length).sum());
        return found;
    }

    private static final class Source implements ImageSource {
        private final byte[] bytes;
        private int at;

        Source(byte[] bytes) {
            this.bytes = bytes;
        }

        @Override
        public long remaining() {
            return bytes.length - at;
        }

        @Override
        public void read(byte[] target, int offset, int length) throws IOException {
            if (length > bytes.length - at) {
                throw new EOFException("too short");
            }
            System.arraycopy(bytes, at, target, offset, length);
            at += length;
        }

        @Override
        public void close() {}
    }
}
