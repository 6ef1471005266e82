package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The engine reaches the disk through the IO manager alone, and time and chance through what it is given. */
final class SourceRulesTest {
    private static final Path SOURCES = Path.of("src/main/java");
    private static final Pattern FILES = Pattern.compile(
            "java\\.nio\\.channels|java\\.nio\\.file\\.(?!Path;)|java\\.io\\.(File|RandomAccessFile|File\\w*Stream)\\b");
    private static final Pattern HIDDEN_INPUT = Pattern.compile(
            "System\\.currentTimeMillis|Instant\\.now|Math\\.random|new Random\\(|ThreadLocalRandom|ObjectInputStream");

    @Test
    void noFileIsTouchedOutsideTheIoManager() throws IOException {
        assertThat(linesWith(FILES)).isEmpty();
    }

    @Test
    void clockAndRandomnessAreInjectedAndNothingIsDeserialised() throws IOException {
        assertThat(linesWith(HIDDEN_INPUT)).isEmpty();
    }

    private static List<String> linesWith(Pattern pattern) throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(SOURCES)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
                for (String line : Files.readAllLines(file)) {
                    if (pattern.matcher(line).find()) {
                        found.add(file.getFileName() + ": " + line.strip());
                    }
                }
            }
        }
        return found;
    }
}
