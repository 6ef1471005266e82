package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the parts of the contract of IO managers share: managers to open, and files to write and read.
 */
abstract class IoManagerFixture {
    private Path root = Path.of("");
    private final List<IoManager> opened = new ArrayList<>();

    /** Opens the manager under test, as {@link dev.caskwright.api.spi.io.IoManagerFactory#open} says. */
    protected abstract IoManager openManager(Path directory, boolean create) throws IOException;

    /** Returns a directory of this test alone, in which it may create others. */
    protected final Path root() {
        return root;
    }

    /** Opens the manager over a directory below {@link #root}, creating it; it is closed after the test. */
    protected final IoManager manager(String directory) throws IOException {
        IoManager manager = openManager(root.resolve(directory), true);
        opened.add(manager);
        return manager;
    }

    @BeforeEach
    final void useDirectory(@TempDir Path directory) {
        root = directory;
    }

    @AfterEach
    final void closeManagers() throws IOException {
        for (IoManager manager : opened) {
            manager.close();
        }
    }

    static IoManager wrapped(IoManager manager) {
        return (IoManager) Proxy.newProxyInstance(
                IoManager.class.getClassLoader(), new Class<?>[] {IoManager.class}, (proxy, method, arguments) -> {
                    try {
                        return method.invoke(manager, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** Returns bytes that depend on the seed alone. */
    protected static byte[] bytes(int seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** Creates a file with this content. */
    protected static void store(IoManager manager, String name, byte[] content) throws IOException {
        try (WritableFile file = manager.create(name, content.length)) {
            file.write(0, content, 0, content.length);
        }
    }

    /** Returns the whole content of a file. */
    protected static byte[] load(IoManager manager, String name) throws IOException {
        try (ReadableFile file = manager.open(name)) {
            return read(file, 0, Math.toIntExact(file.length()));
        }
    }

    /** Returns the bytes that one read finds. */
    protected static byte[] read(ReadableFile file, long offset, int length) throws IOException {
        byte[] target = new byte[length];
        return Arrays.copyOf(target, file.read(offset, target, 0, length));
    }

    /** Runs something in a thread whose interrupt flag is set, and makes sure that it still is afterwards. */
    protected static void whileInterrupted(ThrowingAction action) throws IOException {
        Thread.currentThread().interrupt();
        try {
            action.run();
        } finally {
            assertThat(Thread.interrupted()).as("interrupt flag").isTrue();
        }
    }

    /** Something that a test does. */
    @FunctionalInterface
    protected interface ThrowingAction {
        /** Does it. */
        void run() throws IOException;
    }
}
