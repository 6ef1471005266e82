package dev.caskwright.server.infinispan;

import dev.caskwright.server.config.ServerConfig;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.jgroups.util.DefaultSocketFactory;
import org.jgroups.util.SocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Certificates for the connections between nodes, in both directions: each shows its own, and believes those that an authority of
 * {@code trusted} has signed.
 *
 * @param key the private key, PKCS #8 in PEM
 * @param certificate the certificate of this node with its chain, in PEM
 * @param trusted the certificates of the authorities, in PEM
 */
record NodeTls(Path key, Path certificate, Path trusted) {
    /** All nodes are of this project, so none needs an older one. */
    private static final String[] PROTOCOLS = {"TLSv1.3"};

    /**
     * Returns what a configuration says; null if it says nothing of it.
     *
     * @throws IllegalArgumentException if it names a part of the files, or one that cannot be read; the message says which
     */
    static @Nullable NodeTls of(ServerConfig config) {
        List<Path> files = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (String option : List.of("cache-tls-key-file", "cache-tls-cert-file", "cache-tls-ca-cert-file")) {
            if (config.text(option).isEmpty()) {
                missing.add(option);
            } else {
                Path file = Path.of(config.text(option));
                if (!Files.isReadable(file)) {
                    throw new IllegalArgumentException("option '" + option + "': the file cannot be read: " + file);
                }
                files.add(file);
            }
        }
        if (files.isEmpty()) {
            return null;
        }
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException("TLS between nodes needs all three files, or none: missing=" + missing);
        }
        return new NodeTls(files.get(0), files.get(1), files.get(2));
    }

    /**
     * Reads the files; returns what makes the sockets of JGroups.
     *
     * @throws IOException if they are not what they should be
     */
    SocketFactory sockets() throws IOException {
        SSLContext context = context();
        DefaultSocketFactory sockets = new DefaultSocketFactory(context);
        sockets.setSocketConfigurator(socket -> ((SSLSocket) socket).setEnabledProtocols(PROTOCOLS));
        sockets.setServerSocketConfigurator(socket -> {
            SSLServerSocket server = (SSLServerSocket) socket;
            server.setEnabledProtocols(PROTOCOLS);
            server.setNeedClientAuth(true);
        });
        return sockets;
    }

    private SSLContext context() throws IOException {
        try {
            SslContext context = SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                    .sslProvider(SslProvider.JDK)
                    .trustManager(trusted.toFile())
                    .build();
            return ((JdkSslContext) context).context();
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException(
                    "the files for TLS between nodes cannot be used: key=" + key + ", certificate=" + certificate
                            + ", trusted=" + trusted + ": " + e.getMessage(),
                    e);
        }
    }
}
