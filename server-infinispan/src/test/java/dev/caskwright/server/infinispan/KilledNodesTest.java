package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.server.config.ServerConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three nodes in processes of their own are killed, one or all at once, under clients, and start again: nothing that was acknowledged is
 * lost. One is killed only once the others have its keys.
 */
@Tag("campaign")
final class KilledNodesTest {
    private static final int ROUNDS = Integer.getInteger("caskwright.rounds", 20);
    private static final int NODES = 3;

    private final Process[] processes = new Process[NODES];

    @TempDir
    Path directory;

    @Test
    void nothingAcknowledgedIsLost() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        try (TestNodes nodes = new TestNodes(directory, NODES, NODES)) {
            startAll(nodes, 0, 1, 2);
            Load all = null;
            for (int round = 0; round < ROUNDS; round++) {
                boolean isAll = random.nextBoolean();
                int one = random.nextInt(NODES);
                int other = (one + 1) % NODES;
                try (Load load = new Load(nodes, other, "r" + round + "-")) {
                    all = load;
                    load.await(50 + random.nextInt(100));
                    if (isAll) {
                        for (int i = 0; i < NODES; i++) {
                            kill(i);
                        }
                    } else {
                        kill(one);
                        load.await(50);
                        nodes.awaitReplicas(other);
                    }
                }
                System.out.println("round " + round + ", all=" + isAll + ", acknowledged="
                        + all.acknowledged().size());
                if (isAll) {
                    startAll(nodes, 0, 1, 2);
                } else {
                    startAll(nodes, one);
                }
                nodes.awaitReplicas(other);
                assertThat(all.lost(nodes, other))
                        .as("round %d of seed %d", round, seed)
                        .isEmpty();
            }
        } finally {
            for (int i = 0; i < NODES; i++) {
                kill(i);
            }
        }
    }

    private void startAll(TestNodes nodes, int... which) throws IOException {
        for (int i : which) {
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Xmx256m",
                    "-Dorg.jboss.logging.provider=slf4j",
                    "-cp",
                    System.getProperty("java.class.path"),
                    NodeProcess.class.getName(),
                    nodes.directory(i).toString()));
            ServerConfig config = nodes.config(i);
            for (String option : List.of("mode", "bind", "port", "cache-id", "cache-peers")) {
                command.add(option + "=" + config.text(option));
            }
            processes[i] = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        }
        for (int i : which) {
            BufferedReader lines = processes[i].inputReader(StandardCharsets.UTF_8);
            assertThat(lines.readLine()).as("node %d", i).isEqualTo("ready");
        }
    }

    private void kill(int i) throws InterruptedException {
        if (processes[i] != null) {
            processes[i].destroyForcibly().waitFor();
        }
    }
}
