package dev.caskwright.index.hashmap;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndexContext;
import java.nio.ByteBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** Readers and writers of one segment of a {@link HashKeyIndex}, above all while its table is replaced by others. */
public final class HashKeyIndexRaces {
    private static final long SEED = 1;
    private static final int NEVER_SPLIT = 1 << 20;
    private static final int SPLIT_AT_ONCE = 8;
    /** As many keys as the smallest table takes. */
    private static final int FULL = Table.limit(8);

    /** All of one segment, and spread over its parts. */
    private static final byte[][] KEYS = keys(FULL + 2, Integer.BYTES);

    private static final byte[][] LONG_KEYS = keys(4, 200);

    private HashKeyIndexRaces() {}

    private static byte[][] keys(int count, int length) {
        KeyHash hash = new KeyHash(SEED);
        byte[][] keys = new byte[count][];
        int number = 0;
        for (int i = 0; i < count; i++) {
            // The first eight bits choose the segment, the next two its part.
            do {
                keys[i] = ByteBuffer.allocate(length).putInt(number++).array();
            } while (hash.hash(keys[i], 0, length) >>> (Long.SIZE - 10) != i % 4);
        }
        return keys;
    }

    /** An index, and short names for what is done with it. */
    private abstract static class Indexes {
        final HashKeyIndex index;

        Indexes(int splitCapacity) {
            index = new HashKeyIndex(
                    new KeyIndexContext(0, 0, SEED, (key, offset, length, locator) -> false), splitCapacity);
        }

        final void fill(int count) {
            for (int i = 0; i < count; i++) {
                put(KEYS[i], i + 1);
            }
        }

        final void put(byte[] key, long locator) {
            try {
                index.put(key, 0, key.length, locator);
            } catch (IndexMemoryException e) {
                throw new IllegalStateException(e);
            }
        }

        final void remove(byte[] key, long locator) {
            index.remove(key, 0, key.length, locator);
        }

        final long get(byte[] key) {
            return index.get(key, 0, key.length);
        }

        final long candidate(byte[] key) {
            return index.candidate(key, 0, key.length);
        }
    }

    /** The locator of a key is replaced, twice. */
    @JCStressTest
    @Outcome(
            id = {"1, 1", "1, 11", "1, 12", "11, 11", "11, 12", "12, 12"},
            expect = ACCEPTABLE,
            desc = "in order")
    @Outcome(expect = FORBIDDEN, desc = "torn, missed, or back to an older one")
    @State
    public static class LocatorIsReplaced extends Indexes {
        /** With some keys. */
        public LocatorIsReplaced() {
            super(NEVER_SPLIT);
            fill(2);
        }

        @Actor
        public void writer() {
            put(KEYS[0], 11);
            index.replace(KEYS[0], 0, Integer.BYTES, 11, 12);
        }

        @Actor
        public void reader(JJ_Result result) {
            result.r1 = get(KEYS[0]);
            result.r2 = get(KEYS[0]);
        }
    }

    /** One key more than the table takes: a larger one takes its place, in which a locator is replaced then. */
    @JCStressTest
    @Outcome(
            id = {"1, 1, 2", "1, 11, 2", "11, 11, 2"},
            expect = ACCEPTABLE,
            desc = "there throughout, in order")
    @Outcome(expect = FORBIDDEN, desc = "missed, another's locator, or back to an older one")
    @State
    public static class TableGrows extends Indexes {
        /** With a full table. */
        public TableGrows() {
            super(NEVER_SPLIT);
            fill(FULL);
        }

        @Actor
        public void writer() {
            put(KEYS[FULL], FULL + 1);
            put(KEYS[0], 11);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = get(KEYS[0]);
            result.r2 = get(KEYS[0]);
            result.r3 = candidate(KEYS[1]);
        }
    }

    /** One key more than the segment takes: four tables take the place of one, and a locator is replaced then. */
    @JCStressTest
    @Outcome(
            id = {"1, 1, 4", "1, 11, 4", "11, 11, 4"},
            expect = ACCEPTABLE,
            desc = "there throughout, in order")
    @Outcome(expect = FORBIDDEN, desc = "missed, another's locator, or back to an older one")
    @State
    public static class SegmentIsSplit extends Indexes {
        /** With a full table. */
        public SegmentIsSplit() {
            super(SPLIT_AT_ONCE);
            fill(FULL);
        }

        @Actor
        public void writer() {
            put(KEYS[FULL], FULL + 1);
            put(KEYS[0], 11);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = get(KEYS[0]);
            result.r2 = candidate(KEYS[0]);
            result.r3 = get(KEYS[3]);
        }
    }

    /** So many bytes of removed keys are held that the table is copied without them: all references change. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "1, 9"},
            expect = ACCEPTABLE,
            desc = "there throughout; the new one there or not")
    @Outcome(expect = FORBIDDEN, desc = "missed, or another's locator")
    @State
    public static class TableIsCompacted extends Indexes {
        /** With a removed key, and one more that goes. */
        public TableIsCompacted() {
            super(NEVER_SPLIT);
            put(LONG_KEYS[1], 2);
            put(LONG_KEYS[2], 3);
            put(LONG_KEYS[0], 1);
            remove(LONG_KEYS[1], 2);
        }

        @Actor
        public void writer() {
            remove(LONG_KEYS[2], 3);
            put(LONG_KEYS[3], 9);
        }

        @Actor
        public void reader(JJ_Result result) {
            result.r1 = get(LONG_KEYS[0]);
            result.r2 = get(LONG_KEYS[3]);
        }
    }

    /** Two writers add keys to a full table: both want to replace it. */
    @JCStressTest
    @Outcome(id = "1, 101, 102", expect = ACCEPTABLE, desc = "all there")
    @Outcome(expect = FORBIDDEN, desc = "lost")
    @State
    public static class TwoWritersGrow extends Indexes {
        /** With a full table. */
        public TwoWritersGrow() {
            super(NEVER_SPLIT);
            fill(FULL);
        }

        @Actor
        public void writer() {
            put(KEYS[FULL], 101);
        }

        @Actor
        public void other() {
            put(KEYS[FULL + 1], 102);
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r1 = index.size() == FULL + 2 ? get(KEYS[0]) : -index.size();
            result.r2 = get(KEYS[FULL]);
            result.r3 = get(KEYS[FULL + 1]);
        }
    }

    /** Two writers change a key only if it has the locator that both know. */
    @JCStressTest
    @Outcome(
            id = {"1, 0, 11", "0, 1, 0"},
            expect = ACCEPTABLE,
            desc = "one of them did")
    @Outcome(expect = FORBIDDEN, desc = "both did, or none")
    @State
    public static class OneOfTwoWritersWins extends Indexes {
        /** With some keys. */
        public OneOfTwoWritersWins() {
            super(NEVER_SPLIT);
            fill(2);
        }

        @Actor
        public void writer(JJJ_Result result) {
            result.r1 = index.replace(KEYS[0], 0, Integer.BYTES, 1, 11) ? 1 : 0;
        }

        @Actor
        public void other(JJJ_Result result) {
            result.r2 = index.remove(KEYS[0], 0, Integer.BYTES, 1) ? 1 : 0;
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r3 = get(KEYS[0]);
        }
    }
}
