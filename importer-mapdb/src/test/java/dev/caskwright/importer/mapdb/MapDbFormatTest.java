package dev.caskwright.importer.mapdb;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Told;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mapdb.DB;
import org.mapdb.DBMaker;
import org.mapdb.Serializer;

/** Files that MapDB itself has written. */
final class MapDbFormatTest {
    private static final int ROUNDS = 150;

    @TempDir
    private Path directory;

    private Path file = Path.of("");

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    @BeforeEach
    void name() {
        file = directory.resolve("map.db");
    }

    private void write(boolean isTransactional) {
        DBMaker.Maker maker = DBMaker.fileDB(file.toFile());
        try (DB database = (isTransactional ? maker.transactionEnable() : maker).make()) {
            Map<byte[], byte[]> hashed = database.hashMap("hashed", Serializer.BYTE_ARRAY, Serializer.BYTE_ARRAY)
                    .create();
            Map<byte[], byte[]> sorted = database.treeMap("sorted", Serializer.BYTE_ARRAY, Serializer.BYTE_ARRAY)
                    .create();
            for (int i = 0; i < 500; i++) {
                hashed.put(bytes("key" + i), bytes("value" + i));
                sorted.put(bytes("key" + i), bytes("other" + i));
            }
            hashed.remove(bytes("key7"));
            sorted.remove(bytes("key7"));
            database.hashMap("text", Serializer.STRING, Serializer.STRING)
                    .create()
                    .put("ключ", "значение");
            database.treeMap("numbers", Serializer.LONG, Serializer.STRING)
                    .create()
                    .put(1L, "one");
            database.hashMap("objects", database.getDefaultSerializer(), database.getDefaultSerializer())
                    .create()
                    .put("a", 1);
            Map<String, String> expiring = database.hashMap("expiring", Serializer.STRING, Serializer.STRING)
                    .expireAfterCreate(1, TimeUnit.DAYS)
                    .expireAfterUpdate(2, TimeUnit.DAYS)
                    .create();
            expiring.put("a", "1");
            expiring.put("b", "2");
            expiring.put("b", "3");
            expiring.put("c", "4");
            Map<String, String> read = database.hashMap("read", Serializer.STRING, Serializer.STRING)
                    .expireAfterGet(1, TimeUnit.DAYS)
                    .create();
            read.put("a", "1");
            read.get("a");
            database.hashMap("bounded", Serializer.STRING, Serializer.STRING)
                    .expireAfterCreate()
                    .expireMaxSize(10)
                    .create()
                    .put("a", "1");
            database.hashSet("set", Serializer.STRING).create().add("a");
            if (isTransactional) {
                database.commit();
            }
        }
    }

    private static Map<String, String> expected(String value) {
        Map<String, String> all = new HashMap<>();
        for (int i = 0; i < 500; i++) {
            if (i != 7) {
                all.put("key" + i, value + i);
            }
        }
        return all;
    }

    @Test
    void mapsAreReadAndNothingIsChanged() throws IOException {
        write(false);
        byte[] before = Files.readAllBytes(file);
        Told told = Told.of("mapdb", file, ReadOptions.ofPart("hashed"));
        assertThat(told.entries()).isEqualTo(expected("value"));
        assertThat(told.damage()).isEmpty();
        assertThat(Told.of("mapdb", file, ReadOptions.ofPart("sorted")).entries())
                .isEqualTo(expected("other"));
        assertThat(Told.of("mapdb", file, ReadOptions.ofPart("text")).entries()).isEqualTo(Map.of("ключ", "значение"));
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        try (Stream<Path> all = Files.list(directory)) {
            assertThat(all).containsExactly(file);
        }
    }

    @Test
    void aStoreWithTransactionsThatWasClosedIsRead() throws IOException {
        write(true);
        assertThat(Told.of("mapdb", file, ReadOptions.ofPart("hashed")).entries())
                .isEqualTo(expected("value"));
    }

    @Test
    void ofSeveralMapsOneMustBeNamed() {
        write(false);
        assertThatThrownBy(() -> Told.of("mapdb", file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("found=bounded, expiring, hashed, numbers, objects, read, sorted, text");
    }

    @Test
    void mapsThatCannotBeReadWithoutGuessingAreErrors() {
        write(false);
        for (String name : new String[] {"numbers", "objects"}) {
            assertThatThrownBy(() -> Told.of("mapdb", file, ReadOptions.ofPart(name)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("map=" + name + ", keySerializer=");
        }
    }

    @Test
    void entriesKeepTheTimeAtWhichTheyExpire() throws IOException {
        long before = System.currentTimeMillis();
        write(false);
        long after = System.currentTimeMillis();
        Told told = Told.of("mapdb", file, ReadOptions.ofPart("expiring"));
        assertThat(told.entries()).isEqualTo(Map.of("a", "1", "b", "3", "c", "4"));
        assertThat(told.damage()).isEmpty();
        long day = TimeUnit.DAYS.toMillis(1);
        assertThat(told.expiries().get("a")).isBetween(before + day, after + day);
        assertThat(told.expiries().get("b")).as("updated").isBetween(before + 2 * day, after + 2 * day);
        assertThat(told.expiries().get("c")).isBetween(before + day, after + day);
        Told read = Told.of("mapdb", file, ReadOptions.ofPart("read"));
        assertThat(read.entries()).isEqualTo(Map.of("a", "1"));
        assertThat(read.expiries().get("a")).isBetween(before + day, after + day);
        Told bounded = Told.of("mapdb", file, ReadOptions.ofPart("bounded"));
        assertThat(bounded.entries()).isEqualTo(Map.of("a", "1"));
        assertThat(bounded.expiries()).isEmpty();
    }

    /** Whatever a byte says: all ends, by what the format may throw. */
    @Test
    @Timeout(60)
    void noDamagedByteEndsOtherwiseThanByBeingTold() throws IOException {
        write(false);
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] sound = Files.readAllBytes(file);
        int[] used =
                IntStream.range(0, sound.length).filter(at -> sound[at] != 0).toArray(); // most of the file is empty
        for (int i = 0; i < ROUNDS; i++) {
            byte[] content = sound.clone();
            for (int n = random.nextInt(3); n >= 0; n--) {
                content[used[random.nextInt(used.length)]] = (byte) random.nextInt(256);
            }
            Files.write(file, content);
            Told.ofDamaged(
                    "mapdb",
                    file,
                    ReadOptions.ofPart(new String[] {"hashed", "sorted", "expiring"}[i % 3]),
                    "seed=" + seed + ", round=" + i);
        }
    }

    @Test
    void damageIsTold() throws IOException {
        write(false);
        byte[] content = Files.readAllBytes(file);
        Arrays.fill(content, content.length / 4, content.length, (byte) 0x55);
        Files.write(file, content);
        try {
            assertThat(Told.of("mapdb", file, ReadOptions.ofPart("sorted")).damage())
                    .isNotEmpty();
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("map.db");
        }
    }

    @Test
    void aFileThatIsNoneIsAnError() throws IOException {
        assertThatThrownBy(() -> Told.of("mapdb", file)).isInstanceOf(IOException.class);
        assertThat(file).doesNotExist();
        Files.write(file, new byte[10_000]);
        assertThatThrownBy(() -> Told.of("mapdb", file)).isInstanceOf(IOException.class);
        assertThat(Files.readAllBytes(file)).isEqualTo(new byte[10_000]);
    }
}
