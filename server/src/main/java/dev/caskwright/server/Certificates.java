package dev.caskwright.server;

import dev.caskwright.server.config.ServerConfig;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** The server's certificate, its key, and whom it believes, as read from their files at one moment. Immutable. */
final class Certificates {
    private static final int HANDSHAKE_SECONDS = 10;

    private final SslContext context;

    private Certificates(SslContext context) {
        this.context = context;
    }

    /** Reads the files that the configuration names. */
    static Certificates read(ServerConfig config) throws IOException {
        String certificate = config.text("tls-cert-file");
        String key = config.text("tls-key-file");
        if (certificate.isEmpty() || key.isEmpty()) {
            throw new IllegalArgumentException("TLS needs tls-cert-file and tls-key-file");
        }
        String authorities = config.text("tls-ca-cert-file");
        ClientAuth clients = switch (config.text("tls-auth-clients")) {
            case "no" -> ClientAuth.NONE;
            case "optional" -> ClientAuth.OPTIONAL;
            default -> ClientAuth.REQUIRE;
        };
        if (clients != ClientAuth.NONE && authorities.isEmpty()) {
            throw new IllegalArgumentException(
                    "tls-auth-clients needs tls-ca-cert-file; set tls-auth-clients no to ask clients for no certificate");
        }
        try {
            SslContextBuilder builder = SslContextBuilder.forServer(
                            Path.of(certificate).toFile(), Path.of(key).toFile())
                    .sslProvider(SslProvider.JDK)
                    .protocols(config.text("tls-protocols").strip().split("\\s+", -1))
                    .clientAuth(clients);
            if (!authorities.isEmpty()) {
                builder.trustManager(Path.of(authorities).toFile());
            }
            return new Certificates(builder.build());
        } catch (IllegalArgumentException e) {
            throw new IOException("cannot use the files of certificates: " + e.getMessage(), e);
        }
    }

    SslHandler newHandler(ByteBufAllocator allocator) {
        SslHandler handler = context.newHandler(allocator);
        handler.setHandshakeTimeout(HANDSHAKE_SECONDS, TimeUnit.SECONDS);
        return handler;
    }
}
