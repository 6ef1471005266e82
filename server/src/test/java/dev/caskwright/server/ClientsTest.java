package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.RedisClient;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.SetArgs;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.client.RedisException;
import org.redisson.client.codec.StringCodec;
import org.redisson.config.Config;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.Response;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.resps.ScanResult;

/** The clients that programs use find nothing missing: Jedis, Lettuce and Redisson, as they come. */
final class ClientsTest {
    @ParameterizedTest
    @EnumSource(RedisProtocol.class)
    void jedisDoesWhatItDoesWithStrings(RedisProtocol protocol) throws Exception {
        try (TestServer server = TestServer.start("appendfsync", "always");
                Jedis jedis = new Jedis(
                        new HostAndPort("127.0.0.1", server.server.port()),
                        DefaultJedisClientConfig.builder()
                                .protocol(protocol)
                                .clientName("judge")
                                .database(2)
                                .build())) {
            assertThat(jedis.set("a", "1", SetParams.setParams().nx().px(10_000)))
                    .isEqualTo("OK");
            assertThat(jedis.set("a", "2", SetParams.setParams().nx())).isNull();
            assertThat(jedis.get("a")).isEqualTo("1");
            assertThat(jedis.pttl("a")).isEqualTo(10_000);
            assertThat(jedis.incrBy("n", 5)).isEqualTo(5);
            assertThat(jedis.incrByFloat("f", 1.5)).isEqualTo(1.5);
            assertThat(jedis.mget("a", "missing")).containsExactly("1", null);
            assertThatThrownBy(() -> jedis.incr("a".repeat(70_000))).isInstanceOf(JedisDataException.class);
            Pipeline pipeline = jedis.pipelined();
            List<Response<String>> replies = new ArrayList<>();
            for (int i = 0; i < 1_000; i++) {
                pipeline.set("p:" + i, "v" + i);
                replies.add(pipeline.get("p:" + i));
            }
            pipeline.sync();
            assertThat(replies.get(999).get()).isEqualTo("v999");
            Set<String> seen = new HashSet<>();
            String cursor = ScanParams.SCAN_POINTER_START;
            do {
                ScanResult<String> page =
                        jedis.scan(cursor, new ScanParams().match("p:*").count(100));
                seen.addAll(page.getResult());
                cursor = page.getCursor();
            } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
            assertThat(seen).hasSize(1_000);
            jedis.watch("n");
            Transaction transaction = jedis.multi();
            transaction.incr("n");
            Response<String> inside = transaction.get("n");
            transaction.exec();
            assertThat(inside.get()).isEqualTo("6");
            assertThat(jedis.clientGetname()).isEqualTo("judge");
            assertThat(jedis.configGet("maxclients")).containsEntry("maxclients", "10000");
            assertThat(jedis.dbSize()).isEqualTo(1_003);
            assertThat(jedis.info("server")).contains("server_name:caskwright");
        }
    }

    @Test
    void lettuceDoesWhatItDoesWithStrings() throws Exception {
        try (TestServer server = TestServer.start()) {
            RedisClient client = RedisClient.create("redis://127.0.0.1:" + server.server.port() + "/3");
            try (StatefulRedisConnection<String, String> connection = client.connect();
                    StatefulRedisPubSubConnection<String, String> listener = client.connectPubSub()) {
                RedisCommands<String, String> redis = connection.sync();
                assertThat(redis.set("a", "1", SetArgs.Builder.nx().px(Duration.ofSeconds(10))))
                        .isEqualTo("OK");
                assertThat(redis.setGet("a", "2")).isEqualTo("1");
                assertThat(redis.getdel("a")).isEqualTo("2");
                redis.mset(Map.of("x", "1", "y", "2", "z", "3"));
                KeyScanCursor<String> page = redis.scan(ScanCursor.INITIAL, ScanArgs.Builder.limit(100));
                assertThat(page.getKeys()).containsExactlyInAnyOrder("x", "y", "z");
                assertThat(page.isFinished()).isTrue();
                redis.multi();
                redis.incr("x");
                redis.get("x");
                TransactionResult result = redis.exec();
                assertThat(result.<String>get(1)).isEqualTo("2");
                assertThat(redis.expire("x", 100)).isTrue();
                assertThat(redis.ttl("x")).isEqualTo(100);
                assertThat(redis.commandCount()).isGreaterThan(80);
                assertThat(redis.commandInfo("get")).hasSize(1);
                CompletableFuture<String> heard = new CompletableFuture<>();
                listener.addListener(new RedisPubSubAdapter<>() {
                    @Override
                    public void message(String channel, String message) {
                        heard.complete(channel + ":" + message);
                    }
                });
                listener.sync().subscribe("news");
                redis.publish("news", "hello");
                assertThat(heard.get()).isEqualTo("news:hello");
            } finally {
                client.shutdown(Duration.ZERO, Duration.ofSeconds(5));
            }
        }
    }

    @Test
    @Tag("campaign")
    void redissonHasBucketsAndCounters() throws Exception {
        try (TestServer server = TestServer.start()) {
            Config config = new Config();
            config.setCodec(StringCodec.INSTANCE);
            config.setThreads(2).setNettyThreads(2);
            config.useSingleServer()
                    .setAddress("redis://127.0.0.1:" + server.server.port())
                    .setConnectionPoolSize(2)
                    .setConnectionMinimumIdleSize(1)
                    .setSubscriptionConnectionMinimumIdleSize(1)
                    .setSubscriptionConnectionPoolSize(1);
            RedissonClient redisson = Redisson.create(config);
            try {
                redisson.getBucket("a").set("1", Duration.ofSeconds(10));
                assertThat(redisson.<String>getBucket("a").get()).isEqualTo("1");
                assertThat(redisson.getBucket("a").setIfAbsent("2")).isFalse();
                assertThat(redisson.getBucket("a").delete()).isTrue();
                assertThat(redisson.getAtomicLong("n").incrementAndGet()).isEqualTo(1);
                assertThat(redisson.getAtomicLong("n").addAndGet(5)).isEqualTo(6);
                assertThat(redisson.getBuckets().get("n", "missing")).hasSize(1);
                assertThat(redisson.getKeys().count()).isEqualTo(1);
                // A script to Redisson: an error, and not the same command again without end.
                assertThatThrownBy(() -> redisson.getBucket("n").getAndDelete())
                        .isInstanceOf(RedisException.class)
                        .hasMessageContaining("no scripts");
            } finally {
                redisson.shutdown();
            }
        }
    }
}
