package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.server.config.ServerConfig;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TlsTest {
    @TempDir
    private Path directory;

    private final X509Bundle authority = certificate("CN=authority", null, true);

    TlsTest() throws Exception {}

    private static X509Bundle certificate(String name, X509Bundle issuer, boolean isAuthority) throws Exception {
        CertificateBuilder builder = new CertificateBuilder()
                .subject(name)
                .setIsCertificateAuthority(isAuthority)
                .ecp256();
        return issuer == null ? builder.buildSelfSigned() : builder.buildIssuedBy(issuer);
    }

    private void write(String name, X509Bundle bundle) throws IOException {
        Files.writeString(directory.resolve(name + ".crt"), bundle.getCertificatePathPEM());
        Files.writeString(directory.resolve(name + ".key"), bundle.getPrivateKeyPEM());
    }

    private String path(String name) {
        return directory.resolve(name).toString();
    }

    private ServerConfig config(String clients) {
        return TestServer.config(
                "bind",
                "127.0.0.1",
                "port",
                "0",
                "tls-port",
                "0",
                "tls-cert-file",
                path("server.crt"),
                "tls-key-file",
                path("server.key"),
                "tls-ca-cert-file",
                path("ca.crt"),
                "tls-auth-clients",
                clients,
                "enable-protected-configs",
                "local");
    }

    private RespClient client(int port, X509Bundle own) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("ca", authority.getCertificate());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        KeyManagerFactory keys = null;
        if (own != null) {
            keys = own.toKeyManagerFactory();
        }
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys == null ? null : keys.getKeyManagers(), trust.getTrustManagers(), null);
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port);
        SSLSession session = socket.getSession();
        peer = session.isValid()
                ? ((X509Certificate) session.getPeerCertificates()[0])
                        .getSubjectX500Principal()
                        .getName()
                : "";
        return new RespClient(socket);
    }

    private String peer = "";

    @Test
    void clientsAreServedOverTlsAndCertificatesAreReloaded() throws Exception {
        write("ca", authority);
        write("server", certificate("CN=first", authority, false));
        TestServer plain = TestServer.start();
        try (plain;
                CaskServer server = CaskServer.start(plain.store, config("no"), plain.clock)) {
            assertThat(server.port()).isNotEqualTo(server.tlsPort());
            try (RespClient client = client(server.tlsPort(), null)) {
                assertThat(peer).isEqualTo("CN=first");
                String value = "v".repeat(1_000_000);
                assertThat(client.call("SET", "a", value)).isEqualTo("OK");
                assertThat(client.call("GET", "a")).isEqualTo(value);
                write("server", certificate("CN=second", authority, false));
                assertThat(client.call("CONFIG", "SET", "tls-cert-file", path("server.crt")))
                        .isEqualTo("OK");
                try (RespClient later = client(server.tlsPort(), null)) {
                    assertThat(peer).isEqualTo("CN=second");
                    assertThat(later.call("PING")).isEqualTo("PONG");
                }
                Files.writeString(new File(path("server.crt")).toPath(), "no certificate");
                assertThat(client.call("CONFIG", "SET", "tls-cert-file", path("server.crt")))
                        .isInstanceOf(RespClient.Failure.class);
                try (RespClient later = client(server.tlsPort(), null)) {
                    assertThat(later.call("PING")).isEqualTo("PONG");
                }
            }
        }
    }

    @Test
    void aClientWithoutACertificateIsRefusedWhereOneIsAskedFor() throws Exception {
        write("ca", authority);
        write("server", certificate("CN=server", authority, false));
        TestServer plain = TestServer.start();
        try (plain;
                CaskServer server = CaskServer.start(plain.store, config("yes"), plain.clock)) {
            try (RespClient client = client(server.tlsPort(), certificate("CN=client", authority, false))) {
                assertThat(client.call("PING")).isEqualTo("PONG");
            }
            assertThatThrownBy(() -> {
                        try (RespClient client = client(server.tlsPort(), null)) {
                            client.call("PING");
                        }
                    })
                    .isInstanceOf(IOException.class);
        }
    }
}
