package dev.caskwright.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.bitcask.log.HintFuzz;
import dev.caskwright.bitcask.log.ImageFuzz;
import dev.caskwright.bitcask.log.ManifestFuzz;
import dev.caskwright.bitcask.log.RecordFuzz;
import dev.caskwright.cli.JsonLinesFuzz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the fuzz targets: always on the corpus that is kept and on random changes of it, and in the campaign with Jazzer,
 * each for {@code -Dcaskwright.fuzz.seconds} seconds. What Jazzer finds goes into {@code src/test/resources/corpus}.
 */
final class FuzzTest {
    private static final Path CORPUS = Path.of("src/test/resources/corpus");
    private static final Map<String, Target> TARGETS = Map.of(
            "record", new Target(RecordFuzz.class, RecordFuzz::fuzzerTestOneInput),
            "hint", new Target(HintFuzz.class, HintFuzz::fuzzerTestOneInput),
            "image", new Target(ImageFuzz.class, ImageFuzz::fuzzerTestOneInput),
            "manifest", new Target(ManifestFuzz.class, ManifestFuzz::fuzzerTestOneInput),
            "jsonl", new Target(JsonLinesFuzz.class, JsonLinesFuzz::fuzzerTestOneInput));

    private interface Run {
        void on(byte[] input) throws IOException;
    }

    private record Target(Class<?> type, Run run) {}

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @ValueSource(strings = {"record", "hint", "image", "manifest", "jsonl"})
    @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void theCorpusIsReadOrRefused(String name) throws IOException {
        Target target = TARGETS.get(name);
        Random random = new Random(1);
        try (Stream<Path> files = Files.list(CORPUS.resolve(name))) {
            List<Path> inputs = files.sorted().toList();
            assertThat(inputs).isNotEmpty();
            for (Path file : inputs) {
                byte[] input = Files.readAllBytes(file);
                run(target, input, file.toString());
                for (int change = 0; change < 100; change++) {
                    byte[] changed = input.clone();
                    for (int i = 0; i <= change % 3 && changed.length > 0; i++) {
                        changed[random.nextInt(changed.length)] = (byte) random.nextInt();
                    }
                    run(target, changed, file + ", seed=1, change=" + change);
                }
            }
        }
    }

    private static void run(Target target, byte[] input, String what) {
        try {
            target.run().on(input);
        } catch (IOException | RuntimeException | AssertionError | OutOfMemoryError | StackOverflowError e) {
            throw new AssertionError(what + ": " + e, e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"record", "hint", "image", "manifest", "jsonl"})
    @Tag("campaign")
    void jazzerFindsNothing(String name) throws Exception {
        long seconds = Long.getLong("caskwright.fuzz.seconds", 600);
        // New inputs go into the first directory; the corpus that is kept is only read.
        Path fresh = Files.createDirectories(temporary.resolve(name));
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx1g",
                        "-XX:+UseSerialGC",
                        "-Dcaskwright.fuzz.thoroughOneIn=64",
                        "-XX:+EnableDynamicAgentLoading",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "com.code_intelligence.jazzer.Jazzer",
                        "--target_class=" + TARGETS.get(name).type().getName(),
                        "--instrumentation_includes=dev.caskwright.**",
                        "--reproducer_path=" + temporary,
                        "-max_total_time=" + seconds,
                        "-max_len=2048",
                        "-timeout=300", // seconds; a machine that is busy with other work must not look like a hang
                        "-print_final_stats=1",
                        "-artifact_prefix=" + Files.createDirectories(Path.of("target", "fuzz", name)) + "/",
                        fresh.toString(),
                        CORPUS.resolve(name).toString()))
                .redirectErrorStream(true)
                .redirectOutput(temporary.resolve("output").toFile())
                .start();
        boolean isOver = process.waitFor(seconds + 120, TimeUnit.SECONDS);
        process.destroyForcibly();
        String output = Files.readString(temporary.resolve("output"));
        output.lines()
                .filter(line -> line.contains("stat::number_of_executed_units"))
                .forEach(line -> System.out.println("fuzz campaign: " + name + ", " + line));
        assertThat(isOver).as("Jazzer ended: %s", output).isTrue();
        assertThat(process.exitValue()).as("%s", output).isZero();
    }
}
