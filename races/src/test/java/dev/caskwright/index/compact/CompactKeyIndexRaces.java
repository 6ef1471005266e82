package dev.caskwright.index.compact;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndexContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;

/**
 * Readers and writers of one bucket of a {@link CompactKeyIndex}, above all while it is replaced by others and its memory
 * is used again. A locator is the number of its key plus a multiple of 1,000, so that the matcher can tell whose it is.
 */
public final class CompactKeyIndexRaces {
    private static final long SEED = 1;
    private static final int SLAB_BYTES = 1 << 12;
    private static final int FULL = Bucket.MAX_SLOTS;

    /** All of the first segment. */
    private static final byte[][] KEYS = keys(FULL + 1, 0);
    /** Of another segment. */
    private static final byte[] ELSEWHERE = keys(1, 0xFFF)[0];

    private CompactKeyIndexRaces() {}

    private static byte[][] keys(int count, long start) {
        KeyHash hash = new KeyHash(SEED);
        byte[][] keys = new byte[count][];
        int number = 0;
        for (int i = 0; i < count; i++) {
            do {
                keys[i] = ByteBuffer.allocate(Integer.BYTES).putInt(number++).array();
            } while (hash.hash(keys[i], 0, Integer.BYTES) >>> (Long.SIZE - 12) != start);
        }
        return keys;
    }

    /** An index with small slabs, and short names for what is done with it. The last result is what is there in the end. */
    private abstract static class Indexes {
        final CompactKeyIndex index = new CompactKeyIndex(
                new KeyIndexContext(0, 0, SEED, (key, offset, length, locator) -> {
                    byte[] own = locator % 1000 == 999 ? ELSEWHERE : key((int) (locator % 1000));
                    return Arrays.equals(key, offset, offset + length, own, 0, own.length);
                }),
                (bytes, held) -> ByteBuffer.allocateDirect(SLAB_BYTES).order(ByteOrder.LITTLE_ENDIAN));

        /** Locators that lead nowhere, as those of memory that is used again, are nobody's. */
        private static byte[] key(int number) {
            return number > 0 && number <= KEYS.length ? KEYS[number - 1] : new byte[0];
        }

        final void fill(int count) {
            for (int i = 0; i < count; i++) {
                put(i, i + 1);
            }
        }

        final void put(int number, long locator) {
            try {
                index.put(KEYS[number], 0, Integer.BYTES, locator);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        final void putElsewhere() {
            try {
                index.put(ELSEWHERE, 0, Integer.BYTES, 999);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        final void remove(int number, long locator) {
            try {
                index.remove(KEYS[number], 0, Integer.BYTES, locator);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        final long get(int number) {
            try {
                return index.get(KEYS[number], 0, Integer.BYTES);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        final long candidate(int number) {
            try {
                return index.candidate(KEYS[number], 0, Integer.BYTES);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Returns what a key has in the end, and frees the memory. */
        final long last(int number) {
            long last = get(number);
            try {
                index.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return last;
        }
    }

    /** The locator of a key is replaced. */
    @JCStressTest
    @Outcome(
            id = {"1, 1, 1001", "1, 1001, 1001", "1001, 1001, 1001"},
            expect = ACCEPTABLE,
            desc = "in order")
    @Outcome(expect = FORBIDDEN, desc = "torn, missed, or back to an older one")
    @State
    public static class LocatorIsReplaced extends Indexes {
        /** With some keys. */
        public LocatorIsReplaced() {
            fill(2);
        }

        @Actor
        public void writer() {
            put(0, 1001);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = get(0);
            result.r2 = get(0);
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r3 = last(0);
        }
    }

    /** A slot is freed, and another key takes it; the key after it stays. */
    @JCStressTest
    @Outcome(
            id = {"0, 2, 1001", "1, 2, 1001", "1001, 2, 1001"},
            expect = ACCEPTABLE,
            desc = "absent, or its own")
    @Outcome(expect = FORBIDDEN, desc = "the locator of another key, or a key missed that was there throughout")
    @State
    public static class SlotChangesHands extends Indexes {
        /** With some keys. */
        public SlotChangesHands() {
            fill(2);
        }

        @Actor
        public void writer() {
            remove(0, 1);
            put(2, 3);
            remove(2, 3);
            put(0, 1001);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = get(0);
            result.r2 = candidate(1);
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r3 = last(0);
        }
    }

    /** A new key takes the slot of one that was removed before, with what that has left in it. */
    @JCStressTest
    @Outcome(
            id = {"0, 0, 2", "0, 2, 2", "2, 2, 2"},
            expect = ACCEPTABLE,
            desc = "absent, and then there")
    @Outcome(expect = FORBIDDEN, desc = "what the slot had before, or gone again")
    @State
    public static class UsedSlotIsFilled extends Indexes {
        /** With a used slot. */
        public UsedSlotIsFilled() {
            fill(1);
            remove(0, 1);
        }

        @Actor
        public void writer() {
            put(1, 2);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = candidate(1);
            result.r2 = get(1);
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r3 = last(1);
        }
    }

    /** One key more than the bucket takes: a larger one takes its place, and its memory goes to another segment. */
    @JCStressTest
    @Outcome(id = "1, 4, 1", expect = ACCEPTABLE, desc = "there throughout")
    @Outcome(expect = FORBIDDEN, desc = "missed, or what the memory has become")
    @State
    public static class BucketGrows extends Indexes {
        /** With a full bucket of the smallest size. */
        public BucketGrows() {
            fill(Bucket.SLOT_STEP);
        }

        @Actor
        public void writer() {
            put(Bucket.SLOT_STEP, Bucket.SLOT_STEP + 1);
            putElsewhere();
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = candidate(0);
            result.r2 = get(3);
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r3 = last(0);
        }
    }

    /** One key more than the largest bucket takes: the directory grows, and two take the place of one. */
    @JCStressTest
    @Outcome(id = "1, 64, 65", expect = ACCEPTABLE, desc = "there throughout")
    @Outcome(expect = FORBIDDEN, desc = "missed, or what the memory has become")
    @State
    public static class BucketIsSplit extends Indexes {
        /** With a full bucket of the largest size. */
        public BucketIsSplit() {
            fill(FULL);
        }

        @Actor
        public void writer() {
            put(FULL, FULL + 1);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = get(0);
            result.r2 = get(FULL - 1);
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r3 = last(FULL);
        }
    }

    /** The last key goes that a smaller bucket has no room for: the keys that stay move to other slots. */
    @JCStressTest
    @Outcome(id = "16, 16, 14", expect = ACCEPTABLE, desc = "there throughout")
    @Outcome(expect = FORBIDDEN, desc = "missed, or what the memory has become")
    @State
    public static class BucketShrinks extends Indexes {
        private static final int KEYS_AT_FIRST = 16;

        /** With 16 slots, most of them free. */
        public BucketShrinks() {
            fill(KEYS_AT_FIRST);
            for (int i = 1; i < KEYS_AT_FIRST - 4; i++) {
                remove(i, i + 1);
            }
        }

        @Actor
        public void writer() {
            remove(0, 1);
        }

        @Actor
        public void reader(JJJ_Result result) {
            result.r1 = get(KEYS_AT_FIRST - 1);
            result.r2 = get(KEYS_AT_FIRST - 1);
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r3 = last(KEYS_AT_FIRST - 3);
        }
    }

    /** Two writers add keys to a full bucket: both want to replace it. */
    @JCStressTest
    @Outcome(id = "1, 1005, 1006", expect = ACCEPTABLE, desc = "all there")
    @Outcome(expect = FORBIDDEN, desc = "lost")
    @State
    public static class TwoWritersGrow extends Indexes {
        /** With a full bucket of the smallest size. */
        public TwoWritersGrow() {
            fill(Bucket.SLOT_STEP);
        }

        @Actor
        public void writer() {
            put(4, 1005);
        }

        @Actor
        public void other() {
            put(5, 1006);
        }

        @Arbiter
        public void judge(JJJ_Result result) {
            result.r1 = index.size() == Bucket.SLOT_STEP + 2 ? get(0) : -index.size();
            result.r2 = get(4);
            result.r3 = last(5);
        }
    }
}
