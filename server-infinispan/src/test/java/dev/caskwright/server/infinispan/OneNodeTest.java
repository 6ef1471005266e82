package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.server.config.ServerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.Response;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.resps.ScanResult;

/** A cluster of one node does what a server does that is alone, and says what it does not. */
final class OneNodeTest {
    @TempDir
    static Path directory;

    private static TestNodes nodes;

    @BeforeAll
    static void start() throws IOException {
        nodes = new TestNodes(directory, 1, 1);
        nodes.start(0);
    }

    @BeforeEach
    void clear() {
        try (Jedis client = nodes.client(0)) {
            client.flushAll();
        }
    }

    @AfterAll
    static void stop() {
        nodes.close();
    }

    @Test
    void commandsOnKeysDoWhatTheyDoElsewhere() {
        try (Jedis client = nodes.client(0)) {
            assertThat(client.set("a", "1")).isEqualTo("OK");
            assertThat(client.get("a")).isEqualTo("1");
            assertThat(client.incr("a")).isEqualTo(2);
            assertThat(client.append("a", "x")).isEqualTo(2);
            assertThat(client.setrange("a", 3, "y")).isEqualTo(4);
            assertThat(client.get("a")).isEqualTo("2x\0y");
            assertThat(client.setGet("a", "new")).isEqualTo("2x\0y");
            assertThat(client.setnx("a", "other")).isZero();
            assertThat(client.set("b", "only", SetParams.setParams().xx())).isNull();
            assertThat(client.set("", "empty")).isEqualTo("OK");
            assertThat(client.get("")).isEqualTo("empty");
            assertThat(client.del("a")).isEqualTo(1);
            assertThat(client.del("a")).isZero();
            assertThat(client.incr("a")).isEqualTo(1);
            client.mset("{t}1", "x", "{t}2", "y");
            assertThat(client.mget("{t}1", "{t}2", "{t}3")).containsExactly("x", "y", null);
            assertThat(client.rename("{t}1", "{t}3")).isEqualTo("OK");
            assertThat(client.exists("{t}1", "{t}2", "{t}3")).isEqualTo(2);
            assertThat(client.dbSize()).isEqualTo(4);
        }
    }

    @Test
    void expiryIsToTheMillisecondAndCanBeTakenBack() {
        try (Jedis client = nodes.client(0)) {
            client.set("a", "1", SetParams.setParams().px(100_000));
            assertThat(client.pttl("a")).isBetween(1L, 100_000L);
            assertThat(client.persist("a")).isEqualTo(1);
            assertThat(client.ttl("a")).isEqualTo(-1);
            client.pexpire("a", 1);
            while (client.exists("a")) {
                Thread.onSpinWait();
            }
            // Its entry is still in the cache for a while, and hides nothing.
            assertThat(client.keys("*")).isEmpty();
            assertThat(client.dbSize()).isZero();
            assertThat(client.incr("a")).isEqualTo(1);
            assertThat(client.ttl("a")).isEqualTo(-1);
        }
    }

    @Test
    void pipelinesKeepTheirOrder() {
        try (Jedis client = nodes.client(0)) {
            Pipeline pipeline = client.pipelined();
            List<Response<?>> replies = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                replies.add(pipeline.set("key" + i % 10, "value" + i));
                replies.add(pipeline.get("key" + i % 10));
                replies.add(pipeline.incr("count"));
            }
            pipeline.sync();
            for (int i = 0; i < 200; i++) {
                assertThat(replies.get(3 * i + 1).get()).isEqualTo("value" + i);
                assertThat(replies.get(3 * i + 2).get()).isEqualTo(i + 1L);
            }
        }
    }

    @Test
    void countersOfManyClientsLoseNothing() {
        int clients = 8;
        int each = 25;
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int c = 0; c < clients; c++) {
            all.add(CompletableFuture.runAsync(
                    () -> {
                        try (Jedis client = nodes.client(0)) {
                            for (int i = 0; i < each; i++) {
                                client.incr("{t}one");
                                Transaction both = client.multi();
                                both.incr("{t}two");
                                both.incr("{t}three");
                                both.exec();
                            }
                        }
                    },
                    task -> new Thread(task, "client").start()));
        }
        all.forEach(CompletableFuture::join);
        try (Jedis client = nodes.client(0)) {
            String total = Integer.toString(clients * each);
            assertThat(client.mget("{t}one", "{t}two", "{t}three")).containsExactly(total, total, total);
        }
    }

    @Test
    void aTransactionFailsIfWhatItWatchesHasChanged() {
        try (Jedis client = nodes.client(0);
                Jedis other = nodes.client(0)) {
            client.set("a", "1");
            client.watch("a");
            Transaction first = client.multi();
            first.incr("a");
            assertThat(first.exec()).containsExactly(2L);
            client.watch("a");
            other.set("a", "9");
            Transaction second = client.multi();
            second.incr("a");
            assertThat(second.exec()).isNull();
            assertThat(client.get("a")).isEqualTo("9");
        }
    }

    @Test
    void scanReturnsEachKeyAndFlushRemovesThem() {
        try (Jedis client = nodes.client(0)) {
            Pipeline pipeline = client.pipelined();
            Set<String> expected = new HashSet<>();
            for (int i = 0; i < 500; i++) {
                pipeline.set("key" + i, "value");
                expected.add("key" + i);
            }
            pipeline.sync();
            Set<String> found = new HashSet<>();
            String cursor = ScanParams.SCAN_POINTER_START;
            do {
                ScanResult<String> page = client.scan(cursor, new ScanParams().count(37));
                for (String key : page.getResult()) {
                    assertThat(found.add(key)).as(key).isTrue();
                }
                cursor = page.getCursor();
            } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
            assertThat(found).isEqualTo(expected);
            assertThat(client.keys("key12?")).hasSize(10);
            assertThat(client.flushAll()).isEqualTo("OK");
            assertThat(client.dbSize()).isZero();
            assertThat(client.get("key1")).isNull();
        }
    }

    @Test
    void whatACacheCannotDoIsAnError() {
        try (Jedis client = nodes.client(0)) {
            assertThatThrownBy(() -> client.select(1)).isInstanceOf(JedisDataException.class);
            assertThatThrownBy(() -> client.swapDB(0, 1)).isInstanceOf(JedisDataException.class);
            assertThatThrownBy(() -> client.mset("a", "1", "b", "2")).hasMessageContaining("CROSSSLOT");
            assertThatThrownBy(() -> client.waitAOF(1, 0, 0)).hasMessageContaining("WAITAOF");
            Transaction transaction = client.multi();
            transaction.sendCommand(Protocol.Command.FLUSHALL, new String[0]);
            assertThatThrownBy(transaction::exec).hasMessageContaining("EXECABORT");
        }
    }

    @Test
    void aRestartKeepsEverything() throws IOException {
        try (Jedis client = nodes.client(0)) {
            client.set("a", "1");
            client.set("b", "2", SetParams.setParams().px(1_000_000));
            client.set("gone", "3");
            client.del("gone");
        }
        nodes.stop(0);
        nodes.start(0);
        try (Jedis client = nodes.client(0)) {
            assertThat(client.get("a")).isEqualTo("1");
            assertThat(client.get("b")).isEqualTo("2");
            assertThat(client.pttl("b")).isBetween(1L, 1_000_000L);
            assertThat(client.get("gone")).isNull();
            assertThat(client.dbSize()).isEqualTo(2);
        }
    }

    @Test
    void whatIsNotThisNodesIsRefusedAndStays() throws IOException {
        try (Jedis client = nodes.client(0)) {
            client.set("a", "1");
        }
        assertThatThrownBy(() -> CacheNode.open(nodes.directory(0), NodeOptions.of(nodes.config(0))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in use");
        nodes.stop(0);
        assertRefused("cache-segments", "512", "segments");
        assertRefused("cache-cluster", "other", "cluster");
        Path note = nodes.directory(0).resolve("standing");
        String text = Files.readString(note);
        Files.delete(note);
        assertRefused("cache-owners", "2", "nobody knows");
        Files.writeString(note, text.replace("node=n0", "node=n7"));
        assertRefused("cache-owners", "2", "another node");
        Files.writeString(note, text);
        nodes.start(0);
        try (Jedis client = nodes.client(0)) {
            assertThat(client.get("a")).isEqualTo("1");
        }
    }

    private void assertRefused(String option, String value, String message) {
        ServerConfig config = nodes.config(0).set(option, value);
        assertThatThrownBy(() -> CacheNode.open(nodes.directory(0), NodeOptions.of(config)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(message);
    }
}
