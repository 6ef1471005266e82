package dev.caskwright.mvcc.map;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The persistent map against the JDK's, with versions that are kept while later ones are made. */
final class PersistentMapTest {
    private record Version(PersistentMap<Integer> map, TreeMap<byte[], Integer> model) {}

    private static byte[] key(Random random, int range) {
        int number = random.nextInt(range);
        return random.nextInt(20) == 0 ? new byte[] {(byte) number} : ("key" + number).getBytes();
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 60, 2_000, 100_000})
    void randomHistoriesAgreeWithAModel(int range) {
        Random random = new Random(range);
        List<Version> versions = new ArrayList<>();
        TreeMap<byte[], Integer> model = new TreeMap<>(Arrays::compareUnsigned);
        PersistentMap.Editor<Integer> editor = PersistentMap.<Integer>empty().edit();
        for (int step = 0; step < 20_000; step++) {
            byte[] key = key(random, range);
            boolean removes = random.nextInt(step % 6_000 < 3_000 ? 4 : 2) == 0;
            if (removes) {
                assertThat(editor.remove(key)).isEqualTo(model.remove(key) != null);
            } else {
                assertThat(editor.put(key, step)).isEqualTo(model.put(key, step) == null);
            }
            assertThat(editor.get(key)).isEqualTo(model.get(key));
            if (random.nextInt(500) == 0) {
                versions.add(new Version(editor.freeze(), new TreeMap<>(model)));
            }
        }
        for (Version version : versions) {
            check(version, random, range);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 31, 32, 33, 1_000, 1_024, 1_025, 40_000})
    void keysInOrderAreAllThere(int count) {
        PersistentMap<Integer> map = PersistentMap.empty();
        for (int i = 0; i < count; i++) {
            map = map.put(new byte[] {(byte) (i >> 16), (byte) (i >> 8), (byte) i}, i);
        }
        assertThat(map.size()).isEqualTo(count);
        MapCursor<Integer> cursor = map.cursor();
        int next = 0;
        for (boolean isThere = cursor.seek(null); isThere; isThere = cursor.next()) {
            assertThat(cursor.value()).isEqualTo(next++);
        }
        assertThat(next).isEqualTo(count);
        checkLoaded(count);
        PersistentMap.Editor<Integer> editor = map.edit();
        for (int i = 0; i < count; i++) {
            assertThat(editor.remove(new byte[] {(byte) (i >> 16), (byte) (i >> 8), (byte) i}))
                    .isTrue();
        }
        assertThat(editor.freeze().size()).isZero();
        assertThat(editor.freeze().cursor().seek(null)).isFalse();
        assertThat(editor.freeze().cursor().seekBefore(null)).isFalse();
        assertThat(map.size()).isEqualTo(count);
    }

    private static void checkLoaded(int count) {
        Integer[] numbers = new Integer[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = i;
        }
        Random random = new Random(count);
        TreeMap<byte[], Integer> model = new TreeMap<>(Arrays::compareUnsigned);
        PersistentMap.Editor<Integer> editor = PersistentMap.ofSorted(
                        numbers, number -> new byte[] {(byte) (number >> 8), number.byteValue()})
                .edit();
        for (int i = 0; i < count; i++) {
            model.put(new byte[] {(byte) (i >> 8), (byte) i}, i);
        }
        check(new Version(editor.freeze(), model), random, 300);
        for (int i = 0; i < count; i += 3) {
            editor.remove(new byte[] {(byte) (i >> 8), (byte) i});
            model.remove(new byte[] {(byte) (i >> 8), (byte) i});
            editor.put(new byte[] {(byte) (i >> 8), (byte) i, 1}, -i);
            model.put(new byte[] {(byte) (i >> 8), (byte) i, 1}, -i);
        }
        check(new Version(editor.freeze(), model), random, 300);
    }

    private static void check(Version version, Random random, int range) {
        assertThat(version.map.size()).isEqualTo(version.model.size());
        List<Integer> up = new ArrayList<>();
        MapCursor<Integer> cursor = version.map.cursor();
        for (boolean isThere = cursor.seek(null); isThere; isThere = cursor.next()) {
            up.add(cursor.value());
        }
        assertThat(up).isEqualTo(new ArrayList<>(version.model.values()));
        List<Integer> down = new ArrayList<>();
        for (boolean isThere = cursor.seekBefore(null); isThere; isThere = cursor.previous()) {
            down.add(cursor.value());
        }
        assertThat(down).isEqualTo(new ArrayList<>(version.model.descendingMap().values()));
        for (int i = 0; i < 200; i++) {
            byte[] key = key(random, range);
            assertThat(version.map.get(key)).isEqualTo(version.model.get(key));
            byte[] ceiling = version.model.ceilingKey(key);
            assertThat(cursor.seek(key) ? cursor.key() : null).isEqualTo(ceiling);
            byte[] lower = version.model.lowerKey(key);
            assertThat(cursor.seekBefore(key) ? cursor.key() : null).isEqualTo(lower);
        }
    }
}
