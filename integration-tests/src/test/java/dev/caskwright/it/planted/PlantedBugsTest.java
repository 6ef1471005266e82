package dev.caskwright.it.planted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import dev.caskwright.it.Checkout;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Do the tests bite? Plants one bug at a time in a copy of the sources, compiles it, and runs the tests that should notice
 * on it: one of them must fail. The code itself has no switches. If a text to be replaced is not there any more, the code
 * has changed, and the bug must be planted again.
 */
final class PlantedBugsTest {
    private static final List<String> MODULES = List.of("engine-bitcask", "engine-moss", "io-standard");
    private static final List<String> USED_BY_THEIR_TESTS = List.of("engine-bolt"); // and not by this module

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @Tag("campaign")
    @EnumSource
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void everyPlantedBugIsCaught(Bug bug) throws Exception {
        assumeTestsAreCompiled();
        compile(bug);
        try (BugLoader loader = new BugLoader(urls())) {
            String notice = firstNotice(loader, bug);
            assertThat(notice).as("a test that notices %s", bug).isNotNull();
            System.out.println("planted: " + bug + ", caught by " + notice);
        }
    }

    /** In every build, so that a change of the code does not make a bug one that is never planted. */
    @ParameterizedTest
    @EnumSource
    void everyBugHasItsPlace(Bug bug) throws IOException {
        for (Bug.Change change : bug.changes()) {
            assertThat(changed(bug, change)).isNotEqualTo(Files.readString(source(change)));
        }
        compile(bug);
    }

    private static Path source(Bug.Change change) {
        return Checkout.root().resolve(change.module()).resolve("src/main/java").resolve(change.source() + ".java");
    }

    private static String changed(Bug bug, Bug.Change change) throws IOException {
        String text = Files.readString(source(change));
        for (int i = 0; i < change.texts().size(); i += 2) {
            String wanted = change.texts().get(i);
            assertThat(text.split(Pattern.quote(wanted), -1))
                    .as("%s: times that \"%s\" is in %s", bug, wanted, change.source())
                    .hasSize(2);
            text = text.replace(wanted, change.texts().get(i + 1));
        }
        return text;
    }

    private static String firstNotice(BugLoader loader, Bug bug) throws ClassNotFoundException {
        for (Bug.Suite suite : bug.suites()) {
            for (TestExecutionSummary.Failure failure : run(loader, suite).getFailures()) {
                assertThat(failure.getException())
                        .as("%s, a test that could not run", suite)
                        .isNotInstanceOf(LinkageError.class);
                String type = suite.type().substring(suite.type().lastIndexOf('.') + 1);
                return type + "." + suite.method() + ": " + firstLine(String.valueOf(failure.getException()));
            }
        }
        return null;
    }

    /** The tests pass on the code as it is, loaded in the same way. */
    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void withoutABugNothingFails() throws Exception {
        assumeTestsAreCompiled();
        try (BugLoader loader = new BugLoader(urls())) {
            TestExecutionSummary summary = run(
                    loader,
                    new Bug.Suite(
                            "dev.caskwright.bitcask.MergeSafetyTest", "aTombstoneStaysWhileAnOlderFileHasTheKey"));
            assertThat(summary.getFailures()).isEmpty();
            assertThat(summary.getTestsSucceededCount()).isEqualTo(2);
            summary = run(
                    loader,
                    new Bug.Suite("dev.caskwright.io.standard.StandardIoManagerTest", "writerKeepsOtherProcessesOut"));
            assertThat(summary.getFailures()).isEmpty();
            assertThat(summary.getTestsSucceededCount()).isEqualTo(1);
        }
    }

    private static void assumeTestsAreCompiled() {
        for (String module : MODULES) {
            assumeTrue(
                    Files.isDirectory(Checkout.root().resolve(module).resolve("target/test-classes")),
                    "the tests of " + module + " are not compiled: run with -am");
        }
    }

    private void compile(Bug bug) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<Path> changed = new ArrayList<>();
        for (Bug.Change change : bug.changes()) {
            Path copy = temporary.resolve("src").resolve(change.source() + ".java");
            Files.createDirectories(copy.getParent());
            changed.add(Files.writeString(copy, changed(bug, change)));
        }
        StringWriter problems = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean isCompiled = compiler.getTask(
                            problems,
                            files,
                            null,
                            List.of(
                                    "-proc:none",
                                    "-nowarn",
                                    "-d",
                                    Files.createDirectories(classes()).toString(),
                                    "-cp",
                                    System.getProperty("java.class.path")),
                            null,
                            files.getJavaFileObjectsFromPaths(changed))
                    .call();
            assertThat(isCompiled).as("%s: %s", bug, problems).isTrue();
        }
    }

    private Path classes() {
        return temporary.resolve("classes");
    }

    private URL[] urls() throws IOException {
        List<URL> urls = new ArrayList<>(List.of(classes().toUri().toURL()));
        for (String module : MODULES) {
            Path target = Checkout.root().resolve(module).resolve("target");
            urls.add(target.resolve("classes").toUri().toURL());
            urls.add(target.resolve("test-classes").toUri().toURL());
        }
        for (String module : USED_BY_THEIR_TESTS) {
            urls.add(Checkout.root()
                    .resolve(module)
                    .resolve("target/classes")
                    .toUri()
                    .toURL());
        }
        return urls.toArray(URL[]::new);
    }

    private static TestExecutionSummary run(BugLoader loader, Bug.Suite suite) throws ClassNotFoundException {
        Class<?> type = loader.loadClass(suite.type());
        assertThat(type.getClassLoader()).isSameAs(loader);
        Method method = method(type, suite.method());
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        Thread.currentThread().setContextClassLoader(loader);
        try {
            SummaryGeneratingListener listener = new SummaryGeneratingListener();
            LauncherFactory.create()
                    .execute(
                            LauncherDiscoveryRequestBuilder.request()
                                    .selectors(selectMethod(type, method.getName(), method.getParameterTypes()))
                                    .build(),
                            listener);
            assertThat(listener.getSummary().getTestsStartedCount())
                    .as("%s", suite)
                    .isPositive();
            return listener.getSummary();
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
    }

    private static Method method(Class<?> type, String name) {
        for (Class<?> each = type; each != null; each = each.getSuperclass()) {
            for (Method method : each.getDeclaredMethods()) {
                if (method.getName().equals(name)) {
                    return method;
                }
            }
        }
        throw new AssertionError("no test " + name + " in " + type);
    }

    private static String firstLine(String text) {
        return Arrays.asList(text.split("\n")).get(0);
    }

    /**
     * Loads our own classes by itself, so that plug-ins which are found by their names have the bugs, too; and everything else
     * as usual.
     */
    private static final class BugLoader extends URLClassLoader {
        BugLoader(URL[] urls) {
            super(urls, PlantedBugsTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("dev.caskwright.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : define(name);
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            String file = name.replace('.', '/') + ".class";
            if (findResource(file) != null) {
                return findClass(name);
            }
            try (InputStream in = getParent().getResourceAsStream(file)) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }
}
