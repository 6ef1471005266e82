package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
                if (isSecure && i % 3 == 0) {
                    socket.getOutputStream().write(new byte[] {22, 3, 1}); // the start of a handshake
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
            talker.getOutputStream().write("one".getBytes());
            try (Socket accepted = server.accept()) {
                assertThat(accepted.getInputStream().readNBytes(3)).isEqualTo("one".getBytes());
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
}
