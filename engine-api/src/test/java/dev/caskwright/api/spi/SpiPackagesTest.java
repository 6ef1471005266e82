package dev.caskwright.api.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whoever writes a plug-in needs the package of its kind, and those that come before it here. */
final class SpiPackagesTest {
    private static final Path SPI = Path.of("src/main/java/dev/caskwright/api/spi");
    private static final List<String> ORDER = List.of("", "io", "index", "codec", "log", "cache", "engine");
    private static final Pattern IMPORT =
            Pattern.compile("(?m)^import (?:static )?dev\\.caskwright\\.api\\.spi\\.([a-z]*)\\.?[A-Z]");

    @Test
    void noPackageNeedsOneThatComesAfterIt() throws IOException {
        List<String> wrong = new ArrayList<>();
        TreeSet<String> found = new TreeSet<>();
        for (Path file : sources()) {
            String own = SPI.relativize(file.getParent()).toString();
            found.add(own);
            Matcher imported = IMPORT.matcher(Files.readString(file));
            while (imported.find()) {
                if (ORDER.indexOf(imported.group(1)) > ORDER.indexOf(own)) {
                    wrong.add(file + " needs " + imported.group(1));
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(ORDER).containsExactlyInAnyOrderElementsOf(found);
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(SPI)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }
}
