package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.infinispan.context.Flag;
import org.infinispan.partitionhandling.AvailabilityMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisMovedDataException;

/** Nodes of a cluster join, are killed, and start again, under clients that find the owners by themselves. */
final class ClusterTest {
    private static final int KEYS = 200;

    @TempDir
    Path directory;

    @Test
    void keysAreWithTheirOwnersAndARestartOfAllKeepsThem() throws Exception {
        try (TestNodes nodes = new TestNodes(directory, 3, 3)) {
            nodes.startAll(0, 1, 2);
            nodes.awaitOwners(0, 3);
            try (UnifiedJedis client = nodes.cluster(0)) {
                for (int i = 0; i < KEYS; i++) {
                    client.set("key" + i, "value" + i);
                }
                client.set("gone", "value");
                client.del("gone");
            }
            assertEachNodeHasItsKeys(nodes);
            nodes.stop(2);
            nodes.awaitOwners(0, 2);
            try (UnifiedJedis client = nodes.cluster(0)) {
                client.set("key0", "newer");
                client.del("key1");
            }
            nodes.stop(1);
            nodes.stop(0);
            // The one that left first comes first: it must not go on with what is old.
            nodes.startAll(2, 1, 0);
            nodes.awaitOwners(2, 3);
            try (UnifiedJedis client = nodes.cluster(2)) {
                assertThat(client.get("key0")).isEqualTo("newer");
                assertThat(client.get("key1")).isNull();
                for (int i = 2; i < KEYS; i++) {
                    assertThat(client.get("key" + i)).isEqualTo("value" + i);
                }
                assertThat(client.get("gone")).isNull();
            }
        }
    }

    @Test
    void whatWasDeletedWhileANodeWasAwayStaysDeleted() throws Exception {
        try (TestNodes nodes = new TestNodes(directory, 2, 2)) {
            nodes.startAll(0, 1);
            nodes.awaitOwners(0, 2);
            try (UnifiedJedis client = nodes.cluster(0)) {
                for (int i = 0; i < KEYS; i++) {
                    client.set("key" + i, "value" + i);
                }
            }
            // It comes back to one that ran on.
            nodes.stop(1);
            delete(nodes, 0, KEYS / 4);
            nodes.start(1);
            nodes.awaitOwners(1, 2);
            assertDeleted(nodes, KEYS / 4);
            // It comes back to one that has started anew: nothing of that is restored here.
            nodes.stop(1);
            delete(nodes, KEYS / 4, KEYS / 2);
            nodes.stop(0);
            nodes.startAll(1, 0);
            nodes.awaitOwners(1, 2);
            assertDeleted(nodes, KEYS / 2);
        }
    }

    private static void delete(TestNodes nodes, int from, int to) {
        nodes.awaitOwners(0, 1);
        try (Jedis client = nodes.client(0)) {
            for (int i = from; i < to; i++) {
                assertThat(client.del("key" + i)).isEqualTo(1);
            }
        }
    }

    /** Asserts that the first keys are gone and the others are there, for clients and in the store of each node. */
    private static void assertDeleted(TestNodes nodes, int deleted) {
        try (UnifiedJedis client = nodes.cluster(1)) {
            for (int i = 0; i < KEYS; i++) {
                assertThat(client.get("key" + i)).isEqualTo(i < deleted ? null : "value" + i);
            }
        }
        for (int node = 0; node < 2; node++) {
            assertThat(nodes.node(node)
                            .node()
                            .keys()
                            .withFlags(Flag.CACHE_MODE_LOCAL)
                            .size())
                    .as("keys with node %d", node)
                    .isEqualTo(KEYS - deleted);
        }
    }

    private static void assertEachNodeHasItsKeys(TestNodes nodes) {
        long sum = 0;
        int moves = 0;
        for (int i = 0; i < 3; i++) {
            try (Jedis client = nodes.client(i)) {
                long size = client.dbSize();
                assertThat(size).isPositive();
                sum += size;
                for (String key : client.keys("*")) {
                    assertThat(client.get(key)).isEqualTo(key.replace("key", "value"));
                }
                for (int k = 0; k < KEYS; k++) {
                    try {
                        client.get("key" + k);
                    } catch (JedisMovedDataException e) {
                        moves++;
                    }
                }
            }
        }
        assertThat(sum).isEqualTo(KEYS);
        assertThat(moves).isEqualTo(2 * KEYS);
    }

    @Test
    void aNodeJoinsAndAnotherIsKilledUnderLoadAndNothingAcknowledgedIsLost() throws Exception {
        try (TestNodes nodes = new TestNodes(directory, 3, 4).with("cache-timeout", "5000")) {
            nodes.startAll(0, 1, 2);
            nodes.awaitOwners(0, 3);
            Load load = new Load(nodes, 0, "");
            try (load) {
                load.await(100);
                nodes.start(3);
                nodes.awaitOwners(0, 4);
                load.await(100);
                nodes.kill(1);
                nodes.awaitOwners(0, 3);
                load.await(100);
            }
            assertThat(load.lost(nodes, 0))
                    .as("of %d", load.acknowledged().size())
                    .isEmpty();
        }
    }

    @Test
    void twoOfFourNodesThatAreKilledAtOnceLoseNothingThatHasThreeOwners() throws Exception {
        try (TestNodes nodes =
                new TestNodes(directory, 4, 4).with("cache-owners", "3").with("cache-timeout", "5000")) {
            nodes.startAll(0, 1, 2, 3);
            nodes.awaitOwners(0, 4);
            Load load = new Load(nodes, 0, "");
            try (load) {
                load.await(200);
                nodes.kill(1);
                nodes.kill(2);
                nodes.awaitOwners(0, 2);
                load.await(100);
            }
            assertThat(load.lost(nodes, 0))
                    .as("of %d", load.acknowledged().size())
                    .isEmpty();
        }
    }

    @Test
    void aPartThatMayLackKeysRefusesIfItIsToldToAndAllThatStartAnewHaveThem() throws Exception {
        try (TestNodes nodes = new TestNodes(directory, 2, 2)
                .with("cache-timeout", "5000")
                .with("cache-when-split", "deny-read-writes")) {
            nodes.startAll(0, 1);
            nodes.awaitOwners(0, 2);
            try (UnifiedJedis client = nodes.cluster(0)) {
                for (int i = 0; i < KEYS; i++) {
                    client.set("key" + i, "value" + i);
                }
            }
            nodes.kill(1);
            while (nodes.node(0).node().keys().getAvailability() == AvailabilityMode.AVAILABLE) {
                Thread.onSpinWait();
            }
            try (Jedis client = nodes.client(0)) {
                for (int i = 0; i < KEYS; i++) {
                    String key = "key" + i;
                    assertThatThrownBy(() -> client.set(key, "lost")).hasMessageMatching("(CLUSTERDOWN|MOVED).*");
                    assertThatThrownBy(() -> client.get(key)).hasMessageMatching("(CLUSTERDOWN|MOVED).*");
                }
            }
            nodes.stop(0);
            nodes.bury();
            nodes.startAll(0, 1);
            try (UnifiedJedis client = nodes.cluster(0)) {
                for (int i = 0; i < KEYS; i++) {
                    assertThat(client.get("key" + i)).isEqualTo("value" + i);
                }
            }
        }
    }
}
