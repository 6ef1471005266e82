package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** No client makes the server take more than its limits, or keeps it from serving others. */
final class LimitsTest {
    @Test
    void aClientThatDoesNotReadIsNotReadFrom() throws Exception {
        try (TestServer server = TestServer.start();
                RespClient greedy = server.client();
                RespClient other = server.client()) {
            String value = "v".repeat(1 << 20);
            other.call("SET", "big", value);
            byte[] requests = "GET big\r\n".repeat(2_000).getBytes(StandardCharsets.ISO_8859_1);
            Thread sending = new Thread(() -> {
                try {
                    greedy.sendRaw(requests);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            sending.start();
            // Until the server has stopped to run its commands: the count stays the same.
            long before = -1;
            long now = calls(other);
            while (now != before || now == 0) {
                for (int i = 0; i < 200; i++) {
                    assertThat(other.call("PING")).isEqualTo("PONG");
                }
                before = now;
                now = calls(other);
            }
            assertThat(now).isLessThan(200);
            for (int i = 0; i < 2_000; i++) {
                assertThat(greedy.read()).isEqualTo(value);
            }
            sending.join();
        }
    }

    private static long calls(RespClient client) throws IOException {
        String info = (String) client.call("INFO", "commandstats");
        return Long.parseLong("0" + info.replaceAll("(?s).*cmdstat_get:calls=(\\d+).*|.*", "$1"));
    }

    @Test
    void manyHalfRequestsAreLimitedTogether() throws Exception {
        try (TestServer server = TestServer.start("maxmemory-clients", "8mb");
                RespClient other = server.client()) {
            List<RespClient> clients = new ArrayList<>();
            String part = "*2\r\n$3\r\nGET\r\n$4000000\r\n" + "x".repeat(1_000_000);
            for (int i = 0; i < 20; i++) {
                RespClient client = server.client();
                clients.add(client);
                try {
                    client.sendRaw(part);
                } catch (IOException e) {
                    break; // the server has closed it, as it should
                }
            }
            String info = "";
            while (!info.matches("(?s).*client_limit_disconnections:[1-9].*")) {
                info = (String) other.call("INFO", "stats");
            }
            assertThat(other.call("SET", "a", "1")).isEqualTo("OK");
            for (RespClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    void moreClientsThanAllowedAreToldSo() throws Exception {
        try (TestServer server = TestServer.start("maxclients", "2");
                RespClient one = server.client();
                RespClient two = server.client()) {
            one.call("PING");
            two.call("PING");
            try (RespClient three = server.client()) {
                assertThat(three.readAll()).isEqualTo("-ERR max number of clients reached\r\n");
            }
            assertThat(one.call("PING")).isEqualTo("PONG");
        }
    }

    @Test
    void anArgumentIsNoLongerThanAllowed() throws Exception {
        try (TestServer server = TestServer.start("proto-max-bulk-len", "1mb");
                RespClient client = server.client()) {
            String value = "v".repeat(1 << 20);
            assertThat(client.call("SET", "a", value)).isEqualTo("OK");
            assertThat(client.call("APPEND", "a", "x"))
                    .isEqualTo(new RespClient.Failure("ERR string exceeds maximum allowed size (proto-max-bulk-len)"));
            client.sendRaw("*2\r\n$3\r\nGET\r\n$1048577\r\n");
            assertThat(client.readAll()).isEqualTo("-ERR Protocol error: invalid bulk length\r\n");
        }
    }

    @Test
    void strangersMaySayLittle() throws Exception {
        try (TestServer server = TestServer.start("requirepass", "secret")) {
            try (RespClient client = server.client()) {
                client.sendRaw("*2\r\n$4\r\nAUTH\r\n$100000\r\n");
                assertThat(client.readAll()).isEqualTo("-ERR Protocol error: unauthenticated bulk length\r\n");
            }
            try (RespClient client = server.client()) {
                assertThat(client.call("GET", "a"))
                        .isEqualTo(new RespClient.Failure("NOAUTH Authentication required."));
                assertThat(client.call("AUTH", "secret")).isEqualTo("OK");
                assertThat(client.call("SET", "a", "v".repeat(100_000))).isEqualTo("OK");
            }
        }
    }

    @Test
    void anIdleClientIsClosed() throws Exception {
        try (TestServer server = TestServer.start("timeout", "5");
                RespClient client = server.client()) {
            client.call("PING");
            server.clock.advance(Duration.ofSeconds(5));
            assertThat(client.readAll()).isEmpty();
        }
    }

    @Test
    void aStrangerThatStaysOneIsClosed() throws Exception {
        try (TestServer server = TestServer.start("requirepass", "secret");
                RespClient client = server.client()) {
            client.call("PING");
            server.clock.advance(Duration.ofSeconds(10));
            assertThat(client.readAll()).isEmpty();
        }
    }

    @Test
    void aTransactionIsNoLongerThanAllowed() throws Exception {
        try (TestServer server = TestServer.start("client-query-buffer-limit", "1mb");
                RespClient client = server.client()) {
            client.call("MULTI");
            String value = "v".repeat(300_000);
            for (int i = 0; i < 3; i++) {
                assertThat(client.call("SET", "a", value)).isEqualTo("QUEUED");
            }
            assertThat(client.call("SET", "a", value)).isInstanceOf(RespClient.Failure.class);
            assertThat(((RespClient.Failure) client.call("EXEC")).message()).startsWith("EXECABORT");
        }
    }

    @Test
    void noBytesHangOrEndTheServer() throws Exception {
        sendAnything(300);
    }

    @Test
    @Tag("campaign")
    void noBytesHangOrEndTheServerInTheLongRun() throws Exception {
        int connections = Integer.getInteger("caskwright.fuzz.connections", 20_000);
        sendAnything(connections);
        System.out.println(connections + " connections, each with 20 requests made of words and odd bytes");
    }

    private static void sendAnything(int connections) throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String[] words = {
            "GET",
            "SET",
            "EX",
            "-1",
            "9223372036854775807",
            "\0",
            "",
            "*",
            "[",
            "KEYS",
            "SCAN",
            "0",
            "CLIENT",
            "KILL",
            "ID",
            "EXPIRE",
            "GETRANGE",
            "SETRANGE",
            "INCRBYFLOAT",
            "1e400",
            "nan",
            "MULTI",
            "EXEC",
            "CONFIG",
            "ACL",
            "COMMAND",
            "INFO",
            "HELLO",
            "3",
            "RESET",
            "SUBSCRIBE",
            "OBJECT",
            "MEMORY",
            "USAGE",
            "LATENCY",
            "WAITAOF",
            "1",
            "COPY",
            "DB",
            "SELECT",
            "SWAPDB",
            "DELEX",
            "IFEQ",
            "DOCS",
            "GETKEYS",
            "MSET",
            "WATCH",
            "DEBUG",
            "%",
            "CLIENT",
            "REPLY",
            "SKIP"
        };
        try (TestServer server = TestServer.start()) {
            for (int round = 0; round < connections; round++) {
                try (RespClient client = server.client()) {
                    for (int i = 0; i < 20; i++) {
                        String[] request = new String[1 + random.nextInt(5)];
                        for (int w = 0; w < request.length; w++) {
                            request[w] = words[random.nextInt(words.length)];
                        }
                        client.send(request);
                    }
                    client.sendRaw("*1\r\n$4\r\nQUIT\r\n");
                    client.readAll();
                }
            }
            try (RespClient client = server.client()) {
                client.call("CLIENT", "UNPAUSE");
                assertThat(client.call("ECHO", "alive")).as("seed=%d", seed).isEqualTo("alive");
            }
        }
    }

    @Test
    @Tag("campaign")
    void tenThousandClientsAreServedInASmallHeap() throws Exception {
        try (SmallServer server = SmallServer.start()) {
            List<RespClient> clients = new ArrayList<>();
            try {
                for (int i = 0; i < 10_000; i++) {
                    clients.add(new RespClient(server.port()));
                }
                for (RespClient client : clients) {
                    client.send("SET", "key:" + clients.size(), "v".repeat(100));
                }
                for (RespClient client : clients) {
                    assertThat(client.read()).isEqualTo("OK");
                }
                String info = (String) clients.get(0).call("INFO", "clients");
                assertThat(info).contains("connected_clients:10000");
            } finally {
                for (RespClient client : clients) {
                    client.close();
                }
            }
        }
    }
}
