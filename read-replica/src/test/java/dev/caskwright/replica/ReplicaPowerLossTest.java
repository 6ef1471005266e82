package dev.caskwright.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What is left of a replica's directory after a power loss: of its store any part of what came since the switch to it, which was not
 * forced; of {@code current}, which was, the one before or the one behind. {@code caskwright.seed} repeats a run, {@code
 * caskwright.cut.cycles} is how often the power is cut.
 */
final class ReplicaPowerLossTest extends ReplicaFixture {
    private static final ReplicaSource AWAY = look -> {
        throw new IOException("the source is away");
    };

    private final long seed = Long.getLong("caskwright.seed", System.nanoTime());
    private final Random random = new Random(seed);

    private ReplicaBuilder wide(Path directory, ReplicaSource source) {
        return ReadReplica.builder(directory, source)
                .store(copy -> BitcaskEngine.builder(copy).clock(clock).open()); // all in one file
    }

    @Test
    void aReplicaGoesOnFromWhateverOfItsStoreSurvives() throws IOException {
        SourceModel model = new SourceModel(random, clock, 3_600);
        int cuts = Integer.getInteger("caskwright.cut.cycles", 20);
        try (BitcaskEngine source = sourceBuilder().open()) {
            write(model, source, 50);
            Path image = temporary.resolve("image");
            int forced;
            int written;
            try (ReadReplica replica =
                    wide(directory(), ReplicaSource.of(source)).open()) {
                forced = end(Files.readAllBytes(active(directory())));
                for (int i = 0; i < 10; i++) {
                    write(model, source, 30);
                    replica.catchUp();
                }
                copy(directory(), image);
                written = end(Files.readAllBytes(active(image)));
            }
            assertThat(written).isGreaterThan(forced);
            Set<Moment> positions = new HashSet<>();
            for (int i = 0; i < cuts; i++) {
                Path left = temporary.resolve("left-" + i);
                copy(image, left);
                cut(active(left), forced + random.nextInt(written - forced + 1));
                try (ReadReplica replica = wide(left, AWAY).open()) {
                    positions.add(replica.position());
                    model.judge(replica);
                }
                try (ReadReplica replica = wide(left, ReplicaSource.of(source)).open()) {
                    assertThat(replica.catchUp()).isEqualTo(source.moment());
                    model.judge(replica);
                    assertThat(replica.stats().copies()).as("copies").isZero();
                }
            }
            assertThat(positions).as("positions after %d cuts", cuts).hasSizeGreaterThan(1);
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError("seed=" + seed + ": " + e, e);
        }
    }

    @Test
    void whicheverCurrentSurvivesTheReplicaGoesOn() throws IOException {
        SourceModel model = new SourceModel(random, clock, 3_600);
        try (BitcaskEngine source = sourceBuilder().open()) {
            write(model, source, 50);
            Path first = temporary.resolve("first");
            goesOn(directory(), source, model);
            copy(directory(), first);
            write(model, source, 300);
            source.merge();
            goesOn(directory(), source, model);
            byte[] before = Files.readAllBytes(first.resolve(ReplicaFiles.CURRENT));
            byte[] behind = Files.readAllBytes(directory().resolve(ReplicaFiles.CURRENT));
            assertThat(behind).isNotEqualTo(before);
            for (int length = 0; length <= behind.length; length += 7) {
                Path left = temporary.resolve("left-" + length);
                copy(first, left);
                copy(directory(), left); // the copy that was to be switched to is whole
                Files.write(left.resolve(ReplicaFiles.CURRENT), before);
                Files.write(left.resolve(ReplicaFiles.CURRENT + ".new"), Arrays.copyOf(behind, length));
                goesOn(left, source, model);
            }
            Path none = temporary.resolve("none");
            copy(first, none);
            Files.delete(none.resolve(ReplicaFiles.CURRENT)); // the first copy is whole, and nothing says so
            goesOn(none, source, model);
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError("seed=" + seed + ": " + e, e);
        }
    }

    private void goesOn(Path left, BitcaskEngine source, SourceModel model) throws IOException {
        try (ReadReplica replica = wide(left, ReplicaSource.of(source)).open()) {
            assertThat(replica.catchUp()).isEqualTo(source.moment());
            model.judge(replica);
        }
    }

    /** No power loss leaves such a file; a hand may. */
    @Test
    void aCurrentThatIsCutShortIsNamed() throws IOException {
        try (BitcaskEngine source = sourceBuilder().open()) {
            put(source, "key", "value");
            try (ReadReplica replica =
                    wide(directory(), ReplicaSource.of(source)).open()) {
                assertThat(replica.position()).isEqualTo(source.moment());
            }
            Path current = directory().resolve(ReplicaFiles.CURRENT);
            String whole = Files.readString(current);
            for (int length = 0; length <= whole.indexOf("version="); length++) {
                Files.writeString(current, whole.substring(0, length));
                assertThatThrownBy(() -> wide(directory(), AWAY).open())
                        .as("length=%d", length)
                        .isInstanceOf(UnsupportedFormatException.class)
                        .hasMessageContaining(ReplicaFiles.CURRENT);
            }
        }
    }

    private static void write(SourceModel model, BitcaskEngine source, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            model.write(source);
        }
    }

    /** Returns the file of the newest copy that was written to last. */
    private static Path active(Path replica) throws IOException {
        try (Stream<Path> files = Files.walk(replica)) {
            return files.filter(file -> file.toString().endsWith(".data"))
                    .max(Comparator.comparing(Path::toString))
                    .orElseThrow();
        }
    }

    /** Returns the end of what is written: behind it are zeros, which hold space. */
    private static int end(byte[] bytes) {
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] == 0) {
            end--;
        }
        return end;
    }

    private void cut(Path file, int length) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        if (random.nextBoolean()) {
            Files.write(file, Arrays.copyOf(bytes, length));
        } else {
            Arrays.fill(bytes, length, bytes.length, (byte) 0);
            Files.write(file, bytes);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(from)) {
            all = files.toList();
        }
        for (Path each : all) {
            Path target = to.resolve(from.relativize(each));
            if (Files.isDirectory(each)) {
                Files.createDirectories(target);
            } else if (!Files.exists(target)) {
                Files.copy(each, target);
            }
        }
    }
}
