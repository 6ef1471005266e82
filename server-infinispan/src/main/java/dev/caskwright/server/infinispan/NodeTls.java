package dev.caskwright.server.infinispan;

import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.config.TlsFiles;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/**
 * Certificates for the connections between nodes, in both directions: each shows its own, and believes those that an authority of the
 * trusted ones has signed.
 */
record NodeTls(TlsFiles files) {
    /** So many steps each side takes at most; some twenty do. */
    private static final int MOST_STEPS = 200;

    /** Packets that are on their way at once at most. */
    private static final int FLIGHT = 8;

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
            SSLContext made = ((JdkSslContext) context).context();
            checkPair(made);
            return made;
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException(
                    "the files for TLS between nodes cannot be used: key=" + files.key() + ", certificate="
                            + files.certificate() + ", trusted=" + files.trusted() + ": " + e.getMessage(),
                    e);
        }
    }

    /**
     * Has the node talk to itself, believing whatever it is shown: a key that is not that of the certificate would keep it out of the
     * cluster for ever, with nothing but other nodes' logs to say why.
     */
    private static void checkPair(SSLContext made) throws IOException, GeneralSecurityException {
        SSLContext believing = SSLContext.getInstance("TLS");
        believing.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
        SSLEngine client = believing.createSSLEngine();
        SSLEngine server = made.createSSLEngine();
        client.setUseClientMode(true);
        server.setUseClientMode(false);
        client.beginHandshake();
        server.beginHandshake();
        ByteBuffer there = ByteBuffer.allocate(client.getSession().getPacketBufferSize() * FLIGHT);
        ByteBuffer back = ByteBuffer.allocate(there.capacity());
        int left = MOST_STEPS;
        while (client.getHandshakeStatus() != SSLEngineResult.HandshakeStatus.NOT_HANDSHAKING) {
            step(client, there, back);
            step(server, back, there);
            if (--left == 0) {
                throw new SSLHandshakeException("the node does not agree on TLS with itself");
            }
        }
    }

    /** Does what is next for one side of a handshake, if it can. */
    private static void step(SSLEngine engine, ByteBuffer out, ByteBuffer in) throws SSLException {
        switch (engine.getHandshakeStatus()) {
            case NEED_WRAP -> engine.wrap(ByteBuffer.allocate(0), out);
            case NEED_UNWRAP -> {
                in.flip();
                engine.unwrap(in, ByteBuffer.allocate(engine.getSession().getApplicationBufferSize()));
                in.compact();
            }
            case NEED_TASK -> engine.getDelegatedTask().run();
            default -> {}
        }
    }
}
