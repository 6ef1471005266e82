package dev.caskwright.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Random lives of a source and its replica: writes of each kind, expiry, merges that drop changes, openings of both, sources that are put
 * back to a backup, replicas that are killed, whose disk is full, or whose copies are cut short. Whatever happens, a replica shows what
 * the source held at the replica's moment, and after a look what it holds now. {@code caskwright.seed} repeats one life, {@code
 * caskwright.replica.lives} is how many there are.
 */
final class ReplicaModelTest extends ReplicaFixture {
    private static final int STEPS = 250;

    private final FullDisk disk = new FullDisk();
    private Random random = new Random();
    private BitcaskEngine source;
    private ReadReplica replica;
    private SourceModel model;
    private Path place;
    private Path backup;
    private int number;
    private String crashAt = "";
    private long copies;

    @Test
    void aReplicaShowsWhatItsSourceHeld() throws IOException {
        Long given = Long.getLong("caskwright.seed");
        int lives = given == null ? Integer.getInteger("caskwright.replica.lives", 4) : 1;
        for (int life = 0; life < lives; life++) {
            long seed = given == null ? System.nanoTime() : given;
            try {
                live(seed);
            } catch (IOException | RuntimeException | AssertionError e) {
                throw new AssertionError("seed=" + seed + ": " + e, e);
            }
        }
        System.out.println("replica model: lives=" + lives + ", copies=" + copies);
    }

    private void live(long seed) throws IOException {
        random = new Random(seed);
        model = new SourceModel(random, clock, 1);
        place = next("replica");
        backup = null;
        Path own = next("source");
        source = openSource(own);
        replica = openReplica();
        try {
            for (int step = 0; step < STEPS; step++) {
                own = step(own);
            }
            look();
        } finally {
            replica.close();
            source.close();
        }
        try (Stream<Path> left = Files.list(temporary)) {
            for (Path each : left.toList()) {
                SideFiles.deleteTree(each);
            }
        }
    }

    private Path next(String name) {
        return temporary.resolve(name + number++);
    }

    private BitcaskEngine openSource(Path directory) throws IOException {
        return BitcaskEngine.builder(directory)
                .clock(clock)
                .maxFileBytes(2_000)
                .autoMerge(false)
                .changesRetainedBytes(random.nextInt(3) * 1_000L)
                .open();
    }

    private ReadReplica openReplica() throws IOException {
        ReplicaBuilder options = ReadReplica.builder(place, look -> look.at(source))
                .store(copy -> small(copy)
                        .io(disk::open)
                        .executor(Runnable::run) // so that a kill finds no work under way
                        .open());
        options.batchBytes = 1 + random.nextInt(2_000);
        options.steps = step -> {
            if (step.equals(crashAt)) {
                throw new IllegalStateException("crash");
            }
        };
        return options.open();
    }

    private Path step(Path own) throws IOException {
        Path now = own;
        switch (random.nextInt(24)) {
            case 0 -> source.merge();
            case 1 -> {
                source.close();
                source = openSource(own);
            }
            case 2 -> {
                backup = next("backup");
                source.backup(backup);
            }
            case 3 -> now = putBack(own);
            case 4 -> {
                replica.close();
                replica = openReplica();
            }
            case 5 -> kill();
            case 6 -> clock.advance(Duration.ofSeconds(random.nextInt(60)));
            case 7 -> lookInTrouble();
            case 8, 9 -> look();
            default -> {
                for (int i = random.nextInt(5); i >= 0; i--) {
                    model.write(source);
                }
            }
        }
        model.judge(replica);
        return now;
    }

    private Path putBack(Path own) throws IOException {
        if (backup == null) {
            return own;
        }
        source.close();
        Path restored = next("source");
        BitcaskEngine.restore(backup, restored, StandardIoManager::open);
        SideFiles.deleteTree(own);
        source = openSource(restored);
        model.goBackTo(source.moment());
        return restored;
    }

    /** What the system has been handed is all that a kill leaves: as much is in a copy of the directory. */
    private void kill() throws IOException {
        Path copy = next("replica");
        try (Stream<Path> files = Files.walk(place)) {
            for (Path each : files.toList()) {
                Files.copy(each, copy.resolve(place.relativize(each)));
            }
        }
        replica.close();
        SideFiles.deleteTree(place);
        place = copy;
        replica = openReplica();
    }

    private void look() throws IOException {
        assertThat(replica.catchUp()).isEqualTo(source.moment());
        copies +=
                replica.store().stats().group(ReplicaStats.class).orElseThrow().copies();
        model.judge(replica);
    }

    private void lookInTrouble() throws IOException {
        if (random.nextBoolean()) {
            disk.fillAfter(random.nextInt(8));
        }
        crashAt = List.of("", "copy", "open", "switch", "delete").get(random.nextInt(5));
        try {
            replica.catchUp();
        } catch (EngineException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.OUT_OF_SPACE);
        } catch (IllegalStateException e) {
            assertThat(e).hasMessage("crash");
        } finally {
            disk.free();
            crashAt = "";
        }
    }
}
