package dev.caskwright.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Java examples of the README, compiled and run. Each stands here between two marks; another test compares them with
 * the README, so that neither can change without the other. Two more see to it that what the documents refer to is there.
 */
final class ReadmeExampleTest {
    private static final String START = "// readme: start";
    private static final String END = "// readme: end";
    private static final Pattern JAVA_BLOCK = Pattern.compile("(?ms)^```java\n(.*?)^```$");
    private static final Pattern LINK = Pattern.compile("]\\((?!https?:)([^)#]*)(?:#([^)]*))?\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
    private static final Pattern TABLE_ROW = Pattern.compile("(?m)^\\|.*$");
    private static final Pattern TESTS = Pattern.compile("(?m)^- (?:Tests:|Attacked by) .*(?:\n  .*)*$");
    private static final Pattern CLASS_OR_TEST = Pattern.compile("`([A-Z]\\w+)(?:\\.(\\w+))?`");

    @TempDir
    private Path directory;

    @Test
    void theFirstExampleRuns() throws IOException {
        List<String> seen = new ArrayList<>();
        // readme: start
        try (StorageEngine store = BitcaskEngine.open(directory)) {
            byte[] key = "cask:1".getBytes(UTF_8);
            store.put(key, "oak".getBytes(UTF_8)); // survives kill -9
            store.put(key, "oak, 1998".getBytes(UTF_8), WriteOptions.SYNC); // survives a power loss
            byte[] value = store.get(key); // null if the key is absent
            WriteBatch batch = new WriteBatch();
            batch.put("cask:2".getBytes(UTF_8), value).delete(key);
            store.write(batch, WriteOptions.SYNC); // all of it or nothing
            store.visit(entry -> seen.add(new String(entry.key(), UTF_8))); // true asks for the next one
        }
        // readme: end
        assertThat(seen).containsExactly("cask:2");
    }

    @Test
    void theSecondExampleRuns() throws IOException {
        List<String> keys = new ArrayList<>();
        // readme: start
        try (StorageEngine store = BitcaskEngine.builder(directory)
                .index(Backends.keyIndex("sorted")) // by name, or a factory such as CompactKeyIndex::new
                .startupIo(MmapIoManager::open) // mapped memory while the store is opened ...
                .io(StandardIoManager::open) // ... and plain file IO after that
                .durability(Durability.SYNC) // of writes that do not say
                .open()) {
            store.put("cask:1".getBytes(UTF_8), "oak".getBytes(UTF_8));
            WriteOptions forADay = WriteOptions.SYNC.timeToLive(Duration.ofDays(1));
            store.put("cask:2".getBytes(UTF_8), "ash".getBytes(UTF_8), forADay);
            try (Cursor cursor = store.ordered().prefix("cask:".getBytes(UTF_8), true)) {
                for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                    keys.add(new String(entry.key(), UTF_8)); // cask:2, then cask:1
                }
            }
        }
        // readme: end
        assertThat(keys).containsExactly("cask:2", "cask:1");
    }

    @Test
    void theReadmeShowsWhatRunsHere() throws IOException {
        Path root = Checkout.root();
        List<String> shown = JAVA_BLOCK
                .matcher(Files.readString(root.resolve("README.md")))
                .results()
                .map(block -> block.group(1))
                .toList();
        Path source = root.resolve("integration-tests/src/test/java/dev/caskwright/it/ReadmeExampleTest.java");
        assertThat(shown).isEqualTo(examples(Files.readAllLines(source)));
    }

    @Test
    void linksLeadToFilesAndHeadings() throws IOException {
        Path root = Checkout.root();
        List<Path> documents = documents(root);
        assertThat(documents).hasSizeGreaterThan(20);
        for (Path file : documents) {
            Path document = root.relativize(file);
            for (MatchResult link : all(LINK, Files.readString(file))) {
                Path target = link.group(1).isEmpty() ? file : file.resolveSibling(link.group(1));
                assertThat(target).as("%s: %s", document, link.group()).exists();
                if (link.group(2) != null) {
                    assertThat(all(HEADING, Files.readString(target)).stream().map(heading -> anchor(heading.group(1))))
                            .as("%s: %s", document, link.group())
                            .contains(link.group(2));
                }
            }
        }
    }

    @Test
    void classesAndTestsThatDocumentsNameExist() throws IOException {
        assertThat(checkNames("ARCHITECTURE.md", TABLE_ROW)).isGreaterThan(50);
        assertThat(checkNames("docs/trust.md", TESTS)).isGreaterThan(50);
    }

    /** Returns how many names of classes and tests there are in some lines of a document. */
    private static int checkNames(String document, Pattern lines) throws IOException {
        Path root = Checkout.root();
        Map<String, String> sources = sources(root);
        String text = Files.readString(root.resolve(document));
        int found = 0;
        for (MatchResult row : all(lines, text)) {
            for (MatchResult name : all(CLASS_OR_TEST, row.group())) {
                assertThat(sources).as(name.group()).containsKey(name.group(1));
                if (name.group(2) != null) {
                    assertThat(sources.get(name.group(1))).as(name.group()).contains(" " + name.group(2) + "(");
                }
                found++;
            }
        }
        return found;
    }

    /** Returns the documents: those in the root, in {@code docs}, and of the examples. */
    private static List<Path> documents(Path root) throws IOException {
        List<Path> documents = new ArrayList<>();
        for (String place : List.of("docs", "examples")) {
            try (Stream<Path> files = Files.walk(root.resolve(place))) {
                files.filter(file -> file.toString().endsWith(".md")
                                && !file.toString().contains("target"))
                        .forEach(documents::add);
            }
        }
        try (Stream<Path> files = Files.list(root)) {
            files.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
        }
        return documents;
    }

    private static List<MatchResult> all(Pattern pattern, String text) {
        return pattern.matcher(text).results().toList();
    }

    /** Returns the anchor that a heading gets when it is shown. */
    private static String anchor(String heading) {
        return heading.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9 -]", "").replace(' ', '-');
    }

    /** Returns the text of each class by its name; of several with one name, all texts together. */
    private static Map<String, String> sources(Path root) throws IOException {
        Map<String, String> sources = new HashMap<>();
        try (Stream<Path> files = Files.find(
                root, Integer.MAX_VALUE, (file, attributes) -> file.toString().endsWith(".java"))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString().replace(".java", "");
                sources.merge(name, Files.readString(file), String::concat);
            }
        }
        return sources;
    }

    /** Returns the lines between each pair of marks, without the indentation that they share. */
    private static List<String> examples(List<String> source) {
        List<String> examples = new ArrayList<>();
        List<String> current = null;
        for (String line : source) {
            if (line.strip().equals(START)) {
                current = new ArrayList<>();
            } else if (line.strip().equals(END)) {
                examples.add(String.join("\n", current).stripIndent() + "\n");
                current = null;
            } else if (current != null) {
                current.add(line);
            }
        }
        return examples;
    }
}
