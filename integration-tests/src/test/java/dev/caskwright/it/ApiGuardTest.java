package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The profile {@code api} of the build lets nobody break what a release offers, and looks at that alone. */
final class ApiGuardTest {
    private static final String BASELINE = "0.0.1";
    private static final Pattern MODULE = Pattern.compile("<module>(.*?)</module>");
    private static final Pattern EXPORTED = Pattern.compile("(?m)^ *exports ([\\w.]+);");
    private static final Pattern EXCLUDED = Pattern.compile("<exclude>(dev\\.caskwright\\..*?)</exclude>");

    @TempDir
    private Path temporary;

    @Test
    void theBuildComparesWhatModulesExportAndNothingElse() throws IOException {
        Path root = Checkout.root();
        String build = Files.readString(root.resolve("pom.xml"));
        Set<String> hidden = new TreeSet<>();
        for (String module : matches(MODULE, build)) {
            Path sources = root.resolve(module).resolve("src/main/java");
            if (Files.exists(sources.resolve("module-info.java"))) {
                Set<String> packages = packages(sources);
                matches(EXPORTED, Files.readString(sources.resolve("module-info.java")))
                        .forEach(packages::remove);
                hidden.addAll(packages);
            }
        }
        assertThat(hidden).hasSizeGreaterThan(5);
        assertThat(matches(EXCLUDED, build)).containsExactlyElementsOf(hidden);
    }

    /** Takes {@code engine-api} as it is for a release, changes a copy of its sources, and builds that. */
    @Test
    @Tag("campaign")
    void aMethodThatIsGoneFailsTheBuildAndOneMoreDoesNot() throws Exception {
        Path copy = Files.createDirectories(temporary.resolve("copy"));
        for (String part :
                List.of("pom.xml", "LICENSE", "NOTICE", ".mvn", "mvnw", "engine-api/pom.xml", "engine-api/src/main")) {
            copy(Checkout.root().resolve(part), copy.resolve(part));
        }
        assertThat(build(copy, "package")).contains("BUILD SUCCESS");
        release(copy.resolve("engine-api/target/caskwright-engine-api-" + version() + ".jar"));
        Path source = copy.resolve("engine-api/src/main/java/dev/caskwright/api/WriteOptions.java");
        String released = Files.readString(source);
        String method = "public boolean isRelativeExpiry() {";
        assertThat(released).contains(method);

        String more = "/** Returns whether. */ public boolean isMore() { return hasExpiry(); }\n" + method;
        Files.writeString(source, released.replace(method, more));
        assertThat(build(copy, "verify", "-Dapi.baseline=" + BASELINE)).contains("compare-api", "BUILD SUCCESS");

        Files.writeString(source, released.replace(method, "boolean isRelativeExpiry() {"));
        assertThat(build(copy, "verify", "-Dapi.baseline=" + BASELINE))
                .contains("isRelativeExpiry", "BUILD FAILURE")
                .contains("There is at least one incompatibility");
        assertThat(build(copy, "verify")).doesNotContain("compare-api").contains("BUILD SUCCESS");
    }

    /** Runs Maven on the copy with a local repository of its own before that of this build; returns what it printed. */
    private String build(Path copy, String phase, String... more) throws Exception {
        String local = System.getProperty(
                "localRepository",
                Path.of(System.getProperty("user.home"), ".m2", "repository").toString());
        List<String> command =
                new ArrayList<>(List.of("sh", copy.resolve("mvnw").toString(), "-B", "-ntp"));
        command.addAll(List.of("-f", copy.resolve("engine-api/pom.xml").toString(), "-DskipTests"));
        command.addAll(List.of("-Dspotless.check.skip", "-Dmaven.repo.local=" + temporary.resolve("repository")));
        command.addAll(List.of("-Dmaven.repo.local.tail=" + local, phase));
        command.addAll(List.of(more));
        File printed = temporary.resolve("printed").toFile();
        Process maven = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(printed)
                .start();
        maven.waitFor();
        return Files.readString(printed.toPath());
    }

    /** Puts a jar into the local repository as the release to compare with. */
    private void release(Path jar) throws IOException {
        Path place = Files.createDirectories(temporary
                .resolve("repository/dev/caskwright/caskwright-engine-api")
                .resolve(BASELINE));
        Files.copy(jar, place.resolve("caskwright-engine-api-" + BASELINE + ".jar"));
        Files.writeString(place.resolve("caskwright-engine-api-" + BASELINE + ".pom"), """
                <project xmlns="http://maven.apache.org/POM/4.0.0">
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>dev.caskwright</groupId>
                  <artifactId>caskwright-engine-api</artifactId>
                  <version>%s</version>
                </project>
                """.formatted(BASELINE));
    }

    private static String version() throws IOException {
        String build = Files.readString(Checkout.root().resolve("pom.xml"));
        return matches(Pattern.compile("<version>(.*?)</version>"), build).get(0);
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to.getParent());
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    private static Set<String> packages(Path sources) throws IOException {
        try (Stream<Path> files = Files.walk(sources)) {
            return files.filter(file -> file.endsWith("package-info.java"))
                    .map(file -> sources.relativize(file.getParent()).toString().replace(File.separatorChar, '.'))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static List<String> matches(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(match -> match.group(1)).toList();
    }
}
