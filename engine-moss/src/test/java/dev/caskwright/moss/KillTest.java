package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static dev.caskwright.moss.Model.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.WriteOptions;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real process that is killed while it writes, merges and persists. */
final class KillTest {
    @TempDir
    private Path temporary;

    private static MossBuilder builder(Path directory) {
        return MossEngine.builder(directory)
                .mergeOperator(new Append())
                .tableBytes(8 << 10)
                .persistBytes(64 << 10);
    }

    /** Writes pairs for ever, and prints the number of each that was acknowledged. */
    static final class Writer {
        private Writer() {}

        public static void main(String[] arguments) throws Exception {
            try (MossEngine engine = builder(Path.of(arguments[0])).open()) {
                int start = Integer.parseInt(arguments[1]);
                for (int i = start; ; i++) {
                    MossBatch batch = new MossBatch()
                            .put(bytes("left" + i % 500), bytes("" + i))
                            .put(bytes("last"), bytes("" + i))
                            .merge(bytes("count"), bytes("x"))
                            .put(bytes("right" + i % 500), bytes("" + i));
                    engine.write(batch, WriteOptions.WRITE);
                    System.out.println(i);
                }
            }
        }
    }

    @Test
    @Timeout(value = 120, unit = TimeUnit.SECONDS)
    void aKilledProcessLosesNoAcknowledgedWrite() throws Exception {
        Path directory = temporary.resolve("store");
        int next = 0;
        for (int round = 0; round < 3; round++) {
            int acknowledged = writeAndKill(directory, next, 600 + 400 * round);
            try (MossEngine engine = builder(directory).open()) {
                int last = Integer.parseInt(text(engine.get(bytes("last"))));
                assertThat(last).isGreaterThanOrEqualTo(acknowledged);
                assertThat(engine.get(bytes("count"))).hasSize(last + 1);
                for (int i = Math.max(0, last - 499); i <= last; i++) {
                    assertThat(text(engine.get(bytes("left" + i % 500)))).isEqualTo("" + i);
                    assertThat(text(engine.get(bytes("right" + i % 500)))).isEqualTo("" + i);
                }
                assertThat(engine.verify().isSound()).isTrue();
                next = last + 1;
            }
        }
    }

    private static int writeAndKill(Path directory, int start, int writes) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(List.of(
                        java,
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Writer.class.getName(),
                        directory.toString(),
                        Integer.toString(start)))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        int last = -1;
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (int i = 0; i < writes; i++) {
                String line = output.readLine();
                assertThat(line).as("line %s of the writer", i).isNotNull();
                last = Integer.parseInt(line);
            }
            process.destroyForcibly().waitFor();
        }
        return last;
    }
}
