package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Processes whose files may not become longer than a limit ({@code ulimit -f}): appends, the file of a new store, hint files,
 * the manifest and what a merge writes meet it, over both IO managers. Each says what is wrong; what was acknowledged is
 * there without the limit, and the store goes on.
 */
@EnabledOnOs(OS.LINUX)
final class FileSizeLimitTest {
    @TempDir
    private Path temporary;

    /** The limit is in blocks of 1,024 bytes. */
    @ParameterizedTest
    @CsvSource({
        "0,standard,1000000,100,10", // not even a manifest
        "64,mmap,1000000,1000,200", // appends
        "5,standard,2000,10,400" // data files fit, and the manifest does not when a merge commits
    })
    void nothingAcknowledgedIsLostAndTheReasonIsTold(int blocks, String io, long fileBytes, int valueLength, int puts)
            throws Exception {
        live(blocks, io, fileBytes, valueLength, puts);
    }

    @ParameterizedTest
    @Tag("campaign")
    @CsvSource({
        "0,mmap,1000000,100,10",
        "1,standard,1000000,100,10",
        // a manifest, and little else
        "4,standard,1000000,100,200",
        "4,mmap,1000000,100,200",
        "64,standard,1000000,1000,200",
        // a value that no file has room for
        "64,standard,1000000,100000,3",
        "64,mmap,1000000,100000,3",
        // the manifest, hint files and the output of a merge grow
        "16,standard,8000,10,3000",
        "16,mmap,8000,10,3000",
        "5,mmap,2000,10,400"
    })
    void nothingAcknowledgedIsLostUnderMoreLimits(int blocks, String io, long fileBytes, int valueLength, int puts)
            throws Exception {
        live(blocks, io, fileBytes, valueLength, puts);
    }

    private void live(int blocks, String io, long fileBytes, int valueLength, int puts) throws Exception {
        Path store = temporary.resolve("store");
        Path output = temporary.resolve("output");
        Path errors = temporary.resolve("errors");
        Process process = new ProcessBuilder(
                        "bash",
                        "-c",
                        // What the process prints goes through a pipe: its files are limited, too.
                        "(ulimit -f " + blocks + " && exec \"$@\") 2> >(cat >'" + errors + "') | cat >'" + output + "'",
                        "bash",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-XX:-UsePerfData",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LimitedWriter.class.getName(),
                        store.toString(),
                        io,
                        Long.toString(fileBytes),
                        Integer.toString(valueLength),
                        Integer.toString(puts))
                .start();
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        List<String> lines = Files.readAllLines(output);
        String told = String.join(
                "\n", lines.stream().filter(line -> !line.startsWith("put ")).toList());
        assertThat(lines).as("%s\n%s", told, errors(errors)).endsWith("over");
        lines.stream()
                .filter(line -> line.startsWith("error "))
                .forEach(line -> assertThat(line).as(told).contains(" OUT_OF_SPACE ", "File too large"));
        assertThat(told).doesNotContain("failed ");
        assertHolds(store, io, fileBytes, lines, valueLength);
    }

    private static String errors(Path file) throws IOException {
        return Files.exists(file) ? Files.readString(file) : "";
    }

    private static void assertHolds(Path store, String io, long fileBytes, List<String> lines, int valueLength)
            throws IOException {
        boolean isFirstDeleted = lines.contains("ok delete");
        try (BitcaskEngine engine = new Combination("hashmap", io, io)
                .builder(store)
                .maxFileBytes(fileBytes)
                .open()) {
            for (String line : lines) {
                if (line.startsWith("put ")) {
                    int number = Integer.parseInt(line.substring(4));
                    byte[] value = engine.get(KeyValues.key(number));
                    if (number == 0 && isFirstDeleted) {
                        assertThat(value).isNull();
                    } else {
                        assertThat(value).as(line).hasSize(valueLength);
                    }
                }
            }
            engine.put(KeyValues.bytes("more"), new byte[200_000], WriteOptions.SYNC);
            engine.merge();
            assertThat(engine.health()).isNull();
        }
        assertThat(BitcaskEngine.verify(store, Backends.ioManager(io)).damages())
                .isEmpty();
        try (Stream<Path> files = Files.list(store)) {
            assertThat(files.map(file -> file.getFileName().toString())).doesNotContain("MANIFEST.new");
        }
    }
}
