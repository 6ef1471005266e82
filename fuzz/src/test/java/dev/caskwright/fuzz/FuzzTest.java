package dev.caskwright.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Runs the fuzz targets: always on the corpus that is kept and on random changes of it, and in the campaign with Jazzer,
 * each for {@code -Dcaskwright.fuzz.seconds} seconds by two processes. What Jazzer finds is left in {@code target/fuzz}, and
 * goes into {@code src/test/resources/corpus}.
 */
final class FuzzTest {
    static final Path CORPUS = Path.of("src/test/resources/corpus");

    /** Of all inputs of a target together. */
    private static final int CHANGES = 1_000;

    /** Longer than an input may take, so that Jazzer tells of a hang itself. */
    private static final Duration GRACE = Duration.ofMinutes(7);

    @ParameterizedTest
    @EnumSource(Target.class)
    @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void theCorpusIsReadOrRefused(Target target) throws IOException {
        Random random = new Random(1);
        try (Stream<Path> files = Files.list(CORPUS.resolve(target.toString()))) {
            List<Path> inputs = files.sorted().toList();
            assertThat(inputs).isNotEmpty();
            for (Path file : inputs) {
                byte[] input = Files.readAllBytes(file);
                target.read(input, file.toString());
                for (int change = 0; change < CHANGES / inputs.size(); change++) {
                    byte[] changed = input.clone();
                    for (int i = 0; i <= change % 3 && changed.length > 0; i++) {
                        changed[random.nextInt(changed.length)] = (byte) random.nextInt();
                    }
                    target.read(changed, file + ", seed=1, change=" + change);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    @Tag("campaign")
    void jazzerFindsNothing(Target target) throws Exception {
        Duration duration = Duration.ofSeconds(Long.getLong("caskwright.fuzz.seconds", 600));
        Path directory = Files.createDirectories(
                Path.of("target", "fuzz").resolve(target.toString()).toAbsolutePath());
        Instant end = Instant.now().plus(duration).plus(GRACE);
        try (JazzerRun readers = JazzerRun.ofReaders(target, directory, duration);
                JazzerRun stores = JazzerRun.ofStores(target, directory, duration)) {
            boolean isOver = false;
            while (!isOver
                    && !readers.hasFailed()
                    && !stores.hasFailed()
                    && Instant.now().isBefore(end)) {
                Duration pause = Duration.ofSeconds(30);
                isOver = readers.await(pause) & stores.await(pause);
                if (Instant.now().isAfter(end)) {
                    readers.stop();
                    stores.stop();
                }
                report(target, readers.executions(), stores.executions());
            }
            assertThat(readers.hasFailed()).as("%s", readers.output()).isFalse();
            assertThat(stores.hasFailed()).as("%s", stores.output()).isFalse();
            assertThat(isOver).as("both ended in time").isTrue();
        }
    }

    /** Told every minute, so that a campaign that is cut short counts, too. */
    private static void report(Target target, long readers, long stores) {
        System.out.printf(
                Locale.ROOT,
                "fuzz campaign: %s, %,d executions: readers alone %,d, with stores %,d%n",
                target,
                readers + stores,
                readers,
                stores);
    }
}
