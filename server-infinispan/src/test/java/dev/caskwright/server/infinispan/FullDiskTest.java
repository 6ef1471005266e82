package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.server.config.ServerConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.infinispan.context.Flag;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisMovedDataException;

/**
 * A node in a process whose files may have 1 MiB only, as on a full disk: what others give it while owners change, and it cannot store,
 * stays with them.
 */
@DisabledOnOs(OS.WINDOWS) // no ulimit
final class FullDiskTest {
    private static final int LIMITED = 2;
    private static final String VALUE = "v".repeat(10_000);

    private Process process;

    @TempDir
    Path directory;

    @AfterEach
    void kill() throws InterruptedException {
        if (process != null) {
            process.destroyForcibly().waitFor();
        }
    }

    /** Starts it; returns the line that it prints once it serves, or null if it ends. */
    private String startLimited(TestNodes nodes) throws IOException {
        ServerConfig config = nodes.config(LIMITED);
        List<String> command = new ArrayList<>(List.of(
                "sh",
                "-c",
                "ulimit -f 2048 && exec \"$@\"", // of 512 bytes
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-Xmx256m",
                "-Dorg.jboss.logging.provider=slf4j",
                "-cp",
                System.getProperty("java.class.path"),
                NodeProcess.class.getName(),
                nodes.directory(LIMITED).toString()));
        for (String option : List.of("mode", "bind", "port", "cache-id", "cache-peers", "cache-timeout")) {
            command.add(option + "=" + config.text(option));
        }
        process = new ProcessBuilder(command)
                .redirectError(directory.resolve("err").toFile())
                .start();
        BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
        return lines.readLine();
    }

    private static void write(TestNodes nodes, int keys) {
        try (UnifiedJedis client = nodes.cluster(0)) {
            for (int i = 0; i < keys; i++) {
                client.set("key" + i, VALUE);
            }
        }
    }

    /** Until the node has left, it tells who serves a key of others; others may know of that before it does. */
    private static void getUntilServedByNobody(Jedis limited, String key) {
        while (true) {
            try {
                limited.get(key);
            } catch (JedisMovedDataException e) {
                Thread.onSpinWait();
            }
        }
    }

    private static void assertThere(TestNodes nodes, int keys) {
        try (UnifiedJedis client = nodes.cluster(0)) {
            for (int i = 0; i < keys; i++) {
                assertThat(client.get("key" + i)).as("key%d", i).isEqualTo(VALUE);
            }
        }
    }

    @Test
    void aNodeThatCannotStoreItsPartDoesNotJoin() throws Exception {
        int keys = 300;
        try (TestNodes nodes = new TestNodes(directory, 2, 3)) {
            nodes.startAll(0, 1);
            nodes.awaitOwners(0, 2);
            write(nodes, keys);
            assertThat(startLimited(nodes)).isNull();
            assertThat(process.waitFor()).isNotZero();
            assertThat(Files.readString(directory.resolve("err")))
                    .contains("the store cannot take what others give the node");
            nodes.awaitOwners(0, 2);
            assertThere(nodes, keys);
            for (int i = 0; i < 2; i++) {
                assertThat(nodes.node(i)
                                .node()
                                .keys()
                                .withFlags(Flag.CACHE_MODE_LOCAL)
                                .size())
                        .isEqualTo(keys);
            }
        }
    }

    @Test
    void aNodeThatCannotStoreWhatItIsGivenLaterLeaves() throws Exception {
        int keys = 120;
        try (TestNodes nodes = new TestNodes(directory, 2, 3)) {
            nodes.startAll(0, 1);
            nodes.awaitOwners(0, 2);
            assertThat(startLimited(nodes)).isEqualTo("ready");
            nodes.awaitOwners(0, 3);
            write(nodes, keys); // two thirds of them with each
            nodes.stop(1);
            nodes.awaitOwners(0, 1);
            assertThere(nodes, keys);
            try (Jedis limited = nodes.client(LIMITED)) {
                assertThat(limited.info("replication")).contains("cache_failed:1");
                assertThatThrownBy(() -> getUntilServedByNobody(limited, "key1"))
                        .hasMessageStartingWith("CLUSTERDOWN");
            }
        }
    }
}
