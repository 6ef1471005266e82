package dev.caskwright.bitcask.undo;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.caskwright.api.spi.index.KeyHash;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;
import org.openjdk.jcstress.infra.results.J_Result;

/** Readers of a snapshot, in {@link Undo}, beside newer snapshots that close and a writer. */
public final class UndoRaces {
    private static final KeyHash HASH = new KeyHash(7);
    private static final byte[] KEY = {1};
    private static final long OLD = 8;

    private UndoRaces() {}

    private static void close(Undo closed, Undo older) {
        older.takeOver(closed, older.copyMostOf(closed));
    }

    private static long find(Undo undo) {
        return undo.find(KEY, 0, KEY.length);
    }

    /** The snapshot after the reader's closes, which has the key. */
    @JCStressTest
    @Outcome(id = "8", expect = ACCEPTABLE, desc = "found here or there")
    @Outcome(expect = FORBIDDEN, desc = "missed in both, or another")
    @State
    public static class NextCloses {
        final Undo reading = new Undo(HASH);
        final Undo closing = new Undo(HASH);

        public NextCloses() {
            reading.next = closing;
            closing.next = new Undo(HASH);
            closing.map.save(KEY, 0, KEY.length, OLD);
        }

        @Actor
        public void closer() {
            close(closing, reading);
        }

        @Actor
        public void reader(J_Result result) {
            result.r1 = find(reading);
        }
    }

    /** Snapshots close one after the other, each with a key of its own, while the reader looks for these keys in turn. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "each found here or there")
    @Outcome(expect = FORBIDDEN, desc = "some missed")
    @State
    public static class SeveralClose {
        private static final int COUNT = 16;
        private static final byte[] KEYS = new byte[COUNT];

        static {
            for (int i = 0; i < COUNT; i++) {
                KEYS[i] = (byte) i;
            }
        }

        final Undo reading = new Undo(HASH);
        final Undo[] closing = new Undo[COUNT];

        public SeveralClose() {
            Undo last = reading;
            for (int i = 0; i < COUNT; i++) {
                closing[i] = new Undo(HASH);
                closing[i].map.save(KEYS, i, 1, OLD);
                last.next = closing[i];
                last = closing[i];
            }
        }

        @Actor
        public void closer() {
            for (Undo each : closing) {
                close(each, reading);
            }
        }

        @Actor
        public void reader(I_Result result) {
            int missed = 0;
            for (int i = 0; i < COUNT; i++) {
                missed += reading.find(KEYS, i, 1) == OLD ? 0 : 1;
            }
            result.r1 = missed;
        }
    }

    /** The newest snapshot closes, and a writer, which saves to the one before it then, changes the key for the first time. */
    @JCStressTest
    @Outcome(id = "1, 8", expect = ACCEPTABLE, desc = "the change is seen, and what was saved before it")
    @Outcome(id = "0, -?\\d+", expect = ACCEPTABLE, desc = "the change is not seen")
    @Outcome(expect = FORBIDDEN, desc = "the change is seen, and nothing that was saved")
    @State
    public static class SavedAfterNewestCloses {
        final Undo reading = new Undo(HASH);
        final Undo closing = new Undo(HASH);
        volatile int changes;

        public SavedAfterNewestCloses() {
            reading.next = closing;
        }

        @Actor
        public void writer() {
            close(closing, reading);
            reading.map.save(KEY, 0, KEY.length, OLD);
            changes = 1;
        }

        @Actor
        public void reader(JJ_Result result) {
            result.r1 = changes;
            result.r2 = find(reading);
        }
    }
}
