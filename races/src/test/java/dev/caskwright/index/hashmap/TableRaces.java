package dev.caskwright.index.hashmap;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.Arrays;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;
import org.openjdk.jcstress.infra.results.J_Result;

/**
 * A reader of a {@link Table} beside its writer. All keys have the same tag, so that the bytes of the keys alone tell them
 * apart, and a slot is looked for from the same place for all of them.
 */
public final class TableRaces {
    private static final int TAG = 0x5EED_1234;
    private static final int CAPACITY = 8;
    private static final int ROOM = 1 << 10;

    private static final byte[] A = key(1);
    private static final byte[] B = key(2);
    private static final byte[] C = key(3);

    private TableRaces() {}

    /** Keys that differ in the last byte only: the longer a reader compares, the more may happen meanwhile. */
    private static byte[] key(int number) {
        byte[] key = new byte[128];
        Arrays.fill(key, (byte) 7);
        key[key.length - 1] = (byte) number;
        return key;
    }

    /** A table, and short names for what is done with it. */
    private abstract static class Tables {
        final Table table;

        Tables(int roomForKeyBytes) {
            table = Table.NONE.copy(CAPACITY, roomForKeyBytes);
        }

        final void insert(byte[] key, long locator) {
            table.insert(TAG, key, 0, key.length, locator);
        }

        final void remove(byte[] key) {
            table.remove(table.find(TAG, key, 0, key.length));
        }

        final long get(byte[] key) {
            return table.get(TAG, key, 0, key.length);
        }
    }

    /** A slot at the end of a search is emptied, and another key takes it. */
    @JCStressTest
    @Outcome(
            id = {"0", "1", "3"},
            expect = ACCEPTABLE,
            desc = "absent, or one of its own locators")
    @Outcome(expect = FORBIDDEN, desc = "the locator of another key")
    @State
    public static class EmptySlotChangesHands extends Tables {
        /** With one key. */
        public EmptySlotChangesHands() {
            super(ROOM);
            insert(A, 1);
        }

        @Actor
        public void writer() {
            remove(A);
            insert(B, 2);
            remove(B);
            insert(A, 3);
        }

        @Actor
        public void reader(J_Result result) {
            result.r1 = get(A);
        }
    }

    /** A slot amid a search becomes a tombstone, and another key takes it; the key after it stays. */
    @JCStressTest
    @Outcome(
            id = {"0, 9", "1, 9", "3, 9"},
            expect = ACCEPTABLE,
            desc = "absent, or one of its own locators")
    @Outcome(expect = FORBIDDEN, desc = "the locator of another key, or a key missed that was there throughout")
    @State
    public static class TombstoneChangesHands extends Tables {
        /** With a key after the one that goes. */
        public TombstoneChangesHands() {
            super(ROOM);
            insert(A, 1);
            insert(C, 9);
        }

        @Actor
        public void writer() {
            remove(A);
            insert(B, 2);
            remove(B);
            insert(A, 3);
        }

        @Actor
        public void reader(JJ_Result result) {
            result.r1 = get(A);
            result.r2 = get(C);
        }
    }

    /** A new key takes the slot of one that was removed before, with what that has left in it. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "0, 2", "2, 2"},
            expect = ACCEPTABLE,
            desc = "absent, and then there")
    @Outcome(expect = FORBIDDEN, desc = "what the slot had before, or gone again")
    @State
    public static class UsedSlotIsFilled extends Tables {
        /** With a used slot. */
        public UsedSlotIsFilled() {
            super(ROOM);
            insert(A, 1);
            remove(A);
        }

        @Actor
        public void writer() {
            insert(B, 2);
        }

        @Actor
        public void reader(JJ_Result result) {
            result.r1 = table.candidate(TAG);
            result.r2 = get(B);
        }
    }

    /** The array of the key bytes is full, and a larger one takes its place before the next key comes. */
    @JCStressTest
    @Outcome(
            id = {"0, 1", "2, 1"},
            expect = ACCEPTABLE,
            desc = "the new key or not, and the old one always")
    @Outcome(expect = FORBIDDEN, desc = "the old key missed, or the new one with another locator")
    @State
    public static class KeyBytesGrow extends Tables {
        /** With room for no further key. */
        public KeyBytesGrow() {
            super(Table.encodedLength(A.length));
            insert(A, 1);
        }

        @Actor
        public void writer() {
            table.ensureKeyBytes(B.length);
            insert(B, 2);
        }

        @Actor
        public void reader(JJ_Result result) {
            result.r1 = get(B);
            result.r2 = get(A);
        }
    }

    /** Keys around one that stays go, the tombstones at the end of the search with them, and others come. */
    @JCStressTest
    @Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "there throughout")
    @Outcome(expect = FORBIDDEN, desc = "a key missed that was there throughout")
    @State
    public static class NeighboursGo extends Tables {
        /** With three keys, one after the other. */
        public NeighboursGo() {
            super(ROOM);
            insert(A, 1);
            insert(B, 2);
            insert(C, 3);
        }

        @Actor
        public void writer() {
            remove(A);
            remove(C);
            insert(C, 4);
            remove(C);
        }

        @Actor
        public void reader(JJ_Result result) {
            result.r1 = get(B);
            result.r2 = table.get(TAG, B, 0, B.length);
        }
    }
}
