package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The packages of the engine have an order, and none knows one that comes after it. */
final class PackageOrderTest {
    private static final Path SOURCES = Path.of("src/main/java");
    private static final String ROOT = "dev.caskwright.bitcask";

    /** From the one that knows no other to the one that knows all. */
    private static final List<String> ORDER = Stream.of(
                    ".events",
                    ".log.format",
                    ".log.keys",
                    ".log.file",
                    ".log.coding",
                    ".log.scan",
                    ".log.hint",
                    ".log.append",
                    ".log.merge",
                    ".log.image",
                    ".log.tail",
                    ".log.copy",
                    ".log.read",
                    ".log.segmented",
                    ".log.check",
                    ".log.salvage",
                    ".log",
                    ".background",
                    ".undo",
                    ".store",
                    ".replay",
                    ".read",
                    ".write",
                    ".merge",
                    ".copy",
                    "")
            .map(ROOT::concat)
            .toList();

    private static final Pattern PACKAGE = Pattern.compile("(?m)^package ([\\w.]+);");
    private static final Pattern NAMED =
            Pattern.compile("\\b(" + Pattern.quote(ROOT) + "(?:\\.[a-z]\\w*)*)\\.[A-Z]\\w*");
    private static final Pattern COMMENT = Pattern.compile("(?s)/\\*.*?\\*/|//[^\n]*");

    @Test
    void noPackageKnowsOneThatComesAfterIt() throws IOException {
        List<String> wrong = new ArrayList<>();
        for (Path file : sources()) {
            String text = COMMENT.matcher(Files.readString(file)).replaceAll("");
            int own = ORDER.indexOf(packageOf(text));
            NAMED.matcher(text)
                    .results()
                    .filter(named -> ORDER.indexOf(named.group(1)) > own)
                    .forEach(named -> wrong.add(file.getFileName() + " knows " + named.group()));
        }
        assertThat(wrong).isEmpty();
    }

    /** So that a new package gets a place in the order, and says what is in it. */
    @Test
    void everyPackageHasAPlaceAndSaysWhatItIsFor() throws IOException {
        TreeSet<String> found = new TreeSet<>();
        for (Path file : sources()) {
            found.add(packageOf(Files.readString(file)));
            assertThat(file.resolveSibling("package-info.java")).content().startsWith("/**");
        }
        assertThat(ORDER).containsExactlyInAnyOrderElementsOf(found);
    }

    /** Much in them is public, so that other packages may use it. Users may not. */
    @Test
    void onlyTheLastIsExported() throws IOException {
        assertThat(Files.readAllLines(SOURCES.resolve("module-info.java")).stream()
                        .map(String::strip)
                        .filter(line -> line.startsWith("exports") || line.startsWith("opens")))
                .containsExactly("exports " + ROOT + ";");
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            return files.filter(file -> file.toString().endsWith(".java") && !file.endsWith("module-info.java"))
                    .toList();
        }
    }

    private static String packageOf(String text) {
        return PACKAGE.matcher(text).results().findFirst().orElseThrow().group(1);
    }
}
