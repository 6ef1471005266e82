package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static dev.caskwright.moss.Model.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The engine with nothing below: what its calls do, and what they refuse. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class MemoryEngineTest {
    private static MossEngine open() throws IOException {
        return MossEngine.inMemory()
                .mergeOperator(new Append())
                .tableBytes(8 << 10)
                .open();
    }

    private static MossStats figures(MossEngine engine) {
        return engine.stats().group(MossStats.class).orElseThrow();
    }

    @Test
    void theLastWriteOfABatchWins() throws IOException {
        try (MossEngine engine = open()) {
            MossBatch batch = new MossBatch()
                    .put(bytes("a"), bytes("1"))
                    .put(bytes("a"), bytes("2"))
                    .put(bytes("b"), bytes("1"))
                    .delete(bytes("b"))
                    .put(bytes("c"), bytes("1"))
                    .merge(bytes("c"), bytes("+"));
            engine.write(batch, WriteOptions.NONE);
            assertThat(Model.content(engine, Range.all())).hasToString("{a=2, c=1+}");
        }
    }

    @Test
    void aRangeDeleteCoversWhatCameBeforeItInTheBatchAndNotWhatComesAfter() throws IOException {
        try (MossEngine engine = open()) {
            engine.put(bytes("b1"), bytes("old"));
            engine.put(bytes("c"), bytes("old"));
            MossBatch batch = new MossBatch()
                    .put(bytes("b2"), bytes("covered"))
                    .deleteRange(bytes("b"), bytes("c"))
                    .put(bytes("b3"), bytes("new"));
            engine.write(batch, WriteOptions.NONE);
            assertThat(Model.content(engine, Range.all())).hasToString("{b3=new, c=old}");
            engine.compact();
            assertThat(Model.content(engine, Range.all())).hasToString("{b3=new, c=old}");
            engine.write(new MossBatch().deleteRange(bytes("b3"), null), WriteOptions.NONE);
            assertThat(Model.content(engine, Range.all())).isEmpty();
        }
    }

    @Test
    void aChildThatIsMadeAgainHasNothingOfItsPredecessor() throws IOException {
        try (MossEngine engine = open()) {
            MossCollection child = engine.child("barrels");
            assertThat(child.exists()).isFalse();
            child.put(bytes("a"), bytes("1"));
            child.child("inner").put(bytes("b"), bytes("2"));
            MossSnapshot snapshot = engine.snapshot();
            engine.write(new MossBatch().deleteChild("barrels"), WriteOptions.NONE);
            assertThat(child.exists()).isFalse();
            assertThat(child.get(bytes("a"))).isNull();
            child.put(bytes("c"), bytes("3"));
            assertThat(Model.content(child, Range.all())).hasToString("{c=3}");
            assertThat(child.child("inner").exists()).isFalse();
            assertThat(Model.content(snapshot.child("barrels"), Range.all())).hasToString("{a=1}");
            assertThat(text(snapshot.child("barrels").child("inner").get(bytes("b"))))
                    .isEqualTo("2");
            assertThat(engine.childNames()).containsExactly("barrels");
        }
    }

    @Test
    void aFullStoreRefusesWritesAndCanBeEmptied() throws IOException {
        try (MossEngine engine = MossEngine.inMemory()
                .maxMemoryBytes(1 << 20)
                .tableBytes(16 << 10)
                .writeDeadline(Duration.ofSeconds(20))
                .open()) {
            int[] written = {0};
            MossException full = catchThrowableOfType(MossException.class, () -> {
                while (true) {
                    engine.put(bytes("k" + written[0]), new byte[1_000]);
                    written[0]++;
                }
            });
            assertThat(full.reason()).isEqualTo(MossException.Reason.OVERLOADED);
            assertThat(full.outcome()).isEqualTo(Outcome.NOT_APPLIED);
            assertThat(full).hasMessageContaining("limit=1048576");
            assertThat(engine.get(bytes("k" + written[0]))).isNull();
            assertThat(engine.get(bytes("k" + (written[0] - 1)))).hasSize(1_000);
            assertThat(figures(engine).memoryBytes()).isLessThan(3 << 20);
            for (int i = 0; i < written[0]; i++) {
                engine.remove(bytes("k" + i), WriteOptions.NONE);
            }
            engine.put(bytes("after"), new byte[1_000]);
            assertThat(Model.content(engine, Range.all())).containsOnlyKeys("after");
        }
    }

    @Test
    void overwritingNeedsNoMoreMemory() throws IOException {
        try (MossEngine engine = MossEngine.inMemory()
                .maxMemoryBytes(1 << 20)
                .tableBytes(16 << 10)
                .open()) {
            for (int i = 0; i < 20_000; i++) {
                engine.put(bytes("k" + i % 10), new byte[500]);
            }
            assertThat(Model.content(engine, Range.all())).hasSize(10);
        }
    }

    @Test
    void durabilityWithoutADirectoryIsRefused() throws IOException {
        try (MossEngine engine = open()) {
            MossException refused = catchThrowableOfType(
                    MossException.class, () -> engine.put(bytes("a"), bytes("1"), WriteOptions.SYNC));
            assertThat(refused.reason()).isEqualTo(MossException.Reason.UNSUPPORTED);
            assertThat(engine.get(bytes("a"))).isNull();
        }
    }

    @Test
    void anOperandWithoutAnOperatorIsRefused() throws IOException {
        try (MossEngine engine = MossEngine.inMemory().open()) {
            MossException refused = catchThrowableOfType(
                    MossException.class, () -> engine.merge(bytes("a"), bytes("1"), WriteOptions.NONE));
            assertThat(refused.reason()).isEqualTo(MossException.Reason.OPERATOR_MISSING);
        }
    }

    @Test
    void limitsAreCheckedBeforeAnythingIsWritten() throws IOException {
        try (MossEngine engine = open()) {
            assertThatThrownBy(() -> engine.put(new byte[0], bytes("1"))).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> engine.put(new byte[65_536], bytes("1")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("65535");
            assertThatThrownBy(() -> new MossBatch().put(new byte[65_536], bytes("1")))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> engine.child("")).isInstanceOf(IllegalArgumentException.class);
            engine.put(new byte[65_535], bytes("longest"));
            assertThat(text(engine.get(new byte[65_535]))).isEqualTo("longest");
            assertThat(engine.stats().lastVersion()).isEqualTo(1);
        }
    }

    @Test
    void aClosedEngineRefusesEverythingAndClosesItsReaders() throws IOException {
        MossEngine engine = open();
        engine.put(bytes("a"), bytes("1"));
        MossSnapshot snapshot = engine.snapshot();
        MossIterator iterator = engine.iterator();
        engine.close();
        engine.close();
        snapshot.close();
        assertThatThrownBy(() -> engine.get(bytes("a"))).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> engine.put(bytes("a"), bytes("1"))).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> snapshot.get(bytes("a"))).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(iterator::next).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(engine::snapshot).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(engine::compact).isInstanceOf(EngineClosedException.class);
    }

    @Test
    void readersBesideAWriterSeeWholeBatches() throws Exception {
        AtomicBoolean isDone = new AtomicBoolean();
        ExecutorService executor = Executors.newFixedThreadPool(3);
        try (MossEngine engine = open()) {
            write(engine, 0);
            List<Future<?>> running = new ArrayList<>();
            running.add(executor.submit(() -> {
                for (int i = 1; i < 20_000; i++) {
                    write(engine, i);
                }
                isDone.set(true);
                return null;
            }));
            for (int reader = 0; reader < 2; reader++) {
                boolean isDescending = reader == 1;
                running.add(executor.submit(() -> {
                    int before = 0;
                    while (!isDone.get()) {
                        before = readPair(engine, isDescending, before);
                    }
                    return null;
                }));
            }
            for (Future<?> each : running) {
                each.get(50, TimeUnit.SECONDS);
            }
            assertThat(figures(engine).merges()).isPositive();
        } finally {
            executor.shutdownNow();
        }
    }

    private static void write(MossEngine engine, int number) throws IOException {
        MossBatch batch = new MossBatch()
                .put(bytes("left"), bytes("" + number))
                .put(bytes("middle" + number % 50), bytes("" + number))
                .put(bytes("right"), bytes("" + number));
        engine.write(batch, WriteOptions.NONE);
    }

    private static int readPair(MossEngine engine, boolean isDescending, int before) throws IOException {
        try (MossSnapshot snapshot = engine.snapshot()) {
            String left = text(snapshot.get(bytes("left")));
            assertThat(text(snapshot.get(bytes("right")))).isEqualTo(left);
            assertThat(Model.content(snapshot, Range.all().descending(isDescending)))
                    .containsEntry("left", left)
                    .containsEntry("right", left);
            int number = Integer.parseInt(left);
            assertThat(number).isGreaterThanOrEqualTo(before);
            assertThat(Integer.parseInt(text(engine.get(bytes("right"))))).isGreaterThanOrEqualTo(number);
            return number;
        }
    }
}
