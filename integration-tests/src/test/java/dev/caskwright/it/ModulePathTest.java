package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Element;

/**
 * A program of its own, in a JVM of its own, uses each index with each IO manager, from the class path and from the module
 * path, with the flags that the README names and no others. It has what the POMs say that it needs, and nothing else, and
 * must print no warning. On the JDK of the build, and on a JDK 25 if there is one: {@code JAVA_HOME_25}, or beside the first.
 * The basic pair is linked into a runtime image, too.
 */
final class ModulePathTest {
    private static final List<String> INDEXES = List.of("hashmap", "btree", "sorted", "compact", "offheap");
    private static final int LATEST = 25;
    private static final Pattern VERSION = Pattern.compile("JAVA_VERSION=\"(\\d+)");

    private static final String PROGRAM = """
            package consumer;

            import dev.caskwright.api.Merging;
            import dev.caskwright.api.OrderedView;
            import dev.caskwright.api.StorageEngine;
            import dev.caskwright.api.spi.engine.Backends;
            import dev.caskwright.bitcask.BitcaskEngine;
            import dev.caskwright.bitcask.EngineBuilder;
            import java.nio.file.Path;

            public final class Program {
                public static void main(String[] arguments) throws Exception {
                    String index = arguments[1];
                    for (String io : new String[] {"standard", "mmap"}) {
                        EngineBuilder builder = BitcaskEngine.builder(Path.of(arguments[0], index + "-" + io))
                                .index(Backends.keyIndex(index))
                                .io(Backends.ioManager(io));
                        try (StorageEngine engine = builder.open()) {
                            for (int i = 0; i < 1000; i++) {
                                engine.put(("key" + i).getBytes(), ("value" + i).getBytes());
                            }
                            engine.require(Merging.class).merge();
                        }
                        String other = io.equals("mmap") ? "standard" : "mmap";
                        try (StorageEngine engine = builder.startupIo(Backends.ioManager(other)).open()) {
                            check(engine.size() == 1000);
                            check(new String(engine.get("key7".getBytes())).equals("value7"));
                            check(engine.facet(OrderedView.class).isPresent() == (index.equals("btree") || index.equals("sorted")));
                        }
                        System.out.println(io + (Program.class.getModule().isNamed() ? " from modules" : " from classes"));
                    }
                }

                private static void check(boolean holds) {
                    if (!holds) {
                        throw new AssertionError();
                    }
                }
            }
            """;

    @TempDir
    private Path temporary;

    /** What a process left behind. */
    private record Result(int exitCode, String out, String err) {}

    static List<Arguments> programs() throws IOException {
        List<Arguments> programs = new ArrayList<>();
        for (Path jdk : jdks()) {
            for (String index : INDEXES) {
                programs.add(arguments(index, jdk));
            }
        }
        return programs;
    }

    private static Set<Path> jdks() throws IOException {
        Path own = Path.of(System.getProperty("java.home")).toRealPath();
        Set<Path> jdks = new LinkedHashSet<>(List.of(own));
        if (Runtime.version().feature() < LATEST) {
            latest(own).forEach(jdks::add);
            if (jdks.size() == 1) {
                System.err.println("ModulePathTest runs on " + own + " alone: no JDK 25 found, set JAVA_HOME_25");
            }
        }
        return jdks;
    }

    private static Stream<Path> latest(Path own) throws IOException {
        String named = System.getenv("JAVA_HOME_25");
        if (named != null) {
            return Stream.of(Path.of(named));
        }
        try (Stream<Path> neighbours = Files.list(own.resolveSibling("."))) {
            return neighbours.filter(jdk -> version(jdk) == LATEST).limit(1).toList().stream();
        }
    }

    /** Returns the version of the JDK in a directory, or 0. */
    private static int version(Path jdk) {
        Path release = jdk.resolve("release");
        if (!Files.isRegularFile(release) || !Files.isExecutable(jdk.resolve("bin/javac"))) {
            return 0;
        }
        try {
            Matcher matcher = VERSION.matcher(Files.readString(release));
            return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    // ---------------------------------------------------------------- what a program has

    /** Returns the class path of this test without what is of tests, each entry by its artifact. */
    private static List<Path> classPath() {
        List<Path> entries = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!entry.endsWith("test-classes") && Files.exists(Path.of(entry))) {
                entries.add(Path.of(entry));
            }
        }
        return entries;
    }

    private List<Path> modules(String... artifacts) throws Exception {
        Set<String> needed = new LinkedHashSet<>();
        for (String artifact : artifacts) {
            needed.add("caskwright-" + artifact);
            needed.addAll(dependencies(Path.of("../" + artifact + "/pom.xml")));
        }
        needed.add("slf4j-nop"); // the program's choice of a logger
        List<Path> modules = new ArrayList<>();
        for (Path entry : classPath()) {
            if (needed.contains(artifact(entry))) {
                modules.add(entry);
            }
        }
        return modules;
    }

    /** Returns the artifacts that a module needs to run. */
    private static List<String> dependencies(Path pom) throws Exception {
        List<String> artifacts = new ArrayList<>();
        var document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(pom.toFile());
        var dependencies = document.getElementsByTagName("dependency");
        for (int i = 0; i < dependencies.getLength(); i++) {
            Element dependency = (Element) dependencies.item(i);
            if (dependency.getElementsByTagName("scope").getLength() == 0) {
                artifacts.add(
                        dependency.getElementsByTagName("artifactId").item(0).getTextContent());
            }
        }
        return artifacts;
    }

    private static String artifact(Path entry) {
        if (entry.endsWith(Path.of("target", "classes"))) {
            return "caskwright-" + entry.getParent().getParent().getFileName();
        }
        return entry.getFileName().toString().replaceFirst("-\\d.*", "");
    }

    /** Returns the entry as a module: classes without a description are one only in a jar that has a name for it. */
    private Path named(Path entry, String name) throws IOException {
        if (!Files.isDirectory(entry)) {
            return entry;
        }
        Path jar = temporary.resolve(name + ".jar");
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Automatic-Module-Name", name);
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest);
                Stream<Path> files = Files.walk(entry)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String path = entry.relativize(file).toString();
                if (!path.equals("META-INF/MANIFEST.MF")) {
                    out.putNextEntry(new JarEntry(path));
                    Files.copy(file, out);
                }
            }
        }
        return jar;
    }

    private static String path(List<Path> entries) {
        return String.join(
                File.pathSeparator, entries.stream().map(Path::toString).toList());
    }

    /** Returns the flags of the README's section on JDKs. */
    private static List<String> flags(String index, Path jdk, String nativeAccess) {
        List<String> flags = new ArrayList<>(List.of("-Xmx256m"));
        if (index.equals("offheap")) {
            flags.add("--add-opens=java.base/java.lang=ALL-UNNAMED");
            flags.add("--add-opens=java.base/java.lang.reflect=ALL-UNNAMED");
            flags.add("--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED");
        }
        if (version(jdk) >= LATEST && !List.of("hashmap", "sorted").contains(index)) {
            flags.add("--sun-misc-unsafe-memory-access=allow");
            if (index.equals("btree")) {
                flags.add("--enable-native-access=" + nativeAccess);
            }
        }
        return flags;
    }

    // ---------------------------------------------------------------- running it

    private Result run(Path jdk, String program, List<String> arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(jdk.resolve("bin/" + program).toString()));
        String toJvm = program.equals("java") ? "" : "-J";
        // These short programs start sooner so.
        command.addAll(List.of(toJvm + "-XX:TieredStopAtLevel=1", toJvm + "-XX:+UseSerialGC"));
        command.addAll(arguments);
        Path out = Files.createTempFile(temporary, "out", "");
        Path err = Files.createTempFile(temporary, "err", "");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        Process process = builder.start();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new AssertionError("does not end: " + Files.readString(err));
        }
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /** Compiles the program as the oldest Java that we support. */
    private Path compile(Path jdk, List<String> more, String... moduleDescription) throws Exception {
        Path source = Files.createDirectories(temporary.resolve("source"));
        Path target = Files.createDirectories(temporary.resolve("target"));
        List<String> arguments = new ArrayList<>(List.of("--release", "17", "-d", target.toString()));
        arguments.addAll(more);
        arguments.add(Files.writeString(source.resolve("Program.java"), PROGRAM).toString());
        for (String description : moduleDescription) {
            arguments.add(Files.writeString(source.resolve("module-info.java"), description)
                    .toString());
        }
        Result compiled = run(jdk, "javac", arguments);
        assertThat(compiled.exitCode()).as(compiled.err() + compiled.out()).isZero();
        return target;
    }

    private static void assertWorks(Result result, String where) {
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).isEqualTo("standard from " + where + "\nmmap from " + where + "\n");
        assertThat(result.exitCode()).isZero();
    }

    @ParameterizedTest
    @MethodSource("programs")
    void fromTheClassPath(String index, Path jdk) throws Exception {
        String classes = path(classPath());
        Path program = compile(jdk, List.of("-cp", classes));
        List<String> arguments = flags(index, jdk, "ALL-UNNAMED");
        arguments.addAll(List.of("-cp", program + File.pathSeparator + classes));
        arguments.addAll(List.of("consumer.Program", temporary.resolve("stores").toString(), index));
        assertWorks(run(jdk, "java", arguments), "classes");
    }

    @ParameterizedTest
    @MethodSource("programs")
    void fromTheModulePath(String index, Path jdk) throws Exception {
        String name = "dev.caskwright.index." + index;
        List<Path> entries = modules("engine-api", "engine-bitcask", "io-standard", "io-mmap", "index-" + index);
        if (index.equals("offheap")) {
            entries.replaceAll(entry -> {
                try {
                    return artifact(entry).equals("caskwright-index-offheap") ? named(entry, name) : entry;
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
        }
        String modules = path(entries);
        // The program requires what it uses, and not what that needs.
        Path program = compile(
                jdk,
                List.of("-p", modules),
                "module consumer { requires dev.caskwright.bitcask; requires dev.caskwright.io.mmap; requires " + name
                        + "; }");
        List<String> arguments = flags(index, jdk, "org.lz4.java");
        arguments.addAll(List.of("-p", program + File.pathSeparator + modules, "-m", "consumer/consumer.Program"));
        arguments.addAll(List.of(temporary.resolve("stores").toString(), index));
        Result result = run(jdk, "java", arguments);
        if (index.equals("offheap")) {
            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.err()).contains("the offheap index runs on the class path only, not on the module path");
        } else {
            assertWorks(result, "modules");
        }
    }

    @Test
    void fromARuntimeImageThatJlinkMade() throws Exception {
        Path jdk = Path.of(System.getProperty("java.home"));
        String modules = path(modules("engine-api", "engine-bitcask", "io-standard", "io-mmap", "index-hashmap"));
        Path program = compile(
                jdk,
                List.of("-p", modules),
                "module consumer { requires dev.caskwright.bitcask; requires dev.caskwright.io.mmap; }");
        Path image = temporary.resolve("image");
        // All that it needs is found from what it requires; only its logger is a choice that nothing names.
        List<String> arguments = new ArrayList<>(List.of("--module-path", program + File.pathSeparator + modules));
        arguments.addAll(List.of("--add-modules", "consumer,org.slf4j.nop", "--output", image.toString()));
        Result linked = run(jdk, "jlink", arguments);
        assertThat(linked.exitCode()).as(linked.err() + linked.out()).isZero();
        assertThat(run(image, "java", List.of("--list-modules")).out()).doesNotContain("java.desktop", "java.xml");

        List<String> call = List.of(
                "-m", "consumer/consumer.Program", temporary.resolve("stores").toString(), "hashmap");
        assertWorks(run(image, "java", call), "modules");
    }
}
