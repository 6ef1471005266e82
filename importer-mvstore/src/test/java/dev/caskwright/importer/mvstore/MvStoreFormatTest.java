package dev.caskwright.importer.mvstore;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.ReadOptions.Elements;
import dev.caskwright.importer.Told;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.ByteArrayDataType;
import org.h2.mvstore.type.StringDataType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files that MVStore itself has written. */
final class MvStoreFormatTest {
    private static final int ROUNDS = 300;

    @TempDir
    private Path directory;

    private Path file = Path.of("");

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static ReadOptions of(Elements elements, @Nullable String part) {
        return new ReadOptions(0, 0, part, elements);
    }

    @BeforeEach
    void name() {
        file = directory.resolve("map.mv");
    }

    /** Says when Java reads one. */
    private static final class Trap implements Serializable {
        private static final long serialVersionUID = 1;
        private static boolean isSprung;

        private void readObject(ObjectInputStream in) {
            isSprung = true;
        }
    }

    @Test
    void aMapOfBytesIsReadAndNothingIsChanged() throws IOException {
        Map<String, String> expected = new HashMap<>();
        try (MVStore store = MVStore.open(file.toString())) {
            MVMap<byte[], byte[]> map = store.openMap(
                    "map",
                    new MVMap.Builder<byte[], byte[]>()
                            .keyType(ByteArrayDataType.INSTANCE)
                            .valueType(ByteArrayDataType.INSTANCE));
            for (int i = 0; i < 5_000; i++) {
                map.put(bytes("key" + i), bytes("value" + i));
                expected.put("key" + i, "value" + i);
            }
            store.commit();
            map.remove(bytes("key7"));
            expected.remove("key7");
        }
        byte[] before = Files.readAllBytes(file);
        Told told = Told.of("mvstore", file, of(Elements.BYTES, null));
        assertThat(told.entries()).isEqualTo(expected);
        assertThat(told.damage()).isEmpty();
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
    }

    @Test
    void aMapOfStringsIsRead() throws IOException {
        try (MVStore store = MVStore.open(file.toString())) {
            MVMap<String, String> map = store.openMap(
                    "map",
                    new MVMap.Builder<String, String>()
                            .keyType(StringDataType.INSTANCE)
                            .valueType(StringDataType.INSTANCE));
            map.put("ключ", "значение");
        }
        assertThat(Told.of("mvstore", file, of(Elements.STRINGS, null)).entries())
                .isEqualTo(Map.of("ключ", "значение"));
    }

    @Test
    void ofAMapOfObjectsNoneIsDeserialised() throws IOException {
        try (MVStore store = MVStore.open(file.toString())) {
            MVMap<Object, Object> map = store.openMap("objects");
            map.put("text", "1");
            map.put("bytes", bytes("2"));
            map.put("long bytes", bytes("3".repeat(1_000)));
            map.put("long text", "4".repeat(1_000));
            map.put("number", 5L);
            map.put("date", new java.util.Date());
            map.put("trap", new Trap());
            map.put("after the trap", "6");
        }
        Told told = Told.of("mvstore", file, of(Elements.OBJECTS, null));
        assertThat(told.damage()).isEmpty();
        assertThat(told.entries())
                .isEqualTo(Map.of(
                        "text",
                        "1",
                        "bytes",
                        "2",
                        "long bytes",
                        "3".repeat(1_000),
                        "long text",
                        "4".repeat(1_000),
                        "after the trap",
                        "6"));
        assertThat(told.skipped()).isEqualTo(Map.of("entries that are neither strings nor arrays of bytes", 3L));
        assertThat(Trap.isSprung).isFalse();
    }

    @Test
    void arraysOfObjectsAreAnErrorAndNoClassIsLoaded() throws IOException {
        try (MVStore store = MVStore.open(file.toString())) {
            MVMap<Object, Object> map = store.openMap("objects");
            map.put("a", "1");
            map.put("b", new Trap[] {new Trap()});
        }
        assertThatThrownBy(() -> Told.of("mvstore", file, of(Elements.OBJECTS, null)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("arrays of objects are not read");
        assertThat(Trap.isSprung).isFalse();
    }

    @Test
    void whatTheElementsAreMustBeToldAndOfSeveralMapsWhich() throws IOException {
        try (MVStore store = MVStore.open(file.toString())) {
            store.openMap("first").put("a", "1");
            store.openMap("second").put("b", "2");
        }
        assertThatThrownBy(() -> Told.of("mvstore", file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("--elements");
        assertThatThrownBy(() -> Told.of("mvstore", file, of(Elements.OBJECTS, null)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("found=first, second");
        assertThat(Told.of("mvstore", file, of(Elements.OBJECTS, "second")).entries())
                .isEqualTo(Map.of("b", "2"));
    }

    /** Whatever a byte says: all ends, by what the format may throw. */
    @Test
    @Timeout(60)
    void noDamagedByteEndsOtherwiseThanByBeingTold() throws IOException {
        try (MVStore store = MVStore.open(file.toString())) {
            MVMap<Object, Object> map = store.openMap("map");
            for (int i = 0; i < 2_000; i++) {
                map.put("key" + i, bytes("value" + i));
            }
        }
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] sound = Files.readAllBytes(file);
        int[] used =
                IntStream.range(0, sound.length).filter(at -> sound[at] != 0).toArray();
        for (int i = 0; i < ROUNDS; i++) {
            byte[] content = sound.clone();
            for (int n = random.nextInt(3); n >= 0; n--) {
                content[used[random.nextInt(used.length)]] = (byte) random.nextInt(256);
            }
            Files.write(file, content);
            Told.ofDamaged("mvstore", file, of(Elements.OBJECTS, "map"), "seed=" + seed + ", round=" + i);
        }
    }

    @Test
    void damageIsTold() throws IOException {
        try (MVStore store = new MVStore.Builder().fileName(file.toString()).open()) {
            MVMap<Object, Object> map = store.openMap("map");
            for (int i = 0; i < 20_000; i++) {
                map.put("key" + i, "value" + i);
            }
        }
        byte[] content = Files.readAllBytes(file);
        Arrays.fill(content, 3 * 4096, content.length - 3 * 4096, (byte) 0);
        Files.write(file, content);
        try {
            assertThat(Told.of("mvstore", file, of(Elements.OBJECTS, null)).damage())
                    .isNotEmpty();
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("map.mv");
        }
    }

    @Test
    void aFileThatIsNoneIsAnError() throws IOException {
        assertThatThrownBy(() -> Told.of("mvstore", file, of(Elements.BYTES, null)))
                .isInstanceOf(IOException.class);
        assertThat(file).doesNotExist();
        Files.write(file, new byte[10_000]);
        assertThatThrownBy(() -> Told.of("mvstore", file, of(Elements.BYTES, null)))
                .isInstanceOf(IOException.class);
        assertThat(Files.readAllBytes(file)).isEqualTo(new byte[10_000]);
    }
}
