package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineStats;
import dev.caskwright.index.compact.CompactKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is behind an image is replayed at once if it is too much to be kept until its parts are loaded. */
final class ReplayLaterTest {
    private static final Path HOME = Path.of("store");
    private static final int KEYS = 30_000;

    private final CrashableIoManager disk = new CrashableIoManager().logging(false);

    private static EngineBuilder builder(CrashableIoManager from) {
        Queue<Runnable> held = new ArrayDeque<>();
        return BitcaskEngine.builder(HOME)
                .index(CompactKeyIndex::new)
                .io(from.factory(HOME))
                .executor(held::add)
                .autoMerge(false)
                .maxFileBytes(64 << 10);
    }

    private CrashableIoManager killedBehindAnImage() throws IOException {
        try (BitcaskEngine engine = builder(disk).open()) {
            for (int i = 0; i < KEYS; i++) {
                engine.put(KeyValues.key(i), KeyValues.bytes("first " + i));
            }
        }
        BitcaskEngine engine = builder(disk).imageEveryBytes(Long.MAX_VALUE).open();
        for (int i = KEYS / 2; i < 2 * KEYS; i++) {
            engine.put(KeyValues.key(i), KeyValues.bytes("second " + i));
            if (i % 5 == 0) {
                engine.delete(KeyValues.key(i - KEYS / 3));
            }
        }
        return disk.kill();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 100_000, Long.MAX_VALUE})
    void theStoreIsTheSame(long mostBytesLater) throws IOException {
        CrashableIoManager killed = killedBehindAnImage();
        AtomicReference<CompactKeyIndex> index = new AtomicReference<>();
        EngineBuilder builder = builder(killed.peekKill()).index(context -> {
            index.set(new CompactKeyIndex(context));
            return index.get();
        });
        builder.mostReplayBytesLater = mostBytesLater;
        try (BitcaskEngine replayed =
                        builder(killed.peekKill()).imageEveryBytes(0).open();
                BitcaskEngine engine = builder.open()) {
            EngineStats expected = replayed.stats();
            boolean isIndexFilled =
                    index.get().memoryBytes() > expected.memory().indexBytes() / 2;
            assertThat(isIndexFilled).isEqualTo(mostBytesLater < Long.MAX_VALUE);
            for (int i = 0; i < 2 * KEYS; i++) {
                assertThat(engine.get(KeyValues.key(i))).as("key=%d", i).isEqualTo(replayed.get(KeyValues.key(i)));
            }
            EngineStats found = engine.stats();
            assertThat(found.opening().fromImage()).isTrue();
            assertThat(found.keys()).isEqualTo(expected.keys());
            assertThat(found.space().liveBytes()).isEqualTo(expected.space().liveBytes());
            assertThat(found.space().deadBytes()).isEqualTo(expected.space().deadBytes());
        }
    }
}
