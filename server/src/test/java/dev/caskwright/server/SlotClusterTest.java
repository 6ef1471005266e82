package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.server.cluster.HashSlot;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.UnifiedJedis;

/** A server that has a part of the slots answers as a node of Redis Cluster does, and clients find their way by it. */
final class SlotClusterTest {
    private static final int KEYS = 100;

    /** Keys of the first, the second and the third of three nodes: of slots 866, 7,423 and 12,182. */
    private static final String FIRST = "hello";

    private static final String SECOND = "ash";
    private static final String THIRD = "foo";

    private SlotCluster cluster;

    @BeforeEach
    void start() throws IOException {
        cluster = new SlotCluster(3);
    }

    @AfterEach
    void stop() throws IOException {
        cluster.close();
    }

    private static int slot(String key) {
        return HashSlot.of(key.getBytes(StandardCharsets.UTF_8));
    }

    private static RespClient.Failure failure(String message) {
        return new RespClient.Failure(message);
    }

    private RespClient.Failure moved(String key, int node) {
        return failure("MOVED " + slot(key) + " " + cluster.address(node));
    }

    private static final RespClient.Failure CROSS_SLOT =
            failure("CROSSSLOT Keys in request don't hash to the same slot");

    @Test
    void commandsAreExecutedByWhoHasTheSlot() throws IOException {
        try (RespClient first = cluster.client(0);
                RespClient third = cluster.client(2)) {
            assertThat(first.call("SET", FIRST, "1")).isEqualTo("OK");
            assertThat(first.call("SET", THIRD, "3")).isEqualTo(moved(THIRD, 2));
            assertThat(first.call("GET", SECOND)).isEqualTo(moved(SECOND, 1));
            assertThat(third.call("SET", THIRD, "3")).isEqualTo("OK");
            assertThat(third.call("GET", FIRST)).isEqualTo(moved(FIRST, 0));
            // Commands without keys are of the node that they come to.
            assertThat(first.call("DBSIZE")).isEqualTo(1L);
            assertThat(first.call("KEYS", "*")).isEqualTo(List.of(FIRST));
            assertThat(third.call("PING")).isEqualTo("PONG");
        }
    }

    @Test
    void whereKeysAreComesFromTheTableOfCommands() throws IOException {
        try (RespClient first = cluster.client(0)) {
            for (String[] command : new String[][] {
                {"MGET", FIRST, THIRD},
                {"MSET", FIRST, "1", THIRD, "3"},
                {"DEL", FIRST, FIRST, THIRD},
                {"RENAME", FIRST, THIRD},
                {"RENAMENX", FIRST, THIRD},
                {"COPY", FIRST, THIRD, "REPLACE"},
                {"WATCH", FIRST, THIRD}
            }) {
                assertThat(first.call(command)).as(command[0]).isEqualTo(CROSS_SLOT);
            }
            assertThat(first.call("MSET", "{hello}a", THIRD, "{hello}b", SECOND))
                    .isEqualTo("OK");
            assertThat(first.call("MGET", "{hello}a", "{hello}b")).isEqualTo(List.of(THIRD, SECOND));
            assertThat(first.call("OBJECT", "ENCODING", THIRD)).isEqualTo(moved(THIRD, 2));
            assertThat(first.call("MEMORY", "USAGE", THIRD)).isEqualTo(moved(THIRD, 2));
            // What comes behind the keys is no key.
            assertThat(first.call("SET", FIRST, THIRD, "EX", "100")).isEqualTo("OK");
            assertThat(first.call("GET")).isEqualTo(failure("ERR wrong number of arguments for 'get' command"));
        }
    }

    @Test
    void slotsThatNobodyHasAreDown() throws IOException {
        cluster.only(0, 1_000, 0);
        try (RespClient first = cluster.client(0)) {
            assertThat(first.call("SET", FIRST, "1")).isEqualTo("OK");
            assertThat(first.call("SET", THIRD, "3")).isEqualTo(failure("CLUSTERDOWN Hash slot not served"));
            assertThat((String) first.call("CLUSTER", "INFO"))
                    .contains("cluster_state:fail", "cluster_slots_assigned:1001", "cluster_slots_ok:1001");
            cluster.only(0, 1_000, -1);
            assertThat(first.call("GET", FIRST)).isEqualTo(failure("CLUSTERDOWN Hash slot not served"));
            assertThat(first.call("CLUSTER", "SLOTS")).isEqualTo(List.of());
            assertThat((String) first.call("CLUSTER", "INFO"))
                    .contains("cluster_slots_assigned:1001", "cluster_slots_ok:0", "cluster_slots_fail:1001");
        }
    }

    @Test
    void transactionsAreJudgedWhenTheyAreQueuedAndWhenTheyAreExecuted() throws IOException {
        try (RespClient first = cluster.client(0)) {
            assertThat(first.call("MULTI")).isEqualTo("OK");
            assertThat(first.call("SET", FIRST, "1")).isEqualTo("QUEUED");
            assertThat(first.call("SET", THIRD, "3")).isEqualTo(moved(THIRD, 2));
            assertThat(first.call("EXEC"))
                    .isEqualTo(failure("EXECABORT Transaction discarded because of previous errors."));
            // Two slots of the same node: each command may be queued, the transaction may not be executed.
            first.call("MULTI");
            assertThat(first.call("SET", FIRST, "1")).isEqualTo("QUEUED");
            assertThat(first.call("SET", "b", "2")).isEqualTo("QUEUED");
            assertThat(first.call("EXEC")).isEqualTo(CROSS_SLOT);
            assertThat(first.call("EXEC")).isEqualTo(failure("ERR EXEC without MULTI"));
            assertThat(first.call("DBSIZE")).isEqualTo(0L);
            // The slot changes hands between the two.
            first.call("MULTI");
            assertThat(first.call("SET", FIRST, "1")).isEqualTo("QUEUED");
            cluster.splitEvenly(1);
            assertThat(first.call("EXEC")).isEqualTo(moved(FIRST, 1));
            assertThat(first.call("EXEC")).isEqualTo(failure("ERR EXEC without MULTI"));
            cluster.splitEvenly(0);
            first.call("MULTI");
            first.call("SET", FIRST, "1");
            first.call("GET", "b");
            first.call("PING");
            assertThat(first.call("EXEC")).isEqualTo(CROSS_SLOT);
            first.call("MULTI");
            first.call("SET", FIRST, "1");
            first.call("GET", "{hello}x");
            first.call("PING");
            List<?> replies = (List<?>) first.call("EXEC");
            assertThat(replies).isEqualTo(Arrays.asList("OK", null, "PONG"));
        }
    }

    @Test
    void readonlyLetsAReplicaServeReads() throws IOException {
        try (RespClient second = cluster.client(1)) {
            assertThat(second.call("GET", FIRST)).isEqualTo(moved(FIRST, 0));
            assertThat(second.call("READONLY")).isEqualTo("OK");
            assertThat(second.call("GET", FIRST)).isNull();
            assertThat(second.call("SET", FIRST, "1")).isEqualTo(moved(FIRST, 0));
            assertThat(second.call("GET", THIRD)).isEqualTo(moved(THIRD, 2)); // not a replica of this one
            second.call("MULTI");
            assertThat(second.call("GET", FIRST)).isEqualTo("QUEUED");
            assertThat((List<?>) second.call("EXEC")).containsOnlyNulls();
            assertThat(second.call("READWRITE")).isEqualTo("OK");
            assertThat(second.call("GET", FIRST)).isEqualTo(moved(FIRST, 0));
            second.call("READONLY");
            second.call("RESET");
            assertThat(second.call("GET", FIRST)).isEqualTo(moved(FIRST, 0));
            assertThat(second.call("ASKING")).isEqualTo("OK");
        }
    }

    @Test
    void thereIsOneDatabase() throws IOException {
        try (RespClient first = cluster.client(0)) {
            assertThat(first.call("SELECT", "0")).isEqualTo("OK");
            for (String[] command : new String[][] {
                {"SELECT", "1"}, {"MOVE", FIRST, "1"}, {"SWAPDB", "0", "1"}, {"COPY", FIRST, "{hello}x", "DB", "1"}
            }) {
                assertThat(first.call(command))
                        .as(command[0])
                        .isEqualTo(failure(
                                "ERR " + command[0] + " of other databases than 0 is not allowed in cluster mode"));
            }
            assertThat(first.call("COPY", FIRST, "{hello}x", "DB", "0")).isEqualTo(0L);
            assertThat((String) first.call("INFO")).contains("cluster_enabled:1", "redis_mode:cluster");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void clusterTellsWhoHasWhat(int protocol) throws IOException {
        try (RespClient first = cluster.client(0);
                RespClient second = cluster.client(1)) {
            first.call("HELLO", Integer.toString(protocol));
            String firstId = (String) first.call("CLUSTER", "MYID");
            String secondId = (String) second.call("CLUSTER", "MYID");
            assertThat(firstId).matches("[0-9a-f]{40}").isNotEqualTo(secondId);

            List<?> slots = (List<?>) first.call("CLUSTER", "SLOTS");
            Object none = protocol == 2 ? List.of() : Map.of();
            assertThat(slots).hasSize(3);
            assertThat(slots.get(0))
                    .isEqualTo(List.of(
                            0L,
                            5_460L,
                            List.of("127.0.0.1", (long) cluster.port(0), firstId, none),
                            List.of("127.0.0.1", (long) cluster.port(1), secondId, none)));

            List<?> shards = (List<?>) first.call("CLUSTER", "SHARDS");
            assertThat(shards).hasSize(3);
            if (protocol == 3) {
                Map<?, ?> shard = (Map<?, ?>) shards.get(0);
                assertThat(shard.get("slots")).isEqualTo(List.of(0L, 5_460L));
                Map<?, ?> node = (Map<?, ?>) ((List<?>) shard.get("nodes")).get(1);
                assertThat(node.get("id")).isEqualTo(secondId);
                assertThat(node.get("role")).isEqualTo("replica");
                assertThat(node.get("port")).isEqualTo((long) cluster.port(1));
            }

            String lines = (String) first.call("CLUSTER", "NODES");
            assertThat(lines.split("\n")).hasSize(3);
            assertThat(lines)
                    .startsWith(firstId + " " + cluster.address(0) + "@" + Math.min(65_535, cluster.port(0) + 10_000)
                            + " myself,master - 0 0 1 connected 0-5460\n");
            assertThat((List<?>) first.call("CLUSTER", "REPLICAS", firstId)).hasSize(1);
            assertThat(first.call("CLUSTER", "REPLICAS", "x")).isEqualTo(failure("ERR Unknown node x"));
            assertThat((String) first.call("CLUSTER", "INFO"))
                    .contains("cluster_state:ok", "cluster_size:3", "cluster_known_nodes:3", "cluster_slots_ok:16384");
            assertThat(first.call("CLUSTER", "KEYSLOT", "123456789")).isEqualTo(12_739L);
        }
    }

    @Test
    void keysOfASlotAreCountedAndListed() throws IOException {
        try (RespClient first = cluster.client(0)) {
            for (int i = 0; i < 5; i++) {
                first.call("SET", "{hello}" + i, "1");
            }
            first.call("SET", "b", "1");
            String slot = Integer.toString(slot(FIRST));
            assertThat(first.call("CLUSTER", "COUNTKEYSINSLOT", slot)).isEqualTo(5L);
            assertThat(first.call("CLUSTER", "COUNTKEYSINSLOT", "0")).isEqualTo(0L);
            assertThat((List<?>) first.call("CLUSTER", "GETKEYSINSLOT", slot, "3"))
                    .hasSize(3)
                    .allMatch(key -> key.toString().startsWith("{hello}"));
            assertThat((List<?>) first.call("CLUSTER", "GETKEYSINSLOT", slot, "100"))
                    .hasSize(5);
            assertThat((List<?>) first.call("CLUSTER", "GETKEYSINSLOT", slot, "0"))
                    .isEmpty();
            assertThat(first.call("CLUSTER", "COUNTKEYSINSLOT", "16384"))
                    .isEqualTo(failure("ERR Invalid or out of range slot"));
            assertThat(first.call("CLUSTER", "GETKEYSINSLOT", slot, "-1"))
                    .isEqualTo(failure("ERR Invalid number of keys"));
        }
    }

    @Test
    void aServerThatIsAloneIsNoCluster() throws IOException {
        try (TestServer alone = TestServer.start();
                RespClient client = alone.client()) {
            assertThat(client.call("MSET", FIRST, "1", THIRD, "3")).isEqualTo("OK");
            assertThat(client.call("SELECT", "1")).isEqualTo("OK");
            assertThat((String) client.call("INFO")).contains("cluster_enabled:0", "redis_mode:standalone");
            assertThat(((RespClient.Failure) client.call("CLUSTER", "SLOTS")).message())
                    .contains("unknown command");
        }
    }

    @Test
    void jedisFindsTheNodes() throws IOException {
        try (UnifiedJedis jedis = redis.clients.jedis.RedisClusterClient.builder()
                .nodes(Set.of(new HostAndPort("127.0.0.1", cluster.port(2))))
                .build()) {
            for (int first = 0; first < 2; first++) {
                cluster.splitEvenly(first); // the client learns of it by MOVED
                for (int i = 0; i < KEYS; i++) {
                    jedis.set("key" + i, "value" + first);
                    assertThat(jedis.get("key" + i)).isEqualTo("value" + first);
                }
                checkThatAllHaveSome();
            }
        }
    }

    @Test
    void lettuceFindsTheNodes() throws IOException {
        RedisClusterClient client = RedisClusterClient.create(RedisURI.create("127.0.0.1", cluster.port(1)));
        try (StatefulRedisClusterConnection<String, String> connection = client.connect()) {
            assertThat(connection.getPartitions()).hasSize(3);
            for (RedisClusterNode node : connection.getPartitions()) {
                assertThat(node.getSlots()).hasSizeBetween(5_461, 5_462);
            }
            for (int first = 0; first < 2; first++) {
                cluster.splitEvenly(first);
                for (int i = 0; i < KEYS; i++) {
                    connection.sync().set("key" + i, "value" + first);
                    assertThat(connection.sync().get("key" + i)).isEqualTo("value" + first);
                }
                checkThatAllHaveSome();
            }
        } finally {
            client.shutdown(0, 1, TimeUnit.SECONDS);
        }
    }

    private void checkThatAllHaveSome() throws IOException {
        for (int node = 0; node < 3; node++) {
            try (RespClient client = cluster.client(node)) {
                assertThat((Long) client.call("DBSIZE")).isBetween(KEYS / 10L, 2L * KEYS);
            }
        }
    }
}
