package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.server.config.ServerConfig;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jgroups.JChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.UnifiedJedis;

/** Nodes that talk over TLS, and those that do not get in. */
final class NodeTlsTest {
    private static final int KEYS = 100;

    @TempDir
    Path directory;

    private static String file(String name) {
        try {
            return Path.of(NodeTlsTest.class.getResource("/tls/" + name).toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private TestNodes nodes(int first, int count) throws IOException {
        return new TestNodes(directory, first, count)
                .with("cache-tls-key-file", file("member.key"))
                .with("cache-tls-cert-file", file("member.crt"))
                .with("cache-tls-ca-cert-file", file("ca.crt"));
    }

    @Test
    void nodesTalkOverTlsAndStrangersStayOut() throws Exception {
        try (TestNodes nodes = nodes(3, 4)) {
            nodes.startAll(0, 1, 2);
            nodes.awaitOwners(0, 3);
            try (UnifiedJedis client = nodes.cluster(0)) {
                for (int i = 0; i < KEYS; i++) {
                    client.set("key" + i, "value" + i);
                }
            }
            // One has a key that an authority has signed that nobody here knows; another believes any; a third does
            // without TLS.
            assertStaysOut(
                    nodes,
                    nodes.config(3)
                            .set("cache-tls-key-file", file("foreign.key"))
                            .set("cache-tls-cert-file", file("foreign.crt"))
                            .set("cache-tls-ca-cert-file", file("stranger.crt")));
            assertStaysOut(
                    nodes,
                    nodes.config(3)
                            .set("cache-tls-key-file", file("foreign.key"))
                            .set("cache-tls-cert-file", file("foreign.crt")));
            assertStaysOut(
                    nodes,
                    nodes.config(3)
                            .set("cache-tls-key-file", "")
                            .set("cache-tls-cert-file", "")
                            .set("cache-tls-ca-cert-file", ""));
            // In the place of the strangers, one with the right key gets in.
            nodes.start(3);
            nodes.awaitOwners(0, 4);
            try (UnifiedJedis client = nodes.cluster(3)) {
                for (int i = 0; i < KEYS; i++) {
                    assertThat(client.get("key" + i)).isEqualTo("value" + i);
                }
            }
        }
    }

    /** Has somebody look for the cluster at the address of the last node, and asserts that it finds nobody. */
    private static void assertStaysOut(TestNodes nodes, ServerConfig config) throws Exception {
        NodeOptions options = NodeOptions.of(config);
        byte[] stack = Stack.of(options).getBytes(StandardCharsets.UTF_8);
        try (JChannel channel = new JChannel(new ByteArrayInputStream(stack))) {
            channel.getProtocolStack().getTopProtocol().setSocketFactory(NodeSockets.of(options));
            channel.connect(options.cluster());
            assertThat(channel.getView().size()).isEqualTo(1);
            for (int i = 0; i < 3; i++) {
                assertThat(nodes.node(i).node().manager().getMembers()).hasSize(3);
            }
        }
    }

    @Test
    void whoeverSendsPlainTextIsCutOff() throws Exception {
        try (TestNodes nodes = nodes(1, 1)) {
            nodes.start(0);
            CachePeer self = nodes.node(0).node().options().self();
            try (Socket socket = new Socket(InetAddress.getByName(self.host()), self.port())) {
                socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                // An alert of TLS: 21, and the version.
                assertThat(socket.getInputStream().readNBytes(2)).containsExactly(21, 3);
            }
        }
    }

    @Test
    void aPartOfTheFilesIsAMistake() throws Exception {
        try (TestNodes nodes = nodes(1, 1)) {
            assertThatThrownBy(() -> NodeOptions.of(nodes.config(0).set("cache-tls-key-file", "")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("missing=[cache-tls-key-file]");
            assertThatThrownBy(() -> NodeOptions.of(
                            nodes.config(0).set("cache-tls-cert-file", "").set("cache-tls-ca-cert-file", "")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("missing=[cache-tls-cert-file, cache-tls-ca-cert-file]");
            String nowhere = directory.resolve("nowhere").toString();
            assertThatThrownBy(() -> NodeOptions.of(nodes.config(0).set("cache-tls-cert-file", nowhere)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("option 'cache-tls-cert-file': the file cannot be read");
            // The key and the certificate mixed up: nothing is begun.
            ServerConfig mixed = nodes.config(0)
                    .set("cache-tls-key-file", file("member.crt"))
                    .set("cache-tls-cert-file", file("member.key"));
            assertThatThrownBy(() -> CacheNode.open(nodes.directory(0), NodeOptions.of(mixed)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("the files for TLS between nodes cannot be used");
        }
    }

    /** They would keep a node out for ever, and it would not say why. */
    @Test
    void filesThatDoNotBelongTogetherOrHoldNothingAreAMistake() throws Exception {
        Path empty = Files.createFile(directory.resolve("empty"));
        try (TestNodes nodes = nodes(1, 1)) {
            assertThatThrownBy(() -> open(nodes, "cache-tls-key-file", file("foreign.key")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("the files for TLS between nodes cannot be used");
            for (String option : List.of("cache-tls-key-file", "cache-tls-cert-file", "cache-tls-ca-cert-file")) {
                for (String odd : List.of(empty.toString(), directory.toString())) {
                    assertThatThrownBy(() -> open(nodes, option, odd))
                            .as("%s=%s", option, odd)
                            .isInstanceOf(IOException.class)
                            .hasMessageContaining("the files for TLS between nodes cannot be used");
                }
            }
            nodes.start(0); // nothing was begun
        }
    }

    private static void open(TestNodes nodes, String option, String value) throws IOException {
        CacheNode.open(nodes.directory(0), NodeOptions.of(nodes.config(0).set(option, value)))
                .close();
    }
}
