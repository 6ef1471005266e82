package dev.caskwright.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A process that has no file descriptors left, really: what is open goes on, what needs a descriptor fails and works later. */
@EnabledOnOs(OS.LINUX)
@Timeout(value = 4, unit = TimeUnit.MINUTES)
final class BoltDescriptorsTest {
    private static final byte[] BUCKET = "bucket".getBytes(UTF_8);

    @TempDir
    Path directory;

    @Test
    void aProcessWithoutDescriptorsGoesOnAndGetsOverIt() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(
                        "sh",
                        "-c",
                        "ulimit -n 120 && exec \"$@\"",
                        "sh",
                        java,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Life.class.getName(),
                        directory.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said).endsWith("done\n");
    }

    /** What the process does. */
    static final class Life {
        private final Path directory;
        private final List<Closeable> taken = new ArrayList<>();

        private Life(Path directory) {
            this.directory = directory;
        }

        public static void main(String[] arguments) throws Exception {
            loadClasses();
            Life life = new Life(Path.of(arguments[0]));
            life.live("warm", StandardIoManager::open, false);
            life.live("standard", StandardIoManager::open, true);
            life.live("mapped", MmapIoManager::open, true);
            System.out.print("done\n");
        }

        /** Loads all that is there, as a class cannot be loaded without a descriptor, and the JVM does not try again. */
        private static void loadClasses() throws IOException, ClassNotFoundException {
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
                Path root = Path.of(entry);
                if (Files.isDirectory(root)) {
                    try (Stream<Path> files = Files.walk(root)) {
                        for (Path file : (Iterable<Path>) files::iterator) {
                            String name = root.relativize(file).toString().replace('/', '.');
                            if (name.startsWith("dev.caskwright.")
                                    && name.endsWith(".class")
                                    && !name.contains("Test")) {
                                Class.forName(
                                        name.substring(0, name.length() - ".class".length()),
                                        false,
                                        Life.class.getClassLoader());
                            }
                        }
                    }
                }
            }
        }

        private void take(boolean isShort) {
            if (isShort) {
                try {
                    while (true) {
                        taken.add(Files.newInputStream(directory));
                    }
                } catch (IOException e) {
                    check(!taken.isEmpty(), "descriptors were left before: " + e);
                }
            }
        }

        private void giveBack() throws IOException {
            for (Closeable each : taken) {
                each.close();
            }
            taken.clear();
        }

        private interface Call {
            void run() throws IOException;
        }

        private static void fails(boolean isShort, Call call) throws IOException {
            try {
                call.run();
            } catch (IOException e) {
                check(isShort, "it failed although there were descriptors: " + e);
                return;
            }
            check(!isShort, "it did not fail although there were none");
        }

        private void live(String name, IoManagerFactory io, boolean isShort) throws IOException {
            BoltBuilder builder =
                    BoltDatabase.builder(directory.resolve(name + ".db")).io(io);
            BoltBuilder other =
                    BoltDatabase.builder(directory.resolve(name + "-other.db")).io(io);
            BoltDatabase database = builder.open();
            database.update(transaction -> transaction.createBucket(BUCKET));
            take(isShort);
            for (int i = 0; i < 40; i++) {
                byte[] key = ("key" + i).getBytes(UTF_8);
                database.update(transaction -> bucket(transaction).put(key, new byte[200_000])); // so that it grows
                database.batch(transaction -> bucket(transaction).put("last".getBytes(UTF_8), key));
            }
            database.update(transaction -> bucket(transaction).deleteRange("key2".getBytes(UTF_8), null));
            database.compact(10);
            check(database.check().isSound(), "unsound");
            fails(isShort, () -> database.copyTo(directory.resolve(name + "-copy.db")));
            fails(isShort, () -> database.compactTo(directory.resolve(name + "-compact.db")));
            fails(isShort, () -> other.open().close());
            check(database.health() == null, "failed: " + database.health());
            giveBack();
            if (isShort) {
                database.copyTo(directory.resolve(name + "-copy.db"));
                database.compactTo(directory.resolve(name + "-compact.db"));
                other.open().close();
            }
            take(isShort);
            database.close();
            fails(isShort, () -> builder.open().close());
            giveBack();
            for (String each : new String[] {name, name + "-copy", name + "-compact"}) {
                try (BoltDatabase again = BoltDatabase.builder(directory.resolve(each + ".db"))
                        .io(io)
                        .open()) {
                    check(again.check().isSound(), "unsound: " + each);
                    again.view(transaction -> check(
                            bucket(transaction).contains("key10".getBytes(UTF_8))
                                    && !bucket(transaction).contains("last".getBytes(UTF_8)),
                            "lost: " + each));
                }
            }
        }

        private static Bucket bucket(BoltTransaction transaction) throws IOException {
            return Objects.requireNonNull(transaction.bucket(BUCKET));
        }

        private static void check(boolean isTrue, String otherwise) {
            if (!isTrue) {
                throw new IllegalStateException(otherwise);
            }
        }
    }
}
