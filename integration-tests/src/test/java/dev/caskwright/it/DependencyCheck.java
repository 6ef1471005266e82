package dev.caskwright.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Compares the libraries of a module, as the build found them, with DEPENDENCIES.md, and the licences there with those that
 * are allowed. A program of one file, which the profile {@code licences} runs in each module:
 *
 * <pre>
 * java DependencyCheck.java ROOT MODULE    exits with 1 and says what differs
 * java DependencyCheck.java ROOT --write   writes the table from what the build found in all modules
 * </pre>
 */
public final class DependencyCheck {
    private static final String HEAD = "| library | version | licence | used by | in tests of |";

    /** Names of licences as libraries give them, by what they start with, longer ones first where that matters. */
    private static final Map<String, String> NAMES = new TreeMap<>();

    static {
        for (String apache : List.of(
                "Apache-2", "Apache 2", "Apache v2", "Apache License", "The Apache", "ASL 2", "Apache Software")) {
            NAMES.put(apache, "Apache-2.0");
        }
        for (String mit : List.of("MIT", "The MIT License")) {
            NAMES.put(mit, "MIT");
        }
        for (String bsd : List.of("BSD", "New BSD", "Revised BSD", "The BSD", "The New BSD", "3-Clause BSD")) {
            NAMES.put(bsd, "BSD");
        }
        NAMES.put("Eclipse Distribution License - v 1.0", "EDL-1.0");
        NAMES.put("Eclipse Public License - v 1.0", "EPL-1.0");
        NAMES.put("EPL 1.0", "EPL-1.0");
        NAMES.put("Eclipse Public License v2.0", "EPL-2.0");
        NAMES.put("GNU General Public License (GPL), version 2, with the Classpath exception", "GPL-2.0 with CPE");
        NAMES.put("MPL 2.0", "MPL-2.0");
        NAMES.put("Mozilla Public License Version 2.0", "MPL-2.0");
        NAMES.put("The OpenLDAP Public License, Version 2.8", "OLDAP-2.8");
        NAMES.put("Public Domain, per Creative Commons CC0", "CC0-1.0");
    }

    private static final Set<String> ALLOWED = Set.of("Apache-2.0", "MIT", "BSD", "CC0-1.0");

    /** Which other licence the libraries of a group may have. Tests and benchmarks alone may use them, but for the next. */
    private static final Map<String, String> EXEMPT = Map.ofEntries(
            Map.entry("com.h2database", "EPL-1.0 or MPL-2.0"),
            Map.entry("jakarta.transaction", "EPL 2.0 or GPL2 w/ CPE"),
            Map.entry("org.bouncycastle", "Bouncy Castle Licence"), // the words of MIT
            Map.entry("org.eclipse.collections", "EDL-1.0 or EPL-1.0"),
            Map.entry("org.jetbrains.lincheck", "MPL-2.0"),
            Map.entry("org.json", "Public Domain"),
            Map.entry("org.junit.jupiter", "EPL-2.0"),
            Map.entry("org.junit.platform", "EPL-2.0"),
            Map.entry("org.junit.support", "EPL-2.0"),
            Map.entry("org.lmdbjava", "OLDAP-2.8"),
            Map.entry("org.openjdk.jcstress", "GPL-2.0 with CPE"),
            Map.entry("org.openjdk.jmh", "GPL-2.0 with CPE"));

    /**
     * Which modules beside may use them: Infinispan and MapDB need the first two, unchanged; the next one belongs to a module that the
     * program does not bring; and the contract tests are made with the others.
     */
    private static final Map<String, Set<String>> SHIPPED = Map.of(
            "jakarta.transaction", Set.of("infinispan-store", "server-infinispan", "cli"),
            "org.eclipse.collections",
                    Set.of(
                            "index-btree",
                            "importer-mapdb",
                            "cli",
                            "kafka-streams-store",
                            "infinispan-store",
                            "server-infinispan"),
            "com.h2database", Set.of("importer-mvstore"),
            "org.junit.jupiter", Set.of("engine-testkit"),
            "org.junit.platform", Set.of("engine-testkit"));

    /** One line of the table. */
    private record Row(String library, String version, String licence) implements Comparable<Row> {
        @Override
        public int compareTo(Row other) {
            return toString().compareTo(other.toString());
        }
    }

    /** Which modules use a library, and which only in their tests. */
    private record Users(Set<String> main, Set<String> tests) {
        Users() {
            this(new TreeSet<>(), new TreeSet<>());
        }
    }

    private DependencyCheck() {}

    /** See above. */
    public static void main(String[] arguments) throws IOException {
        Path root = Path.of(arguments[0]);
        Path document = root.resolve("DEPENDENCIES.md");
        List<String> problems = new ArrayList<>();
        if (arguments[1].equals("--write")) {
            Map<Row, Users> found = new TreeMap<>();
            try (Stream<Path> modules = Files.list(root)) {
                for (Path module :
                        modules.filter(each -> Files.exists(list(each, "all"))).toList()) {
                    collect(module, found);
                }
            }
            judge(found, problems);
            write(document, found);
        } else {
            Map<Row, Users> listed = read(document);
            judge(listed, problems);
            Path module = Path.of(arguments[1]);
            if (!Files.isSameFile(module, root)) {
                Map<Row, Users> found = new TreeMap<>();
                collect(module, found);
                compare(module.getFileName().toString(), listed, found, problems);
            }
        }
        problems.forEach(System.err::println);
        System.exit(problems.isEmpty() ? 0 : 1);
    }

    private static Path list(Path module, String name) {
        return module.resolve("target/licences").resolve(name + ".txt");
    }

    private static void collect(Path module, Map<Row, Users> found) throws IOException {
        String name = module.getFileName().toString();
        List<String> main = Files.readAllLines(list(module, "main"));
        for (String line : Files.readAllLines(list(module, "all"))) {
            if (!line.isBlank()) {
                String[] parts = line.split("\\|", -1);
                Row row = new Row(parts[0], parts[1], licences(parts[2]));
                Users users = found.computeIfAbsent(row, each -> new Users());
                (main.contains(line) ? users.main() : users.tests()).add(name);
            }
        }
    }

    /** Of several licences one may choose. */
    private static String licences(String names) {
        Set<String> known = new TreeSet<>();
        for (String name : names.split(";")) {
            known.add(NAMES.entrySet().stream()
                    .filter(each -> name.strip().startsWith(each.getKey()))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElse(name.strip()));
        }
        return String.join(" or ", known);
    }

    private static void judge(Map<Row, Users> rows, List<String> problems) {
        rows.forEach((row, users) -> {
            boolean isAllowed = Arrays.stream(row.licence().split(" or ")).anyMatch(ALLOWED::contains);
            if (isAllowed) {
                return;
            }
            String group = row.library().substring(0, row.library().indexOf(':'));
            Set<String> others = new TreeSet<>(users.main());
            others.remove("benchmarks");
            others.removeAll(SHIPPED.getOrDefault(group, Set.of()));
            if (!row.licence().equals(EXEMPT.get(group))) {
                problems.add("licence is not allowed: library=" + row.library() + ", licence=" + row.licence());
            } else if (!others.isEmpty()) {
                problems.add("licence is allowed elsewhere only: library=" + row.library() + ", licence="
                        + row.licence() + ", usedBy=" + others);
            }
        });
    }

    private static void compare(String module, Map<Row, Users> listed, Map<Row, Users> found, List<String> problems) {
        Set<Row> rows = new TreeSet<>(listed.keySet());
        rows.addAll(found.keySet());
        for (Row row : rows) {
            Users wanted = listed.getOrDefault(row, new Users());
            Users real = found.getOrDefault(row, new Users());
            if (wanted.main().contains(module) != real.main().contains(module)
                    || wanted.tests().contains(module) != real.tests().contains(module)) {
                problems.add("DEPENDENCIES.md differs from the build: module=" + module + ", " + row + ", listed="
                        + wanted + ", found=" + real);
            }
        }
    }

    private static Map<Row, Users> read(Path document) throws IOException {
        Map<Row, Users> rows = new TreeMap<>();
        List<String> lines = Files.readAllLines(document);
        for (String line : lines.subList(lines.indexOf(HEAD) + 2, lines.size())) {
            if (!line.startsWith("|")) {
                break;
            }
            String[] cells =
                    Arrays.stream(line.split("\\|", -1)).map(String::strip).toArray(String[]::new);
            rows.put(new Row(cells[1], cells[2], cells[3]), new Users(modules(cells[4]), modules(cells[5])));
        }
        return rows;
    }

    private static Set<String> modules(String cell) {
        return cell.isEmpty() ? Set.of() : new TreeSet<>(List.of(cell.split(", ")));
    }

    private static void write(Path document, Map<Row, Users> rows) throws IOException {
        String text = Files.readString(document);
        StringBuilder table = new StringBuilder(HEAD + "\n| --- | --- | --- | --- | --- |\n");
        rows.forEach((row, users) -> table.append(String.format(
                "| %s | %s | %s | %s | %s |%n",
                row.library(),
                row.version(),
                row.licence(),
                String.join(", ", users.main()),
                String.join(", ", users.tests()))));
        Files.writeString(document, text.substring(0, text.indexOf(HEAD)) + table);
    }
}
