package dev.caskwright.server.infinispan;

import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.config.TlsFiles;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Certificates for the connections between nodes, in both directions: each shows its own, and believes those that an authority of the
 * trusted ones has signed.
 */
record NodeTls(TlsFiles files) {
    /** As {@link TlsFiles#of}. */
    static @Nullable NodeTls of(ServerConfig config) {
        TlsFiles files = TlsFiles.of(config, "cache", "nodes");
        return files == null ? null : new NodeTls(files);
    }

    /**
     * Reads the files.
     *
     * @throws IOException if they are not what they should be
     */
    SSLContext context() throws IOException {
        try {
            SslContext context = SslContextBuilder.forServer(
                            files.certificate().toFile(), files.key().toFile())
                    .sslProvider(SslProvider.JDK)
                    .trustManager(files.trusted().toFile())
                    .build();
            return ((JdkSslContext) context).context();
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException(
                    "the files for TLS between nodes cannot be used: key=" + files.key() + ", certificate="
                            + files.certificate() + ", trusted=" + files.trusted() + ": " + e.getMessage(),
                    e);
        }
    }
}
