package dev.caskwright.bitcask.store;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;
import org.openjdk.jcstress.infra.results.Z_Result;

/** Readers in {@link ReadEpochs} beside one who takes things away and frees them. */
public final class ReadEpochsRaces {
    private static final int OWN_STRIPE = 0;
    private static final int SHARED_STRIPE = 1;
    private static final int LOOKS = 200;

    private ReadEpochsRaces() {}

    /** What is read, and freed in the end. Freeing is a plain store: the epochs alone put it after the reads. */
    private static final class Thing {
        boolean isFreed;
    }

    private abstract static class Things {
        final ReadEpochs epochs = new ReadEpochs(1);
        volatile Thing current = new Thing();

        final void replace() {
            Thing old = current;
            current = new Thing();
            epochs.awaitReaders();
            old.isFreed = true;
        }

        /** Returns whether a thing was free at any of so many looks from inside. */
        final boolean read(int stripe, int looks) {
            int entered = epochs.enter(stripe);
            Thing seen = current;
            boolean isFreed = false;
            for (int look = 0; look < looks; look++) {
                isFreed |= seen.isFreed;
                Thread.onSpinWait();
            }
            epochs.exit(entered);
            return isFreed;
        }
    }

    /** One look, and one thing taken away. */
    @JCStressTest
    @Outcome(id = "false", expect = ACCEPTABLE, desc = "what was read was not free")
    @Outcome(expect = FORBIDDEN, desc = "freed beneath the reader")
    @State
    public static class OneIsFreed extends Things {
        @Actor
        public void owner() {
            replace();
        }

        @Actor
        public void reader(Z_Result result) {
            result.r1 = read(OWN_STRIPE, 1);
        }
    }

    /**
     * Things taken away one after the other, and a reader that stays: it may have counted itself in under a parity that
     * was over, and must be awaited all the same.
     */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "what was read was not free")
    @Outcome(expect = FORBIDDEN, desc = "freed beneath the reader")
    @State
    public static class SeveralAreFreed extends Things {
        @Actor
        public void owner() {
            replace();
            replace();
            replace();
        }

        @Actor
        public void reader(ZZ_Result result) {
            result.r1 = read(OWN_STRIPE, LOOKS);
            result.r2 = read(OWN_STRIPE, LOOKS);
        }
    }

    /** Two readers of the same stripe: that one leaves does not mean that both have. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "what was read was not free")
    @Outcome(expect = FORBIDDEN, desc = "freed beneath a reader")
    @State
    public static class OneStaysInside extends Things {
        @Actor
        public void owner(ZZ_Result result) {
            result.r1 = read(SHARED_STRIPE, 1);
            replace();
        }

        @Actor
        public void reader(ZZ_Result result) {
            result.r2 = read(SHARED_STRIPE, LOOKS);
        }
    }
}
