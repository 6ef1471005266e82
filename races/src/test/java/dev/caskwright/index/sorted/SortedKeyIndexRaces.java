package dev.caskwright.index.sorted;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.caskwright.api.spi.index.KeyIndex;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;

/**
 * Readers and scans of a {@link SortedKeyIndex} beside the writer, above all while leaves are rebuilt, divided and joined.
 * The locator of a key is its number plus 1, or plus a multiple of 1,000 more.
 */
public final class SortedKeyIndexRaces {
    /** More than a leaf takes. */
    private static final int COUNT = 80;
    /** The number of the first of two long keys: it takes time to copy them. */
    private static final int LONG = COUNT;

    private static final int LONG_BYTES = 4_000;

    private static final byte[][] KEYS = keys();
    /** How many keys there are when the next one divides the leaf. */
    private static final int FULL = keysBeforeDivision();

    /** The first keys stay, and those from this one on are removed until two leaves are joined. */
    private static final int REMOVED_FROM = 10;
    /** The one with which that happens. */
    private static final int JOINING = keyThatJoins();

    private SortedKeyIndexRaces() {}

    /** In no order, of several lengths, and some with the same head; and two long ones. */
    private static byte[][] keys() {
        byte[][] keys = new byte[COUNT + 2][];
        for (int i = LONG; i < keys.length; i++) {
            keys[i] = new byte[LONG_BYTES];
            Arrays.fill(keys[i], (byte) i);
        }
        for (int i = 0; i < COUNT; i++) {
            int mixed = i * 37 % COUNT;
            keys[i] = ByteBuffer.allocate(16 + mixed % 3)
                    .putLong(mixed / 8)
                    .putShort(14, (short) mixed)
                    .array();
        }
        return keys;
    }

    private static int keysBeforeDivision() {
        Tree tree = new Tree();
        for (int i = 0; ; i++) {
            put(tree, i);
            if (isDivided(tree)) {
                return i;
            }
        }
    }

    private static int keyThatJoins() {
        Tree tree = new Tree();
        for (int i = 0; i <= FULL; i++) {
            put(tree, i);
        }
        for (int i = REMOVED_FROM; ; i++) {
            Leaf leaf = tree.descend(KEYS[i], 0, KEYS[i].length);
            leaf.setLocator(leaf.find(KEYS[i], 0, KEYS[i].length), KeyIndex.ABSENT);
            tree.shrink(leaf);
            if (!isDivided(tree)) {
                return i;
            }
        }
    }

    private static void put(Tree tree, int number) {
        byte[] key = KEYS[number];
        Leaf leaf = tree.descend(key, 0, key.length);
        tree.add(leaf, leaf.find(key, 0, key.length), key, 0, key.length, number + 1);
    }

    private static boolean isDivided(Tree tree) {
        return tree.leafOf(new byte[0], 0, 0) != tree.leafOf(new byte[] {-1}, 0, 1);
    }

    /** An index, and short names for what is done with it. */
    private abstract static class Indexes {
        final SortedKeyIndex index = new SortedKeyIndex();

        final void fill(int count) {
            for (int i = 0; i < count; i++) {
                put(i, i + 1);
            }
        }

        final void put(int number, long locator) {
            try {
                index.put(KEYS[number], 0, KEYS[number].length, locator);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        final void remove(int number, long locator) {
            index.remove(KEYS[number], 0, KEYS[number].length, locator);
        }

        final long get(int number) {
            return index.get(KEYS[number], 0, KEYS[number].length);
        }

        /** Returns how many of the first keys a scan visits, under their numbers and in order; or -1 if it is none. */
        final long scan(int first, boolean isDescending) {
            long[] visited = new long[1];
            byte[][] last = {null};
            try {
                index.scan(null, true, isDescending, (key, locator) -> {
                    int number = (int) (locator % 1000) - 1;
                    int order = last[0] == null ? -1 : Arrays.compareUnsigned(last[0], key);
                    boolean isRight = Arrays.equals(key, KEYS[number])
                            && (isDescending && last[0] != null ? order > 0 : order < 0);
                    last[0] = key;
                    visited[0] += number < first ? 1 : 0;
                    visited[0] = isRight ? visited[0] : -COUNT;
                    return true;
                });
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return Math.max(-1, visited[0]);
        }
    }

    /** A key comes; the one before it in the leaf, whose end is where the new one begins, stays. */
    @JCStressTest
    @Outcome(
            id = {"0, 8, 82", "82, 8, 82"},
            expect = ACCEPTABLE,
            desc = "absent, or its own")
    @Outcome(expect = FORBIDDEN, desc = "seen in part, or a key missed that was there throughout")
    @State
    public static class KeyIsAppended extends Indexes {
        /** With room for it, as there was another long key when the leaf was made. */
        public KeyIsAppended() {
            fill(8);
            put(LONG, LONG + 1);
        }

        @Actor
        public void writer() {
            put(LONG + 1, LONG + 2);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r2 = scan(8, true);
            result.r1 = get(LONG + 1);
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r3 = get(LONG + 1);
        }
    }

    /** A key goes, and another and the same come. */
    @JCStressTest
    @Outcome(
            id = {"0, 1, 2001", "1, 1, 2001", "1001, 1, 2001", "2001, 1, 2001"},
            expect = ACCEPTABLE,
            desc = "absent, or its own")
    @Outcome(expect = FORBIDDEN, desc = "the locator of another key")
    @State
    public static class KeyGoesAndComes extends Indexes {
        /** With some keys. */
        public KeyGoesAndComes() {
            fill(3);
        }

        @Actor
        public void writer() {
            put(0, 1001);
            remove(0, 1001);
            put(3, 4);
            put(0, 2001);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = get(0);
            result.r2 = index.candidate(KEYS[1], 0, KEYS[1].length) % 1000 == 2 ? 1 : 0;
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r3 = get(0);
        }
    }

    /** One key more than the leaf takes: two take its place, and an inner node above them. */
    @JCStressTest
    @Outcome(id = "1, 10, 10", expect = ACCEPTABLE, desc = "there throughout")
    @Outcome(expect = FORBIDDEN, desc = "missed, or visited twice")
    @State
    public static class LeafIsDivided extends Indexes {
        /** With a full leaf. */
        public LeafIsDivided() {
            fill(FULL);
        }

        @Actor
        public void writer() {
            put(FULL, FULL + 1);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = get(0);
            result.r2 = scan(REMOVED_FROM, false);
            result.r3 = scan(REMOVED_FROM, true);
        }
    }

    /** The last key goes that keeps two leaves apart. */
    @JCStressTest
    @Outcome(id = "1, 10, 10", expect = ACCEPTABLE, desc = "there throughout")
    @Outcome(expect = FORBIDDEN, desc = "missed, or visited twice")
    @State
    public static class LeavesAreJoined extends Indexes {
        /** With two leaves. */
        public LeavesAreJoined() {
            fill(FULL + 1);
            for (int i = REMOVED_FROM; i < JOINING; i++) {
                remove(i, i + 1);
            }
        }

        @Actor
        public void writer() {
            remove(JOINING, JOINING + 1);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = get(0);
            result.r2 = scan(REMOVED_FROM, false);
            result.r3 = scan(REMOVED_FROM, true);
        }
    }
}
