package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.UnifiedJedis;

/** Nodes that are told something else than the others. */
final class OddNodesTest {
    private static final int KEYS = 100;
    private static final long PATIENCE_NANOS = 60_000_000_000L;

    @TempDir
    Path directory;

    private static void write(TestNodes nodes) {
        try (UnifiedJedis client = nodes.cluster(0)) {
            for (int i = 0; i < KEYS; i++) {
                client.set("key" + i, "value" + i);
            }
        }
    }

    private static void assertThere(TestNodes nodes, int node) {
        try (UnifiedJedis client = nodes.cluster(node)) {
            for (int i = 0; i < KEYS; i++) {
                assertThat(client.get("key" + i)).isEqualTo("value" + i);
            }
        }
    }

    @Test
    void aNodeWithAnotherNumberOfSegmentsIsRefused() throws Exception {
        try (TestNodes nodes = new TestNodes(directory, 2, 3)) {
            nodes.startAll(0, 1);
            nodes.awaitOwners(0, 2);
            write(nodes);
            nodes.with("cache-segments", "512");
            assertThatThrownBy(() -> nodes.start(2))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("segments");
            assertThere(nodes, 0);
            nodes.with("cache-segments", "256");
            nodes.start(2);
            nodes.awaitOwners(0, 3);
            assertThere(nodes, 2);
        }
    }

    @Test
    void aNodeWithAnotherNumberOfOwnersIsRefused() throws Exception {
        try (TestNodes nodes = new TestNodes(directory, 2, 3)) {
            nodes.startAll(0, 1);
            nodes.awaitOwners(0, 2);
            write(nodes);
            nodes.with("cache-owners", "3");
            assertThatThrownBy(() -> nodes.start(2))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("owners");
            assertThere(nodes, 0);
        }
    }

    @Test
    void moreOwnersAreThereAfterAllStartAnew() throws Exception {
        try (TestNodes nodes = new TestNodes(directory, 3, 3)) {
            nodes.startAll(0, 1, 2);
            nodes.awaitOwners(0, 3);
            write(nodes);
            for (int i = 0; i < 3; i++) {
                nodes.stop(i);
            }
            nodes.with("cache-owners", "3").startAll(0, 1, 2);
            long deadline = System.nanoTime() + PATIENCE_NANOS;
            while (nodes.node(0).node().view().ranges().get(0).replicas().size() < 2) {
                if (System.nanoTime() > deadline) {
                    throw new AssertionError(nodes.node(0).node().view().toString());
                }
                Thread.onSpinWait();
            }
            assertThere(nodes, 2);
        }
    }
}
