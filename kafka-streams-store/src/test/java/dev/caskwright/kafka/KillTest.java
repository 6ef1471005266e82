package dev.caskwright.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills a process that puts and commits, and looks whether the store holds what its offset says: no more, no less. */
class KillTest {
    private static final TopicPartition CHANGELOG = new TopicPartition("changelog", 0);
    private static final int KEYS = 1000;
    private static final int ROUNDS = 4;

    @TempDir
    Path directory;

    /** Puts record after record, under the number modulo 1,000, and tells each offset that was committed. */
    static final class Child {
        public static void main(String[] arguments) {
            CaskwrightKeyValueStore store = open(Path.of(arguments[0]));
            Random random = new Random(Long.parseLong(arguments[1]));
            Long committed = store.committedOffset(CHANGELOG);
            long next = committed == null ? 0 : committed + 1;
            while (true) {
                for (int left = 1 + random.nextInt(200); left > 0; left--, next++) {
                    store.put(Bytes.wrap(number(next % KEYS)), number(next));
                }
                store.commit(Map.of(CHANGELOG, next - 1));
                System.out.println(next - 1);
            }
        }
    }

    @Test
    void storeHoldsExactlyWhatItsOffsetSaysAfterKill() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            long told = runAndKill(seed + round, 5 + random.nextInt(200));
            CaskwrightKeyValueStore store = open(directory);
            try {
                long offset = store.committedOffset(CHANGELOG);
                assertThat(offset).as("seed %d, round %d", seed, round).isGreaterThanOrEqualTo(told);
                List<Long> values = new ArrayList<>();
                try (KeyValueIterator<Bytes, byte[]> all = store.all()) {
                    all.forEachRemaining(
                            each -> values.add(ByteBuffer.wrap(each.value).getLong()));
                }
                List<Long> expected = new ArrayList<>();
                for (long i = Math.max(0, offset - KEYS + 1); i <= offset; i++) {
                    expected.add(i);
                }
                assertThat(values)
                        .as("seed %d, round %d, offset %d", seed, round, offset)
                        .containsExactlyInAnyOrderElementsOf(expected);
            } finally {
                store.close();
            }
        }
    }

    private long runAndKill(long seed, int commits) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        directory.toString(),
                        Long.toString(seed))
                .redirectError(new File(directory.toFile(), "child.err"))
                .start();
        long told = -1;
        try (BufferedReader lines = process.inputReader()) {
            for (int i = 0; i < commits; i++) {
                String line = lines.readLine();
                assertThat(line).as("the child ended by itself").isNotNull();
                told = Long.parseLong(line);
            }
            process.toHandle().destroyForcibly(); // leaves the stream open
            for (String line = lines.readLine(); line != null && line.matches("\\d+"); line = lines.readLine()) {
                long last = Long.parseLong(line);
                told = last > told ? last : told; // a line may have been cut
            }
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.waitFor()).isEqualTo(137);
        return told;
    }

    private static CaskwrightKeyValueStore open(Path directory) {
        CaskwrightKeyValueStore store = CaskwrightKeyValueStore.of("s", StoreFormat.PLAIN, null);
        store.init(new TestContext(directory, Map.of(StoreOptions.MAX_UNCOMMITTED, "1000000")), store);
        return store;
    }

    private static byte[] number(long number) {
        return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
    }
}
