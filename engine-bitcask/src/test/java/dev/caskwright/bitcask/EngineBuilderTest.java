package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Options at the edge of their numbers: each is refused at once, or the store works with it. */
@Timeout(60)
final class EngineBuilderTest {
    private static final byte[] KEY = KeyValues.bytes("key");

    private final CrashableIoManager disk = new CrashableIoManager();

    private EngineBuilder builder() {
        return CrashFixture.builder(HOME, disk.factory(HOME), new ManualClock());
    }

    @Test
    void whatCannotBeIsRefused() {
        List<Consumer<EngineBuilder>> options = List.of(
                builder -> builder.syncEvery(Duration.ofMillis(-1)),
                builder -> builder.syncEvery(Duration.ofNanos(1)),
                builder -> builder.syncEvery(Duration.ofNanos(-1)),
                builder -> builder.syncEvery(Duration.ofSeconds(Long.MIN_VALUE)),
                builder -> builder.syncEveryBytes(-1),
                builder -> builder.syncEveryBytes(Long.MIN_VALUE),
                builder -> builder.mergeBytesPerSecond(-1),
                builder -> builder.changesRetainedBytes(-1),
                builder -> builder.imageEveryBytes(-1),
                builder -> builder.maxFileBytes(0),
                builder -> builder.maxFileBytes(Long.MAX_VALUE),
                builder -> builder.maxSpaceAmplification(1),
                builder -> builder.maxSpaceAmplification(Double.NaN),
                builder -> builder.maxSpaceAmplification(Double.POSITIVE_INFINITY),
                builder -> builder.maxSnapshots(0),
                builder -> builder.replayThreads(0),
                builder -> builder.replayThreads(Integer.MAX_VALUE),
                builder -> builder.expectedKeys(-1, 0),
                builder -> builder.expectedKeys(0, -1),
                builder -> builder.expectedKeys(Long.MAX_VALUE, 0),
                builder -> builder.expectedKeys(0, Integer.MAX_VALUE));
        for (Consumer<EngineBuilder> option : options) {
            assertThatThrownBy(() -> option.accept(builder())).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void theGreatestNumbersWork() throws IOException {
        List<Consumer<EngineBuilder>> options = List.of(
                builder -> builder.syncEvery(Duration.ofSeconds(Long.MAX_VALUE)),
                builder -> builder.syncEvery(Duration.ofMillis(Long.MAX_VALUE)),
                builder -> builder.syncEveryBytes(Long.MAX_VALUE),
                builder -> builder.mergeBytesPerSecond(Long.MAX_VALUE),
                builder -> builder.changesRetainedBytes(Long.MAX_VALUE),
                builder -> builder.imageEveryBytes(Long.MAX_VALUE),
                builder -> builder.maxSpaceAmplification(Double.MAX_VALUE),
                builder -> builder.maxSnapshots(Integer.MAX_VALUE));
        for (Consumer<EngineBuilder> option : options) {
            EngineBuilder builder = builder();
            option.accept(builder);
            try (BitcaskEngine engine = builder.open()) {
                engine.put(KEY, KEY, WriteOptions.SYNC);
                engine.merge();
                assertThat(engine.get(KEY)).isEqualTo(KEY);
                assertThat(engine.health()).isNull();
            }
        }
    }

    @Test
    void anEntryThatExpiresAtTheEndOfTimeStaysThroughMergeAndReopening() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            engine.put(KEY, KEY, WriteOptions.DEFAULT.expiresAt(Instant.MAX));
            engine.put(
                    KeyValues.bytes("other"), KEY, WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(Long.MAX_VALUE)));
            engine.merge();
        }
        try (BitcaskEngine engine = builder().open()) {
            assertThat(engine.get(KEY)).isEqualTo(KEY);
            assertThat(engine.get(KeyValues.bytes("other"))).isEqualTo(KEY);
            assertThat(engine.expire(KEY, WriteOptions.DEFAULT)).isTrue();
            assertThat(engine.get(KEY)).isEqualTo(KEY);
        }
    }
}
