package dev.caskwright.index.offheap;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;

/** What Chronicle Map asks of the JVM. Checked before any class of it is loaded. */
final class Requirements {
    private static final String ANALYTICS_OFF = "chronicle.analytics.disable";
    private static final String BUILD_DIRECTORY = "project.build.directory";
    private static final String NO_DIRECTORY = "no-build-directory"; // it makes none within one that is not there

    /**
     * Where Chronicle advises at each start to set a flag that no JDK since 17 knows, for a way of giving memory back that it
     * does not need there. Held here, since a logger that nobody holds forgets its level.
     */
    private static final Logger CLEANER_LOG =
            Logger.getLogger("net.openhft.chronicle.core.internal.cleaner.ReflectionBasedByteBufferCleanerService");

    private Requirements() {}

    /**
     * Makes sure that Chronicle Map can run here, and that it tells nobody.
     *
     * @throws IllegalStateException if the JVM was started without what is needed; the message names the flags
     */
    static void check() {
        if (OffHeapKeyIndex.class.getModule().isNamed()) {
            throw new IllegalStateException("the offheap index runs on the class path only, not on the module path: "
                    + "Chronicle Map compiles classes at run time, which no named module lets it do");
        }
        Optional<Module> compiler = ModuleLayer.boot().findModule("jdk.compiler");
        if (compiler.isEmpty()) {
            throw new IllegalStateException("the offheap index needs a full JDK: there is no module jdk.compiler in "
                    + System.getProperty("java.home"));
        }
        List<String> flags = missingFlags(compiler.get(), OffHeapKeyIndex.class.getModule());
        if (!flags.isEmpty()) {
            throw new IllegalStateException(
                    "the offheap index needs JVM flags that are not set; start java with: " + String.join(" ", flags));
        }
        if (CLEANER_LOG.getLevel() == null) {
            CLEANER_LOG.setLevel(Level.OFF);
        }
        // Read by Chronicle when its first class is loaded. The library that would do it is not on our class path, but
        // it may be on the application's.
        if (System.getProperty(ANALYTICS_OFF) == null) {
            System.setProperty(ANALYTICS_OFF, "true");
        }
        loadWithoutBuildDirectory();
    }

    /**
     * Loads the class of Chronicle that looks for the directory of a build above the working directory, for nothing that we
     * use, and makes one among the temporary files if there is none. It does not look if it is told one.
     */
    private static void loadWithoutBuildDirectory() {
        if (System.getProperty(BUILD_DIRECTORY) != null) {
            return;
        }
        System.setProperty(BUILD_DIRECTORY, NO_DIRECTORY);
        try {
            Class.forName("net.openhft.chronicle.core.OS");
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("the offheap index needs Chronicle Map on the class path", e);
        } finally {
            System.clearProperty(BUILD_DIRECTORY);
        }
    }

    private static List<String> missingFlags(Module compiler, Module user) {
        Module base = Object.class.getModule();
        List<String> flags = new ArrayList<>();
        for (String opened : List.of("java.lang", "java.lang.reflect")) {
            if (!base.isOpen(opened, user)) {
                flags.add("--add-opens java.base/" + opened + "=ALL-UNNAMED");
            }
        }
        if (!compiler.isExported("com.sun.tools.javac.file", user)) {
            flags.add("--add-exports jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED");
        }
        return flags;
    }
}
