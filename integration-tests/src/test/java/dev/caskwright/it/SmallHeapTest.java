package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a store keeps is bounded: it works in a small heap, and nothing of it stays when it is closed. */
final class SmallHeapTest {
    @TempDir
    private Path temporary;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "threads",
                "longValues",
                "deletedUnderSnapshot",
                "manyKeys",
                "tinyStores",
                "batches",
                "counters",
                "countersMapped"
            })
    void aHeapOf64MebibytesIsEnough(String what) throws Exception {
        run("64m", what);
    }

    /** Writes 700 MB. */
    @Test
    @Tag("campaign")
    void compactMergesInAHeapOf256Mebibytes() throws Exception {
        run("256m", "compactMerges");
    }

    private void run(String heap, String what) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx" + heap,
                        "-XX:MaxDirectMemorySize=" + heap,
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        SmallHeap.class.getName(),
                        temporary.resolve("stores").toString(),
                        what)
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(said).endsWith("done\n");
        assertThat(process.exitValue()).isZero();
    }

    /** Uses a store and closes it; loaded by a class loader of its own. */
    public static final class Deployed implements Runnable {
        private final Path directory;

        /** Takes the directory of the store. */
        public Deployed(Path directory) {
            this.directory = directory;
        }

        @Override
        public void run() {
            try {
                SmallHeapUse.run(directory);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /**
     * A thread pool outlives five deployments of a store. One class loader may stay: the JDK's own caches for records keep
     * the last that compared some.
     */
    @Test
    void noClassLoaderStaysWithTheThreadsThatUsedAStore() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(2);
        try {
            List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                loaders.add(deploy(pool));
            }
            long kept = loaders.size();
            for (int i = 0; i < 200 && kept > 1; i++) {
                System.gc();
                kept = loaders.stream().filter(loader -> loader.get() != null).count();
            }
            assertThat(kept).isLessThanOrEqualTo(1);
            assertThat(Thread.getAllStackTraces().keySet())
                    .noneMatch(thread -> thread.getName().matches("Cleaner-\\d+"));
        } finally {
            pool.shutdownNow();
        }
    }

    private WeakReference<ClassLoader> deploy(ExecutorService pool) throws Exception {
        try (URLClassLoader loader = new URLClassLoader(classPath(), ClassLoader.getPlatformClassLoader())) {
            Runnable use = (Runnable) loader.loadClass(Deployed.class.getName())
                    .getConstructor(Path.class)
                    .newInstance(temporary.resolve("deployed"));
            pool.submit(use).get();
            return new WeakReference<>(loader);
        }
    }

    private static URL[] classPath() throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        for (String each : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            urls.add(Path.of(each).toUri().toURL());
        }
        return urls.toArray(new URL[0]);
    }
}
