package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The BOM lists what is published, in the version of the build, and nothing else. */
final class BomTest {
    private static final Set<String> UNPUBLISHED =
            Set.of("bom", "integration-tests", "races", "fuzz", "benchmarks", "distribution");
    private static final Pattern MODULE = Pattern.compile("<module>(.*?)</module>");
    private static final Pattern ARTIFACT = Pattern.compile("<artifactId>(caskwright-.*?)</artifactId>");
    private static final Pattern VERSION = Pattern.compile("<version>(.*?)</version>");

    @Test
    void theBomListsEveryPublishedModule() throws IOException {
        String build = Files.readString(Checkout.root().resolve("pom.xml"));
        String bom = Files.readString(Checkout.root().resolve("bom/pom.xml"));
        List<String> published = all(MODULE, build).stream()
                .filter(module -> !UNPUBLISHED.contains(module))
                .map(module -> "caskwright-" + module)
                .toList();
        assertThat(all(ARTIFACT, bom))
                .hasSizeGreaterThan(10)
                .containsExactlyInAnyOrderElementsOf(Stream.concat(Stream.of("caskwright-bom"), published.stream())
                        .toList());
        assertThat(all(VERSION, bom).get(0)).isEqualTo(all(VERSION, build).get(0));
        assertThat(all(VERSION, bom).subList(1, published.size() + 1)).containsOnly("${project.version}");
        assertThat(all(MODULE, build)).contains("bom");
    }

    private static List<String> all(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(match -> match.group(1)).toList();
    }
}
