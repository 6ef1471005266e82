package dev.caskwright.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.testkit.ManualClock;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What Prometheus is told, and that nobody is served who is not Prometheus. */
@Timeout(60)
final class MetricsEndpointTest {
    private static final int MOST_CONNECTIONS = 16;
    private static final Pattern HEADING = Pattern.compile("# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
    private static final Pattern SAMPLE = Pattern.compile(
            "([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{(?:[a-zA-Z_]\\w*=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\",?)*\\})? (\\S+)");

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static Socket connect(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(30_000);
        return socket;
    }

    /** Sends bytes and returns all that comes until the server closes. */
    private static String exchange(int port, String request) throws IOException {
        try (Socket socket = connect(port)) {
            socket.getOutputStream().write(request.getBytes(ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    private static String figures(int port) throws IOException {
        String response = exchange(port, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assertThat(response)
                .startsWith("HTTP/1.1 200 OK\r\n")
                .contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
        String body = response.substring(response.indexOf("\r\n\r\n") + 4);
        assertThat(response).contains("\r\nContent-Length: " + body.getBytes(UTF_8).length + "\r\n");
        return body;
    }

    /** Checks the text by the rules of the format, and returns the samples. */
    private static Map<String, Double> samples(String text) {
        Map<String, Double> samples = new HashMap<>();
        Set<String> types = new HashSet<>();
        String current = "";
        String type = "";
        assertThat(text).endsWith("\n");
        for (String line : text.split("\n")) {
            Matcher heading = HEADING.matcher(line);
            if (heading.matches() && heading.group(1).equals("HELP")) {
                current = heading.group(2);
                assertThat(types.add(current))
                        .as("all of one figure together: %s", line)
                        .isTrue();
            } else if (heading.matches()) {
                assertThat(heading.group(2)).isEqualTo(current);
                type = heading.group(3);
                assertThat(type).isIn("gauge", "counter");
                assertThat(current.endsWith("_total")).as(line).isEqualTo(type.equals("counter"));
            } else {
                Matcher sample = SAMPLE.matcher(line);
                assertThat(sample.matches()).as(line).isTrue();
                assertThat(sample.group(1)).isEqualTo(current);
                double value = Double.parseDouble(sample.group(3));
                assertThat(value >= 0 || type.equals("gauge")).as(line).isTrue();
                String labels = sample.group(2) == null ? "" : sample.group(2);
                assertThat(samples.put(current + labels, value)).as(line).isNull();
            }
        }
        return samples;
    }

    @Test
    void whatTheServerAndTheStoreDoIsTold() throws IOException {
        int port = freePort();
        try (TestServer server =
                        TestServer.start("metrics-port", Integer.toString(port), "requirepass", "the password");
                RespClient client = server.client()) {
            client.call("AUTH", "the password");
            client.call("SET", "the key", "the value");
            client.call("GET", "the key");
            client.call("GET", "another key");
            client.call("INCR", "the key");
            client.call("SUBSCRIBE", "the channel");
            String text = figures(port);
            Map<String, Double> samples = samples(text);
            assertThat(samples)
                    .containsEntry("caskwright_healthy", 1.0)
                    .containsEntry("caskwright_retries", 0.0)
                    .containsEntry("caskwright_server_clients", 1.0)
                    .containsEntry("caskwright_server_subscribed_clients", 1.0)
                    .containsEntry("caskwright_server_keyspace_hits_total", 1.0)
                    .containsEntry("caskwright_server_keyspace_misses_total", 1.0)
                    .containsEntry("caskwright_server_command_calls_total{command=\"get\"}", 2.0)
                    .containsEntry("caskwright_server_command_failures_total{command=\"incr\"}", 1.0)
                    .containsEntry("caskwright_server_errors_total{code=\"ERR\"}", 1.0)
                    .containsEntry("caskwright_server_database_keys{database=\"0\"}", 1.0);
            assertThat(samples.get("caskwright_written_bytes_total")).isPositive();
            assertThat(samples.get("caskwright_server_start_time_seconds")).isGreaterThan(1e9);
            assertThat(text).doesNotContain("password", "the key", "the value", "the channel", "127.0.0.1");
            assertThat(figures(port)).as("within a second").isEqualTo(text);
        }
    }

    @Test
    void aMemberOfAGroupTellsWhereItStands() throws IOException {
        int port = freePort();
        try (LoopbackGroup group = new LoopbackGroup(1, new ManualClock(), TestServer.config());
                CaskServer member = CaskServer.start(
                        group.members.get(0),
                        TestServer.config("port", "0", "bind", "127.0.0.1", "metrics-port", Integer.toString(port)))) {
            assertThat(member.port()).isPositive();
            assertThat(samples(figures(port))).containsKey("caskwright_server_leads");
        }
    }

    @Test
    void itIsOffUnlessAskedForAndOnLoopbackUnlessToldOtherwise() {
        ServerConfig config = new ServerConfig();
        assertThat(config.number("metrics-port")).isZero();
        assertThat(config.text("metrics-bind")).isEqualTo("127.0.0.1");
    }

    @Test
    void aPortThatIsTakenEndsTheStart() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = Integer.toString(taken.getLocalPort());
            assertThatThrownBy(() -> TestServer.start("metrics-port", port).close())
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("metrics-port=" + port);
        }
    }

    @Test
    void otherRequestsAreErrors() throws IOException {
        int port = freePort();
        try (TestServer server = TestServer.start("metrics-port", Integer.toString(port))) {
            assertThat(server.server.port()).isPositive();
            assertThat(exchange(port, "GET /metrics?a=b HTTP/1.0\n\n")).startsWith("HTTP/1.1 200 ");
            assertThat(exchange(port, "HEAD /metrics HTTP/1.1\r\n\r\n"))
                    .startsWith("HTTP/1.1 200 ")
                    .endsWith("\r\n\r\n");
            assertThat(exchange(port, "GET / HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 404 ");
            assertThat(exchange(port, "GET /metrics/../x HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 404 ");
            assertThat(exchange(port, "POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"))
                    .startsWith("HTTP/1.1 405 ")
                    .contains("\r\nAllow: GET, HEAD\r\n");
            assertThat(exchange(port, "GET /metrics\r\n\r\n")).startsWith("HTTP/1.1 400 ");
            assertThat(exchange(port, "\r\n\r\n")).startsWith("HTTP/1.1 400 ");
            assertThat(exchange(port, "*1\r\n$4\r\nPING\r\n\r\n")).startsWith("HTTP/1.1 400 ");
            String headers = "X: y\r\n".repeat(10_000).substring(0, (8 << 10) - 24);
            assertThat(exchange(port, "GET /metrics HTTP/1.1\r\n" + headers + "zzzz"))
                    .startsWith("HTTP/1.1 431 ");
            assertThat(figures(port)).isNotEmpty();
        }
    }

    @Test
    void whatComesInPiecesOrIsGarbageHarmsNothing() throws IOException {
        int port = freePort();
        long seed = System.nanoTime();
        Random random = new Random(seed);
        try (TestServer server = TestServer.start("metrics-port", Integer.toString(port))) {
            for (int i = 0; i < 50; i++) {
                byte[] garbage = new byte[random.nextInt(10_000)];
                random.nextBytes(garbage);
                try (Socket socket = connect(port)) {
                    socket.getOutputStream().write(garbage);
                    socket.shutdownOutput();
                    byte[] answer = answer(socket);
                    assertThat(new String(answer, UTF_8))
                            .as("seed=%d, round=%d", seed, i)
                            .doesNotContain(" 200 ", " 500 ");
                }
            }
            try (Socket socket = connect(port)) {
                socket.setTcpNoDelay(true);
                for (byte each : "GET /metrics HTTP/1.1\r\n\r\n".getBytes(ISO_8859_1)) {
                    socket.getOutputStream().write(each);
                }
                assertThat(new String(answer(socket), UTF_8)).startsWith("HTTP/1.1 200 ");
            }
            try (RespClient client = server.client()) {
                assertThat(client.call("PING")).isEqualTo("PONG");
            }
        }
    }

    /** Returns what came, also if the connection was reset since not all was read that was sent. */
    private static byte[] answer(Socket socket) {
        List<Byte> bytes = new ArrayList<>();
        try {
            InputStream in = socket.getInputStream();
            for (int each = in.read(); each >= 0; each = in.read()) {
                bytes.add((byte) each);
            }
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("reset");
        }
        byte[] all = new byte[bytes.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = bytes.get(i);
        }
        return all;
    }

    @Test
    void whoHoldsConnectionsKeepsClientsOfTheStoreFromNothing() throws IOException {
        int port = freePort();
        List<Socket> held = new ArrayList<>();
        try (TestServer server = TestServer.start("metrics-port", Integer.toString(port), "maxclients", "1")) {
            for (int i = 0; i < MOST_CONNECTIONS; i++) {
                Socket socket = connect(port);
                held.add(socket);
                socket.getOutputStream().write('G');
            }
            try (Socket tooMany = connect(port)) {
                assertThat(answer(tooMany)).isEmpty();
            }
            try (RespClient client = server.client()) {
                assertThat(client.call("PING")).isEqualTo("PONG");
            }
        } finally {
            for (Socket each : held) {
                assertThat(answer(each)).as("ended with the server").isEmpty();
                each.close();
            }
        }
    }

    @Test
    void aClientThatIsSlowIsCutOff() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        new MetricsEndpoint(() -> "").accept(channel);
        channel.advanceTimeBy(9, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isOpen()).isTrue();
        channel.advanceTimeBy(1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isOpen()).isFalse();
    }

    /** Ten seconds of scrapes that follow each other at once are as many closed channels otherwise. */
    @Test
    void nothingWaitsForAConnectionThatHasEnded() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        new MetricsEndpoint(() -> "").accept(channel);
        channel.writeInbound(Unpooled.copiedBuffer("GET /metrics HTTP/1.1\r\n\r\n", UTF_8));
        assertThat(channel.isOpen()).isFalse();
        assertThat(channel.hasPendingTasks()).isFalse();
        channel.releaseOutbound();
    }

    @Test
    void wantOfMemoryForTheFiguresIsAnAnswer() {
        EmbeddedChannel channel = new EmbeddedChannel();
        new MetricsEndpoint(() -> {
                    throw new OutOfMemoryError("planted");
                })
                .accept(channel);
        channel.writeInbound(Unpooled.copiedBuffer("GET /metrics HTTP/1.1\r\n\r\n", UTF_8));
        ByteBuf response = channel.readOutbound();
        assertThat(response.toString(UTF_8)).startsWith("HTTP/1.1 500 ");
        response.release();
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void figuresThatCannotBeTakenAreAnErrorAndNotTriedAgainAtOnce() {
        AtomicInteger tries = new AtomicInteger();
        MetricsEndpoint endpoint = new MetricsEndpoint(() -> {
            tries.incrementAndGet();
            throw new IOException("a secret");
        });
        for (int i = 0; i < 3; i++) {
            EmbeddedChannel channel = new EmbeddedChannel();
            endpoint.accept(channel);
            channel.writeInbound(Unpooled.copiedBuffer("GET /metrics HTTP/1.1\r\n\r\n", UTF_8));
            ByteBuf response = channel.readOutbound();
            assertThat(response.toString(UTF_8)).startsWith("HTTP/1.1 500 ").doesNotContain("secret");
            response.release();
            assertThat(channel.isOpen()).isFalse();
        }
        assertThat(tries).hasValueLessThan(3);
    }
}
