package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.StorageEngine;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * More keys than fit in the memory of a process: it is told so, with the need, before anything is written; what is there
 * can be read, and another process with more memory opens the store.
 */
final class FullIndexTest {
    @TempDir
    private Path temporary;

    @ParameterizedTest
    @CsvSource({
        "hashmap, -Xmx40m, -XX:MaxDirectMemorySize=64m",
        "btree, -Xmx64m, -XX:MaxDirectMemorySize=64m",
        "sorted, -Xmx64m, -XX:MaxDirectMemorySize=64m",
        "compact, -Xmx48m, -XX:MaxDirectMemorySize=4m"
    })
    void aFullIndexRefusesWritesAndLosesNothing(String index, String heap, String direct) throws Exception {
        Path directory = temporary.resolve("store");
        List<String> said = run(directory, index, heap, direct);
        assertThat(said).hasSize(5);
        int written = Integer.parseInt(said.get(0));
        assertThat(written).isGreaterThan(50_000);
        assertThat(said.get(1)).contains("needed=").contains(index.equals("compact") ? "MaxDirectMemorySize" : "-Xmx");
        assertThat(said.get(2)).isEqualTo("NOT_APPLIED");
        assertThat(said.get(3)).as("health").isEqualTo("null");
        assertThat(said.get(4)).as("the same put again").isEqualTo("OUT_OF_MEMORY");
        try (StorageEngine engine = FullIndexWriter.builder(directory, index).open()) {
            assertThat(engine.size()).isEqualTo(written);
            for (int i = 0; i < written; i++) {
                assertThat(engine.get(FullIndexWriter.key(i))).as("key=%d", i).isEqualTo(FullIndexWriter.value(i));
            }
            engine.put(FullIndexWriter.key(written), FullIndexWriter.value(written));
        }
    }

    private static List<String> run(Path directory, String index, String... flags) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(flags));
        command.addAll(List.of(
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                FullIndexWriter.class.getName(),
                directory.toString(),
                index));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            List<String> said = output.lines().toList();
            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            assertThat(process.exitValue()).as("said: %s", said).isZero();
            return said;
        }
    }
}
