package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static dev.caskwright.moss.Model.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caskwright.api.Range;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Going back to checkpoints, and what must not be forgotten then. */
final class CheckpointTest {
    private static final Path DIRECTORY = Path.of("/simulated/moss");

    private final CrashableIoManager disk = new CrashableIoManager();

    private MossBuilder builder() {
        return MossEngine.builder(DIRECTORY).io(disk.factory()).withoutThreads();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anOperandAfterARevertToBeforeTheFirstOneNotesItsOperatorAgain(boolean isBatch) throws IOException {
        try (MossEngine engine = builder().mergeOperator(new Append()).open()) {
            engine.put(bytes("a"), bytes("0"));
            engine.checkpoint("before");
            engine.merge(bytes("a"), bytes("1"), WriteOptions.WRITE);
            engine.merge(bytes("a"), bytes("2"), WriteOptions.WRITE);
            engine.revert("before");
            if (isBatch) {
                engine.write(new MossBatch().merge(bytes("a"), bytes("3")), WriteOptions.WRITE);
            } else {
                engine.merge(bytes("a"), bytes("3"), WriteOptions.WRITE);
            }
        }
        MossException missing =
                catchThrowableOfType(MossException.class, () -> builder().open());
        assertThat(missing).isNotNull();
        assertThat(missing.reason()).isEqualTo(MossException.Reason.OPERATOR_MISSING);
        try (MossEngine engine = builder().mergeOperator(new Append()).open()) {
            assertThat(text(engine.get(bytes("a")))).isEqualTo("03");
        }
    }

    private static MergeOperator other() {
        return new MergeOperator() {
            @Override
            public String name() {
                return "other";
            }

            @Override
            public byte[] merge(byte[] key, byte[] base, List<byte[]> operands) {
                return new Append().merge(key, base, operands);
            }
        };
    }

    @Test
    void aRevertToACheckpointThatNeedsAnotherOperatorIsRefused() throws IOException {
        try (MossEngine engine = builder().mergeOperator(new Append()).open()) {
            engine.put(bytes("a"), bytes("0"));
            engine.checkpoint("before");
            engine.merge(bytes("a"), bytes("1"), WriteOptions.WRITE);
            engine.checkpoint("after");
            engine.revert("before");
        }
        try (MossEngine engine = builder().mergeOperator(other()).open()) {
            MossException missing = catchThrowableOfType(MossException.class, () -> engine.revert("after"));
            assertThat(missing).isNotNull();
            assertThat(missing.reason()).isEqualTo(MossException.Reason.OPERATOR_MISSING);
            assertThat(missing).hasMessageContaining("name=append").hasMessageContaining("given=other");
            assertThat(Model.content(engine, Range.all())).hasToString("{a=0}");
        }
        try (MossEngine engine = builder().mergeOperator(new Append()).open()) {
            engine.revert("after");
            assertThat(text(engine.get(bytes("a")))).isEqualTo("01");
        }
    }

    @Test
    void whatWasLoggedBeforeARevertDoesNotComeBack() throws IOException {
        MossEngine engine = builder().open();
        engine.put(bytes("a"), bytes("1"));
        engine.checkpoint("before");
        engine.put(bytes("a"), bytes("2"), WriteOptions.SYNC);
        engine.put(bytes("b"), bytes("2"), WriteOptions.NONE);
        engine.revert("before");
        engine.put(bytes("c"), bytes("3"), WriteOptions.SYNC);
        try (MossEngine next = MossEngine.builder(DIRECTORY)
                .io(disk.peekPowerLoss(0).factory())
                .withoutThreads()
                .open()) {
            assertThat(Model.content(next, Range.all())).hasToString("{a=1, c=3}");
        }
        engine.close();
    }

    private List<String> checkpoints(MossEngine engine) throws IOException {
        return engine.checkpoints().stream().map(Checkpoint::name).toList();
    }

    @Test
    void checkpointsGoWhenTheyAreOlderThanTheirAgeAndTheNewestStays() throws IOException {
        ManualClock clock = new ManualClock();
        MossBuilder aged = builder().clock(clock).checkpointAge(Duration.ofDays(7));
        try (MossEngine engine = aged.open()) {
            for (int day = 0; day < 4; day++) {
                engine.put(bytes("day"), bytes("" + day));
                engine.checkpoint("day" + day);
                clock.advance(Duration.ofDays(1));
            }
            clock.advance(Duration.ofDays(4)); // day 8: day0 is 8 days old, day1 just 7
            engine.put(bytes("day"), bytes("8"));
            assertThat(checkpoints(engine)).containsExactly("day0", "day1", "day2", "day3");
            engine.flush();
            assertThat(checkpoints(engine)).containsExactly("day1", "day2", "day3");
            MossException gone = catchThrowableOfType(MossException.class, () -> engine.revert("day0"));
            assertThat(gone.reason()).isEqualTo(MossException.Reason.CHECKPOINT_GONE);
            clock.advance(Duration.ofMillis(1));
            engine.checkpoint("day8");
            assertThat(checkpoints(engine)).containsExactly("day2", "day3", "day8");
            engine.revert("day2");
            assertThat(text(engine.get(bytes("day")))).isEqualTo("2");
        }
        clock.advance(Duration.ofDays(1_000));
        try (MossEngine engine = builder()
                .clock(clock)
                .readOnly()
                .checkpointAge(Duration.ofDays(7))
                .open()) {
            assertThat(checkpoints(engine)).containsExactly("day2", "day3", "day8");
        }
        try (MossEngine engine = aged.open()) {
            assertThat(checkpoints(engine)).containsExactly("day8");
            engine.revert("day8");
            assertThat(text(engine.get(bytes("day")))).isEqualTo("8");
            engine.compact();
            engine.dropCheckpoint("day8");
        }
        assertThat(disk.list().stream().filter(name -> name.startsWith("sorted-")))
                .hasSize(1);
    }

    @Test
    @Timeout(60)
    void anOldCheckpointGoesThoughNobodyWrites() throws IOException {
        try (MossEngine engine = MossEngine.builder(DIRECTORY)
                .io(disk.factory())
                .checkpointAge(Duration.ofMillis(50))
                .open()) {
            engine.put(bytes("a"), bytes("1"));
            engine.checkpoint("first");
            engine.checkpoint("second");
            while (engine.checkpoints().size() > 1) {
                Thread.onSpinWait();
            }
            assertThat(checkpoints(engine)).containsExactly("second");
        }
    }
}
