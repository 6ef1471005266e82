package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A disk that refuses some writes after a part of them, within the space held ready as elsewhere, beside writers who all
 * force. What was acknowledged is there: at once, in a copy made while the store is open, and after closing.
 */
final class RefusedWritesTest {
    private static final int WRITERS = 4;
    private static final int WRITES = 1_500;

    @TempDir
    private Path temporary;

    private final long seed = new Random().nextLong();
    private final AtomicInteger refusals = new AtomicInteger();

    /** Called under the store's write lock, so that the random numbers are drawn by one thread at a time. */
    private final class RefusingFile extends ForwardingWritableFile {
        private final WritableFile file;
        private final Random random;

        RefusingFile(WritableFile file, Random random) {
            super(file);
            this.file = file;
            this.random = random;
        }

        @Override
        public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
            if (random.nextInt(20) == 0 && offset > 0) {
                file.write(offset, source, sourceOffset, random.nextInt(length));
                refusals.incrementAndGet();
                throw new OutOfSpaceException("refused: seed=" + seed, null);
            }
            file.write(offset, source, sourceOffset, length);
        }
    }

    private IoManager refusing(IoManager manager) {
        Random random = new Random(seed);
        return new ForwardingIoManager(manager) {
            @Override
            public WritableFile create(String name, long expectedLength) throws IOException {
                WritableFile file = super.create(name, expectedLength);
                return name.endsWith(".data") ? new RefusingFile(file, random) : file;
            }
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"standard", "mmap"})
    void whatWasAcknowledgedIsThere(String io) throws Exception {
        Path directory = temporary.resolve("store");
        Path copy = Files.createDirectory(temporary.resolve("copy"));
        Map<Integer, Integer> acknowledged = new ConcurrentHashMap<>();
        ExecutorService background = Executors.newSingleThreadExecutor();
        try (BitcaskEngine engine = BitcaskEngine.builder(directory)
                .executor(background)
                .io((path, create) -> refusing(Backends.ioManager(io).open(path, create)))
                .maxFileBytes(1 << 20)
                .autoMerge(false)
                .open()) {
            List<FutureTask<Void>> writers = new ArrayList<>();
            for (int w = 0; w < WRITERS; w++) {
                int first = w * WRITES;
                FutureTask<Void> writer = new FutureTask<>(() -> {
                    Random random = new Random(seed + first);
                    for (int i = first; i < first + WRITES; i++) {
                        int length = random.nextInt(50) == 0 ? random.nextInt(100_000) : random.nextInt(500);
                        try {
                            engine.put(key(i), value(i, length), WriteOptions.SYNC);
                            acknowledged.put(i, length);
                        } catch (OutOfSpaceException e) {
                            assertThat(e).hasMessageContaining("refused");
                        }
                    }
                    return null;
                });
                new Thread(writer).start();
                writers.add(writer);
            }
            for (FutureTask<Void> writer : writers) {
                writer.get(3, TimeUnit.MINUTES);
            }
            assertHolds(engine, acknowledged);
            for (int i = 0; i < 10; i++) {
                background.submit(() -> {}).get(1, TimeUnit.MINUTES); // after what is still due, and what that asks for
            }
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.copy(file, copy.resolve(file.getFileName()));
                }
            }
        } finally {
            background.shutdown();
        }
        assertThat(refusals.get()).as("seed=%d", seed).isPositive();
        assertThat(acknowledged.size()).as("seed=%d", seed).isBetween(WRITERS * WRITES / 2, WRITERS * WRITES - 1);
        for (Path each : List.of(copy, directory)) {
            try (BitcaskEngine engine = BitcaskEngine.open(each)) {
                assertHolds(engine, acknowledged);
            }
        }
    }

    private void assertHolds(BitcaskEngine engine, Map<Integer, Integer> acknowledged) throws IOException {
        assertThat(engine.health()).as("seed=%d", seed).isNull();
        for (Map.Entry<Integer, Integer> each : acknowledged.entrySet()) {
            assertThat(engine.get(key(each.getKey())))
                    .as("seed=%d, key=%d", seed, each.getKey())
                    .isEqualTo(value(each.getKey(), each.getValue()));
        }
    }

    private static byte[] key(int number) {
        return ByteBuffer.allocate(4).putInt(number).array();
    }

    private static byte[] value(int number, int length) {
        byte[] value = new byte[length];
        Arrays.fill(value, (byte) (1 + number % 100));
        return value;
    }
}
