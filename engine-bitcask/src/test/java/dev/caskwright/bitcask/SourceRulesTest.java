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

/**
 * The engines reach the disk through the IO manager alone, and time and chance through what they are given. No module that
 * a store consists of reads or writes objects by Java's serialisation, or by a library's that names classes in its bytes.
 */
final class SourceRulesTest {
    private static final Path SOURCES = Path.of("src/main/java");
    private static final List<String> MODULES = List.of(
            "engine-api",
            "engine-bitcask",
            "engine-bolt",
            "engine-moss",
            "index-btree",
            "index-compact",
            "index-hashmap",
            "index-offheap",
            "index-sorted",
            "io-mmap",
            "io-standard");
    private static final List<String> ENGINES = List.of("engine-bitcask", "engine-bolt", "engine-moss");
    private static final Pattern FILES = Pattern.compile(
            "java\\.nio\\.channels|java\\.nio\\.file\\.(?!Path;|\\w+Exception\\b)|java\\.io\\.(File|RandomAccessFile|File\\w*Stream)\\b");
    private static final Pattern HIDDEN_INPUT =
            Pattern.compile("System\\.currentTimeMillis|Instant\\.now|Math\\.random|new Random\\(|ThreadLocalRandom");
    private static final Pattern KEPT_LOGGER = Pattern.compile("\\bstatic\\b.*\\bLogger\\b.*=");
    private static final Pattern SERIALISATION = Pattern.compile("Object(In|Out)put(Stream|Filter)?\\b|Externalizable"
            + "|\\bSerializable\\b|XML(De|En)coder|\\breadObject\\b|\\bwriteObject\\b|\\breadResolve\\b"
            + "|SerializerPojo|SerializerBase|Serializer\\.(JAVA|ELSA|CLASS)\\b|SerializerElsa"
            + "|\\belsa\\.|Class\\.forName\\((?!\")|\\.loadClass\\(|defineClass");

    @Test
    void noFileIsTouchedOutsideTheIoManager() throws IOException {
        assertThat(linesOfEnginesWith(FILES)).isEmpty();
    }

    @Test
    void clockAndRandomnessAreInjected() throws IOException {
        assertThat(linesOfEnginesWith(HIDDEN_INPUT)).isEmpty();
    }

    /** Setting slf4j up takes a JVM that has just started 20 ms of its way to the first get, and most have nothing to tell. */
    @Test
    void loggersAreFetchedWhenThereIsSomethingToTell() throws IOException {
        assertThat(linesOfEnginesWith(KEPT_LOGGER)).isEmpty();
    }

    @Test
    void noClassIsDeserialisedByAnyModuleOfAStore() throws IOException {
        Path root = Path.of("").toAbsolutePath().getParent();
        for (String module : MODULES) {
            assertThat(linesWith(SERIALISATION, root.resolve(module).resolve(SOURCES)))
                    .as(module)
                    .isEmpty();
        }
    }

    /** So that a module that is added is not forgotten above. */
    @Test
    void allModulesOfAStoreAreLookedAt() throws IOException {
        Path root = Path.of("").toAbsolutePath().getParent();
        try (Stream<Path> all = Files.list(root)) {
            assertThat(all.filter(each -> Files.isDirectory(each.resolve(SOURCES)))
                            .map(each -> each.getFileName().toString())
                            .filter(name -> name.matches("(engine|index|io)-.*") && !name.equals("engine-testkit")))
                    .containsExactlyInAnyOrderElementsOf(MODULES);
        }
    }

    private static List<String> linesOfEnginesWith(Pattern pattern) throws IOException {
        Path root = Path.of("").toAbsolutePath().getParent();
        List<String> found = new ArrayList<>();
        for (String engine : ENGINES) {
            found.addAll(linesWith(pattern, root.resolve(engine).resolve(SOURCES)));
        }
        return found;
    }

    private static List<String> linesWith(Pattern pattern, Path sources) throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(sources)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".java")).toList()) {
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
