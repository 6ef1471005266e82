package dev.caskwright.server.infinispan;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PushbackInputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketImpl;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A connection to another node, over TLS once that is agreed on. Closing it closes what is below TLS, which ends a handshake too and
 * waits for nobody. Safe for any number of threads once it is greeted.
 */
class NodeSocket extends Socket {
    /** All nodes are of this project, so none needs an older one. */
    private static final String[] PROTOCOLS = {"TLSv1.3"};

    private volatile @Nullable InputStream in;
    private volatile @Nullable OutputStream out;

    /** Makes one to connect. */
    NodeSocket() {}

    private NodeSocket(@Nullable SocketImpl given) throws SocketException {
        super(given);
    }

    /** Makes one to accept. */
    static NodeSocket toAccept() throws SocketException {
        return new NodeSocket(null);
    }

    /** Waits until the peer says something; what it says is read later. */
    final void awaitByte() throws IOException {
        PushbackInputStream stream = new PushbackInputStream(super.getInputStream());
        int first = stream.read();
        if (first < 0) {
            throw new EOFException("the peer went without a word");
        }
        stream.unread(first);
        in = stream;
    }

    /** Agrees on TLS with a peer; each has to show its certificate. */
    final void secure(SSLContext context, boolean isClient) throws IOException {
        SSLSocket secured = (SSLSocket) context.getSocketFactory().createSocket(this, null, true);
        secured.setUseClientMode(isClient);
        secured.setNeedClientAuth(!isClient);
        secured.setEnabledProtocols(PROTOCOLS);
        secured.startHandshake();
        in = secured.getInputStream();
        out = secured.getOutputStream();
    }

    @Override
    public InputStream getInputStream() throws IOException {
        InputStream found = in;
        return found == null ? super.getInputStream() : found;
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        OutputStream found = out;
        return found == null ? super.getOutputStream() : found;
    }
}
