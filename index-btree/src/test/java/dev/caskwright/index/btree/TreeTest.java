package dev.caskwright.index.btree;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A tree of small nodes, so that few keys make many of them. */
final class TreeTest {
    private static final int COUNT = 60;

    private final Tree tree = new Tree(6);
    private final NavigableMap<Integer, Long> model = new TreeMap<>();

    static byte[] key(int number) {
        return new byte[] {(byte) (number >>> 8), (byte) number};
    }

    private static int number(byte[] key) {
        return (key[0] & 0xFF) << 8 | key[1] & 0xFF;
    }

    private void put(int number) {
        tree.map().put(key(number), number + 1L);
        model.put(number, number + 1L);
    }

    private void remove(int number) {
        tree.map().remove(key(number));
        model.remove(number);
    }

    @Test
    void aTreeStartsWithoutKeysButWithARoot() {
        assertThat(tree.nodes()).isPositive();
        assertThat(tree.pageBytes()).isPositive();
        assertThat(down(65_535, true)).isEmpty();
        assertThat(up(0, true)).isEmpty();
    }

    @Test
    void walksFromAnyKeyVisitWhatLiesBehindIt() {
        for (int i = 1; i < 2 * COUNT; i += 2) {
            put(i);
        }
        assertThat(tree.nodes()).isGreaterThan(COUNT / 6);
        assertWalks();
    }

    @Test
    void walksPassNodesWhoseKeysAreGone() {
        for (int i = 1; i < 2 * COUNT; i++) {
            put(i);
        }
        for (int i = 1; i < 2 * COUNT; i++) {
            if (i / 30 % 2 == 0) {
                remove(i);
            }
        }
        assertWalks();
        for (int i = 1; i < 2 * COUNT; i++) {
            remove(i);
        }
        assertWalks();
    }

    @Test
    void aWalkUpFromNowhereBeginsWithTheFirstKey() {
        put(5);
        tree.map().put(new byte[0], 1L);
        List<byte[]> keys = new ArrayList<>();
        tree.ascending(null, false).forEachRemaining(entry -> keys.add((byte[]) entry.getKey()));
        assertThat(keys).usingElementComparator(Arrays::compareUnsigned).containsExactly(new byte[0], key(5));
    }

    private void assertWalks() {
        for (int from = 0; from <= 2 * COUNT; from++) {
            for (boolean inclusive : new boolean[] {true, false}) {
                assertThat(up(from, inclusive))
                        .containsExactlyElementsOf(
                                model.tailMap(from, inclusive).values());
                assertThat(down(from, inclusive))
                        .containsExactlyElementsOf(
                                model.descendingMap().tailMap(from, inclusive).values());
            }
        }
    }

    private List<Long> up(int from, boolean inclusive) {
        List<Long> visited = new ArrayList<>();
        for (Iterator<Map.Entry<Object, Long>> entries = tree.ascending(key(from), inclusive); entries.hasNext(); ) {
            visited.add(locator(entries.next()));
        }
        return visited;
    }

    private List<Long> down(int from, boolean inclusive) {
        Tree.Descent descent = tree.descending(key(from), inclusive);
        List<Long> visited = new ArrayList<>();
        while (true) {
            List<Map.Entry<Object, Long>> found = new ArrayList<>();
            descent.next(found);
            if (found.isEmpty()) {
                return visited;
            }
            for (int i = found.size() - 1; i >= 0; i--) {
                visited.add(locator(found.get(i)));
            }
        }
    }

    private static long locator(Map.Entry<Object, Long> entry) {
        assertThat(entry.getValue()).isEqualTo(number((byte[]) entry.getKey()) + 1L);
        return entry.getValue();
    }
}
