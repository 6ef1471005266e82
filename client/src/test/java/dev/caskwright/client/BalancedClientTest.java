package dev.caskwright.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.balance.Discovery;
import dev.caskwright.balance.Endpoint;
import dev.caskwright.balance.Hashes;
import dev.caskwright.balance.NoEndpointException;
import dev.caskwright.balance.OutlierFilter;
import dev.caskwright.balance.ServiceList;
import dev.caskwright.balance.Strategies;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.server.CaskServer;
import dev.caskwright.server.config.ServerConfig;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.SetArgs;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A client of several servers, some of ours, some that answer by a script. */
final class BalancedClientTest {
    @TempDir
    private Path directory;

    private final List<AutoCloseable> opened = new ArrayList<>();

    private final class Node implements AutoCloseable {
        private final StorageEngine store;
        private CaskServer server;

        Node(String name) throws IOException {
            store = BitcaskEngine.open(directory.resolve(name));
            start(0);
            opened.add(this);
        }

        void start(int port) throws IOException {
            server = CaskServer.start(
                    store,
                    new ServerConfig()
                            .set("bind", "127.0.0.1")
                            .set("port", "" + port)
                            .set("shutdown-timeout", "1"));
        }

        Endpoint endpoint() {
            return Endpoint.of("127.0.0.1", server.port());
        }

        @Override
        public void close() throws IOException {
            server.close();
            store.close();
        }
    }

    private ScriptedServer scripted(String reply) throws IOException {
        ScriptedServer server = new ScriptedServer(command -> reply);
        opened.add(server);
        return server;
    }

    private static Endpoint endpoint(ScriptedServer server) {
        return Endpoint.of("127.0.0.1", server.port());
    }

    private static Discovery servers(Endpoint... endpoints) {
        return Discovery.fixed(ServiceList.of(endpoints));
    }

    private BalancedClient<String, String> open(BalancedClient.Builder<String, String> builder) {
        BalancedClient<String, String> client = builder.open();
        opened.add(0, client);
        return client;
    }

    private BalancedClient<String, String> open(Endpoint... endpoints) {
        return open(BalancedClient.builder()
                .strategy(Strategies::roundRobin)
                .timeout(Duration.ofSeconds(5))
                .shard("one", servers(endpoints)));
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private static Throwable failure(CompletableFuture<?> reply) {
        try {
            reply.join();
        } catch (CompletionException e) {
            return e.getCause();
        }
        throw new AssertionError("no failure");
    }

    @Test
    void aKeyIsInOneShardAndStaysThere() throws Exception {
        Map<String, Node> nodes = Map.of("a", new Node("a"), "b", new Node("b"), "c", new Node("c"));
        BalancedClient.Builder<String, String> builder = BalancedClient.builder();
        nodes.forEach((name, node) -> builder.shard(name, servers(node.endpoint())));
        BalancedClient<String, String> client = open(builder);
        // Pipelined: none is waited for before the next is sent.
        List<CompletableFuture<String>> replies = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            String key = "key:" + i;
            replies.add(client.repeatableWrite(key, redis -> redis.set(key, "v")));
        }
        replies.forEach(CompletableFuture::join);
        for (String name : nodes.keySet()) {
            BalancedClient<String, String> one = open(
                    BalancedClient.builder().shard("x", servers(nodes.get(name).endpoint())));
            List<String> keys = one.read("", redis -> redis.keys("*")).join();
            assertThat(keys)
                    .hasSizeBetween(140, 260)
                    .allMatch(key -> client.shard(key).equals(name));
            String info = one.read("", redis -> redis.info("clients")).join();
            // One connection of each client.
            assertThat(info).contains("connected_clients:2");
        }
        for (int i = 0; i < 600; i += 50) {
            String key = "key:" + i;
            assertThat(client.read(key, redis -> redis.get(key)).join()).isEqualTo("v");
        }
    }

    /**
     * Lettuce ends the connection then, so other commands may be tried again; but nothing of this one was sent, and it is not the
     * server's fault.
     */
    @Test
    void aKeyThatCannotBeEncodedIsNoFaultOfTheServer() throws Exception {
        ScriptedServer server = new ScriptedServer(command -> "+" + command.get(1) + "\r\n");
        opened.add(server);
        RedisCodec<String, String> codec = new RedisCodec<>() {
            @Override
            public String decodeKey(ByteBuffer bytes) {
                return StringCodec.UTF8.decodeKey(bytes);
            }

            @Override
            public String decodeValue(ByteBuffer bytes) {
                return StringCodec.UTF8.decodeValue(bytes);
            }

            @Override
            public ByteBuffer encodeKey(String key) {
                if (key.startsWith("bad")) {
                    throw new IllegalArgumentException("planted");
                }
                return StringCodec.UTF8.encodeKey(key);
            }

            @Override
            public ByteBuffer encodeValue(String value) {
                return StringCodec.UTF8.encodeValue(value);
            }
        };
        BalancedClient<String, String> client = open(BalancedClient.builder(codec, Hashes::of)
                .timeout(Duration.ofSeconds(5))
                .shard("one", servers(endpoint(server))));
        assertThat(client.read("a", redis -> redis.get("a")).join()).isEqualTo("a");
        for (int i = 0; i < 10; i++) {
            int number = i;
            assertThat(failure(client.write("bad" + i, redis -> redis.get("bad" + number))))
                    .hasRootCauseMessage("planted")
                    .isNotInstanceOf(UnknownOutcomeException.class);
            assertThat(client.read("good" + i, redis -> redis.get("good" + number))
                            .join())
                    .isEqualTo("good" + i);
        }
    }

    @Test
    void equalsShareTheReads() throws Exception {
        List<ScriptedServer> servers = List.of(scripted("+v\r\n"), scripted("+v\r\n"), scripted("+v\r\n"));
        BalancedClient<String, String> client =
                open(servers.stream().map(BalancedClientTest::endpoint).toArray(Endpoint[]::new));
        for (int i = 0; i < 30; i++) {
            assertThat(client.read("a", redis -> redis.get("a")).join()).isEqualTo("v");
        }
        assertThat(servers).allMatch(server -> server.commands.size() == 10);
    }

    @Test
    void aServerThatDiesAndComesBackCostsNobodyARead() throws Exception {
        Node one = new Node("one");
        Node two = new Node("two");
        BalancedClient<String, String> client = open(BalancedClient.builder()
                .strategy(Strategies::roundRobin)
                .outliers(() -> new OutlierFilter(2, Duration.ofMillis(1)))
                .shard("one", servers(one.endpoint(), two.endpoint())));
        int port = one.server.port();
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 20; i++) {
                assertThat(client.read("a", redis -> redis.get("a")).join()).isNull();
            }
            one.server.close();
            for (int i = 0; i < 20; i++) {
                assertThat(client.read("a", redis -> redis.get("a")).join()).isNull();
            }
            one.start(port);
            // It is asked again after a while: until then the other one answers.
            while (!client.read("a", redis -> redis.info("server")).join().contains("tcp_port:" + port)) {
                Thread.onSpinWait();
            }
        }
        assertThat(client.active("one").values()).containsOnly(0);
    }

    @Test
    void aServerThatHangsIsPassedOver() throws Exception {
        ScriptedServer hanging = scripted(ScriptedServer.SILENCE);
        ScriptedServer good = scripted("+v\r\n");
        BalancedClient<String, String> client = open(BalancedClient.builder()
                .strategy(Strategies::roundRobin)
                .outliers(() -> new OutlierFilter(2, Duration.ofHours(1)))
                .timeout(Duration.ofMillis(300))
                .shard("one", servers(endpoint(hanging), endpoint(good))));
        for (int i = 0; i < 20; i++) {
            assertThat(client.read("a", redis -> redis.get("a")).join()).isEqualTo("v");
        }
        assertThat(hanging.commands).hasSize(2);
        assertThat(client.active("one").values()).containsOnly(0);
    }

    @Test
    void whatWasCertainlyNotRunGoesToAnotherServer() throws Exception {
        for (String refusal : List.of("LOADING wait", "READONLY a replica", "CLUSTERDOWN no leader", "BUSY wait")) {
            ScriptedServer refusing = scripted("-" + refusal + "\r\n");
            ScriptedServer good = scripted(":1\r\n");
            BalancedClient<String, String> client = open(endpoint(refusing), endpoint(good));
            for (int i = 0; i < 4; i++) {
                assertThat(client.write("n", redis -> redis.incr("n")).join())
                        .as(refusal)
                        .isEqualTo(1);
            }
            assertThat(refusing.commands).as(refusal).isNotEmpty();
            assertThat(good.commands).as(refusal).hasSize(4);
        }
    }

    @Test
    void aChangeGoesToTheServerThatAnotherOneNames() throws Exception {
        ScriptedServer leader = scripted(":1\r\n");
        ScriptedServer follower = scripted("-MOVED 0 127.0.0.1:" + leader.port() + "\r\n");
        ScriptedServer other = scripted("-MOVED 0 :" + leader.port() + "\r\n");
        // The leader is not even in the list.
        BalancedClient<String, String> client = open(endpoint(follower), endpoint(other));
        for (int i = 0; i < 10; i++) {
            assertThat(client.write("n", redis -> redis.incr("n")).join()).isEqualTo(1);
        }
        assertThat(leader.commands).hasSize(10);
        // It was asked for once.
        assertThat(follower.commands.size() + other.commands.size()).isEqualTo(1);
        // When it does not lead any more, another one is asked.
        leader.script(command -> "-READONLY not any more\r\n");
        ScriptedServer next = scripted(":2\r\n");
        follower.script(command -> "-MOVED 0 127.0.0.1:" + next.port() + "\r\n");
        other.script(command -> "-MOVED 0 127.0.0.1:" + next.port() + "\r\n");
        assertThat(client.write("n", redis -> redis.incr("n")).join()).isEqualTo(2);
        // Reads still go to the equals.
        follower.script(command -> "+v\r\n");
        other.script(command -> "+v\r\n");
        assertThat(client.read("a", redis -> redis.get("a")).join()).isEqualTo("v");
    }

    @Test
    void aChangeIsNotMadeTwice() throws Exception {
        for (String answer :
                List.of(ScriptedServer.HANG_UP, "-UNKNOWN it may be applied\r\n", "-IOERR outcome unknown\r\n")) {
            ScriptedServer one = scripted(answer);
            ScriptedServer two = scripted(answer);
            BalancedClient<String, String> client = open(endpoint(one), endpoint(two));
            assertThat(failure(client.write("n", redis -> redis.incr("n"))))
                    .as(answer)
                    .isInstanceOf(UnknownOutcomeException.class);
            assertThat(one.commands.size() + two.commands.size()).as(answer).isEqualTo(1);
            one.script(command -> "+OK\r\n");
            two.script(command -> answer);
            for (int i = 0; i < 4; i++) {
                assertThat(client.repeatableWrite("a", redis -> redis.set("a", "1", SetArgs.Builder.ex(10)))
                                .join())
                        .as(answer)
                        .isEqualTo("OK");
                assertThat(client.read("a", redis -> redis.get("a")).join()).isEqualTo("OK");
            }
            assertThat(client.active("one").values()).containsOnly(0);
        }
    }

    @Test
    void anErrorOfTheRequestIsItsReply() throws Exception {
        ScriptedServer one = scripted("-ERR value is not an integer\r\n");
        ScriptedServer two = scripted("-ERR value is not an integer\r\n");
        BalancedClient<String, String> client = open(endpoint(one), endpoint(two));
        assertThat(failure(client.read("n", redis -> redis.get("n"))))
                .isInstanceOf(RedisCommandExecutionException.class);
        assertThat(one.commands.size() + two.commands.size()).isEqualTo(1);
        IllegalStateException own = new IllegalStateException("mine");
        assertThat(failure(client.<String>read("n", redis -> {
                    throw own;
                })))
                .isSameAs(own);
        assertThat(client.active("one").values()).containsOnly(0);
    }

    @Test
    void aKeyDoesNotGoToAnotherShardBecauseItsOwnFails() throws Exception {
        ScriptedServer good = scripted("+v\r\n");
        BalancedClient<String, String> client = open(BalancedClient.builder()
                .shard("good", servers(endpoint(good)))
                .shard("bad", servers(Endpoint.of("127.0.0.1", 1))));
        int failed = 0;
        for (int i = 0; i < 20; i++) {
            String key = "key:" + i;
            if (client.shard(key).equals("bad")) {
                assertThat(failure(client.read(key, redis -> redis.get(key)))).isNotNull();
                failed++;
            } else {
                assertThat(client.read(key, redis -> redis.get(key)).join()).isEqualTo("v");
            }
        }
        assertThat(failed).isBetween(3, 17);
        assertThat(good.commands).hasSize(20 - failed);
    }

    @Test
    void retriesDoNotMultiplyTheLoadWhenEverythingFails() throws Exception {
        ScriptedServer one = scripted("-LOADING wait\r\n");
        ScriptedServer two = scripted("-LOADING wait\r\n");
        BalancedClient<String, String> client = open(endpoint(one), endpoint(two));
        for (int i = 0; i < 100; i++) {
            assertThat(failure(client.read("a", redis -> redis.get("a"))))
                    .isInstanceOf(RedisCommandExecutionException.class)
                    .hasMessageContaining("LOADING");
        }
        assertThat(one.commands.size() + two.commands.size()).isLessThanOrEqualTo(100 + 20 + 20);
    }

    @Test
    void serversComeAndGoWhileRequestsAreUnderWay() throws Exception {
        ScriptedServer one = scripted("+1\r\n");
        ScriptedServer two = scripted("+2\r\n");
        AtomicReference<Consumer<ServiceList>> registry = new AtomicReference<>();
        BalancedClient<String, String> client = open(BalancedClient.builder().shard("one", listener -> {
            registry.set(listener);
            return () -> {};
        }));
        assertThat(failure(client.read("a", redis -> redis.get("a")))).isInstanceOf(NoEndpointException.class);
        registry.get().accept(ServiceList.of(endpoint(one)));
        assertThat(client.read("a", redis -> redis.get("a")).join()).isEqualTo("1");
        registry.get().accept(ServiceList.of(endpoint(two)));
        assertThat(client.read("a", redis -> redis.get("a")).join()).isEqualTo("2");
        registry.get().accept(ServiceList.of(endpoint(one).withWeight(0), endpoint(two)));
        assertThat(client.read("a", redis -> redis.get("a")).join()).isEqualTo("2");
        assertThat(client.active("one").values()).containsOnly(0, 0);
    }

    @Test
    void aBuilderSaysWhatIsMissing() {
        assertThatThrownBy(() -> BalancedClient.builder().open())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("shard(...)");
        assertThatThrownBy(() -> BalancedClient.builder().maxTries(0)).hasMessageContaining("1 to 10");
        assertThatThrownBy(() -> BalancedClient.builder().shard("a", servers()).shard("a", servers()))
                .hasMessageContaining("one name");
    }
}
