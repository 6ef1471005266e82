package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.LIST;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What belongs to a connection: protocol, names, replies and their order, pushes. */
final class ConnectionTest {
    private TestServer server;
    private RespClient client;

    @BeforeEach
    void start() throws IOException {
        server = TestServer.start();
        client = server.client();
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        server.close();
    }

    private Object ask(String words) throws IOException {
        return client.call(words.split(" "));
    }

    private static String message(Object reply) {
        assertThat(reply).isInstanceOf(RespClient.Failure.class);
        return ((RespClient.Failure) reply).message();
    }

    @Test
    void helloChoosesTheProtocolAndTellsAllThatClientsAskFor() throws IOException {
        assertThat(ask("HELLO"))
                .asInstanceOf(LIST)
                .hasSize(14)
                .contains("server", "redis", "version", "7.2.0", "proto", 2L, "modules", List.of());
        Map<?, ?> three = (Map<?, ?>) ask("HELLO 3 SETNAME me");
        assertThat(three.get("proto")).isEqualTo(3L);
        assertThat(three.get("role")).isEqualTo("master");
        assertThat(three.get("mode")).isEqualTo("standalone");
        assertThat(three.get("id")).isEqualTo(ask("CLIENT ID"));
        assertThat(ask("CLIENT GETNAME")).isEqualTo("me");
        assertThat(ask("GET missing")).isNull();
        assertThat(ask("CONFIG GET maxclients")).isEqualTo(Map.of("maxclients", "10000"));
        assertThat(message(ask("HELLO 4"))).startsWith("NOPROTO");
        assertThat(message(ask("HELLO 3 FOO"))).startsWith("ERR Syntax error in HELLO");
        assertThat(ask("RESET")).isEqualTo("RESET");
        assertThat(ask("CONFIG GET maxclients")).isEqualTo(List.of("maxclients", "10000"));
        assertThat(ask("CLIENT GETNAME")).isNull();
    }

    @Test
    void clientsTellOfThemselves() throws IOException {
        assertThat(ask("CLIENT SETINFO LIB-NAME jedis")).isEqualTo("OK");
        assertThat(ask("CLIENT SETINFO LIB-VER 8.0")).isEqualTo("OK");
        assertThat(ask("CLIENT SETNAME worker-1")).isEqualTo("OK");
        assertThat((String) ask("CLIENT INFO"))
                .contains("name=worker-1", "lib-name=jedis", "lib-ver=8.0", "cmd=client|info");
        assertThat((String) ask("CLIENT LIST")).contains("name=worker-1");
        assertThat(message(client.call("CLIENT", "SETNAME", "a b"))).contains("cannot contain spaces");
        assertThat(message(client.call("CLIENT", "SETNAME", "a\nb"))).contains("cannot contain spaces");
        assertThat(ask("CLIENT NO-EVICT ON")).isEqualTo("OK");
        assertThat(ask("CLIENT NO-TOUCH ON")).isEqualTo("OK");
        assertThat(ask("CLIENT TRACKING OFF")).isEqualTo("OK");
        assertThat(message(ask("CLIENT TRACKING ON"))).contains("not supported");
    }

    @Test
    void aClientIsKilledByItsNumber() throws IOException {
        try (RespClient victim = server.client()) {
            Object id = victim.call("CLIENT", "ID");
            assertThat(client.call("CLIENT", "KILL", "ID", id.toString())).isEqualTo(1L);
            assertThat(victim.readAll()).isEmpty();
            assertThat(client.call("CLIENT", "KILL", "ID", id.toString())).isEqualTo(0L);
        }
    }

    @Test
    void repliesCanBeTurnedOff() throws IOException {
        client.send("CLIENT", "REPLY", "OFF");
        client.send("SET", "a", "1");
        client.send("KEYS", "*");
        client.send("NOSUCH");
        client.send("CLIENT", "REPLY", "ON");
        assertThat(client.read()).isEqualTo("OK");
        client.send("CLIENT", "REPLY", "SKIP");
        client.send("GET", "a");
        client.send("PING");
        assertThat(client.read()).isEqualTo("PONG");
        client.send("CLIENT", "REPLY", "SKIP");
        client.send("KEYS", "*");
        client.send("PING");
        assertThat(client.read()).isEqualTo("PONG");
    }

    @Test
    void aPauseMakesWritesWait() throws IOException {
        try (RespClient other = server.client()) {
            assertThat(ask("CLIENT PAUSE 100000 WRITE")).isEqualTo("OK");
            other.send("SET", "a", "1");
            other.send("GET", "a");
            assertThat(ask("GET a")).isNull();
            assertThat(ask("CLIENT UNPAUSE")).isEqualTo("OK");
            assertThat(other.read()).isEqualTo("OK");
            assertThat(other.read()).isEqualTo("1");
        }
    }

    @Test
    void aPauseEndsThoughTheClockIsSetBack() throws IOException {
        try (RespClient other = server.client()) {
            assertThat(ask("CLIENT PAUSE 20 ALL")).isEqualTo("OK");
            server.clock.set(server.clock.instant().minus(Duration.ofHours(1)));
            assertThat(other.call("SET", "a", "1")).isEqualTo("OK");
        }
    }

    @Test
    void repliesComeInTheOrderOfTheCommandsWhereverTheseRun() throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        ask("CONFIG SET appendfsync always");
        List<Object> expected = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            switch (random.nextInt(7)) {
                case 0 -> add(expected, "OK", "SET", "k", "v" + i);
                case 1 -> add(expected, "echo" + i, "ECHO", "echo" + i);
                case 2 -> add(expected, List.of(), "KEYS", "nosuch" + i);
                case 3 -> add(expected, List.of(1L, 0L), "WAITAOF", "1", "0", "0");
                case 4 -> add(expected, new RespClient.Failure("ERR syntax error"), "SET", "k", "v", "x" + i);
                case 5 -> add(expected, List.of("0", List.of()), "SCAN", "0", "MATCH", "nosuch" + i, "COUNT", "100");
                default -> add(expected, "x".repeat(i), "ECHO", "x".repeat(i));
            }
        }
        for (int i = 0; i < expected.size(); i++) {
            assertThat(client.read()).as("seed=%d, reply %d", seed, i).isEqualTo(expected.get(i));
        }
    }

    private void add(List<Object> expected, Object reply, String... request) throws IOException {
        client.send(request);
        expected.add(reply);
    }

    @Test
    void messagesReachWhoeverListens() throws IOException {
        try (RespClient two = server.client();
                RespClient three = server.client(3)) {
            assertThat(two.call("SUBSCRIBE", "news")).isEqualTo(Arrays.asList("subscribe", "news", 1L));
            assertThat(two.call("PSUBSCRIBE", "n*")).isEqualTo(Arrays.asList("psubscribe", "n*", 2L));
            assertThat(three.call("SUBSCRIBE", "news"))
                    .isEqualTo(new RespClient.Push(Arrays.asList("subscribe", "news", 1L)));
            assertThat(ask("PUBLISH news hello")).isEqualTo(3L);
            assertThat(two.read()).isEqualTo(List.of("message", "news", "hello"));
            assertThat(two.read()).isEqualTo(List.of("pmessage", "n*", "news", "hello"));
            assertThat(three.read()).isEqualTo(new RespClient.Push(List.of("message", "news", "hello")));
            assertThat(message(two.call("GET", "a"))).contains("allowed in this context");
            assertThat(two.call("PING")).isEqualTo(List.of("pong", ""));
            assertThat(three.call("SET", "a", "1")).isEqualTo("OK");
            assertThat(ask("PUBSUB CHANNELS")).isEqualTo(List.of("news"));
            assertThat(ask("PUBSUB NUMSUB news other")).isEqualTo(List.of("news", 2L, "other", 0L));
            assertThat(ask("PUBSUB NUMPAT")).isEqualTo(1L);
            assertThat(two.call("UNSUBSCRIBE")).isEqualTo(Arrays.asList("unsubscribe", "news", 1L));
            assertThat(two.call("PUNSUBSCRIBE", "n*")).isEqualTo(Arrays.asList("punsubscribe", "n*", 0L));
            assertThat(two.call("GET", "a")).isEqualTo("1");
            assertThat(two.call("UNSUBSCRIBE")).isEqualTo(Arrays.asList("unsubscribe", null, 0L));
        }
    }

    @Test
    void aMonitorSeesCommandsAndNoSecrets() throws IOException {
        try (RespClient monitor = server.client()) {
            assertThat(monitor.call("MONITOR")).isEqualTo("OK");
            ask("AUTH secret");
            ask("CONFIG SET requirepass secret");
            ask("HELLO 2 AUTH default secret");
            client.call("SET", "a\r\n", "\"x\"");
            assertThat((String) monitor.read())
                    .contains("\"SET\" \"a\\x0d\\x0a\"")
                    .doesNotContain("secret");
        }
    }

    @Test
    void slowCommandsAreNoted() throws IOException {
        ask("CONFIG SET slowlog-log-slower-than 0");
        client.call("SET", "a", "x".repeat(500));
        List<?> entries = (List<?>) ask("SLOWLOG GET 1");
        List<?> arguments = (List<?>) ((List<?>) entries.get(0)).get(3);
        assertThat(arguments.get(0)).isEqualTo("SET");
        assertThat((String) arguments.get(2)).endsWith("... (372 more bytes)");
        assertThat((Long) ask("SLOWLOG LEN")).isPositive();
        ask("CONFIG SET slowlog-log-slower-than -1");
        assertThat(ask("SLOWLOG RESET")).isEqualTo("OK");
        assertThat(ask("SLOWLOG LEN")).isEqualTo(0L);
    }

    @Test
    void figuresAreTold() throws IOException {
        ask("SET a 1");
        ask("GET a");
        ask("GET b");
        ask("NOSUCH");
        String info = (String) ask("INFO everything");
        assertThat(info)
                .contains("redis_version:7.2.0", "server_name:caskwright", "connected_clients:1", "keyspace_hits:1")
                .contains("keyspace_misses:1", "cmdstat_get:calls=2", "errorstat_ERR:count=1", "db0:keys=1")
                .contains("store_health:ok", "appendfsync:everysec");
        assertThat((String) ask("INFO server")).contains("# Server").doesNotContain("# Clients");
    }

    @Test
    void quitAnswersAndCloses() throws IOException {
        client.sendRaw("PING\r\nQUIT\r\nPING\r\n");
        assertThat(client.readAll()).isEqualTo("+PONG\r\n+OK\r\n");
    }

    @Test
    void aProtocolErrorIsAnsweredAfterAllBeforeIt() throws IOException {
        client.sendRaw("PING\r\n*1\r\nfoo\r\nPING\r\n");
        assertThat(client.readAll()).isEqualTo("+PONG\r\n-ERR Protocol error: expected '$', got 'f'\r\n");
    }
}
