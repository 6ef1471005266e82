package dev.caskwright.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.owner.OwnerSocket;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.time.InstantSource;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A process that has a replica of a store of this one, over its socket, and is killed again and again: at each step of a copy, and at
 * random while it follows. {@code caskwright.seed} repeats the writes, {@code caskwright.replica.kills} is how often it is killed.
 */
final class KilledReplicaTest extends ReplicaFixture {
    private static final int STEPS = 4;
    private static final int NEVER = Integer.MAX_VALUE;

    private final Random random = new Random();

    @Test
    void aKilledReplicaShowsAMomentOfTheSourceAndGoesOn() throws Exception {
        long seed = Long.getLong("caskwright.seed", System.nanoTime());
        random.setSeed(seed);
        int kills = Integer.getInteger("caskwright.replica.kills", 10);
        SourceModel model = new SourceModel(random, InstantSource.system(), 3_600);
        try (BitcaskEngine source = BitcaskEngine.builder(sourceDirectory())
                        .maxFileBytes(4_000)
                        .autoMerge(false)
                        .open();
                OwnerSocket socket = OwnerSocket.open(source, sourceDirectory())) {
            assertThat(socket.trouble()).isNull();
            write(model, source, 100);
            for (int kill = 0; kill < kills; kill++) {
                run(model, source, kill < 2 * STEPS ? kill % STEPS : NEVER);
                judge(model);
            }
            try (ReadReplica replica = ReadReplica.builder(directory(), ReplicaSource.at(sourceDirectory()))
                    .open()) {
                assertThat(replica.catchUp()).isEqualTo(source.moment());
                model.judge(replica);
                assertThat(copiesOnDisk()).isEqualTo(1);
            }
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError("seed=" + seed + ": " + e, e);
        }
    }

    private void run(SourceModel model, BitcaskEngine source, int steps) throws Exception {
        if (Files.exists(directory().resolve(ReplicaFiles.CURRENT))) {
            dropChanges(model, source); // so that the child has to make a copy
        }
        Process child = ReplicaChild.start(directory(), sourceDirectory(), steps);
        try (BufferedReader out = child.inputReader(UTF_8)) {
            String line = out.readLine();
            assertThat(line == null || line.equals("open")).isTrue();
            int writes = random.nextInt(2_000);
            for (int i = 0; i < writes && child.isAlive(); i++) {
                model.write(source);
                if (random.nextInt(500) == 0) {
                    source.merge();
                }
            }
            if (steps != NEVER) {
                child.waitFor(); // the copy comes in the background, and with it the end
            }
        } finally {
            child.destroyForcibly().waitFor();
        }
    }

    private void dropChanges(SourceModel model, BitcaskEngine source) throws IOException {
        write(model, source, 300);
        source.merge();
    }

    private static void write(SourceModel model, BitcaskEngine source, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            model.write(source);
        }
    }

    /** Opens the replica without its source: it shows a moment that the source was at, if it has a store. */
    private void judge(SourceModel model) throws IOException {
        ReplicaSource away = look -> {
            throw new IOException("the source is away");
        };
        try (ReadReplica replica = ReadReplica.builder(directory(), away).open()) {
            model.judge(replica);
        } catch (IOException e) {
            assertThat(e).hasMessage("the source is away");
            assertThat(directory().resolve(ReplicaFiles.CURRENT)).doesNotExist();
        }
    }
}
