package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every package that somebody may see is {@code @NullMarked}: without it NullAway checks nothing there that its name does
 * not tell, and Kotlin takes every type for one that may be null or not.
 */
final class NullMarkedTest {
    private static final Pattern MODULE = Pattern.compile("<module>(.*?)</module>");
    private static final Pattern MARKED = Pattern.compile("(?m)^@NullMarked\\s+package ");

    @TempDir
    private Path directory;

    @Test
    void everyPackageOfEveryModuleIsNullMarked() throws IOException {
        Path root = Checkout.root();
        List<Path> places = new ArrayList<>();
        MODULE.matcher(Files.readString(root.resolve("pom.xml")))
                .results()
                .map(module -> root.resolve(module.group(1)))
                .forEach(places::add);
        try (Stream<Path> examples = Files.list(root.resolve("examples"))) {
            examples.filter(Files::isDirectory).forEach(places::add);
        }
        places.replaceAll(module -> module.resolve("src/main/java"));
        places.removeIf(sources -> !Files.isDirectory(sources));
        assertThat(places).hasSizeGreaterThan(30);
        for (Path place : places) {
            assertThat(unmarked(place)).as("%s", root.relativize(place)).isEmpty();
        }
    }

    @Test
    void aPackageWithoutTheMarkIsFound() throws IOException {
        Path marked = aPackage("marked", "/** Is marked. */\n@NullMarked\npackage marked;\n");
        aPackage("marked/and/told", "/** Should be @NullMarked. */\npackage marked.and.told;\n");
        Path untold = Files.createDirectories(directory.resolve("untold"));
        Files.writeString(untold.resolve("Type.java"), "package untold;\n");
        Files.writeString(directory.resolve("module-info.java"), "module marked {}\n");
        assertThat(unmarked(directory)).containsExactlyInAnyOrder(marked.resolve("and/told"), untold);
    }

    private Path aPackage(String name, String info) throws IOException {
        Path place = Files.createDirectories(directory.resolve(name));
        Files.writeString(place.resolve("Type.java"), "final class Type {}\n");
        Files.writeString(place.resolve("package-info.java"), info);
        return place;
    }

    /** Returns the directories of sources whose package is not marked. */
    private static List<Path> unmarked(Path sources) throws IOException {
        List<Path> unmarked = new ArrayList<>();
        try (Stream<Path> files = Files.walk(sources)) {
            List<Path> packages = files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.endsWith("module-info.java"))
                    .map(Path::getParent)
                    .distinct()
                    .toList();
            for (Path place : packages) {
                Path info = place.resolve("package-info.java");
                if (!Files.exists(info)
                        || !MARKED.matcher(Files.readString(info)).find()) {
                    unmarked.add(place);
                }
            }
        }
        return unmarked;
    }
}
