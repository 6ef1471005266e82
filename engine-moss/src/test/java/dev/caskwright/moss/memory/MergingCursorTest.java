package dev.caskwright.moss.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Many layers at once, in both directions, with keys that share their beginnings or differ by zeros at their ends. */
final class MergingCursorTest {
    private static final byte[] ALPHABET = {0, 'a', (byte) 0xFF};

    /** Stands for an operator where there are no operands. */
    private static final class NoOperands implements Resolver {
        @Override
        public byte[] resolve(byte[] key, byte[] base, List<byte[]> newestFirst) {
            throw new IllegalStateException("there are no operands");
        }

        @Override
        public List<byte[]> join(byte[] key, List<byte[]> newestFirst) {
            throw new IllegalStateException("there are no operands");
        }
    }

    private static byte[] key(Random random) {
        byte[] key = new byte[1 + random.nextInt(11)];
        for (int i = 0; i < key.length; i++) {
            key[i] = i < 6 ? (byte) 'p' : ALPHABET[random.nextInt(ALPHABET.length)];
        }
        return key;
    }

    private static Segment segment(NavigableMap<byte[], Integer> entries, long version) {
        Segment.Builder builder = new Segment.Builder();
        entries.forEach((key, value) -> {
            byte[] stored = {value.byteValue()};
            int kind = value < 0 ? Kind.DELETE : Kind.PUT;
            builder.add(kind, key, 0, key.length, stored, 0, value < 0 ? 0 : 1, version, 0);
        });
        return builder.build(RangeSet.EMPTY, version, version, true);
    }

    private static void assertWalks(
            List<Segment> newestFirst, NavigableMap<byte[], Integer> expected, byte[] from, String where)
            throws IOException {
        for (boolean isDescending : new boolean[] {false, true}) {
            List<MergingCursor.Source> sources = new ArrayList<>();
            for (Segment layer : newestFirst) {
                sources.add(new MergingCursor.Source(layer.cursor(layer.lastVersion()), RangeSet.EMPTY));
            }
            MergingCursor cursor = new MergingCursor(sources, isDescending, true, new NoOperands());
            NavigableMap<byte[], Integer> part = expected;
            if (from == null) {
                cursor.start();
            } else {
                cursor.startAt(from);
                part = isDescending ? expected.headMap(from, false) : expected.tailMap(from, true);
            }
            List<String> found = new ArrayList<>();
            while (cursor.next()) {
                found.add(Arrays.toString(cursor.key()) + cursor.value()[0]);
            }
            List<String> wanted = new ArrayList<>();
            for (Map.Entry<byte[], Integer> entry : (isDescending ? part.descendingMap() : part).entrySet()) {
                wanted.add(Arrays.toString(entry.getKey()) + entry.getValue());
            }
            assertThat(found).as(where + ", descending " + isDescending).isEqualTo(wanted);
        }
    }

    @Test
    void everyNumberOfLayersIsWalkedAsOne() throws IOException {
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            TreeMap<byte[], Integer> expected = new TreeMap<>(Arrays::compareUnsigned);
            List<Segment> newestFirst = new ArrayList<>();
            for (int layer = seed % 45; layer >= 0; layer--) {
                TreeMap<byte[], Integer> entries = new TreeMap<>(Arrays::compareUnsigned);
                for (int i = random.nextInt(30); i > 0; i--) {
                    entries.put(key(random), random.nextInt(4) == 0 ? -1 : random.nextInt(100));
                }
                entries.forEach((key, value) -> {
                    if (value < 0) {
                        expected.remove(key);
                    } else {
                        expected.put(key, value);
                    }
                });
                newestFirst.add(0, segment(entries, newestFirst.size() + 1L));
            }
            assertWalks(newestFirst, expected, null, "seed " + seed);
            assertWalks(newestFirst, expected, key(random), "seed " + seed + ", from a key");
        }
    }
}
