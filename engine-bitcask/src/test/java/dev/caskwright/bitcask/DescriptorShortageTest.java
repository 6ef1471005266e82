package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.IoHook;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.RandomHistory;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Descriptors are used up at each step of a short life, for one call, some calls, or many: opening, writing, sealing, merging,
 * snapshots, images, closing. What changed nothing is not applied; the store never fails for it, and goes on when there are
 * descriptors again. Lives differ in the call at which the shortage begins.
 */
final class DescriptorShortageTest {
    /** The calls for which a system needs a descriptor that it does not have yet. */
    private static final Set<IoOperation> NEED_ONE = EnumSet.of(
            IoOperation.LIST, IoOperation.LOCK, IoOperation.OPEN, IoOperation.CREATE, IoOperation.SYNC_DIRECTORY);

    private static final int OPENINGS = 3;
    private static final int STEPS = 60;

    private static final class Shortage implements IoHook {
        private final long from;
        private final long to;
        private long calls;

        Shortage(long from, long length) {
            this.from = from;
            this.to = from + length;
        }

        @Override
        public void before(IoCall call) throws IOException {
            if (NEED_ONE.contains(call.operation()) && calls++ >= from && calls <= to) {
                throw new EngineException(
                        ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "no descriptors (planted): " + call, null);
            }
        }

        boolean hasEnded() {
            return calls >= to;
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 5", "6, 11", "60, 31"})
    void aShortageAtAnyCallPasses(int length, int step) throws IOException {
        for (long from = 0; ; from += step) {
            Shortage shortage = new Shortage(from, length);
            try {
                live(shortage, from);
            } catch (IOException | RuntimeException | AssertionError e) {
                throw new AssertionError("from=" + from + ", length=" + length, e);
            }
            if (!shortage.hasEnded()) {
                return;
            }
        }
    }

    private static void live(Shortage shortage, long seed) throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        ManualClock clock = new ManualClock();
        StoreModel model = new StoreModel(Durability.WRITE, clock);
        RandomHistory history = new RandomHistory(seed, model, clock).values(60, false);
        EngineBuilder builder = CrashFixture.builder(shortage.wrap(disk.factory(CrashFixture.HOME)), clock)
                .imageEveryBytes(1_000)
                .index(context -> new SmallImageIndex(() -> {}));
        for (int opening = 0; opening < OPENINGS; opening++) {
            BitcaskEngine engine = open(builder);
            model.reopened(KeyValues.entries(engine));
            for (int i = 0; i < STEPS; i++) {
                try {
                    history.step(engine);
                } catch (EngineException e) {
                    assertUnavailable(e, history.toString());
                }
                Throwable failure = engine.health();
                if (failure != null) {
                    throw new AssertionError("the store has failed: " + history, failure);
                }
            }
            history.forgetSnapshots();
            close(engine);
        }
        try (BitcaskEngine engine = CrashFixture.open(disk, clock)) {
            model.reopened(KeyValues.entries(engine));
            engine.merge();
            model.assertCurrent(KeyValues.entries(engine));
        }
        assertThat(BitcaskEngine.verify(CrashFixture.HOME, disk.factory(CrashFixture.HOME))
                        .damages())
                .isEmpty();
    }

    private static void assertUnavailable(EngineException e, String when) {
        if (e.code() != ErrorCode.UNAVAILABLE) {
            throw new AssertionError(when, e);
        }
    }

    private static BitcaskEngine open(EngineBuilder builder) throws IOException {
        while (true) {
            try {
                return builder.open();
            } catch (EngineException e) {
                assertUnavailable(e, "opening");
            }
        }
    }

    private static void close(BitcaskEngine engine) throws IOException {
        try {
            engine.close();
        } catch (EngineException e) {
            assertUnavailable(e, "closing"); // what was written is in the files all the same
        }
    }
}
