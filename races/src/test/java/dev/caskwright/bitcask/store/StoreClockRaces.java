package dev.caskwright.bitcask.store;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.caskwright.api.spi.log.ClockNotes;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.function.Supplier;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZZ_Result;

/** Readers of a {@link StoreClock} whose source goes back. */
public final class StoreClockRaces {
    private static final long EXPIRY = 50;
    private static final int NOTED_TIMES = 2; // that come before the expiries in a note of the clock

    private StoreClockRaces() {}

    /** Two readers look whether an entry has expired, while the source goes back behind that. */
    @JCStressTest
    @Outcome(
            id = {"true, true, true", "false, true, true", "false, false, true", "false, false, false"},
            expect = ACCEPTABLE,
            desc = "not told yet, or told and on disk")
    @Outcome(id = "false, true, false", expect = FORBIDDEN, desc = "told before it was on disk")
    @Outcome(expect = FORBIDDEN, desc = "expired for one reader and not for a later one")
    @State
    @SuppressWarnings("unchecked")
    public static class SourceGoesBack {
        private volatile long source = 100;
        private volatile boolean isOnDisk;
        private volatile boolean isTold;

        private final StoreClock clock = new StoreClock(() -> java.time.Instant.ofEpochMilli(source), notes(), false);

        private ClockNotes notes() {
            return (ClockNotes) Proxy.newProxyInstance(
                    ClockNotes.class.getClassLoader(),
                    new Class<?>[] {ClockNotes.class},
                    (proxy, method, arguments) -> {
                        switch (method.getName()) {
                            case "clockNote":
                                return new long[0];
                            case "noteClock":
                                long[] note = ((Supplier<long[]>) arguments[0]).get();
                                isOnDisk = ToldExpiries.ofLongs(Arrays.copyOfRange(note, NOTED_TIMES, note.length))
                                        .covers(EXPIRY, 1);
                                return null;
                            default:
                                throw new UnsupportedOperationException(method.toString());
                        }
                    });
        }

        @Actor
        public void first() {
            isTold = clock.hasPassed(EXPIRY, 1);
            source = 10;
        }

        @Actor
        public void second(ZZZ_Result result) {
            result.r1 = isTold;
            result.r2 = clock.hasPassed(EXPIRY, 1);
            result.r3 = isOnDisk;
        }
    }
}
