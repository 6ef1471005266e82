package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Durability;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.io.standard.StandardIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies of stores that meet other copies, and directories that are not what they are taken for. */
final class CopiesTest {
    private static final IoManagerFactory IO = StandardIoManager::open;

    @TempDir
    private Path temporary;

    private Path at(String name) {
        return temporary.resolve(name);
    }

    private EngineBuilder builder(Path directory) {
        return BitcaskEngine.builder(directory)
                .executor(TestTasks.executor())
                .autoMerge(false)
                .maxFileBytes(1_000)
                .durability(Durability.WRITE);
    }

    private BitcaskEngine open(Path directory) throws IOException {
        return builder(directory).open();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void fill(BitcaskEngine engine, String prefix, int count, String value) throws IOException {
        for (int i = 0; i < count; i++) {
            engine.put(bytes(prefix + i), bytes(value));
        }
    }

    private static Map<String, String> content(BitcaskEngine engine) throws IOException {
        Map<String, String> found = new TreeMap<>();
        engine.visit(entry -> {
            found.put(
                    new String(entry.key(), StandardCharsets.UTF_8), new String(entry.value(), StandardCharsets.UTF_8));
            return true;
        });
        return found;
    }

    private Map<String, String> contentOf(Path directory) throws IOException {
        try (BitcaskEngine engine = builder(directory).readOnly(true).open()) {
            return content(engine);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> old = Files.list(to)) {
            for (Path each : old.toList()) {
                Files.delete(each);
            }
        }
        try (Stream<Path> files = Files.list(from)) {
            for (Path each : files.toList()) {
                Files.copy(each, to.resolve(each.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    /** Returns all that is in a directory, so that it can be said that nothing was changed. */
    private static Map<String, String> bytesIn(Path directory) throws IOException {
        Map<String, String> found = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path each : files.toList()) {
                boolean isFile = Files.isRegularFile(each) && !each.endsWith("OWNER");
                found.put(
                        directory.relativize(each).toString(),
                        isFile ? Files.readString(each, StandardCharsets.ISO_8859_1) : "");
            }
        }
        found.remove("LOCK");
        found.remove("OWNER");
        return found;
    }

    private void assertRefused(BitcaskEngine engine, Path target) throws IOException {
        Map<String, String> before = bytesIn(target);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> engine.backup(target))
                    .isInstanceOf(UnsupportedFormatException.class)
                    .hasMessageContaining(target.getFileName().toString())
                    .hasMessageContaining("choose an empty directory");
        }
        assertThat(bytesIn(target)).isEqualTo(before);
    }

    /** The same numbers, lengths and versions, and other values. */
    @Test
    void aStoreThatWasPutBackAndWentOnIsNotMixedIntoABackup() throws IOException {
        try (BitcaskEngine engine = open(at("store"))) {
            fill(engine, "k", 30, "base");
            engine.backup(at("nightly"));
            copy(at("nightly"), at("day 1"));
            fill(engine, "order", 30, "OLD");
            engine.backup(at("nightly"));
        }
        copy(at("day 1"), at("store"));
        try (BitcaskEngine engine = open(at("store"))) {
            fill(engine, "order", 30, "NEW");
            assertRefused(engine, at("nightly"));
            engine.backup(at("elsewhere"));
            assertThat(contentOf(at("elsewhere"))).isEqualTo(content(engine)).containsEntry("order7", "NEW");
        }
        assertThat(contentOf(at("nightly"))).containsEntry("order7", "OLD");
    }

    /** A backup that is ahead of the store has the only copy of what the store lost. */
    @Test
    void aStoreThatWasPutBackAndStoodStillTakesNothingFromABackup() throws IOException {
        try (BitcaskEngine engine = open(at("store"))) {
            fill(engine, "k", 30, "base");
            engine.backup(at("day 1"));
            fill(engine, "order", 30, "OLD");
            engine.backup(at("nightly"));
        }
        copy(at("day 1"), at("store"));
        try (BitcaskEngine engine = open(at("store"))) {
            assertRefused(engine, at("nightly"));
        }
    }

    /** Here no file of the other history is left to tell. */
    @Test
    void historiesAreToldApartAfterMerges() throws IOException {
        try (BitcaskEngine engine = open(at("store"))) {
            fill(engine, "k", 30, "base");
            engine.backup(at("day 1"));
            fill(engine, "order", 30, "OLD");
            engine.backup(at("nightly"));
        }
        copy(at("day 1"), at("store"));
        try (BitcaskEngine engine = open(at("store"))) {
            fill(engine, "order", 60, "NEW");
            engine.merge();
            fill(engine, "order", 60, "NEWER");
            engine.merge();
            assertRefused(engine, at("nightly"));
        }
    }

    @Test
    void aBackupThatWasWrittenToKeepsWhatWasWrittenAlthoughTheStoreStoodStill() throws IOException {
        try (BitcaskEngine engine = open(at("store"))) {
            fill(engine, "k", 30, "base");
            engine.backup(at("backup"));
            try (BitcaskEngine copy = open(at("backup"))) {
                copy.put(bytes("only there"), bytes("1"));
            }
            assertRefused(engine, at("backup"));
            assertThat(contentOf(at("backup"))).containsKey("only there");
        }
    }

    @Test
    void aBackupThatWasOnlyOpenedGoesOn() throws IOException {
        try (BitcaskEngine engine = open(at("store"))) {
            for (int i = 0; i < 4; i++) {
                fill(engine, "k" + i, 30, "base");
                if (i == 2) {
                    engine.merge();
                }
                engine.backup(at("backup"));
                try (BitcaskEngine copy = open(at("backup"))) {
                    assertThat(content(copy)).isEqualTo(content(engine));
                }
            }
        }
    }

    @Test
    void aStoreThatIsOpenedManyTimesIsStillTheSame() throws IOException {
        for (int i = 0; i < 20; i++) {
            try (BitcaskEngine engine = open(at("store"))) {
                engine.put(bytes("key" + i % 3), bytes("" + i));
                if (i % 5 == 4) {
                    engine.merge();
                }
                engine.backup(at("backup"));
            }
            assertThat(contentOf(at("backup"))).isEqualTo(contentOf(at("store")));
        }
    }

    @Test
    void aRestoredStoreGoesOnToBeBackedUpWhereItsBackupIs() throws IOException {
        try (BitcaskEngine engine = open(at("store"))) {
            fill(engine, "k", 30, "base");
            engine.backup(at("backup"));
        }
        BitcaskEngine.restore(at("backup"), at("restored"), IO);
        try (BitcaskEngine engine = open(at("restored"))) {
            fill(engine, "more", 5, "1");
            engine.backup(at("backup"));
            assertThat(contentOf(at("backup"))).isEqualTo(content(engine));
        }
        try (BitcaskEngine engine = open(at("store"))) {
            assertRefused(engine, at("backup"));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFirstCopyThatIsCutShortSaysSoToAll(boolean isCheckpoint) throws IOException {
        int cuts = 0;
        for (int n = 0; ; n++) {
            Path store = at("store" + n);
            Path target = at("target" + n);

            FaultPlan failing = FaultPlan.failing(n).with(Fault.IO_ERROR);
            boolean[] armed = {false};
            IoManagerFactory io = (path, create) ->
                    armed[0] && path.equals(target) ? failing.wrap(IO).open(path, create) : IO.open(path, create);
            try (BitcaskEngine engine = builder(store).io(io).open()) {
                fill(engine, "k", 30, "base");
                armed[0] = true;
                boolean isMade = true;
                try {
                    if (isCheckpoint) {
                        engine.checkpoint(target);
                    } else {
                        engine.backup(target);
                    }
                } catch (IOException e) {
                    isMade = false;
                }
                if (!failing.hasFired()) {
                    break;
                }
                cuts++;
                if (!isMade && Files.exists(target.resolve("MANIFEST"))) {
                    assertSaysThatItIsNotFinished(target, n);
                }
                // The next run ends it.
                armed[0] = false;
                if (isCheckpoint) {
                    engine.checkpoint(target);
                } else {
                    engine.backup(target);
                }
                assertThat(contentOf(target)).as("cut at call %d", n).isEqualTo(content(engine));
                assertThat(BitcaskEngine.verify(target, IO).damages()).isEmpty();
            }
        }
        assertThat(cuts).isGreaterThan(20);
    }

    private void assertSaysThatItIsNotFinished(Path target, int n) throws IOException {
        Path restored = at("restored" + n);
        List<String> said = new ArrayList<>();
        try (BitcaskEngine copy =
                builder(target).createIfMissing(false).readOnly(true).open()) {
            // Only the very last steps come after the finished manifest, and then all is there.
            assertThat(content(copy)).as("cut at call %d", n).hasSize(30);
            return;
        } catch (UnsupportedFormatException e) {
            said.add(e.getMessage());
        }
        assertThatThrownBy(() -> open(target)).isInstanceOf(UnsupportedFormatException.class);
        said.add(BitcaskEngine.verify(target, IO).damages().get(0).what());
        said.add(BitcaskEngine.salvage(target, at("salvaged" + n), IO)
                .losses()
                .get(0)
                .what());
        try {
            BitcaskEngine.restore(target, restored, IO);
        } catch (UnsupportedFormatException e) {
            said.add(e.getMessage());
        }
        assertThat(said).hasSize(4).allMatch(text -> text.contains("was cut short and is not whole"));
    }

    @Test
    void aStoreThatIsOpenReadOnlyIsBackedUp() throws IOException {
        try (BitcaskEngine engine = open(at("other"))) {
            fill(engine, "k", 10, "base");
            engine.put(bytes("last"), bytes("1"), WriteOptions.SYNC);
            copy(at("other"), at("store")); // with a tail that nobody sealed
        }
        Map<String, String> before = bytesIn(at("store"));
        try (BitcaskEngine engine = builder(at("store")).readOnly(true).open()) {
            engine.backup(at("backup"));
            engine.checkpoint(at("checkpoint"));
            assertThat(contentOf(at("backup"))).isEqualTo(content(engine)).containsKey("last");
            assertThat(contentOf(at("checkpoint"))).isEqualTo(content(engine));
        }
        assertThat(bytesIn(at("store"))).isEqualTo(before);
        assertThat(BitcaskEngine.backup(at("store"), at("third"), IO).doubts()).isEmpty();
        assertThat(contentOf(at("third"))).containsKey("last");
        assertThat(bytesIn(at("store"))).isEqualTo(before);
        try (BitcaskEngine engine = open(at("store"))) {
            engine.put(bytes("more"), bytes("1"));
            engine.backup(at("backup"));
            assertThat(contentOf(at("backup"))).isEqualTo(content(engine));
        }
    }

    @Test
    void aStoreThatRefusesWritesIsBackedUp() throws IOException {
        FaultPlan plan = FaultPlan.failing(2).only(IoOperation.FORCE).with(Fault.IO_ERROR);
        try (BitcaskEngine engine = builder(at("store")).io(plan.wrap(IO)).open()) {
            fill(engine, "k", 5, "base");
            for (int i = 0; engine.health() == null; i++) {
                try {
                    engine.put(bytes("synced"), bytes("" + i), WriteOptions.SYNC);
                } catch (IOException e) {
                    assertThat(engine.health()).isNotNull();
                }
            }
            CopyReport report = engine.backup(at("backup"));
            assertThat(report.lastVersion()).isEqualTo(engine.stats().lastVersion());
            assertThat(report.doubts()).isEmpty();
            assertThat(contentOf(at("backup"))).isEqualTo(content(engine)).hasSize(6);
        }
    }

    /** What a bad sector does to one file, it does to all its links. */
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aBackupSharesNothingWithItsSourceAndACheckpointItsFiles() throws IOException {
        try (BitcaskEngine engine = open(at("store"))) {
            fill(engine, "k", 30, "base");
            engine.backup(at("backup"));
            engine.checkpoint(at("checkpoint"));
            Map<Object, Path> inodes = new HashMap<>();
            try (Stream<Path> files = Files.list(at("store"))) {
                for (Path each : files.toList()) {
                    inodes.put(Files.getAttribute(each, "unix:ino"), each);
                }
            }
            assertThat(shared(at("backup"), inodes)).isZero();
            assertThat(shared(at("checkpoint"), inodes)).isGreaterThan(1);
            assertRefused(engine, at("checkpoint"));
            assertThatThrownBy(() -> engine.checkpoint(at("backup"))).isInstanceOf(UnsupportedFormatException.class);
            fill(engine, "more", 30, "base");
            engine.checkpoint(at("checkpoint"));
            assertThat(contentOf(at("checkpoint"))).isEqualTo(content(engine));
        }
        try (BitcaskEngine copy = open(at("checkpoint"))) {
            copy.put(bytes("k1"), bytes("changed there"));
        }
        assertThat(contentOf(at("store"))).containsEntry("k1", "base");
        assertThat(contentOf(at("checkpoint"))).containsEntry("k1", "changed there");
    }

    private static int shared(Path directory, Map<Object, Path> inodes) throws IOException {
        int shared = 0;
        try (Stream<Path> files = Files.list(directory)) {
            for (Path each : files.toList()) {
                shared += inodes.containsKey(Files.getAttribute(each, "unix:ino")) ? 1 : 0;
            }
        }
        return shared;
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void directoriesAreComparedAsTheFilesThatTheyAre() throws IOException {
        try (BitcaskEngine engine = open(at("outer/store"))) {
            fill(engine, "k", 30, "base");
        }
        Path link = Files.createSymbolicLink(at("link"), at("outer/store"));
        Path outerLink = Files.createSymbolicLink(at("outer link"), at("outer"));
        Map<String, String> before = bytesIn(at("outer"));
        for (Path target : List.of(
                at("outer/store"),
                link,
                at("outer"),
                outerLink,
                link.resolve("within/deep"),
                outerLink.resolve("store/within"),
                at("outer/store/../store/x"),
                at("missing/../outer/store"))) {
            for (Path source : List.of(at("outer/store"), link, outerLink.resolve("store"))) {
                assertThatThrownBy(() -> BitcaskEngine.backup(source, target, IO))
                        .as("%s into %s", source, target)
                        .isInstanceOf(IllegalArgumentException.class);
                assertThatThrownBy(() -> BitcaskEngine.restore(source, target, IO))
                        .isInstanceOf(IllegalArgumentException.class);
                assertThatThrownBy(() -> BitcaskEngine.salvage(source, target, IO))
                        .isInstanceOf(IllegalArgumentException.class);
                try (BitcaskEngine engine = builder(source).readOnly(true).open()) {
                    assertThatThrownBy(() -> engine.backup(target)).isInstanceOf(IllegalArgumentException.class);
                    assertThatThrownBy(() -> engine.checkpoint(target)).isInstanceOf(IllegalArgumentException.class);
                }
            }
        }
        assertThat(bytesIn(at("outer"))).isEqualTo(before);
        assertThat(at("missing")).doesNotExist();
    }

    @Test
    void foreignFilesInATargetAreLeftAlone() throws IOException {
        try (BitcaskEngine engine = open(at("store"))) {
            fill(engine, "k", 30, "base");
            for (String name : List.of("mine", "MANIFEST.new", "00000001.data", "00000002.hint", "00000900.image")) {
                Path target = at("with " + name);
                Files.createDirectories(target);
                Files.writeString(
                        target.resolve(name), "somebody's text of more than sixty-four bytes, so that it has a header");
                assertRefused(engine, target);
            }
            // In an earlier backup: what is not in the way stays, what is stops the run before it begins.
            engine.backup(at("backup"));
            Files.writeString(at("backup/mine"), "mine");
            Files.writeString(at("backup/00000777.data"), "mine");
            Files.writeString(at("backup/00000001.image"), "mine");
            fill(engine, "l", 5, "base");
            CopyReport report = engine.backup(at("backup"));
            assertThat(report.doubts()).hasSize(2);
            assertThat(at("backup/mine")).hasContent("mine");
            assertThat(at("backup/00000777.data")).hasContent("mine");
            assertThat(at("backup/00000001.image")).hasContent("mine");
            assertThat(BitcaskEngine.restore(at("backup"), at("restored"), IO).files())
                    .isEqualTo(report.files());
            assertThat(contentOf(at("restored"))).isEqualTo(content(engine));
            long next = report.files() + 1;
            Path inTheWay = at("backup").resolve(String.format("%08d.data", next));
            Files.writeString(inTheWay, "mine");
            fill(engine, "m", 5, "base");
            assertRefused(engine, at("backup"));
        }
    }

    @Test
    void aRestoreThatFailsLeavesNothingOfItsOwnAndTakesNothingOfOthers() throws IOException {
        try (BitcaskEngine engine = open(at("store"))) {
            fill(engine, "k", 30, "base");
        }
        Path damaged = at("store/00000001.data");
        byte[] content = Files.readAllBytes(damaged);
        content[200]++;
        Files.write(damaged, content);
        Files.createDirectories(at("target.restoring"));
        Files.writeString(at("target.restoring/mine"), "mine");
        assertThatThrownBy(() -> BitcaskEngine.restore(at("store"), at("target"), IO))
                .isInstanceOf(IOException.class);
        assertThat(bytesIn(at("target"))).containsOnlyKeys("");
        assertThat(at("target.restoring/mine")).hasContent("mine");
        Files.writeString(at("target/mine"), "mine");
        assertThatThrownBy(() -> BitcaskEngine.restore(at("store"), at("target"), IO))
                .isInstanceOf(UnsupportedFormatException.class);
        assertThat(at("target/mine")).hasContent("mine");
    }
}
