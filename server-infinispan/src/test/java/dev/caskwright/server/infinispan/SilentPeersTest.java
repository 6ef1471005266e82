package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLException;
import org.jgroups.util.SocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.UnifiedJedis;

/**
 * Peers that connect and say nothing, and those that accept and say nothing, as a stopped process does. JGroups waited a second for each
 * of the first, one after another, and for the second without an end: with TLS, no node could write any more.
 */
final class SilentPeersTest {
    private static final int SILENT = 30;
    private static final int KEYS = 100;

    @TempDir
    Path directory;

    private final List<Socket> silent = new ArrayList<>();

    @AfterEach
    void closeSilent() throws IOException {
        for (Socket each : silent) {
            each.close();
        }
    }

    private static String file(String name) {
        try {
            return Path.of(SilentPeersTest.class.getResource("/tls/" + name).toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private TestNodes nodes(int first, int count, boolean isSecure) throws IOException {
        TestNodes nodes = new TestNodes(directory, first, count);
        return isSecure
                ? nodes.with("cache-tls-key-file", file("member.key"))
                        .with("cache-tls-cert-file", file("member.crt"))
                        .with("cache-tls-ca-cert-file", file("ca.crt"))
                : nodes;
    }

    private Socket connect(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), port);
        silent.add(socket);
        return socket;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aNodeJoinsThoughOthersConnectAndSayNothing(boolean isSecure) throws Exception {
        try (TestNodes nodes = nodes(2, 3, isSecure)) {
            nodes.startAll(0, 1);
            nodes.awaitOwners(0, 2);
            for (int i = 0; i < 2 * SILENT; i++) {
                Socket socket =
                        connect(nodes.node(i % 2).node().options().self().port());
                if (i % 3 == 0) {
                    // The start of a handshake, or of what JGroups says first.
                    socket.getOutputStream().write(isSecure ? new byte[] {22, 3, 1} : "bela".getBytes());
                }
            }
            nodes.start(2);
            nodes.awaitOwners(0, 3);
        }
    }

    @Test
    void nodesWriteThoughOneThatAcceptsSaysNothing() throws Exception {
        try (TestNodes nodes = nodes(3, 3, true);
                ServerSocket listener = new ServerSocket()) {
            nodes.startAll(0, 1, 2);
            nodes.awaitOwners(0, 3);
            CachePeer third = nodes.node(2).node().options().self();
            nodes.stop(2);
            nodes.awaitOwners(0, 2);
            listener.setReuseAddress(true);
            listener.bind(new InetSocketAddress(third.host(), third.port()));
            try (UnifiedJedis client = nodes.cluster(0)) {
                silent.add(listener.accept()); // a node looks for the one that was there
                for (int i = 0; i < KEYS; i++) {
                    assertThat(client.set("key" + i, "value")).isEqualTo("OK");
                }
                silent.add(listener.accept());
                for (int i = 0; i < KEYS; i++) {
                    assertThat(client.get("key" + i)).isEqualTo("value");
                }
            }
        }
    }

    @Test
    void whoeverTalksIsAcceptedBeforeThoseWhoDoNot() throws Exception {
        try (NodeServerSocket server = new NodeServerSocket(null)) {
            server.bind(new InetSocketAddress("127.0.0.1", 0));
            Socket first = connect(server.getLocalPort());
            for (int i = 1; i < NodeServerSocket.MOST_SILENT; i++) {
                connect(server.getLocalPort());
            }
            Socket talker = connect(server.getLocalPort());
            byte[] greeting = {'b', 'e', 'l', 'a', 0, 1, 0, 3, 'o', 'n', 'e', '!'};
            talker.getOutputStream().write(greeting);
            try (Socket accepted = server.accept()) {
                assertThat(accepted.getInputStream().readNBytes(greeting.length))
                        .isEqualTo(greeting);
            }
            // There was no room for it.
            assertThat(first.getInputStream().read()).isEqualTo(-1);
            CompletableFuture<Void> waiting = CompletableFuture.runAsync(() -> assertThatThrownBy(server::accept)
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("closed"));
            server.close();
            waiting.join();
        }
    }

    @Test
    void whoeverDoesNotGreetAsANodeIsCutOff() throws Exception {
        try (NodeServerSocket server = new NodeServerSocket(null)) {
            server.bind(new InetSocketAddress("127.0.0.1", 0));
            List<byte[]> greetings = List.of(
                    "GET / HTTP/1.0\r\n\r\n".getBytes(),
                    new byte[] {'b', 'e', 'l', 'a', 0, 1, -1, -1},
                    new byte[] {'b', 'e', 'l', 'a', 0, 1, 0, 0},
                    new byte[] {'b', 'e', 'l', 'a', 0, 1, 127, -1});
            for (byte[] greeting : greetings) {
                Socket peer = connect(server.getLocalPort());
                peer.getOutputStream().write(greeting);
                assertIsCutOff(peer);
            }
            Socket half = connect(server.getLocalPort());
            half.getOutputStream().write(new byte[] {'b', 'e', 'l', 'a', 0, 1, 0, 3, 'o'});
            half.shutdownOutput();
            assertIsCutOff(half);
        }
    }

    private static void assertIsCutOff(Socket peer) throws IOException {
        try {
            assertThat(peer.getInputStream().read()).isEqualTo(-1);
        } catch (SocketException e) {
            assertThat(e).hasMessageContaining("reset"); // it had said more than was read
        }
    }

    @Test
    void noThreadIsLeftOfThoseWhoWereWaitedFor() throws Exception {
        try (NodeServerSocket server = new NodeServerSocket(null)) {
            server.bind(new InetSocketAddress("127.0.0.1", 0));
            for (int i = 0; i < 3 * NodeServerSocket.MOST_SILENT; i++) {
                connect(server.getLocalPort());
            }
        }
        for (Socket each : silent) {
            assertIsCutOff(each);
        }
        while (Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals("caskwright-greeting")
                        || thread.getName().equals("caskwright-greeting-timer"))) {
            Thread.onSpinWait();
        }
    }

    private NodeSockets sockets(String key, String certificate, String trusted) throws IOException {
        TestNodes nodes = new TestNodes(directory, 1, 1)
                .with("cache-tls-key-file", file(key))
                .with("cache-tls-cert-file", file(certificate))
                .with("cache-tls-ca-cert-file", file(trusted));
        return NodeSockets.of(NodeOptions.of(nodes.config(0)));
    }

    /** It may have got its right certificate a moment later. */
    @Test
    void whoeverAnswersWithAWrongCertificateIsNotLeftAlone() throws Exception {
        NodeSockets connecting = sockets("foreign.key", "foreign.crt", "stranger.crt");
        try (ServerSocket server = sockets("member.key", "member.crt", "ca.crt").createServerSocket("test")) {
            server.bind(new InetSocketAddress("127.0.0.1", 0));
            for (int i = 0; i < 3; i++) {
                try (Socket socket = connecting.createSocket("test")) {
                    assertThatThrownBy(() -> socket.connect(server.getLocalSocketAddress(), 1_000))
                            .isInstanceOf(SSLException.class);
                    assertThat(socket.isClosed()).isTrue();
                }
            }
        }
    }

    /** Whatever a protocol asks the factory for is over TLS, or is not there. */
    @Test
    void nothingGoesOutInPlainText() throws Exception {
        NodeSockets sockets = sockets("member.key", "member.crt", "ca.crt");
        int refused = 0;
        for (Method method : SocketFactory.class.getMethods()) {
            boolean isOverTls = method.getParameterCount() == 1
                    && List.of("createSocket", "createServerSocket").contains(method.getName());
            if (method.getName().startsWith("create") && !isOverTls) {
                Object[] arguments = Arrays.stream(method.getParameterTypes())
                        .map(type -> type == int.class ? (Object) 0 : null)
                        .toArray();
                assertThatThrownBy(() -> method.invoke(sockets, arguments))
                        .as(method.toString())
                        .cause()
                        .isInstanceOf(SocketException.class)
                        .hasMessageContaining("no other socket");
                refused++;
            }
        }
        assertThat(refused).isGreaterThanOrEqualTo(20);
    }
}
