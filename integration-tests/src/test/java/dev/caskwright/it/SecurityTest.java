package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a whole store leaves on the file system is its owner's, and no name in its directory leads out of it: whatever file
 * is exchanged for a symbolic link, neither opening, reading, writing, merging, checking nor backing up the store reads or
 * changes what the link leads to.
 */
final class SecurityTest {
    private static final int KEYS = 60;
    private static final FileTime READ_LONG_AGO = FileTime.from(Instant.parse("2001-01-01T00:00:00Z"));
    private static final FileTime CHANGED_LATER = FileTime.from(Instant.parse("2002-01-01T00:00:00Z"));

    @TempDir
    private Path temporary;

    @BeforeEach
    void assumePosix() throws IOException {
        assumeTrue(Files.getFileStore(temporary).supportsFileAttributeView("posix"), "needs POSIX attributes");
    }

    @ParameterizedTest
    @ValueSource(strings = {"standard", "mmap"})
    void whatAStoreCreatesIsForItsOwnerOnly(String io) throws IOException {
        Path directory = temporary.resolve("parent/store");
        try (BitcaskEngine engine = fill(io, directory)) {
            assertOwnerOnly(temporary.resolve("parent"));
            engine.merge();
            engine.put(KeyValues.key(0), new byte[100]);
            engine.backup(temporary.resolve("parent/backup"));
            assertOwnerOnly(temporary.resolve("parent"));
        }
        BitcaskEngine.salvage(directory, temporary.resolve("parent/salvaged"), Backends.ioManager(io));
        List<String> names = assertOwnerOnly(temporary.resolve("parent"));
        // So that none of the kinds was left out.
        assertThat(names)
                .contains("backup", "salvaged", "MANIFEST", "LOCK")
                .anyMatch(name -> name.endsWith(".data"))
                .anyMatch(name -> name.endsWith(".merged"))
                .anyMatch(name -> name.endsWith(".hint"))
                .anyMatch(name -> name.endsWith(".image"));
    }

    /** Returns the names of all that is there, below {@code top}. */
    private static List<String> assertOwnerOnly(Path top) throws IOException {
        List<String> names = new ArrayList<>();
        try (Stream<Path> all = Files.walk(top)) {
            for (Path each : all.toList()) {
                if (each.equals(top)) {
                    continue; // a parent of the store, as the umask says
                }
                names.add(each.getFileName().toString());
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(each)))
                        .as("%s", each)
                        .isEqualTo(Files.isDirectory(each) ? "rwx------" : "rw-------");
            }
        }
        return names;
    }

    /** The links lead to the very bytes that were in their place, so that following one would go unnoticed. */
    @ParameterizedTest
    @ValueSource(strings = {"standard", "mmap"})
    @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aLinkInThePlaceOfAFileIsNotFollowed(String io) throws IOException {
        Path original = temporary.resolve("original");
        makeMerged(io, original);
        List<String> names = new ArrayList<>(names(original));
        assertThat(names).contains("MANIFEST", "LOCK").anyMatch(name -> name.endsWith(".image"));
        names.add("OWNER");
        names.add("MANIFEST.new");
        for (String name : names) {
            Path store = temporary.resolve("of-" + name);
            copy(original, store);
            Path outside = Files.createDirectory(temporary.resolve("outside-" + name));
            Path target = outside.resolve("target");
            if (Files.exists(store.resolve(name))) {
                Files.move(store.resolve(name), target);
            } else {
                Files.copy(original.resolve("MANIFEST"), target);
            }
            Files.createSymbolicLink(store.resolve(name), target);
            assertNothingLeadsOut(io, store, outside, name);
            boolean isNeeded = name.equals("MANIFEST")
                    || name.equals("LOCK")
                    || name.endsWith(".data")
                    || name.endsWith(".merged");
            if (isNeeded) {
                assertThat(failureToOpen(io, store))
                        .as("opening with a link for %s", name)
                        .isNotNull();
            }
        }
    }

    /** The names that a store will use next are known to whoever can write to its directory. */
    @ParameterizedTest
    @ValueSource(strings = {"standard", "mmap"})
    @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aLinkInThePlaceOfAFileToComeIsNotFollowed(String io) throws IOException {
        Path original = temporary.resolve("original");
        makeMerged(io, original);
        long highest = names(original).stream()
                .filter(name -> name.matches("\\d+\\..*"))
                .mapToLong(name -> Long.parseLong(name.substring(0, name.indexOf('.'))))
                .max()
                .orElseThrow();
        for (String kind : List.of("data", "merged", "hint", "image", "data.new", "image.new")) {
            for (boolean isDangling : List.of(true, false)) {
                String what = kind + (isDangling ? "-dangling" : "-there");
                Path store = temporary.resolve("before-" + what);
                copy(original, store);
                Path outside = Files.createDirectory(temporary.resolve("outside-" + what));
                for (long id = 1; id <= highest + 40; id++) {
                    String name = String.format("%08d.%s", id, kind);
                    if (Files.notExists(store.resolve(name))) {
                        Path target = outside.resolve(name);
                        if (!isDangling) {
                            Files.writeString(target, "not the store's");
                        }
                        Files.createSymbolicLink(store.resolve(name), target);
                    }
                }
                assertNothingLeadsOut(io, store, outside, what);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"standard", "mmap"})
    void aBackupFollowsNoLink(String io) throws IOException {
        Path original = temporary.resolve("original");
        makeMerged(io, original);
        for (String name : names(original)) {
            Path outside = Files.createDirectory(temporary.resolve("outside-" + name));
            Path target = Files.writeString(outside.resolve("target"), "not the store's");
            Path backup = Files.createDirectory(temporary.resolve("backup-" + name));
            Files.createSymbolicLink(backup.resolve(name), target);
            Map<String, String> before = content(outside);
            try (BitcaskEngine engine = builder(io, original).open()) {
                attempt(() -> engine.backup(backup));
            }
            assertThat(content(outside)).as("a link for %s in a backup", name).isEqualTo(before);
        }
    }

    /** Uses a store in every way: each call succeeds or says what is wrong, and what is outside is not even read. */
    private void assertNothingLeadsOut(String io, Path store, Path outside, String what) throws IOException {
        age(outside);
        Map<String, String> before = content(outside);
        age(outside);
        attempt(() -> BitcaskEngine.verify(store, Backends.ioManager(io)));
        attempt(() -> BitcaskEngine.salvage(store, temporary.resolve("salvaged-" + what), Backends.ioManager(io)));
        attempt(() -> {
            try (BitcaskEngine engine = builder(io, store).readOnly(true).open()) {
                assertHoldsOnlyWhatWasWritten(engine);
            }
        });
        attempt(() -> {
            try (BitcaskEngine engine = builder(io, store).open()) {
                assertHoldsOnlyWhatWasWritten(engine);
                for (int i = 0; i < KEYS; i++) {
                    int key = i;
                    attempt(() -> engine.put(KeyValues.key(key), value(key), WriteOptions.SYNC));
                }
                attempt(engine::merge);
                attempt(() -> engine.backup(temporary.resolve("backed-up-" + what)));
            }
        });
        try (Stream<Path> files = Files.list(outside)) {
            for (Path file : files.toList()) {
                // Bites where the file system notes when a file was read, as most do for the first time after a change.
                assertThat((FileTime) Files.getAttribute(file, "lastAccessTime"))
                        .as("%s, %s: when %s was read", io, what, file)
                        .isEqualTo(READ_LONG_AGO);
            }
        }
        assertThat(content(outside)).as("%s, %s", io, what).isEqualTo(before);
    }

    private static void age(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.getFileAttributeView(file, BasicFileAttributeView.class)
                        .setTimes(CHANGED_LATER, READ_LONG_AGO, null);
            }
        }
    }

    private static void assertHoldsOnlyWhatWasWritten(BitcaskEngine engine) throws IOException {
        for (int i = 0; i < KEYS; i++) {
            byte[] found = engine.get(KeyValues.key(i));
            if (found != null) {
                assertThat(found).isEqualTo(value(i));
            }
        }
    }

    /** A file system's error names its file, and an error of the engine is one. */
    private static void attempt(Use use) {
        try {
            use.run();
        } catch (FileSystemException e) {
            assertThat(e.getFile()).isNotNull();
        } catch (IOException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    private interface Use {
        void run() throws IOException;
    }

    private static @Nullable IOException failureToOpen(String io, Path store) {
        try {
            builder(io, store).open().close();
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    /** A store with files of every kind: merged and not, with hints, and with an image. */
    private static void makeMerged(String io, Path directory) throws IOException {
        try (BitcaskEngine engine = fill(io, directory)) {
            engine.merge();
            for (int i = 0; i < KEYS; i += 2) {
                engine.put(KeyValues.key(i), value(i));
            }
        }
        assertThat(names(directory))
                .anyMatch(name -> name.endsWith(".data"))
                .anyMatch(name -> name.endsWith(".merged"))
                .anyMatch(name -> name.endsWith(".hint"))
                .anyMatch(name -> name.endsWith(".image"));
    }

    private static BitcaskEngine fill(String io, Path directory) throws IOException {
        BitcaskEngine engine = builder(io, directory).open();
        for (int i = 0; i < KEYS; i++) {
            engine.put(KeyValues.key(i), value(i));
        }
        return engine;
    }

    private static EngineBuilder builder(String io, Path directory) {
        return new Combination("hashmap", io, io)
                .builder(directory)
                .imageEveryBytes(1)
                .executor(TestTasks.executor())
                .autoMerge(false);
    }

    private static byte[] value(int key) {
        return new byte[200 + key];
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectory(to);
        for (String name : names(from)) {
            Files.copy(from.resolve(name), to.resolve(name), LinkOption.NOFOLLOW_LINKS);
        }
    }

    private static Map<String, String> content(Path directory) throws IOException {
        Map<String, String> content = new TreeMap<>();
        for (String name : names(directory)) {
            content.put(name, HexFormat.of().formatHex(Files.readAllBytes(directory.resolve(name))));
        }
        return content;
    }
}
