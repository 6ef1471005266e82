package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.testkit.ManualClock;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import java.io.IOException;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.UnifiedJedis;

/** Clients of Redis Cluster find the leader of a group by themselves, and again when another leads. */
final class ClusterClientsTest {
    private static final int KEYS = 50;

    private LoopbackGroup group;

    @BeforeEach
    void start() throws IOException {
        group = new LoopbackGroup(3, new ManualClock(), new ServerConfig());
        group.isProxying = false;
    }

    @AfterEach
    void stop() throws IOException {
        group.close();
    }

    @Test
    void jedisFollowsTheLeader() {
        group.leader = 1;
        try (UnifiedJedis cluster = redis.clients.jedis.RedisClusterClient.builder()
                .nodes(Set.of(new HostAndPort("127.0.0.1", group.servers.get(0).port())))
                .build()) {
            for (int leader = 1; leader >= 0; leader--) {
                group.leader = leader;
                for (int i = 0; i < KEYS; i++) {
                    cluster.set("key" + i, "value" + leader);
                }
                for (int i = 0; i < KEYS; i++) {
                    assertThat(cluster.get("key" + i)).isEqualTo("value" + leader);
                }
            }
        }
    }

    @Test
    void lettuceFollowsTheLeader() {
        group.leader = 1;
        RedisClusterClient client = RedisClusterClient.create(
                RedisURI.create("127.0.0.1", group.servers.get(0).port()));
        try (StatefulRedisClusterConnection<String, String> connection = client.connect()) {
            for (int leader = 1; leader >= 0; leader--) {
                group.leader = leader;
                for (int i = 0; i < KEYS; i++) {
                    connection.sync().set("key" + i, "value" + leader);
                    assertThat(connection.sync().get("key" + i)).isEqualTo("value" + leader);
                }
            }
        } finally {
            client.shutdown();
        }
    }

    @Test
    void slotsAreThoseOfRedisCluster() throws IOException {
        try (RespClient client = group.client(2)) {
            assertThat(client.call("CLUSTER", "KEYSLOT", "123456789")).isEqualTo(12_739L);
            assertThat(client.call("CLUSTER", "KEYSLOT", "foo")).isEqualTo(12_182L);
            assertThat(client.call("CLUSTER", "KEYSLOT", "{foo}.bar")).isEqualTo(12_182L);
            assertThat(client.call("CLUSTER", "KEYSLOT", "a{foo}{bar}")).isEqualTo(12_182L);
            assertThat(client.call("CLUSTER", "KEYSLOT", "{}foo")).isNotEqualTo(12_182L);
            assertThat((String) client.call("CLUSTER", "NODES"))
                    .contains("master - 0 0 1 connected 0-16383", "myself,slave ");
            assertThat((String) client.call("CLUSTER", "INFO")).contains("cluster_state:ok");
            group.leader = -1;
            assertThat(client.call("CLUSTER", "SLOTS").toString()).isEqualTo("[]");
            assertThat((String) client.call("CLUSTER", "INFO")).contains("cluster_state:fail");
        }
    }
}
