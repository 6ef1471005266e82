package dev.caskwright.api.spi.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.Plugin;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyIndexProvider;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Plug-ins are found whatever the class loaders are, and who does not find one is told why. */
final class BackendsTest {
    private static final String SERVICE = "META-INF/services/" + KeyIndexProvider.class.getName();

    @TempDir
    private Path temporary;

    private final ClassLoader before = Thread.currentThread().getContextClassLoader();

    /** The plug-in of this module's tests, which have a service file. */
    public static final class Testing implements KeyIndexProvider {
        @Override
        public String name() {
            return "testing";
        }

        @Override
        public KeyIndex open(KeyIndexContext context) {
            throw new AssertionError();
        }
    }

    /** A plug-in without a service file. */
    public static final class Other implements KeyIndexProvider {
        @Override
        public String name() {
            return "other";
        }

        @Override
        public KeyIndex open(KeyIndexContext context) {
            throw new AssertionError();
        }
    }

    /** A plug-in that cannot be made. */
    public static final class Broken implements KeyIndexProvider {
        public Broken() {
            throw new NoClassDefFoundError("some/library/Missing");
        }

        @Override
        public String name() {
            return "broken";
        }

        @Override
        public KeyIndex open(KeyIndexContext context) {
            throw new AssertionError();
        }
    }

    /** Asks from another class loader. */
    public static final class Asking {
        private Asking() {}

        public static String ask(String name) {
            return Backends.keyIndex(name).name();
        }
    }

    @AfterEach
    void giveBack() {
        Thread.currentThread().setContextClassLoader(before);
    }

    private static URL place(Class<?> ofClass) {
        return ofClass.getProtectionDomain().getCodeSource().getLocation();
    }

    private URL services(String... providers) throws Exception {
        Path file = temporary.resolve("only-services").resolve(SERVICE);
        Files.createDirectories(file.getParent());
        Files.writeString(file, String.join("\n", providers));
        return temporary.resolve("only-services").toUri().toURL();
    }

    /** Copies the class that asks, alone, without the service file beside it. */
    private URL onlyAsking() throws Exception {
        String name = Asking.class.getName().replace('.', '/') + ".class";
        Path copy = temporary.resolve("only-asking").resolve(name);
        Files.createDirectories(copy.getParent());
        Files.copy(Path.of(place(Asking.class).toURI()).resolve(name), copy);
        return temporary.resolve("only-asking").toUri().toURL();
    }

    private static String ask(ClassLoader loader, String name) throws Exception {
        try {
            return (String) loader.loadClass(Asking.class.getName())
                    .getMethod("ask", String.class)
                    .invoke(null, name);
        } catch (InvocationTargetException e) {
            throw (Exception) e.getCause();
        }
    }

    @Test
    void theContextClassLoaderDoesNotMatter() throws Exception {
        ClassLoader platform = ClassLoader.getPlatformClassLoader();
        URL[] copies = {place(Backends.class), place(Testing.class)};
        try (URLClassLoader foreign = new URLClassLoader(copies, platform);
                URLClassLoader empty = new URLClassLoader(new URL[] {}, null)) {
            for (ClassLoader context : new ClassLoader[] {null, platform, foreign, empty, before}) {
                Thread.currentThread().setContextClassLoader(context);
                assertThat(Backends.keyIndex("testing")).as("%s", context).isInstanceOf(Testing.class);
            }
        }
    }

    @Test
    void aPlugInOfTheContextClassLoaderIsFoundToo() throws Exception {
        try (URLClassLoader loader = new URLClassLoader(new URL[] {services(Other.class.getName())}, before)) {
            Thread.currentThread().setContextClassLoader(loader);
            assertThat(Backends.keyIndex("other").name()).isEqualTo("other");
        }
    }

    /** As in an application server, where the interfaces are shared and the plug-ins are not. */
    @Test
    void aPlugInBesideTheCallerIsFoundToo() throws Exception {
        ClassLoader platform = ClassLoader.getPlatformClassLoader();
        try (URLClassLoader shared = new URLClassLoader(new URL[] {place(Backends.class)}, platform);
                URLClassLoader application = new URLClassLoader(new URL[] {place(Testing.class)}, shared)) {
            for (ClassLoader context : new ClassLoader[] {null, platform, before}) {
                Thread.currentThread().setContextClassLoader(context);
                assertThat(ask(application, "testing")).isEqualTo("testing");
            }
        }
    }

    @Test
    void aPlugInThatCannotBeLoadedSpoilsNoOther() throws Exception {
        URL services = services(Broken.class.getName(), "no.such.Class", Other.class.getName());
        try (URLClassLoader loader = new URLClassLoader(new URL[] {services}, before)) {
            Thread.currentThread().setContextClassLoader(loader);
            assertThat(Backends.keyIndex("other").name()).isEqualTo("other");
            assertThatThrownBy(() -> Backends.keyIndex("broken"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith(
                            "unknown key index: name=broken, known=other, testing; 2 could not be loaded")
                    .hasMessageContaining("some/library/Missing");
        }
    }

    @Test
    void anUnknownEngineIsNamedWithTheKnownOnes() {
        assertThatThrownBy(() -> Backends.engine("none"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("unknown engine: name=none, known=")
                .hasMessageContaining("lost the service files META-INF/services/" + EngineProvider.class.getName())
                .hasMessageContaining("builder");
    }

    /** A kind of plug-in that another module defines. */
    public interface Codec extends Plugin {}

    /** One of that kind. */
    public static final class Plain implements Codec {
        @Override
        public String name() {
            return "plain";
        }
    }

    @Test
    void plugInsOfAnyKindAreFoundByName() throws Exception {
        Path file = temporary.resolve("codecs/META-INF/services").resolve(Codec.class.getName());
        Files.createDirectories(file.getParent());
        Files.writeString(file, Plain.class.getName());
        URL[] services = {temporary.resolve("codecs").toUri().toURL()};
        try (URLClassLoader loader = new URLClassLoader(services, before)) {
            Thread.currentThread().setContextClassLoader(loader);
            assertThat(Backends.find("codec", Codec.class, "plain")).isInstanceOf(Plain.class);
            assertThat(Backends.all(Codec.class, BackendsTest.class))
                    .extracting(Plugin::name)
                    .containsExactly("plain");
            assertThatThrownBy(() -> Backends.find("codec", Codec.class, "lz5"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("unknown codec: name=lz5, known=plain");
        }
    }

    /** Compiled against a version of the interface that had fewer methods, as an old jar was. */
    @Test
    void aPlugInOfAnOlderInterfaceIsRefusedByName() throws Exception {
        URL old = compiledAgainst("""
                package dev.caskwright.api.spi.engine;
                public interface EngineProvider extends dev.caskwright.api.spi.Plugin {}
                """, """
                package old;
                public final class OldEngine implements dev.caskwright.api.spi.engine.EngineProvider {
                    public String name() { return "old"; }
                }
                """);
        Path file = temporary.resolve("old-services/META-INF/services").resolve(EngineProvider.class.getName());
        Files.createDirectories(file.getParent());
        Files.writeString(file, "old.OldEngine");
        URL[] jar = {old, temporary.resolve("old-services").toUri().toURL()};
        try (URLClassLoader loader = new URLClassLoader(jar, before)) {
            Thread.currentThread().setContextClassLoader(loader);
            assertThatThrownBy(() -> Backends.engine("old"))
                    .isInstanceOf(OutdatedPluginException.class)
                    .hasMessageContaining("older version of its interface: class=old.OldEngine, from=" + old)
                    .hasMessageContaining("missing=EngineProvider.");
            assertThat(Backends.all(EngineProvider.class, BackendsTest.class)).isEmpty();
        }
    }

    private URL compiledAgainst(String anOlderInterface, String plugIn) throws Exception {
        Path older = temporary.resolve("older");
        Path classes = temporary.resolve("old-classes");
        Files.createDirectories(classes);
        Files.createDirectories(older);
        Path interfaceSource = temporary.resolve("EngineProvider.java");
        Path source = temporary.resolve("OldEngine.java");
        Files.writeString(interfaceSource, anOlderInterface);
        Files.writeString(source, plugIn);
        String api = Path.of(place(Backends.class).toURI()).toString();
        compile("-d", older.toString(), "-cp", api, interfaceSource.toString());
        String classPath = older + File.pathSeparator + api;
        compile("-d", classes.toString(), "-cp", classPath, source.toString());
        return classes.toUri().toURL();
    }

    private static void compile(String... arguments) {
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        List<String> all = new ArrayList<>(List.of("-proc:none"));
        all.addAll(List.of(arguments));
        int result = ToolProvider.getSystemJavaCompiler().run(null, errors, errors, all.toArray(new String[0]));
        assertThat(result).as("%s", errors).isZero();
    }

    @Test
    void lostServiceFilesAreNamedAsTheLikelyReason() throws Exception {
        Thread.currentThread().setContextClassLoader(null);
        URL[] jar = {place(Backends.class), onlyAsking()};
        try (URLClassLoader loader = new URLClassLoader(jar, ClassLoader.getPlatformClassLoader())) {
            assertThatThrownBy(() -> ask(loader, "testing"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("unknown key index: name=testing, known=; ")
                    .hasMessageContaining("lost the service files " + SERVICE)
                    .hasMessageContaining(place(Backends.class).toString())
                    .hasMessageContaining("factory");
        }
    }
}
