package dev.caskwright.index.sorted;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The tree beside a model, with keys of every shape: what they share at the beginning and in their heads, and their lengths. */
final class TreeTest {
    private final long seed = Long.getLong("caskwright.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @Test
    void agreesWithAModelWhateverTheKeysShare() throws Exception {
        for (Supplier<byte[]> shape : shapes()) {
            run(shape, 12_000);
        }
    }

    @Test
    @Tag("campaign")
    void agreesWithAModelWhateverTheKeysShareForLong() throws Exception {
        for (int round = 0; round < 40; round++) {
            for (Supplier<byte[]> shape : shapes()) {
                run(shape, 200_000);
            }
        }
    }

    @Test
    void keysThatComeAndGoInOrderLeaveATreeBehind() throws Exception {
        // More than nodes of two levels take, in each order, beside keys that stay.
        int count = 30_000;
        byte[][] passing = new byte[count][];
        Arrays.setAll(passing, i -> prefixed("m", number(i)));
        for (int way = 0; way < 3; way++) {
            NavigableMap<byte[], Long> model = new TreeMap<>(Arrays::compareUnsigned);
            SortedKeyIndex index = new SortedKeyIndex();
            for (int i = 1; i <= 10; i++) {
                byte[] key = prefixed(i % 2 == 0 || way == 0 ? "a" : "z", number(i));
                index.put(key, 0, key.length, i);
                model.put(key, (long) i);
            }
            for (int round = 0; round < 3; round++) {
                for (byte[] key : passing) {
                    assertThat(index.put(key, 0, key.length, 7)).isZero();
                }
                for (int i = 0; i < count; i++) {
                    int outwards = count / 2 + (i % 2 == 0 ? i / 2 : -1 - i / 2);
                    byte[] key = passing[way == 0 ? i : way == 1 ? count - 1 - i : outwards];
                    assertThat(index.remove(key, 0, key.length, 7)).isTrue();
                }
                check(index, model);
                assertThat(index.memoryBytes()).isLessThan(60_000);
            }
        }
    }

    private List<Supplier<byte[]>> shapes() {
        int[] next = new int[1];
        return List.of(
                () -> bytes(8, 256), // a head and nothing else
                () -> bytes(1 + random.nextInt(12), 3), // heads filled up with zeros, and zeros that belong to them
                () -> bytes(random.nextInt(20) + 1, 2), // rests that differ in their length alone
                () -> prefixed("a long prefix that all keys share/", bytes(1 + random.nextInt(10), 2)),
                () -> prefixed("prefix".substring(0, random.nextInt(6)), bytes(1 + random.nextInt(30), 4)),
                () -> prefixed("", number(next[0]++ % 30_000)), // in order
                () -> prefixed("", number(30_000 - next[0]++ % 30_000)), // against it
                () -> bytes(1 + random.nextInt(random.nextInt(50) == 0 ? 3_000 : 40), 256));
    }

    private void run(Supplier<byte[]> shape, int steps) throws Exception {
        NavigableMap<byte[], Long> model = new TreeMap<>(Arrays::compareUnsigned);
        SortedKeyIndex index = new SortedKeyIndex();
        List<byte[]> known = new ArrayList<>();
        for (int step = 1; step <= steps; step++) {
            boolean isShrinking = step / (steps / 6) % 2 == 1;
            byte[] key = known.isEmpty() || random.nextInt(isShrinking ? 20 : 3) == 0
                    ? shape.get()
                    : known.get(random.nextInt(known.size()));
            known.add(key);
            Long before = model.get(key);
            assertThat(index.get(key, 0, key.length)).as("seed=%s", seed).isEqualTo(before == null ? 0 : before);
            if (before != null && random.nextInt(4) != 0 == isShrinking) {
                assertThat(index.remove(key, 0, key.length, before))
                        .as("seed=%s", seed)
                        .isTrue();
                model.remove(key);
            } else {
                assertThat(index.put(key, 0, key.length, step))
                        .as("seed=%s", seed)
                        .isEqualTo(before == null ? 0 : before);
                model.put(key, (long) step);
            }
            if (step % (steps / 12) == 0) {
                check(index, model);
                checkBound(index, model, shape.get());
                checkBound(index, model, key);
            }
        }
        for (byte[] key : known) {
            Long left = model.remove(key);
            if (left != null) {
                assertThat(index.remove(key, 0, key.length, left))
                        .as("seed=%s", seed)
                        .isTrue();
            }
        }
        check(index, model);
    }

    private void check(SortedKeyIndex index, NavigableMap<byte[], Long> model) throws Exception {
        assertThat(index.size()).as("seed=%s", seed).isEqualTo(model.size());
        assertScan(index, model, null, true);
        assertScan(index, model.descendingMap(), null, false);
        for (Map.Entry<byte[], Long> entry : model.entrySet()) {
            byte[] key = entry.getKey();
            assertThat(index.get(key, 0, key.length)).as("seed=%s", seed).isEqualTo(entry.getValue());
            assertThat(index.candidate(key, 0, key.length)).as("seed=%s", seed).isNotZero();
        }
        assertThat(index.memoryBytes()).as("seed=%s", seed).isEqualTo(index.countedBytes());
    }

    private void checkBound(SortedKeyIndex index, NavigableMap<byte[], Long> model, byte[] bound) throws Exception {
        assertBound(index, model.tailMap(bound, true), bound, true, true);
        assertBound(index, model.tailMap(bound, false), bound, false, true);
        assertBound(index, model.headMap(bound, true).descendingMap(), bound, true, false);
        assertBound(index, model.headMap(bound, false).descendingMap(), bound, false, false);
    }

    private void assertScan(SortedKeyIndex index, NavigableMap<byte[], Long> expected, byte[] from, boolean ascending)
            throws Exception {
        assertBound(index, expected, from, true, ascending);
    }

    private void assertBound(
            SortedKeyIndex index,
            NavigableMap<byte[], Long> expected,
            byte[] from,
            boolean inclusive,
            boolean ascending)
            throws Exception {
        List<byte[]> keys = new ArrayList<>();
        List<Long> locators = new ArrayList<>();
        index.scan(from, inclusive, !ascending, (key, locator) -> {
            locators.add(locator);
            return keys.add(key);
        });
        assertThat(Arrays.deepEquals(keys.toArray(), expected.keySet().toArray()))
                .as("seed=%s", seed)
                .isTrue();
        assertThat(locators).as("seed=%s", seed).containsExactlyElementsOf(expected.values());
    }

    private byte[] bytes(int length, int values) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) random.nextInt(values);
        }
        return bytes;
    }

    private static byte[] prefixed(String prefix, byte[] rest) {
        byte[] key =
                Arrays.copyOf(prefix.getBytes(java.nio.charset.StandardCharsets.UTF_8), prefix.length() + rest.length);
        System.arraycopy(rest, 0, key, prefix.length(), rest.length);
        return key;
    }

    private static byte[] number(int number) {
        return ("key-" + String.format("%012d", number)).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }
}
